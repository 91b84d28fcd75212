"""How the sentences of a turn are laid out for the encoder. Training and labelling share this.

A window is one sequence of word pieces: `[CLS] sentence sentence … [SEP]`. Each sentence of a turn
is classified in exactly one window, from the mean over its own pieces; what else stands in the
window is context. Windows depend on the turn alone, so a label never depends on the run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Context = Literal["sentence", "pair", "window"]
CONTEXTS: tuple[Context, ...] = ("sentence", "pair", "window")
MAX_CONTEXT_SHARE = 0.25  # of a window's pieces that may repeat the sentences before it
MAX_CONTEXT_SENTENCES = 2

_BROKEN = re.compile(r"(?<=\w)-[ \t]*\r?\n\s*(?=\w)")
_SPACE = re.compile(r"[\s\u00a0\u200b-\u200f\u2028-\u202f\u2060\ufeff]+")
_PLAIN = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "’": "'", "‘": "'", "`": "'", "–": "-", "—": "-", "\u00ad": ""}
)


@dataclass(frozen=True, slots=True)
class Window:
    """Word pieces of one window, and for each sentence classified in it its number and its span.

    `sentences` holds (number in the turn, first piece, end piece), offsets into `pieces`.
    """

    pieces: tuple[int, ...]
    sentences: tuple[tuple[int, int, int], ...]


def normalise(sentence: str) -> str:
    """Fold what should not matter: white space, broken lines, curly quotation marks, dashes, half characters."""
    whole = sentence.encode("utf-8", "replace").decode("utf-8")  # the tokenizer refuses lone surrogates
    return _SPACE.sub(" ", _BROKEN.sub("-", whole)).translate(_PLAIN).strip()


def windows(pieces: Sequence[Sequence[int]], context: Context, max_pieces: int, cls: int, sep: int) -> list[Window]:
    """Lay out one turn.

    Args:
        pieces: word pieces of each sentence of the turn, without special pieces.
        context: "sentence" puts every sentence into a window of its own; "pair" puts the sentence
            before it in front, with a separator between; "window" fills windows with neighbours,
            each starting with up to two sentences of the window before.
        max_pieces: the most pieces of a window, special ones included; longer sentences are cut.
        cls: the piece that opens a window.
        sep: the piece that closes it.
    """
    room = max_pieces - 2
    cut = [tuple(sentence[:room]) or (sep,) for sentence in pieces]
    if context == "sentence":
        return [Window((cls, *sentence, sep), ((i, 1, 1 + len(sentence)),)) for i, sentence in enumerate(cut)]
    if context == "pair":
        return [_pair(cut[i - 1] if i else (), sentence, i, max_pieces, cls, sep) for i, sentence in enumerate(cut)]
    laid: list[Window] = []
    i = 0
    while i < len(cut):
        row = [cls]
        for sentence in _context_before(cut, i, int(room * MAX_CONTEXT_SHARE)):
            row.extend(sentence)
        if len(row) + len(cut[i]) > room + 1:
            row = [cls]
        spans: list[tuple[int, int, int]] = []
        while i < len(cut) and len(row) + len(cut[i]) <= room + 1:
            spans.append((i, len(row), len(row) + len(cut[i])))
            row.extend(cut[i])
            i += 1
        laid.append(Window((*row, sep), tuple(spans)))
    return laid


def _pair(
    before: tuple[int, ...], sentence: tuple[int, ...], number: int, max_pieces: int, cls: int, sep: int
) -> Window:
    """`[CLS] before [SEP] sentence [SEP]`, the sentence before cut from its start where both are too long."""
    room = max_pieces - 3 - len(sentence)
    row = (cls, *before[-room:], sep) if before and room > 0 else (cls,)
    return Window((*row, *sentence, sep), ((number, len(row), len(row) + len(sentence)),))


def _context_before(cut: Sequence[tuple[int, ...]], i: int, budget: int) -> list[tuple[int, ...]]:
    """The sentences before sentence i that fit into the budget, in reading order."""
    chosen: list[tuple[int, ...]] = []
    for sentence in reversed(cut[max(0, i - MAX_CONTEXT_SENTENCES) : i]):
        budget -= len(sentence)
        if budget < 0:
            break
        chosen.insert(0, sentence)
    return chosen
