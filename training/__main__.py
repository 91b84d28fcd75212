"""`python -m training …`: from labelled passages to the shipped model."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from model.classifier import MODEL_NAME
from model.manifest import WEIGHTS, Decision, ModelError, sha256_of
from rhetoric.codebook import default_codebook
from rhetoric.errors import RhetoricError
from rhetoric.label import load_classifier
from training import inspection, reread, rounds, sampling
from training import models as compared
from training import splits as split_file
from training.cards import EVALUATION, MODELS, CardError, fill_cards, table
from training.coding import CodingError
from training.config import CONFIG_PATH, FACTS_NAME, SOURCES, Config, ConfigError, read_config
from training.corpus import PASSAGES_PATH, CorpusError, read_documents, read_real, texts_folder
from training.data import WRITTEN_PATH, Passage, dataset_sha256, evenly, read_jsonl, read_written
from training.decide import decide, fit_decisions
from training.evaluate import behaviour, read_behaviour, write_report
from training.export import check, shipped_probabilities
from training.export import export as export_model
from training.fit import encode, gold_matrix, lay_out, predict, probabilities, really_spoken
from training.fit import fit as fit_network
from training.metrics import Floats, Ints, category_scores, macro_f1
from training.network import BaseError, base_folder, base_sum
from training.remarks import RemarkError
from training.shape import load_weights
from training.teacher import read_taught, said_of
from training.teacher import teach as teach_from
from training.unpack import exported_tokenizer, unpack
from training.vectors import read_note, read_vectors, texts_sha256, write_vectors

WORK = Path("work") / "fit"
WEIGHTS_NAME = "network.safetensors"
_ERRORS = (
    BaseError, CardError, CodingError, ConfigError, CorpusError, ModelError, RemarkError, RhetoricError,
    split_file.SplitError,
)  # fmt: skip

texts_option = click.option(
    "--texts", type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the real documents (default: $RHETORIC_TEXTS, else ../shared).",
)  # fmt: skip
out_option = click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=WORK, show_default=True)


class Main(click.Group):
    """Turns the errors a user can mend into messages."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except _ERRORS as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Main, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Train, export and evaluate the classifier.

    \b
    python -m training check      count the dataset, look for copied text and near-duplicates
    python -m training split      assign every passage to train, development or test
    python -m training fit        fine-tune on the labelled passages
    python -m training teach      let a bigger fit label real passages, for `fit --taught`
    python -m training vectors    what the bigger fit makes of every word piece, for `fit --vectors`
    python -m training average    the mean of two fits' weights, often better than either
    python -m training export     write model/weights: static int8 ONNX and its manifest
    python -m training evaluate   measure the shipped model, write model/evaluation
    python -m training behaviour  failure rates of the behaviour tests for fits, side by side
    python -m training models     train other models on the same splits, for the table of models
    python -m training cards      fill the figures into the README, the model card, the datasheet
    python -m training draw       draw real passages for a round of coding, with sheets for coders
    python -m training sheets     sheets of newly written passages for a second coder
    python -m training doubted    sheets of training sentences whose gold label the teacher doubts
    python -m training disagreements, gather
                                  the adjudicator's sheet of a coded round; the round into labels/
    """


@main.command()
@click.option(
    "--training-only",
    is_flag=True,
    help="New written passages are for training, but for those that share a run with a held-out one.",
)
@texts_option
def split(training_only: bool, texts: Path | None) -> None:
    """Write labels/splits.json: by document, by near-duplicate group, seeds for testing only."""
    passages = read_passages(SOURCES, texts)
    assigned = split_file.write_splits(passages, new=split_file.TRAIN if training_only else None)
    for name in split_file.SPLIT_NAMES:
        chosen = [p for p in passages if assigned[p.id] == name]
        click.echo(f"{name:12} {len(chosen):5} passages {sum(len(list(p.sentences())) for p in chosen):6} sentences")


@main.command()
@click.option("--config", "config_path", type=click.Path(path_type=Path), default=CONFIG_PATH, show_default=True)
@click.option("--base", help="minilm, a folder, or a hub name.")
@click.option("--sources", help="written, real, or both: written,real (default: by the configuration).")
@click.option("--context", help="sentence, pair or window.")
@click.option("--epochs", type=int)
@click.option("--learning-rate", type=float)
@click.option("--seed", "random_seed", type=int)
@click.option(
    "--start",
    type=click.Path(path_type=Path, exists=True),
    help="Go on from the fit in this folder, or from an exported model (model/weights).",
)
@click.option("--heads", type=int, help="Attention heads that each layer keeps (0: all).")
@click.option("--feed-forward", type=int, help="Feed-forward units that each layer keeps (0: all).")
@click.option(
    "--taught",
    type=click.Path(path_type=Path, exists=True),
    help="Mix in what `teach` wrote: its mean with the gold labels of coded passages, and targets for the uncoded ones.",
)
@click.option(
    "--vectors",
    "vectors_path",
    type=click.Path(path_type=Path, exists=True),
    help="Learn from what `vectors` wrote, too (with the same --taught).",
)
@click.option("--passages", "limit", type=int, help="Train on so many passages only (to try it out).")
@texts_option
@out_option
def fit(
    config_path: Path, base: str | None, sources: str | None, context: str | None, epochs: int | None,
    learning_rate: float | None, random_seed: int | None, start: Path | None, heads: int | None, feed_forward: int | None,
    taught: Path | None, vectors_path: Path | None, limit: int | None, texts: Path | None, out: Path,
) -> None:  # fmt: skip
    """Fine-tune on the training split, choose thresholds on the development split, save both."""
    config = read_config(
        config_path, base=base, sources=tuple(sources.split(",")) if sources else None,
        context=context, epochs=epochs, learning_rate=learning_rate, random_seed=random_seed, heads=heads, feed_forward=feed_forward,
    )  # fmt: skip
    keys = default_codebook().keys
    before, weights = (read_facts(start), start_weights(start)) if start else (None, None)
    passages = read_passages(config.sources, texts)
    assigned = split_file.read_splits()
    train = evenly(split_file.select(passages, assigned, split_file.TRAIN), limit)
    development = split_file.select(passages, assigned, split_file.DEVELOPMENT)
    coded, said = count_sentences(train), 0
    if taught:
        train = read_taught(taught, read_documents(texts_folder(texts)), train, config.teacher_share)
        said = sum(len(row["probabilities"]) for row in read_jsonl(taught))
    seen = read_vectors(vectors_path, train) if vectors_path else None
    click.echo(
        f"training on {count_sentences(train)} sentences, {said} of which a teacher has labelled, "
        f"choosing on {count_sentences(development)}", err=True,
    )  # fmt: skip
    started = time.monotonic()
    network, tokenizer = fit_network(train, len(keys), config, start=weights, vectors=seen)
    minutes = (time.monotonic() - started) / 60
    facts = {
        "started_from": before, "config": asdict(config),
        "taught_sentences": said, "taught_sha256": sha256_of(taught) if taught else None, "vectors": None if seen is None else len(seen),
        "vectors_of": read_note(vectors_path)["model_sha256"] if vectors_path else None,
        "minutes": round(minutes, 1), "training_sentences": coded,
        "dataset_sha256": dataset_sha256(passages), "base_sha256": base_sum(base_folder(config.base, config.base_sha256)),
    }  # fmt: skip
    keep_fit(network, tokenizer, config, facts, development, out)


def keep_fit(
    network: Any, tokenizer: Any, config: Config, facts: dict[str, Any], development: Sequence[Passage], out: Path
) -> None:
    """Choose thresholds on the development split, and write the folder of a fit."""
    logits, gold = predict(network, tokenizer, development, config), gold_matrix(development)
    decisions = fit_decisions(gold, logits, really_spoken(development))
    out.mkdir(parents=True, exist_ok=True)
    save_file({name: t.contiguous() for name, t in network.state_dict().items()}, out / WEIGHTS_NAME)
    network.encoder.config.save_pretrained(out)
    tokenizer.save_pretrained(out)
    config.write(out / "training.toml")
    chosen = {key: asdict(d) for key, d in zip(default_codebook().keys, decisions, strict=True)}
    (out / FACTS_NAME).write_text(json.dumps({**facts, "decisions": chosen}, indent=2) + "\n", encoding="utf-8")
    report_fit(facts["minutes"], gold, logits, decisions)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.argument("other", type=click.Path(path_type=Path, exists=True))
@texts_option
@out_option
def average(folder: Path, other: Path, texts: Path | None, out: Path) -> None:
    """Average the weights of two fits, of which FOLDER went on from OTHER, and choose thresholds anew."""
    network, tokenizer, config = load_fit(folder)
    second = load_fit(other)[0].state_dict()
    load_weights(network, {name: (weight + second[name]) / 2 for name, weight in network.state_dict().items()})
    passages = read_passages(config.sources, texts)
    development = split_file.select(passages, split_file.read_splits(), split_file.DEVELOPMENT)
    keep_fit(network, tokenizer, config, {**read_facts(folder), "averaged_with": str(other)}, development, out)


def report_fit(minutes: float, gold: Ints, logits: Floats, decisions: Sequence[Decision]) -> None:
    """Print what the development split says."""
    predicted = decide(logits, decisions)[1]
    click.echo(f"{minutes:.1f} minutes; on the development split:")
    for key, score in zip(default_codebook().keys, category_scores(gold, predicted, logits), strict=True):
        click.echo(
            f"  {key:15} precision {score.precision:.2f}  recall {score.recall:.2f}  F1 {score.f1:.3f}  AP {score.average_precision:.3f}"
        )
    click.echo(f"  macro-F1 {macro_f1(gold, predicted):.3f}")


@main.command()
@click.option(
    "--from", "source", type=click.Path(path_type=Path, exists=True), required=True,
    help="Folder of an exported model (`export --to`), the bigger the better.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), default=WORK.parent / "taught.jsonl", show_default=True
)
@click.option(
    "--uncoded", "limit", type=click.IntRange(0), help="Label at most so many passages without codings (default: all)."
)
@texts_option
def teach(source: Path, out: Path, limit: int | None, texts: Path | None) -> None:
    """Label the training passages, and real ones without codings, with an exported bigger model."""
    codebook = default_codebook()
    classifier = load_classifier(codebook, source)
    coded = split_file.select(read_passages(SOURCES, texts), split_file.read_splits(), split_file.TRAIN)
    count = teach_from(
        partial(shipped_probabilities, classifier), len(codebook.keys), read_documents(texts_folder(texts)), coded, out, limit
    )  # fmt: skip
    click.echo(f"wrote {out}: {count:,} sentences")


@main.command()
@click.option(
    "--from", "source", type=click.Path(path_type=Path, exists=True), required=True,
    help="Folder of the exported model that taught.",
)  # fmt: skip
@click.option(
    "--taught", type=click.Path(path_type=Path, exists=True), help="What `teach` wrote: its passages without codings, too."
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), default=WORK.parent / "vectors.npy", show_default=True
)
@texts_option
def vectors(source: Path, taught: Path | None, out: Path, texts: Path | None) -> None:
    """Write the bigger model's vectors of all word pieces of the training passages (7 GB with all of `teach`)."""
    load_classifier(default_codebook(), source)  # refuses what is no exported model
    config = read_config(source / "training.toml")
    passages = split_file.select(read_passages(SOURCES, texts), split_file.read_splits(), split_file.TRAIN)
    if taught:
        passages = read_taught(taught, read_documents(texts_folder(texts)), passages, config.teacher_share)
    tokenizer = exported_tokenizer(source)
    data = encode(passages, tokenizer, len(default_codebook().keys))
    shown = [e.window for turns in data for turn in turns for e in lay_out(turn, config.context, config, tokenizer)]
    write_vectors(source, shown, texts_sha256(passages), out)
    click.echo(f"wrote {out}: {sum(len(w.pieces) for w in shown):,} word pieces")


