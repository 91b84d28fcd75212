"""Distillation by vectors: the shipped network learns to foretell what a bigger one makes of every word piece.

A label is three numbers a sentence, and a small network soon knows those of its training sentences by heart. The last
layer's vector of each piece says what the teacher sees in it, so there is far more to learn from the same texts; in the
manner of TinyBERT (Jiao et al. 2020, arXiv:1909.10351). Both must cut text into the same word pieces.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino as ov
import torch
from torch import Tensor, nn
from tqdm import tqdm

from model.classifier import MODEL_NAME, inputs_of
from model.manifest import sha256_of
from model.windows import Window
from training.config import ConfigError
from training.data import Passage
from training.teacher import text_sha256

Vectors = npt.NDArray[np.float16]
"""One row a word piece, window after window: shape (pieces, the teacher's width).

Quantisation may have given a dimension another scale, so each is brought to one scale before use.
"""

_HEAD = "/head/MatMul"  # what the exported file calls the part that takes the vectors
_LOOKED_AT = 50_000  # rows that mean and spread are taken from
_FARTHEST = 6.0  # spreads from the mean; single dimensions of such networks lie far out


def write_vectors(model: Path, windows: Sequence[Window], sha256: str, path: Path) -> None:
    """Run the exported model in folder `model` on windows, and write `Vectors` as .npy, with a note beside.

    `sha256` says which texts the windows are of (`texts_sha256`).
    """
    graph = ov.Core().read_model(str(model / MODEL_NAME))
    head = next((part for part in graph.get_ops() if part.get_friendly_name() == _HEAD), None)
    if head is None or not windows:
        raise ConfigError(f"there is nothing to write: {f'{model} has no {_HEAD}' if windows else 'no passages'}")
    graph.add_outputs([head.input_value(0)])
    compiled = ov.Core().compile_model(graph, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
    width = compiled.output(1).get_partial_shape()[2].get_length()
    ends = np.cumsum([len(window.pieces) for window in windows])
    path.parent.mkdir(parents=True, exist_ok=True)
    _note(path).unlink(missing_ok=True)  # what stops half-way is not taken for whole
    needed = int(ends[-1]) * width * 2
    if (free := shutil.disk_usage(path.parent).free) < needed:
        raise ConfigError(f"{path} takes {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free there")
    rows = np.lib.format.open_memmap(path, "w+", np.float16, (int(ends[-1]), width))

    def keep(request: ov.InferRequest, job: tuple[int, int]) -> None:
        end, length = job
        rows[end - length : end] = request.get_output_tensor(1).data[0, :length]

    queue = ov.AsyncInferQueue(compiled)
    queue.set_callback(keep)
    for window, end in zip(tqdm(windows, unit="window"), ends.tolist(), strict=True):
        queue.start_async(inputs_of(window), (end, len(window.pieces)))
    queue.wait_all()
    rows.flush()
    note = {"texts_sha256": sha256, "model_sha256": sha256_of(model / MODEL_NAME)}
    _note(path).write_text(json.dumps(note) + "\n", encoding="utf-8")


def read_vectors(path: Path, passages: Sequence[Passage]) -> Vectors:
    """The vectors of the windows of passages, left on disk.

    Raises:
        ConfigError: they are of other texts, or were not written to the end.
    """
    note = read_note(path)
    try:
        rows: Vectors = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise ConfigError(f"{path} is not what `python -m training vectors` writes; run it again") from error
    if note["texts_sha256"] != texts_sha256(passages):
        raise ConfigError(
            f"{path} holds the vectors of other texts; `vectors` and `fit` need the same labels and the same --taught, "
            "and `fit` all sources and no --passages"
        )
    return rows


def read_note(path: Path) -> dict[str, str]:
    """Sums of the texts and of the model that vectors are of.

    Raises:
        ConfigError: they were not written to the end.
    """
    try:
        note = json.loads(_note(path).read_text(encoding="utf-8"))
        return {name: str(note[name]) for name in ("texts_sha256", "model_sha256")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} does not hold vectors to the end; run `python -m training vectors` again") from error


def texts_sha256(passages: Sequence[Passage]) -> str:
    """Sum over the texts of passages, in order."""
    return hashlib.sha256("".join(map(text_sha256, passages)).encode("ascii")).hexdigest()


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


class Imitation(nn.Module):
    """From the small network's vectors to the teacher's, each of whose dimensions counts alike."""

    mean: Tensor
    spread: Tensor

    def __init__(self, width: int, vectors: Vectors) -> None:
        """Take mean and spread of the teacher's dimensions from rows taken evenly."""
        super().__init__()
        self.vectors = vectors
        looked_at = torch.from_numpy(vectors[:: len(vectors) // _LOOKED_AT + 1].astype(np.float32))
        self.register_buffer("mean", looked_at.mean(0))
        self.register_buffer("spread", looked_at.std(0) + 1e-3)
        self.line = nn.Linear(width, vectors.shape[1])

    def forward(self, own: Tensor, rows: Sequence[slice]) -> Tensor:
        """Mean squared distance to the teacher's vectors in `rows`; `own` has shape (pieces, width)."""
        said = torch.from_numpy(np.concatenate([self.vectors[r] for r in rows]).astype(np.float32))
        wanted = ((said - self.mean) / self.spread).clamp(-_FARTHEST, _FARTHEST)
        return nn.functional.mse_loss(self.line(own).float(), wanted)
