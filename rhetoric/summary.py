"""Counts over labelled documents, for the line at the end and the figures of the page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from rhetoric.codebook import Codebook
from rhetoric.label import Labelling


@dataclass(slots=True)
class Summary:
    """Counts of documents, sentences and labels. Shares are of sentences, classify-and-count."""

    codebook: Codebook
    documents: int = 0
    sentences: int = 0
    review: int = 0
    failed: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, labelling: Labelling) -> None:
        """Count one labelled document."""
        self.documents += 1
        self.sentences += len(labelling.sentences)
        self.review += sum(s.needs_review for s in labelling.sentences)
        self.counts.update(key for s in labelling.sentences for key in s.labels)

    def share(self, key: str) -> float:
        """Share of sentences in a category, 0 where there are no sentences."""
        return self.counts[key] / self.sentences if self.sentences else 0.0

    def line(self) -> str:
        """One line: how much was labelled, the share of each category, what failed."""
        text = f"{_count(self.sentences, 'sentence')} in {_count(self.documents, 'document')}"
        if self.sentences:  # there are no shares of nothing
            shares = ", ".join(f"{c.name} {self.share(c.key):.1%}" for c in self.codebook.categories)
            text += f": {shares}; {self.review:,} to review"
        return text + (f"; {_count(self.failed, 'file')} could not be read" if self.failed else "")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
