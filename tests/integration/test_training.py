"""Fine-tuning, decisions and export, on a tiny set."""

import copy
import json
import random
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

pytestmark = pytest.mark.train
pytest.importorskip("torch", reason="the train extra is not installed: make setup-train")

import torch  # noqa: E402
from click.testing import CliRunner  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from transformers import MPNetConfig, MPNetModel  # noqa: E402

import training.vectors  # noqa: E402
from model.classifier import MODEL_NAME, TOKENIZER_NAME, Classifier  # noqa: E402
from model.manifest import Decision  # noqa: E402
from model.windows import Window  # noqa: E402
from training.__main__ import main  # noqa: E402
from training.config import Config, ConfigError, read_config  # noqa: E402
from training.data import CodedSentence, Passage  # noqa: E402
from training.decide import REFERENCE_PREVALENCE, fit_decision, reference_weights  # noqa: E402
from training.evaluate import f1_at_reference  # noqa: E402
from training.export import check, export, shipped_probabilities  # noqa: E402
from training.fit import (  # noqa: E402
    batches_of,
    chance_of,
    encode,
    fit,
    gold_matrix,
    lay_out,
    loss_of,
    predict,
    probabilities,
    with_rows,
)  # fmt: skip
from training.network import BaseError, Network, base_folder, collate  # noqa: E402
from training.shape import narrow, thin  # noqa: E402
from training.unpack import exported_tokenizer, unpack  # noqa: E402
from training.vectors import read_vectors, texts_sha256, write_vectors  # noqa: E402

TINY = [
    Passage(
        f"p{n}", f"p{n}", "written", {},
        ((CodedSentence(f"{who} lied to the world.", (0, 1)), CodedSentence(f"We gave {what} to the charities.", (1, 0)),
          CodedSentence(f"It rained in {where} on Monday.", (0, 0))),),
    )
    for n, (who, what, where) in enumerate([
        ("Washington", "a hall", "Oslo"), ("NATO", "money", "Lagos"), ("London", "advice", "Lima"), ("Brussels", "rooms", "Delhi"),
    ])
]  # fmt: skip
DECISIONS = {key: Decision(1.0, 0.0, 0.5, (0.4, 0.6)) for key in ("help", "blame")}
FACTS = {"base_sha256": "", "dataset_sha256": "", "minutes": 1}
CONFIG = Config(epochs=25, learning_rate=1e-3, single_share=0.5, max_pieces=64, batch_pieces=64)


@pytest.fixture(scope="module")
def fitted() -> tuple[object, object]:
    return fit(TINY, 2, CONFIG, progress=False)


def test_fine_tuning_learns_a_tiny_set(fitted: tuple[object, object]) -> None:
    logits = predict(*fitted, TINY, CONFIG)  # type: ignore[arg-type]
    assert ((logits > 0) == gold_matrix(TINY)).all()
    turns = [[s.text for s in turn] for p in TINY for turn in p.turns]
    found = probabilities(*fitted, CONFIG, list(DECISIONS.values()), turns)  # type: ignore[arg-type]
    assert [len(p) for p in found] == [len(turn) for turn in turns]
    assert np.allclose(np.concatenate(found), 1 / (1 + np.exp(-logits)))