@main.command()
@click.option("--from", "source", type=click.Path(path_type=Path, exists=True), default=WORK, show_default=True)
@click.option("--to", "folder", type=click.Path(path_type=Path), default=WEIGHTS, help="Default: model/weights.")
@click.option("--version", default="0.1.0", show_default=True)
@texts_option
def export(source: Path, folder: Path, version: str, texts: Path | None) -> None:
    """Write the static-int8 ONNX file with its manifest, and check it against the fp32 network."""
    codebook = default_codebook()
    network, tokenizer, config = load_fit(source)
    facts = read_facts(source)
    decisions = {k: read_decision(facts["decisions"][k]) for k in codebook.keys}
    passages = read_passages(config.sources, texts)
    assigned = split_file.read_splits()
    export_model(
        network, tokenizer, split_file.select(passages, assigned, split_file.TRAIN), config, decisions, folder,
        codebook_version=codebook.version, version=version, facts=facts,
    )  # fmt: skip
    development = split_file.select(passages, assigned, split_file.DEVELOPMENT)
    classifier = load_classifier(codebook, folder)
    line = check(classifier, development, predict(network, tokenizer, development, config)).line()
    click.echo(line)
    size = sum(file.bytes for file in classifier.manifest.files.values())
    click.echo(f"wrote {folder}: {size / 1e6:.1f} MB")


