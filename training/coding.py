"""Coding by readers: sheets for coders, their decisions read back, disagreements, gold labels.

A sheet shows numbered sentences; a coder answers with one line a passage, letters for categories:
`P0001 3C 5SN 7C? 8.?`, where `?` marks hesitation, `.` a hesitant "none" and `P0002 -` no label at
all. Letters are the initials of the category keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rhetoric.codebook import Codebook

_LINE = re.compile(r"(?P<passage>\w+)\s+(?P<decisions>-|[0-9SCN.? -]+)")
_DECISION = re.compile(r"(\d+)([A-Z.-]+)(\??)")


class CodingError(Exception):
    """A coder's file does not fit its sheet; the message quotes the line."""


@dataclass(frozen=True, slots=True)
class SheetPassage:
    """What a coder is shown: a heading, sentences of context, numbered sentences with what stands between.

    `asked` are the numbers of the sentences to answer for, where these are not all.
    """

    id: str
    heading: str
    context: str
    sentences: tuple[str, ...]
    before: Mapping[int, str]
    asked: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Coding:
    """One coder's decisions on a passage: category keys by sentence, and the sentences of hesitation."""

    passage: str
    labels: tuple[tuple[str, ...], ...]
    doubt: tuple[int, ...]


def letters(codebook: Codebook) -> dict[str, str]:
    """Letter of each category key: its initial in upper case."""
    return {key[0].upper(): key for key in codebook.keys}


def sheet(passages: Iterable[SheetPassage]) -> str:
    """Render passages for a coder."""
    return "\n".join(_render(passage) for passage in passages)


def _render(passage: SheetPassage) -> str:
    lines = [f"### {passage.id} | {passage.heading}"]
    if passage.context:
        lines.append(f"[ {passage.context} ]")
    for number, sentence in enumerate(passage.sentences, 1):
        if number in passage.before:
            lines.append(f"-- {passage.before[number]}")
        lines.append(f"{number}{' >>' if number in passage.asked else ''} {sentence}")
    return "\n".join(lines) + "\n"


def read_codings(files: Iterable[Path], sizes: Mapping[str, int], codebook: Codebook) -> dict[str, Coding]:
    """Read a coder's answers; `sizes` gives the number of sentences of each passage.

    Raises:
        CodingError: an unknown passage, a sentence number out of range, or a passage coded twice.
    """
    by_letter = letters(codebook)
    codings: dict[str, Coding] = {}
    for file in files:
        for line in filter(None, map(str.strip, file.read_text(encoding="utf-8").splitlines())):
            match = _LINE.fullmatch(line)
            if not match or match["passage"] not in sizes:
                raise CodingError(f"{file.name}: {line!r} is not a line like P0001 3C 5SN for a passage of the sheet")
            if match["passage"] in codings:
                raise CodingError(f"{file.name}: {match['passage']} is coded twice")
            codings[match["passage"]] = _coding(match["passage"], match["decisions"], sizes, by_letter, file.name)
    return codings


def _coding(passage: str, decisions: str, sizes: Mapping[str, int], by_letter: Mapping[str, str], file: str) -> Coding:
    labels: list[tuple[str, ...]] = [()] * sizes[passage]
    doubt = []
    for number, found, hesitant in _DECISION.findall(decisions):
        if not 1 <= int(number) <= len(labels):
            raise CodingError(f"{file}: {passage} has {len(labels)} sentences, no sentence {number}")
        labels[int(number) - 1] = tuple(key for letter, key in by_letter.items() if letter in found)
        if hesitant:
            doubt.append(int(number))
    return Coding(passage, tuple(labels), tuple(doubt))


def disagreements(a: Coding, b: Coding) -> list[int]:
    """Numbers of the sentences on which two coders differ."""
    return [i for i, (x, y) in enumerate(zip(a.labels, b.labels, strict=True), 1) if set(x) != set(y)]


def disagreement_sheet(
    passages: Sequence[SheetPassage], a: Mapping[str, Coding], b: Mapping[str, Coding], codebook: Codebook
) -> str:
    """Render the passages on which two coders differ, with both decisions, for an adjudicator."""
    letter_of = {key: letter for letter, key in letters(codebook).items()}
    parts = []
    for passage in passages:
        x, y = a[passage.id], b[passage.id]
        if numbers := disagreements(x, y):
            lines = [
                f"DECIDE {n}: one coder {_letters(x.labels[n - 1], letter_of)}, the other {_letters(y.labels[n - 1], letter_of)}"
                for n in numbers
            ]
            parts.append(_render(passage) + "\n".join(lines) + "\n")
    return "\n".join(parts)


def adjudicate(a: Coding, b: Coding, decided: Coding | None) -> tuple[tuple[tuple[str, ...], ...], tuple[int, ...]]:
    """Gold labels of a passage and the numbers of the adjudicated sentences.

    Where the coders agree their decision stands; elsewhere the adjudicator's.
    """
    differ = disagreements(a, b)
    if differ and decided is None:
        raise CodingError(f"passage {a.passage} has sentences {differ} to adjudicate and no adjudication")
    labels = list(a.labels)
    for number in differ:
        assert decided is not None
        labels[number - 1] = decided.labels[number - 1]
    return tuple(labels), tuple(differ)


def _letters(keys: Sequence[str], letter_of: Mapping[str, str]) -> str:
    return "".join(letter_of[key] for key in keys) or "none"