def test_the_same_seed_gives_the_same_weights() -> None:
    short = Config(epochs=1, max_pieces=64, batch_pieces=64)
    first, second = (fit(TINY, 2, short, progress=False)[0].state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_exported_model_agrees_with_the_network(fitted: tuple[object, object], tmp_path: Path) -> None:
    network, tokenizer = fitted
    export(
        network, tokenizer, TINY, CONFIG, DECISIONS, tmp_path / "weights", codebook_version="1.0", version="0", facts=FACTS
    )  # type: ignore[arg-type]  # fmt: skip
    classifier = Classifier.load(tmp_path / "weights", categories=("help", "blame"), codebook_version="1.0")
    found = check(classifier, TINY, predict(network, tokenizer, TINY, CONFIG))  # type: ignore[arg-type]
    assert found.flips == 0
    assert found.sentences == 12
    assert shipped_probabilities(classifier, TINY).shape == (12, 2)
    assert json.loads((tmp_path / "weights" / "fit.json").read_text())["minutes"] == 1
    weights, exact = unpack(tmp_path / "weights" / MODEL_NAME), network.state_dict()  # type: ignore[attr-defined]
    assert {name for name in exact if "pooler" not in name} == set(weights)
    for name, array in weights.items():
        assert array.shape == exact[name].shape
        assert (array - exact[name]).abs().mean() <= 0.02 * exact[name].abs().max(), name
    again, _ = fit(TINY, 2, replace(CONFIG, epochs=1, learning_rate=1e-9, head_learning_rate=1e-9), False, weights)
    assert ((predict(again, tokenizer, TINY, CONFIG) > 0) == gold_matrix(TINY)).all()  # type: ignore[arg-type]


def test_narrowing_leaves_out_what_does_nothing(fitted: tuple[object, object]) -> None:
    network, tokenizer = copy.deepcopy(fitted[0]), fitted[1]
    layers = network.encoder.encoder.layer  # type: ignore[attr-defined]
    with torch.no_grad():
        for layer in layers:  # heads 3 to 11 and units 200 and on are cut off from what follows
            layer.attention.output.dense.weight[:, 3 * 32 :] = 0
            layer.output.dense.weight[:, 200:] = 0
    before = predict(network, tokenizer, TINY, CONFIG)  # type: ignore[arg-type]
    batches = batches_of(encode(TINY, tokenizer, 2), [1.0] * len(TINY), CONFIG, tokenizer, random.Random(1))  # type: ignore[arg-type]
    narrow(network, [partial(loss_of, network, batch, 0.0) for batch in batches], heads=3, feed_forward=200)  # type: ignore[arg-type]
    assert {layer.attention.self.query.weight.shape for layer in layers} == {(3 * 32, 384)}
    assert {layer.intermediate.dense.out_features for layer in layers} == {200}
    assert predict(network, tokenizer, TINY, CONFIG) == pytest.approx(before, abs=1e-4)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def exported(fitted: tuple[object, object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    export(*fitted, TINY, CONFIG, DECISIONS, folder, codebook_version="1.0", version="0", facts=FACTS)  # type: ignore[arg-type]
    return folder


def tiny_windows(tokenizer: object) -> list[Window]:
    turns = [turn for turns in encode(TINY, tokenizer, 2) for turn in turns]  # type: ignore[arg-type]
    return [e.window for turn in turns for e in lay_out(turn, "window", CONFIG, tokenizer)]  # type: ignore[arg-type]


def test_a_student_learns_to_foretell_the_teachers_vectors(
    fitted: tuple[object, object], exported: Path, tmp_path: Path
) -> None:
    network, tokenizer = fitted
    shown, path = tiny_windows(exported_tokenizer(exported)), tmp_path / "new" / "vectors.npy"
    assert shown == tiny_windows(tokenizer)
    write_vectors(exported, shown, texts_sha256(TINY), path)
    rows = read_vectors(path, TINY)
    with torch.inference_mode():
        exact = [network.vectors(*collate([w]))[0, : len(w.pieces)] for w in shown]  # type: ignore[attr-defined]
    assert rows.shape == (sum(len(w.pieces) for w in shown), 384)
    found, wanted = (scipy.stats.zscore(x, axis=0).ravel() for x in (rows.astype(float), torch.cat(exact).numpy()))
    assert np.corrcoef(found, wanted)[0, 1] > 0.9

    def likeness(weight: float) -> float:
        """How far pieces that are alike for the teacher are alike for a two-layer student."""
        config = replace(CONFIG, layers=2, vectors_weight=weight)
        student, _ = fit(TINY, 2, config, progress=False, vectors=rows)
        assert ((predict(student, tokenizer, TINY, config) > 0) == gold_matrix(TINY)).all()  # type: ignore[arg-type]
        with torch.inference_mode():
            own = torch.cat([student.vectors(*collate([w]))[0, : len(w.pieces)] for w in shown]).numpy()
        return float(np.corrcoef(np.corrcoef(own).ravel(), np.corrcoef(rows.astype(float)).ravel())[0, 1])

    assert likeness(1.0) > likeness(0.0) + 0.05


def test_vectors_of_other_texts_or_windows_are_refused(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, path = tiny_windows(exported_tokenizer(exported)), tmp_path / "vectors.npy"
    write_vectors(exported, shown, texts_sha256(TINY), path)
    with pytest.raises(ConfigError, match="other texts"):
        read_vectors(path, TINY[1:])
    with pytest.raises(ConfigError, match="same word pieces"):
        fit(TINY, 2, replace(CONFIG, max_pieces=20), progress=False, vectors=read_vectors(path, TINY))

    def stops(window: Window) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(training.vectors, "inputs_of", stops)
        write_vectors(exported, shown, texts_sha256(TINY), path)
    with pytest.raises(ConfigError, match="to the end"):
        read_vectors(path, TINY)
    with pytest.raises(ConfigError, match="no passages"):
        write_vectors(exported, [], "", path)


def test_every_window_knows_where_its_vectors_are(fitted: tuple[object, object]) -> None:
    tokenizer, config = fitted[1], replace(CONFIG, max_pieces=18, batch_pieces=64, single_share=0.3)
    context = tuple(CodedSentence(f"Nobody coded sentence {i} of this long part before.", None) for i in range(4))
    turns = tuple(
        (*context, *turn, *p.turns[0]) for turn, p in zip([TINY[0].turns[0], TINY[1].turns[0]], TINY[2:], strict=True)
    )
    passages = [Passage("long", "long", "real", {}, turns), *TINY]
    data = encode(passages, tokenizer, 2)  # type: ignore[arg-type]
    shown = [e.window for turns in data for t in turns for e in lay_out(t, "window", config, tokenizer)]  # type: ignore[arg-type]
    pieces = [piece for window in shown for piece in window.pieces]
    numbered = with_rows(data, len(pieces), config, tokenizer)  # type: ignore[arg-type]
    batches = batches_of(numbered, [1.0] * len(passages), config, tokenizer, random.Random(4))  # type: ignore[arg-type]
    assert max(len(list(lay_out(t, "window", config, tokenizer))) for turns in data for t in turns) > 2  # type: ignore[arg-type]
    kinds = set()
    for batch in batches:
        assert len({e.first is None for e in batch}) == 1
        for e in batch:
            kinds.add(e.first is None)
            assert e.first is None or tuple(pieces[e.rows()]) == e.window.pieces
            assert e.first is not None or len(e.window.sentences) == 1
    assert kinds == {True, False}


def test_a_tokenizer_that_pads_is_read_as_the_classifier_reads_it(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported, tmp_path / "padded")
    tokenizer = Tokenizer.from_file(str(exported / TOKENIZER_NAME))
    tokenizer.enable_padding(length=128)
    tokenizer.save(str(tmp_path / "padded" / TOKENIZER_NAME))
    assert tiny_windows(exported_tokenizer(tmp_path / "padded")) == tiny_windows(exported_tokenizer(exported))


def test_a_shallow_network_is_kept_and_gone_on_from(fitted: tuple[object, object]) -> None:
    network, tokenizer = fitted
    config = replace(CONFIG, layers=2, epochs=10)
    small, _ = fit(TINY, 2, config, progress=False, start=network.state_dict())  # type: ignore[attr-defined]
    assert len(small.encoder.encoder.layer) == small.encoder.config.num_hidden_layers == 2  # type: ignore[union-attr, arg-type]
    assert ((predict(small, tokenizer, TINY, config) > 0) == gold_matrix(TINY)).all()  # type: ignore[arg-type]
    still = replace(config, epochs=1, learning_rate=1e-9, head_learning_rate=1e-9)
    again, _ = fit(TINY, 2, still, False, small.state_dict())
    assert predict(again, tokenizer, TINY, config) == pytest.approx(predict(small, tokenizer, TINY, config), abs=1e-3)  # type: ignore[arg-type]


def test_layers_are_left_out_evenly_and_the_last_stays(fitted: tuple[object, object]) -> None:
    network = copy.deepcopy(fitted[0])
    layers = list(network.encoder.encoder.layer)  # type: ignore[attr-defined]
    with pytest.raises(BaseError, match="6 layers, fewer than 7"):
        thin(network, 7)  # type: ignore[arg-type]
    thin(network, 3)  # type: ignore[arg-type]
    assert list(network.encoder.encoder.layer) == layers[1::2]  # type: ignore[attr-defined]


def test_a_narrow_network_learns_is_exported_and_gone_on_from(fitted: tuple[object, object], tmp_path: Path) -> None:
    network, tokenizer = fitted
    config = replace(CONFIG, heads=3, feed_forward=200, epochs=10)
    small, _ = fit(TINY, 2, config, progress=False, start=network.state_dict())  # type: ignore[attr-defined]
    assert ((predict(small, tokenizer, TINY, config) > 0) == gold_matrix(TINY)).all()  # type: ignore[arg-type]
    export(
        small, tokenizer, TINY, config, DECISIONS, tmp_path, codebook_version="1.0", version="0", facts=FACTS
    )  # type: ignore[arg-type]  # fmt: skip
    again, _ = fit(TINY, 2, replace(config, epochs=1), progress=False, start=unpack(tmp_path / MODEL_NAME))
    assert again.encoder.encoder.layer[0].intermediate.dense.out_features == 200  # type: ignore[union-attr, index]
    assert ((predict(again, tokenizer, TINY, config) > 0) == gold_matrix(TINY)).all()  # type: ignore[arg-type]


def test_weights_of_another_network_and_impossible_widths_are_refused(fitted: tuple[object, object]) -> None:
    weights = fitted[0].state_dict()  # type: ignore[attr-defined]
    short = replace(CONFIG, epochs=1)
    for wrong in (
        {k: v for k, v in weights.items() if k != "encoder.encoder.layer.1.output.dense.bias"},
        {**weights, "something.else": torch.zeros(1)},
        {**weights, "head.weight": torch.zeros(3, 384)},
    ):
        with pytest.raises(BaseError, match="not of this network"):
            fit(TINY, 2, short, progress=False, start=wrong)
    with pytest.raises(BaseError, match="12 heads"):
        fit(TINY, 2, replace(short, heads=13), progress=False)
    with pytest.raises(ConfigError, match="frozen_layers"):
        Config(heads=6, frozen_layers=2)
    with pytest.raises(ConfigError, match="heads"):
        Config(heads=-1)


def test_of_other_layers_than_berts_only_feed_forward_units_are_left_out() -> None:
    encoder = MPNetModel(MPNetConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64))
    network = Network(encoder, 2)
    layer = network.encoder.encoder.layer[0]  # type: ignore[union-attr, index]
    with torch.no_grad():
        layer.output.dense.weight[:, 20:] = 0
    pieces = torch.arange(5, 12)[None]
    before = network.eval()(pieces, torch.ones_like(pieces))
    narrow(network, [lambda: network(pieces, torch.ones_like(pieces)).square().mean()], heads=0, feed_forward=20)
    assert layer.intermediate.dense.out_features == 20
    assert torch.allclose(network(pieces, torch.ones_like(pieces)), before, atol=1e-5)
    with pytest.raises(BaseError, match="BERT's layers"):
        narrow(network, [], heads=1, feed_forward=0)


def test_going_on_from_a_folder_that_is_no_fit_is_refused_before_training(tmp_path: Path) -> None:
    for missing in ("fit.json is missing", "neither network.safetensors"):
        done = CliRunner().invoke(main, ["fit", "--start", str(tmp_path), "--out", str(tmp_path / "out")])
        assert done.exit_code != 0 and missing in done.output, done.output
        (tmp_path / "fit.json").write_text("{}", encoding="utf-8")
    assert not (tmp_path / "out").exists()


def test_decisions_are_fitted_for_f1_and_calibrated() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, 4000)
    gold = (rng.random(4000) < 1 / (1 + np.exp(-(2 * logits - 3)))).astype(np.int64)
    decision = fit_decision(gold, logits, np.ones(4000))
    assert decision.slope == pytest.approx(2, abs=0.2)
    assert decision.intercept == pytest.approx(-3, abs=0.3)
    assert 0.3 < decision.threshold < 0.6


def test_decisions_are_made_for_real_texts_that_hold_the_category() -> None:
    rng = np.random.default_rng(2)
    real = np.arange(6000) < 4000
    gold = (rng.random(6000) < np.where(real, 0.01, 0.3)).astype(np.int64)
    logits = rng.normal(0, 1, 6000) + 3 * gold - 2 * real  # real ones look plainer than they are
    weights = reference_weights(gold, real)
    assert weights.mean() == pytest.approx(1)
    assert weights[real].sum() == pytest.approx(weights[~real].sum())
    assert weights[real & (gold == 1)].sum() / weights[real].sum() == pytest.approx(REFERENCE_PREVALENCE)
    plain, ours = (fit_decision(gold, logits, w) for w in (np.ones(6000), weights))
    found = [
        (d.slope * logits[real] + d.intercept > np.log(d.threshold / (1 - d.threshold))).astype(int)
        for d in (plain, ours)
    ]
    assert (found[0] & gold[real]).sum() < (found[1] & gold[real]).sum()
    assert (reference_weights(np.zeros(5, int), np.ones(5, bool)) == 1).all()


def test_f1_at_the_reference_share_does_not_hang_on_how_many_negatives_were_drawn() -> None:
    gold, predicted = np.array([1, 1, 1, 1] + [0] * 20), np.array([1, 1, 1, 0] + [1, 0] * 10)
    more = np.concatenate([gold, [0] * 20]), np.concatenate([predicted, [1, 0] * 10])
    assert (
        f1_at_reference(gold, predicted)
        == f1_at_reference(*more)
        == pytest.approx(2 * 0.08 * 0.75 / (0.08 + 0.08 * 0.75 + 0.92 * 0.5), abs=1e-4)
    )
    assert np.isnan(f1_at_reference(np.zeros(3, int), np.ones(3, int)))


def test_nothing_to_train_on_is_said() -> None:
    plain = Passage("q", "q", "written", {}, ((CodedSentence("It rained.", (0, 0)),),))
    with pytest.raises(ConfigError, match="nothing to train on"):
        fit([plain], 2, replace(CONFIG, plain_share=0.0, epochs=1), progress=False)


def test_passages_are_shown_as_often_as_the_shares_say(fitted: tuple[object, object]) -> None:
    tokenizer = fitted[1]
    plain = Passage("q", "q", "written", {}, ((CodedSentence("It rained.", (0, 0)),),))
    coded = replace(plain, turns=((CodedSentence("It rained.", (0, 1)),),))
    shares = replace(CONFIG, plain_share=0.5, written_share=0.4)
    assert [chance_of(p, shares) for p in (plain, coded)] == [pytest.approx(0.2), 0.4]
    assert [chance_of(replace(p, source="real"), shares) for p in (plain, coded)] == [0.5, 1.0]
    data = encode([plain] * 40, tokenizer, 2)  # type: ignore[arg-type]
    for chance, low, high in ((0.0, 0, 0), (0.5, 8, 32), (1.0, 40, 40)):
        config = replace(CONFIG, single_share=0.0)
        shown = sum(map(len, batches_of(data, [chance] * 40, config, tokenizer, random.Random(1))))  # type: ignore[arg-type]
        assert low <= shown <= high


@pytest.mark.parametrize("context", ["sentence", "pair"])
def test_training_lays_sentences_out_as_the_configuration_says(fitted: tuple[object, object], context: str) -> None:
    tokenizer = fitted[1]
    turn = (CodedSentence("It rained.", (0, 1)), CodedSentence("They left.", (1, 0)))
    data = encode([Passage("q", "q", "written", {}, (turn,))], tokenizer, 2)  # type: ignore[arg-type]
    config = replace(CONFIG, context=context, single_share=0.0)
    (batch,) = batches_of(data, [1.0], config, tokenizer, random.Random(1))  # type: ignore[arg-type]
    ends = sorted(example.window.pieces.count(tokenizer.sep_token_id) for example in batch)  # type: ignore[attr-defined]
    assert ends == ([1, 2] if context == "pair" else [1, 1])


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("epochs = 0", "epochs"),
        ("plain_share = 1.5", "plain_share"),
        ('context = "page"', "page"),
        ("speed = 1", "speed"),
        ('epochs = "two"', "two"),
        ("x", "TOML"),
    ],
)
def test_a_bad_configuration_quotes_the_value(tmp_path: Path, line: str, word: str) -> None:
    (tmp_path / "config.toml").write_text(line, encoding="utf-8")
    with pytest.raises(ConfigError, match=word):
        read_config(tmp_path / "config.toml")


def test_a_configuration_survives_its_file(tmp_path: Path) -> None:
    CONFIG.write(tmp_path / "config.toml")
    assert read_config(tmp_path / "config.toml") == CONFIG


def test_base_weights_with_another_sum_are_refused(tmp_path: Path) -> None:
    shutil.copytree(base_folder("minilm"), tmp_path / "base")
    with (tmp_path / "base" / "model.safetensors").open("r+b") as file:
        file.seek(5000)
        file.write(b"x")
    with pytest.raises(BaseError, match="sha256"):
        base_folder(str(tmp_path / "base"), "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db")
