"""Inter-coder agreement on our own codings, by round, with intervals by a bootstrap over passages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from rhetoric.codebook import Codebook

from training.data import LABELS, read_jsonl

DRAWS = 1000
Counts = npt.NDArray[np.float64]


def alpha(counts: Counts) -> npt.NDArray[np.float64]:
    """Krippendorff's alpha for two coders, yes or no, no missing codings, from counts (…, 4): both, first only, second only, none.

    alpha = 1 - observed / expected disagreement over the pooled codings. Source: Krippendorff 2011,
    "Computing Krippendorff's alpha-reliability", section B (two observers, binary data, no missing data),
    whose example has 10 units, both "1" in 1, disagreement in 4: alpha = 0.095.

    >>> round(float(alpha(np.array([1.0, 3.0, 1.0, 5.0]))), 3)
    0.095
    """
    both, first, second, none = np.moveaxis(counts, -1, 0)
    units = both + first + second + none
    ones, zeros = 2 * both + first + second, 2 * none + first + second
    expected = ones * zeros
    return np.where(expected > 0, 1 - (2 * units - 1) * (first + second) / np.where(expected > 0, expected, 1), np.nan)


def agreement(codebook: Codebook, random_seed: int = 1) -> list[dict[str, Any]]:
    """Alpha per category for each round of real codings and for the written set, with 95% intervals."""
    sources = {row["id"]: f"round {row['round']}" if row["stratum"] != "seeds" else "seeds" for row in read_jsonl(LABELS / "passages.jsonl")}
    codings: dict[str, list[Sequence[Sequence[str]]]] = {}
    for row in read_jsonl(LABELS / "codings.jsonl"):
        codings.setdefault(row["passage"], []).append(row["labels"])
    groups: dict[str, list[Counts]] = {}
    for passage, pair in codings.items():
        groups.setdefault(sources.get(passage, "written"), []).append(_counts(pair, codebook.keys))
    rng = np.random.default_rng(random_seed)
    return [_row(name, np.stack(groups[name]), codebook, rng) for name in sorted(groups)]


def _counts(pair: Sequence[Sequence[Sequence[str]]], keys: Sequence[str]) -> Counts:
    """Counts of one passage: (categories, 4)."""
    table = np.zeros((len(keys), 4))
    for x, y in zip(*pair, strict=True):
        for j, key in enumerate(keys):
            table[j, {(True, True): 0, (True, False): 1, (False, True): 2, (False, False): 3}[key in x, key in y]] += 1
    return table


def _row(name: str, counts: Counts, codebook: Codebook, rng: np.random.Generator) -> dict[str, Any]:
    weights = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=DRAWS)
    draws = alpha(np.einsum("dp,pjk->djk", weights, counts))
    total = counts.sum(0)
    row: dict[str, Any] = {"set": name, "passages": len(counts), "sentences": int(total[0].sum())}
    for j, key in enumerate(codebook.keys):
        low, high = np.nanquantile(draws[:, j], (0.025, 0.975))
        row[key] = {"alpha": round(float(alpha(total[j])), 3), "interval": [round(float(low), 3), round(float(high), 3)]}
    return row


def lines(rows: Sequence[Mapping[str, Any]], codebook: Codebook) -> list[list[object]]:
    """Rows for a table: set, passages, sentences, alpha with its interval per category."""
    return [
        [r["set"], r["passages"], r["sentences"], *(f"{r[k]['alpha']:.3f} ({r[k]['interval'][0]:.2f} to {r[k]['interval'][1]:.2f})" for k in codebook.keys)]
        for r in rows
    ]  # fmt: skip