@main.command("check")
@texts_option
def check_dataset(texts: Path | None) -> None:
    """Count the written set, and look for runs of ten words that it shares with itself or with the real texts."""
    rows = read_jsonl(WRITTEN_PATH)
    for name, value in inspection.counts(rows, default_codebook()).items():
        click.echo(f"{value:7,}  {name}")
    folder = texts_folder(texts)
    others = {d.id: d.text for d in read_documents(folder).values()} if folder.is_dir() else {}
    found = inspection.copies(rows, others)
    for copy in found:
        click.echo(f"{copy.passage} shares with {copy.other}: {copy.words}")
    click.echo(
        f"{len(found):7,}  runs of {inspection.COPIED_RUN} words shared inside the set or with {len(others):,} real texts"
    )
    sys.exit(1 if found else 0)


@main.command()
@click.option(
    "--model", "folder", type=click.Path(path_type=Path, exists=True), default=WEIGHTS, help="Default: model/weights."
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=EVALUATION, help="Default: model/evaluation."
)
@texts_option
def evaluate(folder: Path, out: Path, texts: Path | None) -> None:
    """Measure a model on the test split: tables, reliability plot, worst errors, behaviour tests."""
    codebook = default_codebook()
    classifier = load_classifier(codebook, folder)
    passages = read_passages(SOURCES, texts)
    test = split_file.select(passages, split_file.read_splits(), split_file.TEST)
    report = write_report(classifier, test, codebook, out)
    for name, part in report["tests"].items():
        by_category = ", ".join(f"{key} {c['f1']:.3f}" for key, c in part["categories"].items())
        click.echo(f"{name:8} {part['sentences']:5} sentences  macro-F1 {part['macro_f1']:.3f}  ({by_category})")
    click.echo(f"wrote {out}")


