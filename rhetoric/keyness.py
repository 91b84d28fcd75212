"""Which words set two groups apart, and which sentences show it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from rhetoric.errors import RhetoricError
from rhetoric.prevalence import Floats
from rhetoric.table import WORD, LabelledRows

MIN_COUNT = 5
MIN_DOCUMENTS = 2
PRIOR_WORDS = 1000.0
"""Weight of the prior in words: how many words of the pooled text each side is given before its own are counted."""


class KeynessError(RhetoricError):
    """Words cannot be compared."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word in two groups: counts, documents, log2 ratio of rates, G2 and the shrunken z (positive: first)."""

    word: str
    count_first: int
    count_second: int
    documents_first: int
    documents_second: int
    log_ratio: float
    g2: float
    z: float


def log_likelihood(a: Floats, b: Floats, c: float, d: float) -> Floats:
    """G2 of words that occur a and b times in texts of c and d words (Rayson and Garside 2000).

    2 (a ln(a / E1) + b ln(b / E2)) with E1 = c (a + b) / (c + d); see also the UCREL calculator,
    https://ucrel.lancs.ac.uk/llwizard.html. A word that occurs equally often in equal texts has 0.

    >>> float(log_likelihood(np.array([10.0]), np.array([10.0]), 1e4, 1e4)[0])
    0.0
    """
    from scipy.special import xlogy

    both = a + b
    first, second = c * both / (c + d), d * both / (c + d)
    return np.asarray(2 * (xlogy(a, a / first) + xlogy(b, b / second)))


def log_ratio(a: Floats, b: Floats, c: float, d: float) -> Floats:
    """Binary logarithm of the ratio of rates (Hardie 2014); half an occurrence stands in for none.

    >>> log_ratio(np.array([8.0]), np.array([2.0]), 1e4, 1e4).tolist()
    [2.0]
    """
    return np.asarray(np.log2(np.where(a > 0, a, 0.5) / c) - np.log2(np.where(b > 0, b, 0.5) / d))


def shrunken_z(a: Floats, b: Floats, c: float, d: float, prior: Floats) -> Floats:
    """Log-odds ratio with an informative Dirichlet prior, over its standard deviation.

    Monroe, Colaresi and Quinn (2008), "Fightin' Words", *Political Analysis* 16, equations 16, 19, 21 and 22:
    delta = ln((a + prior) / (c + sum - a - prior)) - the same of b and d, variance
    1 / (a + prior) + 1 / (b + prior).

    Args:
        a: counts in the first text, shape (words,).
        b: counts in the second text, shape (words,).
        c: words of the first text.
        d: words of the second text.
        prior: pseudo-counts, shape (words,), added on both sides.
    """
    total = float(prior.sum())
    first, second = a + prior, b + prior
    delta = np.log(first / (c + total - first)) - np.log(second / (d + total - second))
    return np.asarray(delta / np.sqrt(1 / first + 1 / second))


def words_of(text: str) -> list[str]:
    """Words of a text in lower case, with straight apostrophes.

    >>> words_of("The West’s so-called rules")
    ['the', "west's", 'so-called', 'rules']
    """
    return re.findall(WORD, text.lower().replace("’", "'"))


def keyness(
    first: pl.DataFrame, second: pl.DataFrame, background: pl.DataFrame | None = None, prior_words: float = PRIOR_WORDS
) -> list[Word]:
    """Compare the words of two sets of sentences.

    Args:
        first: sentences (`document`, `text`) of one side.
        second: those of the other.
        background: sentences whose words make the prior; both sides by default.
        prior_words: weight of the prior, in words.

    Returns:
        Words by z, those of the first side first; only words that occur at least `MIN_COUNT` times,
        in at least `MIN_DOCUMENTS` documents.

    Raises:
        KeynessError: a side has no words.
    """
    counts = [_counts(frame, name) for frame, name in ((first, "first"), (second, "second"))]
    table = counts[0].join(counts[1], on="word", how="full", coalesce=True)
    prior = table if background is None else _counts(background, "prior")
    amounts = pl.col("count_first").fill_null(0) + pl.col("count_second").fill_null(0)
    prior = prior.select("word", (amounts if background is None else pl.col("count_prior")).alias("prior"))
    table = table.join(prior, on="word", how="left").fill_null(0).sort("word")
    a, b = (table[f"count_{side}"].to_numpy().astype(float) for side in ("first", "second"))
    c, d = float(a.sum()), float(b.sum())
    if not (c and d):
        raise KeynessError("one side has no sentences in this category, so its words cannot be compared")
    weight = table["prior"].to_numpy().astype(float) + 0.01
    table = table.with_columns(
        pl.Series("log_ratio", log_ratio(a, b, c, d)),
        pl.Series("g2", log_likelihood(a, b, c, d)),
        pl.Series("z", shrunken_z(a, b, c, d, weight * prior_words / weight.sum())),
    )
    common = (pl.col("count_first") + pl.col("count_second") >= MIN_COUNT) & (
        pl.col("documents_first") + pl.col("documents_second") >= MIN_DOCUMENTS
    )
    kept = table.filter(common).sort(["z", "word"], descending=[True, False])
    fields = ("word", "count_first", "count_second", "documents_first", "documents_second", "log_ratio", "g2", "z")
    return [Word(*row) for row in kept.select(fields).iter_rows()]


def _counts(sentences: pl.DataFrame, side: str) -> pl.DataFrame:
    words = sentences.select(
        "document", pl.col("text").str.to_lowercase().str.replace_all("’", "'").str.extract_all(WORD).alias("word")
    ).explode("word").filter(pl.col("word").str.contains(r"\pL"))  # fmt: skip
    return words.group_by("word").agg(
        pl.len().alias(f"count_{side}"), pl.col("document").n_unique().alias(f"documents_{side}")
    )


def typical_sentences(
    sentences: pl.DataFrame, words: Sequence[Word], category: str, *, first: bool, limit: int = 5
) -> pl.DataFrame:
    """Sentences of a side that its words mark most, at most one a document.

    The order is by the mean z of a sentence's different words (with five words of z 0 added, so that
    short sentences don't win by one word), times the probability of the category.

    Args:
        sentences: that side's sentences in the category.
        words: from `keyness`.
        category: its key.
        first: whether this is the first side.
        limit: how many to return.
    """
    sign = 1.0 if first else -1.0
    weight = {word.word: sign * word.z for word in words}
    marks = []
    for text, probability in sentences.select("text", f"probability_{category}").iter_rows():
        own = set(words_of(text))
        marks.append(float(probability) * sum(weight.get(word, 0.0) for word in own) / (len(own) + 5))
    ranked = sentences.with_columns(pl.Series("mark", marks, dtype=pl.Float64))
    ranked = ranked.sort(["mark", "document", "sentence"], descending=[True, False, False])
    return ranked.unique("document", keep="first", maintain_order=True).head(limit)


def in_category(rows: LabelledRows, column: str, groups: Sequence[str], category: str) -> pl.DataFrame:
    """Sentences of some groups that carry a category."""
    frame = rows.frame.with_columns(rows.column(column).alias("_group"))
    return frame.filter(pl.col("_group").is_in(list(groups)) & pl.col(f"label_{category}"))
