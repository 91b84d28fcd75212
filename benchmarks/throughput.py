"""How fast labelling is, against other ways and against the machine's limit, each with its F1 on the test split.

python -m benchmarks.throughput --fit work/fit     needs `make setup-train`, the bench extra, and the real texts

All ways label the same sentences in turns (round by round, so that a busy moment of the machine
meets all of them) with all cores; the best round of each counts. Writes throughput.json and the
plot into benchmarks/results, and fills the README's table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import rivals
from benchmarks.rivals import Coded, Turns, Way
from model.classifier import MODEL_NAME, Classifier
from model.manifest import WEIGHTS
from rhetoric.codebook import default_codebook
from rhetoric.label import load_classifier, split_document
from rhetoric.reading import Document, Reader
from training import splits
from training.__main__ import load_fit, read_decision, read_facts, read_passages
from training.cards import README, fill, table
from training.corpus import texts_folder
from training.data import evenly
from training.decide import fit_decisions
from training.fit import really_spoken
from training.metrics import Floats, Ints, macro_f1
from training.network import base_folder

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
OURS, PIPELINE, WHOLE, FP32 = (
    "this classifier (int8, OpenVINO)",
    "transformers pipeline, fp32",
    "transformers pipeline, fp32, before narrowing",
    "torch fp32, our windows by length",
)
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
SPEECHES = 20
MARKERS = "osD^v<>PX*hpd8"
Clock = Callable[[], float]
SHAPES = ((1024, 1024, 1024), (4096, 384, 1536), (2048, 1536, 384))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--fit", type=Path, default=Path("work/fit"), help="folder of `python -m training fit`: the fp32 weights"
    )
    parser.add_argument("--whole", type=Path, help="folder of the fit before its network was narrowed")
    parser.add_argument("--model", type=Path, default=WEIGHTS, help="folder of the exported model")
    parser.add_argument(
        "--beside", nargs=2, action="append", default=[], metavar=("NAME", "FOLDER"), help="another exported model"
    )
    parser.add_argument("--sentences", type=int, default=1000, help="how many are timed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--train", type=int, default=None, help="passages that heads are fitted on (default: all)")
    parser.add_argument("--test", type=int, default=None, help="passages for F1 (default: all)")
    parser.add_argument("--static", type=Path, default=Path("work/static"), help="where the static embeddings are kept")
    parser.add_argument("--threads", type=int, default=THREADS)
    parser.add_argument(
        "--busy", action="store_true", help="the machine does other work: one thread, CPU seconds instead of wall"
    )
    parser.add_argument("--no-embeddings", action="store_true", help="leave out the ways that fit heads on embeddings")
    parser.add_argument("--out", type=Path, help="write into this folder and leave the README alone")
    options = parser.parse_args()
    options.threads = 1 if options.busy else options.threads
    torch.set_num_threads(options.threads)
    clock = time.process_time if options.busy else time.perf_counter
    classifier = load_classifier(folder=options.model, threads=options.threads)
    turns = real_turns(options.sentences)
    with tempfile.TemporaryDirectory() as work:
        ways = list(all_ways(options, classifier, Path(work)))
        times, rate = race(ways, turns, options.rounds, clock)
        test = coded(options.test, splits.TEST, classifier)
        quality = {way.name: judge(way, test) for way in ways}
    result = report(ways, times, rate, quality, turns, classifier, options)
    out = options.out or RESULTS
    out.mkdir(parents=True, exist_ok=True)
    (out / "throughput.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    plot(result, out / "throughput.png")
    print(readme(result))
    if not options.out:
        fill(README, "throughput", readme(result))


def real_turns(number: int) -> list[list[str]]:
    """Sentences in reading order, about so many: the starts of UN speeches that lie evenly over the corpus."""
    paths = sorted((texts_folder(None) / "corpus" / "ungdc").glob("*.txt"))
    turns: list[list[str]] = []
    with Reader() as reader:
        for path in paths[:: len(paths) // SPEECHES]:
            for item in reader.read(str(path)):
                room = -(-number // SPEECHES)
                for turn in split_document(item).turns if isinstance(item, Document) else ():
                    turns.append(list(turn)[:room])
                    room -= len(turns[-1])
    return [turn for turn in turns if turn]


def coded(limit: int | None, part: str, classifier: Classifier) -> Coded:
    """The coded sentences of a split, in their turns."""
    passages = evenly(splits.select(read_passages(("written", "real"), None), splits.read_splits(), part), limit)
    turns = [[s.text for s in turn] for p in passages for turn in p.turns]
    flags = [s.gold is not None for p in passages for turn in p.turns for s in turn]
    gold = [s.gold for p in passages for turn in p.turns for s in turn if s.gold is not None]
    return Coded(turns, np.array(flags), np.array(gold), really_spoken(passages))


def all_ways(options: argparse.Namespace, classifier: Classifier, work: Path) -> Iterator[Way]:
    """Every way to label, with the decisions that belong to it."""
    keys = default_codebook().keys
    network, tokenizer, config = load_fit(options.fit)
    shipped = list(classifier.manifest.decisions.values())
    layout = (tokenizer, shipped, config.context, config.max_pieces)
    yield Way(OURS, predicting(classifier), rivals.with_classifier(classifier), shipped)
    yield Way(PIPELINE, "same weights, one sentence a sequence, batch 32, reading order",
              rivals.with_pipeline(network, tokenizer, shipped, keys, config.max_pieces), shipped)  # fmt: skip
    if options.whole:
        whole, its_tokenizer, its_config = load_fit(options.whole)
        decisions = [read_decision(entry) for entry in read_facts(options.whole)["decisions"].values()]
        layer = whole.encoder.encoder.layer[0]
        size = whole.encoder.config.hidden_size // whole.encoder.config.num_attention_heads
        what = (
            f"{layer.attention.self.query.out_features // size} heads and {layer.intermediate.dense.out_features:,} "
            "feed-forward units a layer, else as above"
        )
        yield Way(
            WHOLE, what, rivals.with_pipeline(whole, its_tokenizer, decisions, keys, its_config.max_pieces), decisions
        )
    for name, folder in options.beside:
        other = load_classifier(folder=Path(folder), threads=options.threads)
        yield Way(f"{name} (int8, OpenVINO)", predicting(other), rivals.with_classifier(other),
                  list(other.manifest.decisions.values()))  # fmt: skip
    for bfloat16 in (False, True):
        name = f"torch {'bf16' if bfloat16 else 'fp32'}, sentences by length"
        label = rivals.with_torch_sorted(network, tokenizer, shipped, config.max_pieces, bfloat16)
        yield Way(name, "same weights, one sentence a sequence, batch 32, sorted", label, shipped)
    yield Way(FP32, "same weights, same windows, batch 8, sorted",
              rivals.with_torch_windows(network, *layout), shipped)  # fmt: skip
    fp32 = rivals.save_fp32(network, work / "fp32.onnx")
    for name, path in (("ONNX Runtime fp32", fp32), ("ONNX Runtime int8, same file", options.model / MODEL_NAME)):
        yield Way(name, "same windows, one at a time", rivals.with_onnxruntime(path, *layout, options.threads), shipped)
    if not options.no_embeddings:
        yield from embeddings(options, classifier)


def predicting(classifier: Classifier) -> str:
    """How an exported model labels, and how big its files are."""
    return f"predict_proba, all cores, {sum(file.bytes for file in classifier.manifest.files.values()) / 1e6:,.0f} MB"


def embeddings(options: argparse.Namespace, classifier: Classifier) -> Iterator[Way]:
    """Frozen embeddings with logistic regression; heads fitted on the training split, thresholds on development."""
    train, development = (
        coded(options.train, splits.TRAIN, classifier),
        coded(options.train, splits.DEVELOPMENT, classifier),
    )
    folder = base_folder("minilm")
    body = rivals.sentence_transformer(folder)

    def embed(texts: list[str]) -> Floats:
        return np.asarray(body.encode(texts, batch_size=rivals.BATCH, show_progress_bar=False))

    head = rivals.fit_head(embed, train)
    static = rivals.static_model(folder, options.static)
    static_head = rivals.fit_head(static.encode, train)
    for name, what, label in (
        (
            "sentence-transformers + logistic regression",
            "frozen base, one sentence each",
            rivals.with_embeddings(embed, head),
        ),
        ("SetFit predict", "frozen base (no contrastive step), one sentence each", rivals.with_setfit(body, head)),
        (
            "model2vec + logistic regression",
            "static embeddings of the base's pieces",
            rivals.with_embeddings(static.encode, static_head),
        ),
    ):
        p = np.clip(label(development.turns)[development.coded], 1e-6, 1 - 1e-6)
        yield Way(
            name,
            what,
            _calibrated(label, decisions := fit_decisions(development.gold, np.log(p / (1 - p)), development.real)),
            decisions,
        )


def _calibrated(label: Callable[[Turns], Floats], decisions: Sequence[Any]) -> Callable[[Turns], Floats]:
    slope, intercept = (np.array([getattr(d, name) for d in decisions]) for name in ("slope", "intercept"))

    def calibrated(turns: Turns) -> Floats:
        p = np.clip(label(turns), 1e-6, 1 - 1e-6)
        return np.asarray(1 / (1 + np.exp(-(np.log(p / (1 - p)) * slope + intercept))))

    return calibrated


def race(ways: Sequence[Way], turns: Turns, rounds: int, clock: Clock) -> tuple[dict[str, float], float]:
    """Best seconds of each way over the rounds, and the best int8 matrix-product rate in operations a second."""
    best = dict.fromkeys((way.name for way in ways), float("inf"))
    rate = 0.0
    for way in ways:
        way.label(turns)  # warm: every length of window is met once
    for _ in range(rounds):
        rate = max(rate, int8_rate(clock))
        for way in ways:
            started = clock()
            way.label(turns)
            best[way.name] = min(best[way.name], clock() - started)
    return best, rate


def int8_rate(clock: Clock) -> float:
    """Operations a second of int8 matrix products with all cores: the best of some shapes, by oneDNN through torch."""
    best = 0.0
    for n, k, m in SHAPES:
        a, b = (torch.randint(-127, 127, shape, dtype=torch.int8) for shape in ((n, k), (k, m)))
        torch._int_mm(a, b)
        for _ in range(20):
            started = clock()
            torch._int_mm(a, b)
            best = max(best, 2 * n * k * m / (clock() - started))
    return best


def operations(turns: Turns, classifier: Classifier, fit: Path) -> tuple[float, float]:
    """Operations of the encoder for the real pieces of all windows, and for each sentence's own pieces only.

    Per piece and layer: four products by hidden x all heads' values, two by hidden x feed-forward units, and two
    by all heads' values for every piece of the window (attention); a product and a sum are two operations.
    """
    network, tokenizer, _ = load_fit(fit)
    manifest, encoder = classifier.manifest, network.encoder.encoder.layer
    hidden, width = encoder[0].attention.self.query.in_features, encoder[0].attention.self.query.out_features
    inner, layers = encoder[0].intermediate.dense.out_features, len(encoder)

    def cost(pieces: int, window: int) -> float:
        return 2.0 * pieces * layers * (4 * hidden * width + 2 * hidden * inner + 2 * window * width)

    whole = own = 0.0
    for _, window in rivals.laid_out(turns, tokenizer, manifest.context, manifest.max_pieces):
        length = len(window.pieces)
        whole += cost(length, length)
        own += cost(sum(end - start for _, start, end in window.sentences), length)
    return whole, own


def judge(way: Way, test: Coded) -> tuple[Ints, list[float]]:
    """Decisions on the test split, and F1: macro, then each category."""
    from sklearn.metrics import f1_score

    thresholds = np.array([d.threshold for d in way.decisions])
    decided = (np.round(way.label(test.turns)[test.coded], 4) >= thresholds).astype(np.int64)
    return decided, [macro_f1(test.gold, decided), *f1_score(test.gold, decided, average=None, zero_division=0.0)]


def report(
    ways: Sequence[Way], times: dict[str, float], rate: float, quality: dict[str, Any], turns: Turns,
    classifier: Classifier, options: argparse.Namespace,
) -> dict[str, Any]:  # fmt: skip
    """Everything as one table of figures."""
    number = sum(map(len, turns))
    whole, own = operations(turns, classifier, options.fit)
    speed = {name: number / seconds for name, seconds in times.items()}
    flips = float((quality[OURS][0] != quality[FP32][0]).mean())
    limit = rate / (whole / number)
    return {
        "machine": f"{options.threads} of {THREADS} {platform.machine()} cores, {'CPU' if options.busy else 'wall'} time",
        "sentences": number, "test_sentences": len(quality[OURS][0]),
        "int8_gop_per_second": round(rate / 1e9, 1), "gop_per_sentence": round(whole / number / 1e9, 4),
        "gop_per_sentence_without_context": round(own / number / 1e9, 4),
        "limit_sentences_per_second": round(limit, 1), "share_of_limit": round(speed[OURS] / limit, 4),
        "share_of_limit_without_context": round(speed[OURS] * own / number / rate, 4),
        "flips_against_fp32": round(flips, 5),
        "times_pipeline": round(speed[OURS] / speed[PIPELINE], 2),
        "times_pipeline_before_narrowing": round(speed[OURS] / speed[WHOLE], 2) if WHOLE in speed else None,
        "times_best_fp32_torch": round(speed[OURS] / max(v for k, v in speed.items() if k.startswith("torch fp32")), 2),
        "times_best_torch": round(speed[OURS] / max(v for k, v in speed.items() if k.startswith("torch")), 2),
        "ways": [
            {
                "name": way.name, "what": way.what, "sentences_per_second": round(speed[way.name], 1),
                "times_pipeline": round(speed[way.name] / speed[PIPELINE], 2),
                "macro_f1": round(quality[way.name][1][0], 4), "f1": [round(float(f), 4) for f in quality[way.name][1][1:]],
            }
            for way in ways
        ],
    }  # fmt: skip


def readme(result: dict[str, Any]) -> str:
    """The table of the README."""
    rows = [
        [
            way["name"],
            way["what"],
            f"{way['sentences_per_second']:,.0f}",
            f"{way['times_pipeline']:.1f}",
            f"{way['macro_f1']:.3f}",
        ]
        for way in sorted(result["ways"], key=lambda w: -w["sentences_per_second"])
    ]
    return table(["", "how", "sentences a second", "times the pipeline", "macro-F1"], rows) + (
        f"\n\n{result['sentences']:,} sentences of UN speeches on {result['machine']}, the best of interleaved rounds; F1 on "
        f"{result['test_sentences']:,} sentences of the test split. Of the decisions there {result['flips_against_fp32']:.2%} differ between "
        f"int8 and fp32 on the same windows. It is {result['times_pipeline']} times as fast as the pipeline with the same weights"
        + (
            f" and {narrowed} times as fast as the pipeline with the whole network"
            if (narrowed := result["times_pipeline_before_narrowing"])
            else ""
        )
        + f", {result['times_best_fp32_torch']} times the best of torch in fp32, {result['times_best_torch']} times that "
        f"in bf16. The machine's limit is {result['int8_gop_per_second']:,.0f} int8 GOP/s, "
        f"{result['gop_per_sentence']:.2f} GOP a sentence: {result['limit_sentences_per_second']:,.0f} sentences a second, of which "
        f"{result['share_of_limit']:.0%} is reached."
    )


def plot(result: dict[str, Any], path: Path) -> None:
    """Speed against quality."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, panel = plt.subplots(figsize=(8, 5), layout="constrained")
    for way, marker in zip(result["ways"], MARKERS, strict=False):
        ours = way["name"] == OURS
        panel.plot(way["sentences_per_second"], way["macro_f1"], marker, color="#b2182b" if ours else "#2166ac",
                   markersize=10 if ours else 7, label=way["name"])  # fmt: skip
    panel.set(
        xscale="log", xlabel="sentences a second", ylabel="macro-F1 on the test split", title="Speed against quality"
    )
    panel.margins(0.1)
    panel.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