@main.command()
@click.option("--only", "names", multiple=True, help="A row of the table; may be given again (default: all).")
@click.option("--epochs", type=int, help="Of the rows that are trained (default: 1).")
@click.option(
    "--fit",
    "kept",
    type=(click.Choice(list(compared.SAVED)), click.Path(path_type=Path, exists=True)),
    multiple=True,
    help="Score a kept fit instead of training rows: which one it is, and its folder.",
)
@texts_option
def models(
    names: tuple[str, ...], epochs: int | None, kept: tuple[tuple[str, Path], ...], texts: Path | None
) -> None:  # fmt: skip
    """Train other models on the same splits; keep the rows in model/evaluation/models.json."""
    if unknown := set(names) - set(compared.ROWS):
        raise click.BadParameter(f"no row {sorted(unknown)}; the rows are: {'; '.join(compared.ROWS)}")
    config = read_config(**compared.SHORT | ({"epochs": epochs} if epochs else {}))
    passages, assigned = read_passages(SOURCES, texts), split_file.read_splits()
    split = {name: split_file.select(passages, assigned, name) for name in split_file.SPLIT_NAMES}
    keys = default_codebook().keys
    for word, folder in kept:
        network, tokenizer, its_config = load_fit(folder)
        logits = compared.predicted(network, tokenizer, split, its_config)
        facts = read_facts(folder)
        minutes, fits = compared.fit_minutes(facts)
        keep_model(compared.SAVED[word], compared.score(logits, split, keys) | {"minutes": minutes, "fits": fits})
    for name in names or (() if kept else compared.ROWS):
        keep_model(name, compared.score_row(name, split, config, keys))


