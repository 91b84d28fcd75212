"""Splits, as a file: by document, by near-duplicate group, seeds for testing only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from training.data import LABELS, Passage

SPLITS_PATH = LABELS / "splits.json"
TEST, DEVELOPMENT, TRAIN = SPLIT_NAMES = ("test", "development", "train")
_HELD_OUT_SHARE = {"real": 0.15, "written": 0.08}  # for each of test and development
_RUN = 8  # words that two passages share when they are near-duplicates


class SplitError(Exception):
    """The splits do not cover the passages."""


def assign(group: str, source: str) -> str:
    """Put a document or group into a split by its name alone, so that later rounds keep it there."""
    if group.startswith("seeds/"):
        return TEST
    share = _HELD_OUT_SHARE[source]
    number = int(hashlib.sha256(f"split-1:{group}".encode()).hexdigest()[:8], 16) / 2**32
    return TEST if number < share else DEVELOPMENT if number < 2 * share else TRAIN


def near_duplicate_groups(passages: Sequence[Passage], run: int = _RUN) -> dict[str, str]:
    """Group of each passage id: passages that share a run of words, directly or by a chain, have one group."""
    parent = {p.group: p.group for p in passages}

    def find(group: str) -> str:
        while parent[group] != group:
            group = parent[group]
        return group

    first: dict[tuple[str, ...], str] = {}
    for passage in passages:
        for words in word_runs((s.text for turn in passage.turns for s in turn), run):
            a, b = sorted((find(first.setdefault(words, passage.group)), find(passage.group)))
            parent[b] = a
    return {p.id: find(p.group) for p in passages}


def word_runs(texts: Iterable[str], run: int) -> set[tuple[str, ...]]:
    """All runs of so many words inside the single texts, in lower case and without punctuation."""
    runs = set()
    for text in texts:
        words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
        runs.update(tuple(words[i : i + run]) for i in range(len(words) - run + 1))
    return runs


def write_splits(passages: Sequence[Passage], path: Path = SPLITS_PATH, new: str | None = None) -> Mapping[str, str]:
    """Assign every passage and write the file: passage id → split.

    What is in the file stays as it is: new passages may tie old groups together by a formula that they share, and
    what a model was trained on must not become what it is chosen or tested by. They go where their group has a
    passage already; `new` is the split of all other new written passages, so that tests stay as they were.
    """
    kept = read_splits(path) if path.is_file() else {}
    written = near_duplicate_groups([p for p in passages if p.source == "written"])
    old = sorted(
        (p for p in passages if p.id in written and p.id in kept), key=lambda p: -SPLIT_NAMES.index(kept[p.id])
    )
    of_group = {written[p.id]: kept[p.id] for p in old}  # a group in several splits goes to the one held out most
    splits = {}
    for p in passages:
        group = written.get(p.id, p.group)
        splits[p.id] = (
            kept.get(p.id) or of_group.get(group) or (new if p.source == "written" else None) or assign(group, p.source)
        )
    path.write_text(json.dumps(splits, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    return splits


def read_splits(path: Path = SPLITS_PATH) -> dict[str, str]:
    """Read the splits' file."""
    splits: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return splits


def select(passages: Sequence[Passage], splits: Mapping[str, str], name: str) -> list[Passage]:
    """The passages of one split, in order.

    Raises:
        SplitError: a passage is in no split.
    """
    missing = [p.id for p in passages if p.id not in splits]
    if missing:
        raise SplitError(f"{len(missing)} passages are in no split, e.g. {missing[0]}; run `python -m training split`")
    return [p for p in passages if splits[p.id] == name]
