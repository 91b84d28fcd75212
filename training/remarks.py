"""What a reader says of the model's worst errors: stand-off remarks with a kind, and how many errors of each kind.

Remarks are made after an evaluation, for the model card only: they are about test passages, so nothing is
trained on or chosen by them. They quote no text. A remark belongs to an error (passage, sentence, category), not
to a model: when other weights make the error again it still holds, when they do not it waits in the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rhetoric.codebook import Codebook

KINDS = {
    "context": "only context says whom or what the sentence means",
    "standing": "a claim of standing, values or an own example, with none of the usual words of attraction",
    "known_name": "a name or byword stands for the NGO, the Western actor or the tie, and has to be known",
    "implied": "the act, the effect or the blame is implied, by contrast or irony, or put mildly",
    "mixed": "what counts is a small part of a sentence about something else",
    "aid": "aid or training for people abroad, told as a plain deed",
    "other_party": "words of help or blame, but for another party",
    "border": "the codebook's line is thin here; the coding can be disputed",
}
"""Kinds of error, in the order of the table."""

Error = tuple[str, int, str]
"""What an error is known by: passage, sentence (from 1), category."""


class RemarkError(Exception):
    """A line of the remarks is not understood."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One reader's remark on one error."""

    passage: str
    sentence: int
    category: str
    kind: str
    remark: str

    def __post_init__(self) -> None:
        """Refuse what would never match an error, an unknown kind and a remark that says nothing."""
        if not isinstance(self.sentence, int):
            raise ValueError(f"sentence is {self.sentence!r}; it must be a number, from 1")
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}; it must be one of {', '.join(KINDS)}")
        if not self.remark.strip():
            raise ValueError("the remark is empty")

    @property
    def error(self) -> Error:
        """The error that it is about."""
        return self.passage, self.sentence, self.category


def read_remarks(path: Path, codebook: Codebook) -> dict[Error, Remark]:
    """Read the remarks (JSON Lines), by error.

    Raises:
        RemarkError: a line is no remark, names an unknown kind or category, or is a second one on its error.
    """
    remarks: dict[Error, Remark] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            remark = Remark(**json.loads(line))
            if remark.category not in codebook.keys:
                raise ValueError(f"category is {remark.category!r}; it must be one of {', '.join(codebook.keys)}")
            if remark.error in remarks:
                raise ValueError(f"a second remark on {remark.passage}, sentence {remark.sentence}, {remark.category}")
        except (TypeError, ValueError) as error:
            raise RemarkError(f"{path}, line {number}: {error}") from error
        remarks[remark.error] = remark
    return remarks


def remarks_on(errors: Sequence[Mapping[str, Any]], remarks: Mapping[Error, Remark]) -> list[Remark]:
    """The remarks on errors of a report, in the report's order; an error without one is left out."""
    keys = [(e["passage"], e["sentence"], e["category"]) for e in errors]
    return [remarks[key] for key in keys if key in remarks]