@main.command("behaviour")
@click.argument("folders", type=click.Path(path_type=Path, exists=True), nargs=-1, required=True)
def behaviour_of_fits(folders: tuple[Path, ...]) -> None:
    """Print the failure rates of the behaviour tests for the fits in FOLDERS, side by side."""
    codebook, cases = default_codebook(), read_behaviour()
    rates: list[dict[str, str]] = []
    for folder in folders:
        network, tokenizer, config = load_fit(folder)
        facts = read_facts(folder)
        decisions = {key: read_decision(facts["decisions"][key]) for key in codebook.keys}
        label = partial(probabilities, network, tokenizer, config, list(decisions.values()))
        found = behaviour(label, decisions, cases, codebook)
        rates.append({test: f"{row['failure_rate']:.0%}" for test, row in found.items()})
    rows = [[test.replace("_", " "), *(rate[test] for rate in rates)] for test in rates[0]]
    click.echo(table(["failure rate", *map(str, folders)], rows))


def keep_model(name: str, row: dict[str, Any]) -> None:
    """Keep a row of the table of models, and say what it scored."""
    compared.keep_row(MODELS, name, row)
    scores = ", ".join(f"{source} {t['macro_f1']:.3f}" for source, t in row["tests"].items())
    click.echo(f"{name}: {scores} ({row['minutes']} minutes)")


@main.command()
@texts_option
def cards(texts: Path | None) -> None:
    """Fill the figures into the README, the model card and the datasheet."""
    fill_cards(default_codebook())
    click.echo("filled README.md, model/MODEL_CARD.md, labels/README.md")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--round", "round_number", type=int, required=True)
@click.option(
    "--random", "random_number", type=int, default=0, help="Passages drawn at random, with their probability."
)
@click.option("--enriched", type=int, default=0, help="Passages for each category that the shipped model expects.")
@click.option("--uncertain", type=int, default=0, help="Passages of which the shipped model is unsure.")
@click.option("--look-at", type=int, default=3000, show_default=True, help="Passages that the model reads for that.")
@click.option("--training-only", is_flag=True, help="Draw from documents of the training split only.")
@click.option("--seed", type=int, default=1, show_default=True)
@texts_option
def draw(
    folder: Path, round_number: int, random_number: int, enriched: int, uncertain: int, look_at: int, training_only: bool,
    seed: int, texts: Path | None,
) -> None:  # fmt: skip
    """Draw real passages for a round of coding into FOLDER: drawn.jsonl and sheets for coders."""
    if random_number and training_only:
        raise click.UsageError("--random and --training-only: such passages were no random sample of the corpus")
    codebook = default_codebook()
    documents = read_documents(texts_folder(texts))
    rng = np.random.default_rng(seed)
    open_to = (split_file.TRAIN,) if training_only else split_file.SPLIT_NAMES
    passages = sampling.frame(
        d
        for name, d in documents.items()
        if not name.startswith("seeds/") and split_file.assign(name, "real") in open_to
    )
    drawn = sampling.draw_random(passages, random_number, f"random-{round_number}", rng)
    taken = {(r["document"], r["spans"][0][0]) for r in read_jsonl(PASSAGES_PATH)} | {d.passage.key for d in drawn}
    wanted = {**dict.fromkeys(codebook.keys, enriched), "uncertain": uncertain}
    if enriched or uncertain:
        pool = [passages[i] for i in rng.choice(len(passages), min(look_at, len(passages)), replace=False)]
        classifier = load_classifier(codebook)
        turns = [[documents[p.document].text[s.start : s.end] for s in p.sentences] for p in pool]
        drawn += sampling.draw_enriched(pool, classifier.predict_proba(turns), wanted, codebook, taken, rng)
    rounds.write_round(drawn, documents, round_number, folder)
    click.echo(f"{len(drawn)} passages, {sum(len(d.passage.sentences) for d in drawn)} sentences in {folder}")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("files", type=click.Path(path_type=Path, exists=True), nargs=-1, required=True)
