"""The classifier at run time: sentences in their turns → probabilities.

One window is one inference of its own, padded to a multiple of 16 pieces and never batched with
others, so that its result depends on the window alone; several run at the same time.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov
from tokenizers import Tokenizer

from model.manifest import WEIGHTS, Manifest, ModelError, read_manifest
from model.windows import Window, normalise, windows

Probabilities = npt.NDArray[np.float64]

MODEL_NAME = "model.onnx"
TOKENIZER_NAME = "tokenizer.json"
_STEP = 16
_PATIENCE = 10.0


class Pending:
    """Probabilities that are being computed: `result` waits for them."""

    def __init__(
        self, queue: ov.AsyncInferQueue, logits: list[Probabilities], windows: int, slope: Probabilities, intercept: Probabilities,
    ) -> None:  # fmt: skip
        """Keep where the logits go, and how many windows of the queue are awaited."""
        self._queue = queue
        self._logits = logits
        self._left = windows
        self._slope, self._intercept = slope, intercept
        self._lock = threading.Lock()
        self._done = threading.Event()
        if not windows:
            self._done.set()

    def count_down(self) -> None:
        """Note that one window more is done."""
        with self._lock:
            self._left -= 1
            if not self._left:
                self._done.set()

    def result(self) -> list[Probabilities]:
        """Wait; return for each turn an array of shape (sentences, categories)."""
        while not self._done.wait(_PATIENCE):
            self._queue.wait_all()  # raises what went wrong in a window, which would be awaited for ever
        return [1 / (1 + np.exp(-(out * self._slope + self._intercept))) for out in self._logits]


class Classifier:
    """A loaded model. Make one with `Classifier.load`."""

    def __init__(self, manifest: Manifest, tokenizer: Tokenizer, compiled: ov.CompiledModel) -> None:
        """Put the parts together; `load` reads and checks them."""
        self.manifest = manifest
        self._tokenizer = tokenizer
        self._queue = ov.AsyncInferQueue(compiled)
        self._queue.set_callback(_keep_logits)
        weakref.finalize(self, self._queue.wait_all)  # an interpreter that ends under a running callback aborts
        self._cls, self._sep = enclosing(tokenizer)
        decisions = manifest.decisions.values()
        self._slope = np.array([d.slope for d in decisions])
        self._intercept = np.array([d.intercept for d in decisions])

    @classmethod
    def load(
        cls,
        folder: Path = WEIGHTS,
        *,
        categories: Sequence[str],
        codebook_version: str,
        threads: int | None = None,
        cache: Path | None = None,
    ) -> Classifier:
        """Load a model folder.

        Args:
            folder: holds the manifest and the files it lists.
            categories: category keys of the codebook in use, in label order.
            codebook_version: version of the codebook in use.
            threads: CPU threads to use; None for all cores.
            cache: folder where the compiled model is kept between starts.

        Raises:
            ModelError: the manifest does not fit the codebook, or a file differs from it.
        """
        manifest = read_manifest(folder)
        manifest.check_codebook(categories, codebook_version)
        manifest.check_files(folder)
        core = ov.Core()
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_NUM_THREADS": threads or len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else threads or 0,
        }
        if cache is not None:
            settings["CACHE_DIR"] = str(cache)
        compiled = core.compile_model(str(folder / MODEL_NAME), "CPU", settings)
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_NAME))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return cls(manifest, tokenizer, compiled)

    def predict_proba(self, turns: Sequence[Sequence[str]]) -> list[Probabilities]:
        """Return calibrated probabilities for every sentence of every turn.

        Args:
            turns: each turn is the sequence of its sentences, in order.

        Returns:
            For each turn an array of shape (sentences, categories), categories in label order.

        Raises:
            TypeError: a bare string where a sequence of turns or of sentences is due.
        """
        return self.start(turns).result()

    def start(self, turns: Sequence[Sequence[str]]) -> Pending:
        """Begin `predict_proba` and return what waits for it, so that inference and other work overlap."""
        if isinstance(turns, str) or any(isinstance(turn, str) for turn in turns):
            raise TypeError("predict_proba takes turns, each a sequence of sentences, not a string")
        sentences = [normalise(sentence) for turn in turns for sentence in turn]
        encoded = iter(self._tokenizer.encode_batch_fast(sentences, add_special_tokens=False))
        logits = [np.empty((len(turn), len(self.manifest.decisions))) for turn in turns]
        laid = [
            (window, out)
            for turn, out in zip(turns, logits, strict=True)
            for window in windows(
                [next(encoded).ids for _ in turn], self._context, self.manifest.max_pieces, self._cls, self._sep
            )
        ]
        pending = Pending(self._queue, logits, len(laid), self._slope, self._intercept)
        for window, out in laid:
            self._queue.start_async(inputs_of(window), (window, out, pending))
        return pending

    @property
    def _context(self) -> Any:
        return self.manifest.context


def inputs_of(window: Window) -> dict[str, npt.NDArray[np.int64]]:
    """Ids and mask of one window, of shape (1, pieces), padded to a multiple of 16."""
    length = len(window.pieces)
    ids = np.zeros((1, -(-length // _STEP) * _STEP), dtype=np.int64)
    mask = np.zeros_like(ids)
    ids[0, :length] = window.pieces
    mask[0, :length] = 1
    return {"input_ids": ids, "attention_mask": mask}


def _keep_logits(request: ov.InferRequest, job: tuple[Window, npt.NDArray[np.float64], Pending]) -> None:
    """Pool each sentence's own pieces: the head is linear, so the mean of logits is the logit of the mean."""
    window, out, pending = job
    by_piece = request.get_output_tensor().data[0]
    for number, start, end in window.sentences:
        out[number] = by_piece[start:end].mean(axis=0, dtype=np.float64)
    pending.count_down()


def enclosing(tokenizer: Tokenizer) -> tuple[int, int]:
    """The pieces that open and close a text, whatever the base calls them."""
    pieces = tokenizer.encode("").ids
    if len(pieces) != 2:
        raise ModelError(f"the tokenizer puts {len(pieces)} special pieces around a text, not 2")
    return pieces[0], pieces[1]
