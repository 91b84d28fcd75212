"""A trained network → the shipped folder: static-int8 ONNX, tokenizer, manifest."""

from __future__ import annotations

import json
import logging
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from transformers import PreTrainedTokenizerBase

from model.classifier import MODEL_NAME, TOKENIZER_NAME, Classifier
from model.manifest import Decision, File, Manifest, sha256_of
from model.windows import windows
from training.config import FACTS_NAME, Config
from training.data import Passage
from training.fit import encode
from training.metrics import Floats
from training.network import Network

CALIBRATION_WINDOWS = 300
_OPSET = 17


@dataclass(frozen=True, slots=True)
class ExportCheck:
    """How far the shipped file is from the fp32 network on the same sentences."""

    sentences: int
    decisions: int
    flips: int
    largest_difference: float

    def line(self) -> str:
        """One line for the screen and the card."""
        return (
            f"int8 against fp32 on {self.sentences} sentences: {self.flips} of {self.decisions} decisions flip "
            f"({self.flips / self.decisions:.2%}), largest probability difference {self.largest_difference:.3f}"
        )


def write_onnx(network: Network, path: Path) -> None:
    """Write the fp32 network as ONNX: `input_ids`, `attention_mask` → `logits` for every piece."""
    network.encoder.set_attn_implementation("eager")  # type: ignore[union-attr, operator]  # without guards against NaN
    ids = torch.ones(1, 16, dtype=torch.long)
    axes = {0: "windows", 1: "pieces"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, (ids, torch.ones_like(ids)), str(path), dynamo=False, opset_version=_OPSET,
            input_names=["input_ids", "attention_mask"], output_names=["logits"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": axes},
        )  # fmt: skip


def quantise(fp32: Path, int8: Path, calibration: Sequence[Sequence[int]]) -> None:
    """Quantise an ONNX file to static int8 with NNCF; `calibration` holds windows of word pieces."""
    import nncf

    logging.getLogger("nncf").setLevel(logging.ERROR)

    def feed(pieces: Sequence[int]) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
        ids = np.asarray([pieces], dtype=np.int64)
        return {"input_ids": ids, "attention_mask": np.ones_like(ids)}

    quantised = nncf.quantize(
        onnx.load(str(fp32)),
        nncf.Dataset(list(calibration), feed),
        model_type=nncf.ModelType.TRANSFORMER,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(calibration),
        ignored_scope=nncf.IgnoredScope(patterns=["/head/.*"], validate=False),  # tiny, and the last word
    )
    onnx.save(quantised, str(int8))


def export(
    network: Network, tokenizer: PreTrainedTokenizerBase, passages: Sequence[Passage], config: Config,
    decisions: dict[str, Decision], folder: Path, *, codebook_version: str, version: str, facts: Mapping[str, Any],
) -> None:  # fmt: skip
    """Write the model folder. `passages` calibrate the quantisation; they are training passages.

    `facts` are those of `fit`: they stay beside the weights, and training can go on from there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    work = folder / "work"
    work.mkdir(exist_ok=True)
    write_onnx(network, work / "fp32.onnx")
    quantise(work / "fp32.onnx", folder / MODEL_NAME, calibration_windows(passages, tokenizer, config, len(decisions)))
    shutil.rmtree(work)
    tokenizer.backend_tokenizer.save(str(folder / TOKENIZER_NAME))
    config.write(folder / "training.toml")
    (folder / FACTS_NAME).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    names = (MODEL_NAME, TOKENIZER_NAME, "training.toml", FACTS_NAME)
    Manifest(
        version=version, codebook_version=codebook_version, decisions=decisions, context=config.context,
        max_pieces=config.max_pieces, base=config.base, base_sha256=facts["base_sha256"], dataset_sha256=facts["dataset_sha256"],
        files={name: File((folder / name).stat().st_size, sha256_of(folder / name)) for name in names},
    ).write(folder)  # fmt: skip


def calibration_windows(
    passages: Sequence[Passage], tokenizer: PreTrainedTokenizerBase, config: Config, categories: int
) -> list[tuple[int, ...]]:
    """Windows of training passages, evenly taken."""
    step = max(1, len(passages) // CALIBRATION_WINDOWS)
    cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
    return [
        window.pieces
        for turns in encode(passages[::step], tokenizer, categories)
        for turn in turns
        for window in windows(turn.pieces, config.context, config.max_pieces, cls, sep)  # type: ignore[arg-type]
    ][:CALIBRATION_WINDOWS]


def check(classifier: Classifier, passages: Sequence[Passage], fp32_logits: Floats) -> ExportCheck:
    """Compare the exported file with the fp32 network's logits on the coded sentences of passages."""
    decisions = classifier.manifest.decisions.values()
    slope, intercept, threshold = (
        np.array([getattr(d, n) for d in decisions]) for n in ("slope", "intercept", "threshold")
    )
    expected = 1 / (1 + np.exp(-(fp32_logits * slope + intercept)))
    found = shipped_probabilities(classifier, passages)
    flips = int(((expected >= threshold) != (found >= threshold)).sum())
    return ExportCheck(len(found), found.size, flips, float(np.abs(expected - found).max()))


def shipped_probabilities(classifier: Classifier, passages: Sequence[Passage]) -> Floats:
    """Probabilities of the coded sentences of passages by the exported model: (sentences, categories)."""
    turns = [turn for passage in passages for turn in passage.turns]
    found = classifier.predict_proba([[s.text for s in turn] for turn in turns])
    rows = [
        row for turn, p in zip(turns, found, strict=True) for s, row in zip(turn, p, strict=True) if s.gold is not None
    ]
    return np.array(rows)
