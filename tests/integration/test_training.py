"""Fine-tuning, decisions and export, on a tiny set."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.train
pytest.importorskip("torch", reason="the train extra is not installed: make setup-train")

import torch  # noqa: E402

from model.classifier import MODEL_NAME, Classifier  # noqa: E402
from model.manifest import Decision  # noqa: E402
from training.config import Config, ConfigError, read_config  # noqa: E402
from training.data import CodedSentence, Passage  # noqa: E402
from training.decide import fit_decision  # noqa: E402
from training.export import check, export, shipped_probabilities  # noqa: E402
from training.fit import fit, gold_matrix, predict  # noqa: E402
from training.network import BaseError, base_folder  # noqa: E402
from training.unpack import unpack  # noqa: E402

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
CONFIG = Config(epochs=25, learning_rate=1e-3, single_share=0.5, max_pieces=64, batch_pieces=64)


@pytest.fixture(scope="module")
def fitted() -> tuple[object, object]:
    return fit(TINY, 2, CONFIG, progress=False)


def test_fine_tuning_learns_a_tiny_set(fitted: tuple[object, object]) -> None:
    logits = predict(*fitted, TINY, CONFIG)  # type: ignore[arg-type]
    assert ((logits > 0) == gold_matrix(TINY)).all()


def test_the_same_seed_gives_the_same_weights() -> None:
    short = Config(epochs=1, max_pieces=64, batch_pieces=64)
    first, second = (fit(TINY, 2, short, progress=False)[0].state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_exported_model_agrees_with_the_network(fitted: tuple[object, object], tmp_path: Path) -> None:
    network, tokenizer = fitted
    decisions = {key: Decision(1.0, 0.0, 0.5, (0.4, 0.6)) for key in ("help", "blame")}
    export(
        network, tokenizer, TINY, CONFIG, decisions, tmp_path / "weights",
        codebook_version="1.0", version="0", facts={"base_sha256": "", "dataset_sha256": "", "minutes": 1},
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


def test_a_narrow_network_has_fewer_heads_and_units_and_still_learns(fitted: tuple[object, object]) -> None:
    network, tokenizer = fitted
    config = replace(CONFIG, heads=3, units=200, epochs=10)
    narrow, _ = fit(TINY, 2, config, progress=False, start=network.state_dict())  # type: ignore[attr-defined]
    layer = narrow.encoder.encoder.layer[2]  # type: ignore[union-attr, index]
    assert layer.attention.self.query.weight.shape == (3 * 32, 384)
    assert layer.intermediate.dense.out_features == layer.output.dense.in_features == 200
    assert ((predict(narrow, tokenizer, TINY, config) > 0) == gold_matrix(TINY)).all()  # type: ignore[arg-type]
    again, _ = fit(TINY, 2, replace(config, epochs=1), progress=False, start=narrow.state_dict())
    assert again.encoder.encoder.layer[0].intermediate.dense.out_features == 200  # type: ignore[union-attr, index]
    with pytest.raises(ConfigError, match="heads"):
        Config(heads=-1)


def test_decisions_are_fitted_for_f1_and_calibrated() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, 4000)
    gold = (rng.random(4000) < 1 / (1 + np.exp(-(2 * logits - 3)))).astype(np.int64)
    decision = fit_decision(gold, logits)
    assert decision.slope == pytest.approx(2, abs=0.2)
    assert decision.intercept == pytest.approx(-3, abs=0.3)
    assert 0.3 < decision.threshold < 0.6


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("epochs = 0", "epochs"),
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