def sheets(folder: Path, files: tuple[Path, ...]) -> None:
    """Make a round of newly written passages (JSON Lines FILES) in FOLDER, with sheets for the second coder."""
    click.echo(
        f"{rounds.write_written_round(files, folder, default_codebook())} passages in {folder}; answer in {folder}/B_01.txt …"
    )


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--taught", type=click.Path(path_type=Path, exists=True), default=WORK.parent / "taught.jsonl", show_default=True,
    help="What `teach` wrote.",
)  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True)
@texts_option
def doubted(folder: Path, taught: Path, seed: int, texts: Path | None) -> None:
    """Sheets of real training sentences whose gold label the teacher doubts, for a further coder in FOLDER."""
    rng = random.Random(seed)
    passages = split_file.select(read_passages(("real",), texts), split_file.read_splits(), split_file.TRAIN)
    rows = {row["id"]: row for row in read_jsonl(taught)}
    labelled = [p for p in passages if p.id in rows]
    said = {p.id: np.array(said_of(p, rows[p.id])) for p in labelled}
    asked = reread.draw(labelled, said, reread.read_before(), rng)
    if not asked:
        raise CodingError("the teacher doubts no gold label that was not read again before")
    reread.write_round(asked, read_documents(texts_folder(texts)), folder, rng)
    click.echo(
        f"{sum(map(len, asked.values()))} sentences in {folder}; answer for those marked >> in {folder}/B_01.txt …"
    )


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@texts_option
def disagreements(folder: Path, texts: Path | None) -> None:
    """Write FOLDER/adjudication.txt from the answers A_*.txt (of a written round: its labels) and B_*.txt."""
    documents = {} if (folder / rounds.WRITTEN).is_file() else read_documents(texts_folder(texts))
    write = reread.write_adjudication if (folder / reread.REREAD).is_file() else rounds.write_adjudication
    count = write(folder, documents, default_codebook())
    click.echo(f"{count} passages to adjudicate in {folder / rounds.ADJUDICATION}; answer in {folder}/G_1.txt")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
def gather(folder: Path) -> None:
    """Add the coded and adjudicated round in FOLDER to labels/."""
    if (folder / reread.REREAD).is_file():
        click.echo(f"{reread.gather(folder, default_codebook())} gold labels changed")
        return
    click.echo(f"{rounds.gather(folder, default_codebook())} passages added; now: python -m training split")


def read_passages(sources: Sequence[str], texts: Path | None) -> list[Passage]:
    """Read the passages of the sources; real ones need their texts."""
    codebook = default_codebook()
    passages: list[Passage] = []
    if "written" in sources:
        passages += read_written(codebook, WRITTEN_PATH)
    if "real" in sources:
        passages += read_real(codebook, texts_folder(texts))
    return passages


def count_sentences(passages: Sequence[Passage]) -> int:
    """Number of coded sentences."""
    return sum(1 for p in passages for _ in p.sentences())


def load_fit(folder: Path) -> tuple[torch.nn.Module, object, Config]:
    """Load what `fit` saved."""
    from transformers import AutoConfig, AutoModel

    from training.network import Network

    config = read_config(folder / "training.toml")
    encoder = AutoModel.from_config(AutoConfig.from_pretrained(folder))
    network = Network(encoder, len(default_codebook().keys))
    load_weights(network, load_file(folder / WEIGHTS_NAME))
    return network.eval(), AutoTokenizer.from_pretrained(folder), config


def read_facts(folder: Path) -> dict[str, Any]:
    """What `fit` noted beside its weights.

    Raises:
        ConfigError: nothing is noted there.
    """
    try:
        facts: dict[str, Any] = json.loads((folder / FACTS_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder} is not the folder of a fit: {FACTS_NAME} is missing or broken") from error
    return facts


def start_weights(folder: Path) -> dict[str, torch.Tensor]:
    """The weights of a fit, or what int8 kept of them in an exported model.

    Raises:
        ConfigError: there are none.
    """
    if (folder / WEIGHTS_NAME).is_file():
        return load_file(folder / WEIGHTS_NAME)
    if (folder / MODEL_NAME).is_file():
        return unpack(folder / MODEL_NAME)
    raise ConfigError(f"{folder} holds neither {WEIGHTS_NAME} of a fit nor {MODEL_NAME} of an exported model")


def read_decision(entry: dict[str, object]) -> Decision:
    """A category's decision from fit.json."""
    return Decision(**{**entry, "doubt": tuple(entry["doubt"])})  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
