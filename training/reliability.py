"""Inter-coder agreement on our own codings, by round, with intervals by a bootstrap over passages."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan

import numpy as np

from rhetoric.agreement import Agreement, CodingTable, agreement
from rhetoric.codebook import Codebook
from training.data import LABELS, read_jsonl


def agreements(codebook: Codebook, random_seed: int = 1) -> dict[str, list[Agreement]]:
    """Agreement per category for each round of real codings, the seeds and the written set."""
    rng = np.random.default_rng(random_seed)
    return {name: [agreement(table, rng) for table in tables] for name, tables in _tables(codebook)}


def _tables(codebook: Codebook) -> Iterator[tuple[str, list[CodingTable]]]:
    rounds = {
        row["id"]: "seeds" if row["stratum"] == "seeds" else f"round {row['round']}"
        for row in read_jsonl(LABELS / "passages.jsonl")
    }
    codings: dict[str, list[list[list[str]]]] = {}
    for row in read_jsonl(LABELS / "codings.jsonl"):
        codings.setdefault(row["passage"], []).append(row["labels"])
    for name in [*sorted(set(rounds.values()), key=lambda name: (len(name), name)), "written"]:
        pairs = [pair for passage, pair in codings.items() if rounds.get(passage, "written") == name]
        cluster = np.repeat(np.arange(len(pairs)), [len(pair[0]) for pair in pairs])
        yield (
            name,
            [
                CodingTable(key, ("first", "second"), ("no", "yes"), _codes(pairs, key), cluster)
                for key in codebook.keys
            ],
        )


def _codes(pairs: list[list[list[list[str]]]], key: str) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """One row a sentence, one column a coder: 1 where the category was given."""
    return np.array([[int(key in x), int(key in y)] for one, two in pairs for x, y in zip(one, two, strict=True)])


def lines(found: dict[str, list[Agreement]]) -> list[list[object]]:
    """Rows for a table: set, passages, sentences, alpha with its 95% interval per category."""
    return [
        [name, one[0].clusters, f"{one[0].units:,}", *map(_alpha, one)]
        for name, one in found.items()
    ]  # fmt: skip


def _alpha(found: Agreement) -> str:
    """Alpha with its interval; a dash where nobody saw the category, for then it has no value."""
    alpha = found.alpha
    return "–" if isnan(alpha.value) else f"{alpha.value:.3f} ({alpha.low:.2f} to {alpha.high:.2f})"
