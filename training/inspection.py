"""What the dataset holds and what must hold of it: counts for the datasheet, copied text, near-duplicates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rhetoric.codebook import Codebook
from training.splits import word_runs

COPIED_RUN = 10
LENGTH_BANDS = ((1, 5), (6, 10), (11, 20), (21, 30), (31, 45), (46, 90), (91, 10_000))


@dataclass(frozen=True, slots=True)
class Copy:
    """A run of words that a written passage shares with another text."""

    passage: str
    other: str
    words: str


def copies(rows: Sequence[Mapping[str, Any]], others: Mapping[str, str], run: int = COPIED_RUN) -> list[Copy]:
    """Runs of so many words that written passages share with other texts, or with each other."""
    seen: dict[tuple[str, ...], str] = {}
    found: dict[tuple[str, str], Copy] = {}
    for row in rows:
        for words in word_runs((s["text"] for s in row["sentences"]), run):
            other = seen.setdefault(words, row["id"])
            if other != row["id"]:
                found.setdefault((row["id"], other), Copy(row["id"], other, " ".join(words)))
    for name, text in others.items():
        for words in word_runs([text], run) & seen.keys():
            found.setdefault((seen[words], name), Copy(seen[words], name, " ".join(words)))
    return list(found.values())


def counts(rows: Sequence[Mapping[str, Any]], codebook: Codebook) -> dict[str, int]:
    """The figures that the datasheet opens with."""
    sentences = [s for row in rows for s in row["sentences"]]
    plain = [row for row in rows if any(not s["labels"] and not s["near_misses"] for s in row["sentences"])]
    table = {"passages": len(rows), "sentences": len(sentences), "passages with plain sentences": len(plain)}
    for key in codebook.keys:
        table[f"{key} positives"] = sum(key in s["labels"] for s in sentences)
        table[f"{key} near misses"] = sum(key in s["near_misses"] for s in sentences)
    table["sentences with two categories or more"] = sum(len(s["labels"]) > 1 for s in sentences)
    table["countries of origin"] = len({row["country"] for row in rows})
    return table


def matrix(rows: Sequence[Mapping[str, Any]], codebook: Codebook) -> dict[str, list[list[object]]]:
    """Tables of the datasheet: for each facet a row a value: passages, sentences, positives by category."""
    facets = {
        "genre": lambda row: row["genre"],
        "side of the speaker": lambda row: row["side"],
        "decade": lambda row: f"{row['year'] // 10 * 10}s",
        "register": lambda row: row["register"],
    }
    tables = {name: _facet(((value(row), row) for row in rows), codebook) for name, value in facets.items()}
    tables["words in the sentence"] = _lengths(rows, codebook)
    return tables


def _facet(pairs: Iterable[tuple[str, Mapping[str, Any]]], codebook: Codebook) -> list[list[object]]:
    passages: Counter[str] = Counter()
    sentences: Counter[str] = Counter()
    positives: Counter[tuple[str, str]] = Counter()
    for value, row in pairs:
        passages[value] += 1
        sentences[value] += len(row["sentences"])
        positives.update((value, key) for s in row["sentences"] for key in s["labels"])
    return [[v, passages[v], sentences[v], *(positives[v, key] for key in codebook.keys)] for v in sorted(passages)]


def _lengths(rows: Sequence[Mapping[str, Any]], codebook: Codebook) -> list[list[object]]:
    table: list[list[object]] = []
    sentences = [(len(s["text"].split()), row["id"], s["labels"]) for row in rows for s in row["sentences"]]
    for low, high in LENGTH_BANDS:
        band = [(p, labels) for n, p, labels in sentences if low <= n <= high]
        if band:
            name = f"{low} to {high}" if high < LENGTH_BANDS[-1][1] else f"{low} or more"
            table.append(
                [name, len({p for p, _ in band}), len(band), *(sum(k in ls for _, ls in band) for k in codebook.keys)]
            )
    return table
