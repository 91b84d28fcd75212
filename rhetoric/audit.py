"""Audit samples: drawn from a run by design, coded by people, read back, and used to correct shares.

An audit is a folder:

    design.json       how the sample was drawn, from which files, with which seed
    frame.parquet     every sentence of the run (document, sentence) with its stratum; no text
    sentences.jsonl   the drawn sentences in the order in which to code them, with their context
    sheet.xlsx/.csv   the same to fill in
    codings.jsonl     what was read back: one line a sentence and coder

The order within a stratum is random, so those coded first are a random sample too, and a larger
sample drawn with the same seed contains the smaller one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rhetoric.correction import AuditError, Ints
from rhetoric.prevalence import Floats
from rhetoric.table import LabelledRows, read_table

FORMAT = 1
FILES = ("design.json", "frame.parquet", "sentences.jsonl")
"""What an audit cannot be read without."""
DESIGNS = ("stratified", "random")
STRATA = 5
FLOOR = 0.2
"""Share of the average that is added to every sentence's size, so that none is nearly impossible to draw."""
CONTEXT_SENTENCES = 3
GOLD = "gold"
"""The coder whose codings are the adjudicated ones."""

Codings = Mapping[tuple[str, int], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Stratum:
    """A part of the run: `sample` of its `size` sentences were drawn, each with probability sample / size."""

    number: int
    group: str
    low: float
    high: float
    size: int
    sample: int


@dataclass(frozen=True, slots=True)
class Design:
    """How an audit sample was drawn. `low` and `high` of a stratum are its sentences' sizes (see `sizes`)."""

    design: str
    by: str
    categories: tuple[str, ...]
    random_seed: int
    sentences: int
    documents: int
    strata: tuple[Stratum, ...]
    sources: tuple[Mapping[str, Any], ...]
    format: int = FORMAT

    def __post_init__(self) -> None:
        """Refuse an unknown design or format."""
        if self.design not in DESIGNS:
            raise AuditError(f"design must be one of {', '.join(DESIGNS)}, got {self.design!r}")
        if self.format != FORMAT:
            raise AuditError(f"the audit has format {self.format}, this version reads {FORMAT}; draw it again")

    @property
    def drawn(self) -> int:
        """Number of sentences drawn."""
        return sum(s.sample for s in self.strata)


@dataclass(frozen=True, slots=True)
class Audit:
    """An audit on disk: its design, the stratum of every sentence, and the drawn sentences in coding order."""

    folder: Path
    design: Design
    frame: pl.DataFrame
    sample: pl.DataFrame


def sizes(probabilities: Floats, floor: float = FLOOR) -> Floats:
    """How much a sentence's coding should tell, from its probabilities; shape (sentences,).

    The sum over categories of sqrt(p (1 - p)), each category scaled to mean 1 (so that a rare one
    counts as much as a common one), plus `floor`. Drawing in proportion to the standard deviation is
    Neyman's allocation (Cochran 1977, section 5.5); the floor is a safeguard against a model that
    is sure and wrong.

    Args:
        probabilities: shape (sentences, categories).
        floor: see above.
    """
    deviation = np.sqrt(probabilities * (1 - probabilities))
    mean = deviation.mean(axis=0)
    scaled = deviation / np.where(mean > 0, mean, 1.0)
    return np.asarray(scaled.mean(axis=1) + floor)


def cut(size: Floats, strata: int) -> Ints:
    """Cut sentences into strata of about equal total size, small sizes first; shape (sentences,).

    Equal samples from such strata are close to drawing in proportion to size (Dalenius and Hodges'
    rule of equal cumulated roots, Cochran 1977, section 5A.7). Equal sizes stay together.

    >>> cut(np.array([1.0, 1, 1, 1, 2, 2]), 2).tolist()
    [0, 0, 0, 0, 1, 1]
    """
    values, inverse, counts = np.unique(size, return_inverse=True, return_counts=True)
    middle = np.cumsum(values * counts) - values * counts / 2
    by_value = np.minimum((middle / (values * counts).sum() * strata).astype(np.int64), strata - 1)
    return np.unique(by_value[inverse], return_inverse=True)[1].astype(np.int64)


def allocate(size: int, counts: Sequence[int]) -> list[int]:
    """Share a sample out evenly over strata of `counts` sentences: none gets more than it has, none less than 2.

    >>> allocate(30, [1000, 1000, 4])
    [13, 13, 4]
    """
    result = [min(2, count) for count in counts]
    while sum(result) < size:
        open_ = [i for i, count in enumerate(counts) if result[i] < count]
        if not open_:
            break
        least = min(open_, key=lambda i: (result[i], i))
        result[least] += 1
    return result


def draw(
    rows: LabelledRows, size: int, *, by: str = "", design: str = "stratified", random_seed: int = 0
) -> tuple[Design, pl.DataFrame, pl.DataFrame]:
    """Draw an audit sample from a run.

    Args:
        rows: the whole run.
        size: sentences to draw in all, shared out evenly over the groups.
        by: column whose groups will be compared; each group gets strata of its own.
        design: "stratified" by probability within groups, or "random" within groups.
        random_seed: the same seed with a larger size draws the same sentences and more.

    Returns:
        The design, the frame (document, sentence, stratum) and the drawn sentences in coding order.

    Raises:
        AuditError: a size that the run or its groups cannot give.
    """
    frame, notes = rows.grouped([by] if by else [])
    if notes:
        raise AuditError(f"{notes[0]}; drop those rows with --where before you draw, so that the run is known whole")
    groups = frame[by].unique().sort().to_list() if by else [""]
    least = 2 * (STRATA if design == "stratified" else 1) * len(groups)
    if frame.height < least:
        raise AuditError(
            f"{frame.height:,} sentences are too few to draw from: {len(groups)} groups need {least} at least; "
            "code them all, or draw with --design random"
        )
    if not least <= size <= frame.height:
        raise AuditError(f"the size must be between {least} and {frame.height:,} for {len(groups)} groups, got {size}")
    if design not in DESIGNS:
        raise AuditError(f"design must be one of {', '.join(DESIGNS)}, got {design!r}")
    probabilities = frame.select(f"probability_{key}" for key in rows.categories).to_numpy()
    stratum = np.zeros(frame.height, dtype=np.int64)
    score = np.ones(frame.height)
    strata: list[tuple[str, int]] = []
    for group in groups:
        member = (frame[by] == group).to_numpy() if by else np.ones(frame.height, dtype=bool)
        if design == "stratified":
            score[member] = sizes(probabilities[member])
            inner = cut(score[member], STRATA)
        else:
            inner = np.zeros(int(member.sum()), dtype=np.int64)
        stratum[member] = inner + len(strata)
        strata += [(group, len(strata) + i) for i in range(int(inner.max()) + 1)]
    table, order = _strata(strata, stratum, score, groups, size, random_seed)
    sources = tuple(asdict(source) for source in rows.sources)
    known = Design(design, by, rows.categories, random_seed, frame.height, frame["document"].n_unique(), table, sources)
    numbered = frame.select("document", "sentence").with_columns(pl.Series("stratum", stratum))
    return known, numbered, _sample(frame, rows.categories, table, stratum, order, random_seed)


def _strata(
    names: Sequence[tuple[str, int]], stratum: Ints, score: Floats, groups: Sequence[str], size: int, seed: int
) -> tuple[tuple[Stratum, ...], Ints]:
    """Allocate the sample and draw it: strata, and the rows drawn, in strata."""
    counts = np.bincount(stratum, minlength=len(names)).tolist()
    share = [size // len(groups) + (i < size % len(groups)) for i in range(len(groups))]
    sample: dict[int, int] = {}
    for group, wanted in zip(groups, share, strict=True):
        numbers = [number for name, number in names if name == group]
        sample.update(zip(numbers, allocate(wanted, [counts[n] for n in numbers]), strict=True))
    table, drawn = [], []
    for group, number in names:
        members = np.flatnonzero(stratum == number)
        shuffled = np.random.default_rng([seed, number]).permutation(members)
        drawn.append(shuffled[: sample[number]])
        low, high = float(score[members].min()), float(score[members].max())
        table.append(Stratum(number, group, round(low, 6), round(high, 6), counts[number], sample[number]))
    return tuple(table), np.concatenate(drawn)


def _sample(
    frame: pl.DataFrame, categories: Sequence[str], strata: Sequence[Stratum], stratum: Ints, drawn: Ints, seed: int
) -> pl.DataFrame:
    """Drawn sentences in coding order, with context, without anything that the model said.

    The order takes one of every stratum in turn, so that coding can stop after any full round.
    """
    rank = np.concatenate([np.arange(s.sample) for s in strata])
    rng = np.random.default_rng([seed, len(strata)])
    order = drawn[np.lexsort((rng.random(drawn.size), rank))]
    context = _contexts(frame, order)
    kept = [
        c
        for c in ("document", "title", "date", "speaker", "turn", "sentence", "start", "end", "text")
        if c in frame.columns
    ]
    inclusion = np.array([s.sample / s.size for s in strata])
    drawn_rows: pl.DataFrame = frame[order.tolist()].select(kept)
    return drawn_rows.with_columns(
        pl.Series("context", context, dtype=pl.String),
        pl.Series("order", np.arange(1, order.size + 1)),
        pl.Series("stratum", stratum[order]),
        pl.Series("inclusion_probability", inclusion[stratum[order]]),
    )  # fmt: skip


def _contexts(frame: pl.DataFrame, order: Ints) -> list[str]:
    """Return up to three sentences before each, from the same turn of the same document."""
    turns = frame["turn"] if "turn" in frame.columns else pl.Series(np.zeros(frame.height, dtype=np.int64))
    places: dict[tuple[str, int], int] = {
        (document, sentence): i
        for i, (document, sentence) in enumerate(frame.select("document", "sentence").iter_rows())
    }
    texts, documents, sentences = frame["text"], frame["document"], frame["sentence"]
    result = []
    for i in order.tolist():
        before = [places.get((documents[i], sentences[i] - back)) for back in range(CONTEXT_SENTENCES, 0, -1)]
        result.append(" ".join(texts[j] for j in before if j is not None and turns[j] == turns[i]))
    return result


def write_audit(folder: Path, design: Design, frame: pl.DataFrame, sample: pl.DataFrame) -> Audit:
    """Write an audit's files, except for the sheet. An audit that holds codings is extended, never replaced.

    Raises:
        AuditError: the folder holds an audit of another run or design.
    """
    if (folder / "design.json").exists():
        _check_extension(read_audit(folder), design, frame)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "design.json").write_text(
        json.dumps(asdict(design), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    frame.write_parquet(folder / "frame.parquet")
    sample.write_ndjson(folder / "sentences.jsonl")
    return Audit(folder, design, frame, sample)


def _check_extension(old: Audit, design: Design, frame: pl.DataFrame) -> None:
    same = (old.design.design, old.design.by, old.design.random_seed) == (design.design, design.by, design.random_seed)
    if not same or not old.frame.equals(frame):
        raise AuditError(
            f"{old.folder} holds an audit of another run or design; draw into a new folder. A larger sample of the "
            "same run needs the same --design, --by and --random-seed"
        )
    if design.drawn < old.design.drawn:
        raise AuditError(f"{old.folder} holds {old.design.drawn} drawn sentences already; draw more than that")


def read_audit(folder: Path) -> Audit:
    """Read an audit's design, frame and sample.

    Raises:
        AuditError: a file is missing or damaged.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise AuditError(
            f"{folder} is not an audit folder ({', '.join(missing)} is missing); make one with rhetoric audit draw"
        )
    try:
        table = json.loads((folder / "design.json").read_text(encoding="utf-8"))
        table["strata"] = tuple(Stratum(**s) for s in table["strata"])
        design = Design(**{**table, "categories": tuple(table["categories"]), "sources": tuple(table["sources"])})
        frame = pl.read_parquet(folder / "frame.parquet")
        sample = pl.read_ndjson(folder / "sentences.jsonl", infer_schema_length=None)
        frame.select("document", "sentence", "stratum"), sample.select("document", "sentence", "stratum", "order")
    except (ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise AuditError(f"{folder} holds a damaged audit: {error}") from error
    return Audit(folder, design, frame, sample)


def read_codings(folder: Path) -> Mapping[str, Codings]:
    """Read what was coded so far: by coder, the labels of each (document, sentence)."""
    path = folder / "codings.jsonl"
    if not path.is_file():
        return {}
    result: dict[str, dict[tuple[str, int], tuple[str, ...]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        result.setdefault(row["coder"], {})[row["document"], row["sentence"]] = tuple(row["labels"])
    return result


def add_codings(audit: Audit, coder: str, codings: Codings) -> int:
    """Add one coder's codings to those in the folder (a sentence coded again replaces the old coding).

    Returns the number of sentences that the coder has coded now.
    """
    known = {name: dict(rows) for name, rows in read_codings(audit.folder).items()}
    known.setdefault(coder, {}).update(codings)
    lines = [
        json.dumps({"document": d, "sentence": s, "coder": name, "labels": list(labels)}, ensure_ascii=False)
        for name, rows in sorted(known.items())
        for (d, s), labels in sorted(rows.items())
    ]
    (audit.folder / "codings.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(known[coder])


def gold_codings(audit: Audit, coder: str = "") -> Codings:
    """Return the codings that count: the named coder's, else the adjudicated ones, else those on which all coders agree.

    Raises:
        AuditError: nothing was coded, or coders differ and nobody adjudicated.
    """
    coders = read_codings(audit.folder)
    if not coders:
        raise AuditError(
            f"{audit.folder} holds no codings; fill in sheet.xlsx, then: rhetoric audit read {audit.folder} sheet.xlsx"
        )
    if coder and coder not in coders:
        raise AuditError(f"{audit.folder} has no coder {coder!r}, only {', '.join(coders)}")
    if coder or len(coders) == 1:
        return coders[coder or next(iter(coders))]
    settled: dict[tuple[str, int], tuple[str, ...]] = {}
    open_ = 0
    for key in {key for rows in coders.values() for key in rows}:
        opinions = {frozenset(rows[key]) for rows in coders.values() if key in rows}
        if key in coders.get(GOLD, {}):
            settled[key] = coders[GOLD][key]
        elif len(opinions) == 1:
            settled[key] = tuple(sorted(next(iter(opinions))))
        else:
            open_ += 1
    if open_:
        raise AuditError(
            f"the coders {', '.join(coders)} differ on {open_} sentences; adjudicate those in a sheet and read it back "
            f"with --coder {GOLD}, or count one coder with --coder NAME"
        )
    return settled


def audited(audit: Audit, codings: Codings) -> pl.DataFrame:
    """Mark in the frame which sentences were coded, and how: document, sentence, stratum, coded, gold_KEY.

    Only drawn sentences count, and in every stratum only those up to the first one that is not
    coded yet, in drawn order: what was picked by hand is no random sample.

    Raises:
        AuditError: codings of sentences that were not drawn, or a stratum with fewer than two.
    """
    _refuse_undrawn(audit, codings)
    usable = list(_usable(audit, codings))
    gold = {f"gold_{k}": [float(k in codings[key]) for key in usable] for k in audit.design.categories}
    coded = pl.DataFrame(
        {"document": [d for d, _ in usable], "sentence": [s for _, s in usable], "coded": [True] * len(usable), **gold},
        schema_overrides={"document": pl.String, "sentence": pl.Int64, "coded": pl.Boolean},
    )
    frame = audit.frame.join(coded, on=["document", "sentence"], how="left", maintain_order="left")
    frame = frame.with_columns(pl.col("coded").fill_null(value=False))
    thin = (
        frame.group_by("stratum")
        .agg(pl.col("coded").sum(), pl.len())
        .filter(pl.col("coded") < pl.min_horizontal(2, "len"))
    )
    if thin.height:
        raise AuditError(
            f"{thin.height} of {len(audit.design.strata)} strata have fewer than two coded sentences; code the sheet "
            f"from the top at least to row {_needed(audit)}"
        )
    return frame


def _refuse_undrawn(audit: Audit, codings: Codings) -> None:
    drawn = set(audit.sample.select("document", "sentence").iter_rows())
    strange = [key for key in codings if key not in drawn]
    if strange:
        raise AuditError(
            f"{len(strange)} codings, such as sentence {strange[0][1]} of {strange[0][0]}, are not of the drawn "
            f"sample. "
            "What was chosen for another reason (a review queue, active learning) cannot correct a share"
        )


def _usable(audit: Audit, codings: Codings) -> Iterator[tuple[str, int]]:
    stopped: set[int] = set()
    for document, sentence, stratum in audit.sample.select("document", "sentence", "stratum").iter_rows():
        if (document, sentence) not in codings:
            stopped.add(stratum)
        elif stratum not in stopped:
            yield document, sentence


def after_gap(audit: Audit, codings: Codings) -> int:
    """Count codings that are not used because an earlier sentence of their stratum was left out."""
    return len(codings) - sum(1 for _ in _usable(audit, codings))


def gap_note(audit: Audit, codings: Codings) -> str:
    """Say how many codings do not count, or nothing."""
    lost = after_gap(audit, codings)
    said = f"coded after a row that was left out, and not counted until that is coded too: {lost}"
    return said if lost else ""


def _needed(audit: Audit) -> int:
    """Row of the coding order by which every stratum has two."""
    second = audit.sample.group_by("stratum").agg(pl.col("order").sort().slice(1, 1).first())
    return int(second["order"].max() or 0)  # type: ignore[arg-type]


def read_sheets(audit: Audit, path: Path) -> Codings:
    """Read a filled sheet (xlsx, csv, jsonl) back: a column for each category with 1 or 0, yes or no.

    A row in which every category is empty is not coded yet; a row filled in part is refused.

    Raises:
        AuditError: columns or values that are not understood, or gaps.
    """
    table = read_table(path)
    needed = ("document", "sentence", *audit.design.categories)
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise AuditError(f"{path} has no column {', '.join(missing)}; fill in the sheet that rhetoric audit draw wrote")
    result: dict[tuple[str, int], tuple[str, ...]] = {}
    for number, row in enumerate(table.select(needed).iter_rows(named=True), 2):
        cells = {key: _decision(row[key], path, number, key) for key in audit.design.categories}
        if all(value is None for value in cells.values()):
            continue
        empty = [key for key, value in cells.items() if value is None]
        if empty:
            raise AuditError(f"{path}, row {number}: {', '.join(empty)} is empty; every category needs 1 or 0")
        result[str(row["document"]), _place(row["sentence"], path, number)] = tuple(k for k, v in cells.items() if v)
    _refuse_undrawn(audit, result)
    if not result:
        raise AuditError(f"{path}: nothing is coded yet; write 1 or 0 into the columns of the categories")
    return result


def _place(cell: object, path: Path, number: int) -> int:
    try:
        return int(float(str(cell)))
    except (ValueError, OverflowError) as error:
        raise AuditError(f"{path}, row {number}: sentence is {cell!r}; leave the sheet's own numbers") from error


_YES, _NO = frozenset({"1", "1.0", "yes", "y", "true", "x"}), frozenset({"0", "0.0", "no", "n", "false", "-"})


def _decision(cell: object, path: Path, number: int, key: str) -> bool | None:
    text = "" if cell is None else str(cell).strip().lower()
    if text in _YES or text in _NO:
        return text in _YES
    if text:
        raise AuditError(f"{path}, row {number}: {key} is {cell!r}; write 1 or 0")
    return None
