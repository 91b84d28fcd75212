"""Which real passages are coded: a frame of all passages, random strata with known probabilities, enriched ones without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rhetoric.codebook import Codebook
from rhetoric.segment import Sentence, segment
from training.corpus import CorpusDocument
from training.metrics import Floats

SHORTEST, LONGEST, USUAL = 5, 12, 8
CONTEXT = 2
MOST_OF_A_DOCUMENT = 3
"""Passages of one document in one stratum that is not random."""


@dataclass(frozen=True, slots=True)
class FramePassage:
    """Consecutive sentences of a document, with the sentences before them as context, as offsets into its text."""

    document: str
    sentences: tuple[Sentence, ...]
    context: tuple[Sentence, ...]

    @property
    def key(self) -> tuple[str, int]:
        """Document and first offset: the same passage whenever the frame is made."""
        return self.document, self.sentences[0].start


@dataclass(frozen=True, slots=True)
class Drawn:
    """A passage drawn into a stratum; `probability` is None unless it was drawn at random."""

    passage: FramePassage
    stratum: str
    probability: float | None


def frame(documents: Iterable[CorpusDocument]) -> list[FramePassage]:
    """Cut every document into consecutive passages of 5 to 12 sentences, at ends of turns and paragraphs where it can."""
    passages = []
    for document in documents:
        sentences = segment(document.text).sentences
        start = 0
        for end in _cuts(sentences):
            if end - start >= SHORTEST:
                context = sentences[max(0, start - CONTEXT) : start]
                passages.append(FramePassage(document.id, sentences[start:end], context))
            start = end
    return passages


def _cuts(sentences: Sequence[Sentence]) -> Iterable[int]:
    start = 0
    while len(sentences) - start > LONGEST:
        choices = range(start + SHORTEST + 1, start + LONGEST)
        start = min(choices, key=lambda end: abs(end - start - USUAL) - _break(sentences, end))
        yield start
    yield len(sentences)


def _break(sentences: Sequence[Sentence], end: int) -> int:
    """How good a place to cut is, in sentences of length that it is worth."""
    before, after = sentences[end - 1], sentences[end]
    return 3 if before.turn != after.turn else 2 if before.paragraph != after.paragraph else 0


def draw_random(passages: Sequence[FramePassage], number: int, stratum: str, rng: np.random.Generator) -> list[Drawn]:
    """Draw passages with equal, recorded probability."""
    picked = rng.choice(len(passages), size=min(number, len(passages)), replace=False)
    return [Drawn(passages[i], stratum, len(picked) / len(passages)) for i in picked]


def draw_enriched(
    passages: Sequence[FramePassage], probabilities: Sequence[Floats], wanted: Mapping[str, int], codebook: Codebook,
    taken: set[tuple[str, int]], rng: np.random.Generator,
) -> list[Drawn]:  # fmt: skip
    """Draw passages in which a model expects a category (`wanted` by category key) or is unsure (`uncertain`).

    `probabilities` holds for each passage an array (sentences, categories). Passages of `taken` are left out.
    """
    expected = np.array([p.sum(axis=0) for p in probabilities])
    unsure = np.array([(p * (1 - p)).sum() for p in probabilities])
    drawn: list[Drawn] = []
    for name, number in wanted.items():
        score = unsure if name == "uncertain" else expected[:, codebook.keys.index(name)]
        stratum = name if name == "uncertain" else f"enriched-{name}"
        drawn += _by_weight(passages, score, number, stratum, taken, rng)
    return drawn


def _by_weight(
    passages: Sequence[FramePassage], score: Floats, number: int, stratum: str, taken: set[tuple[str, int]],
    rng: np.random.Generator,
) -> list[Drawn]:  # fmt: skip
    top = np.argsort(-score)[: 3 * number + len(taken)]
    order = rng.choice(top, size=len(top), replace=False, p=score[top] / score[top].sum())
    drawn: list[Drawn] = []
    of_document: dict[str, int] = {}
    for i in order:
        passage = passages[i]
        if (
            len(drawn) < number
            and passage.key not in taken
            and of_document.get(passage.document, 0) < MOST_OF_A_DOCUMENT
        ):
            of_document[passage.document] = of_document.get(passage.document, 0) + 1
            taken.add(passage.key)
            drawn.append(Drawn(passage, stratum, None))
    return drawn


def passage_row(name: str, drawn: Drawn, document: CorpusDocument, round_number: int) -> dict[str, object]:
    """The stand-off row of `labels/passages.jsonl`."""
    passage = drawn.passage
    return {
        "id": name, "document": document.id, "sha256": document.sha256, "round": round_number,
        "stratum": drawn.stratum, "probability": drawn.probability,
        "spans": [[s.start, s.end] for s in passage.sentences], "turns": [s.turn for s in passage.sentences],
        "context": [[s.start, s.end] for s in passage.context], "context_turns": [s.turn for s in passage.context],
    }  # fmt: skip
