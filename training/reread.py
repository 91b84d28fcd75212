"""Sentences of real training passages read again: those where a bigger model and the gold label differ most.

Some where the teacher is sure of the gold label, or unsure, are mixed in as controls. A further coder, who knows
neither, answers for these sentences alone; where that coder differs from gold an adjudicator decides between the two
without knowing which is which.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rhetoric.codebook import Codebook
from rhetoric.durable import write_durably
from training.coding import Coding, CodingError, adjudicate, disagreement_sheet
from training.corpus import GOLD_PATH, PASSAGES_PATH, REREAD_PATH, document_of
from training.data import Passage, read_jsonl
from training.metrics import Floats
from training.rounds import (
    ADJUDICATION,
    ADJUDICATOR,
    CODERS,
    Documents,
    coded_passages,
    new_folder,
    shown_passage,
    write_sheets,
)

REREAD = "reread.jsonl"
YES_BELOW, NO_ABOVE = 0.12, 0.55
"""Probabilities of the teacher at which a gold label of yes, or of no, is doubted."""
SURE_ABOVE, UNSURE = 0.7, (0.15, 0.4)
CONTROLS = 12
"""For so many doubted sentences one control where gold says yes and the teacher is sure, and one where it is unsure."""

Place = tuple[str, int]
"""Passage and number of a sentence."""
Asked = dict[str, dict[int, bool]]
"""By passage the numbers of the sentences to read, and whether each is a control."""


def draw(
    passages: Sequence[Passage], said: Mapping[str, Floats], read: Set[Place], rng: random.Random
) -> Asked:  # fmt: skip
    """Choose sentences, but for those that were `read` before.

    `said` holds the teacher's probabilities by passage: shape (sentences, categories).
    """
    doubted: list[Place] = []
    sure: list[Place] = []
    unsure: list[Place] = []
    for passage in passages:
        for number, (sentence, found) in enumerate(zip(passage.sentences(), said[passage.id], strict=True), 1):
            gold = np.array(sentence.gold) == 1
            place = (passage.id, number)
            if place in read:
                continue
            if (gold & (found < YES_BELOW)).any() or (~gold & (found > NO_ABOVE)).any():
                doubted.append(place)
            elif (gold & (found > SURE_ABOVE)).any():
                sure.append(place)
            elif ((found > UNSURE[0]) & (found < UNSURE[1])).any():
                unsure.append(place)
    controls = [
        place for kind in (unsure, sure) for place in rng.sample(kind, min(len(doubted) // CONTROLS, len(kind)))
    ]
    asked: Asked = {}
    for places, control in ((doubted, False), (controls, True)):
        for name, number in places:
            asked.setdefault(name, {})[number] = control
    return asked


def read_before() -> set[Place]:
    """The sentences that labels/reread.jsonl has."""
    return {(row["passage"], row["sentence"]) for row in _record()}


def write_round(asked: Asked, documents: Documents, folder: Path, rng: random.Random) -> None:
    """Write the sheets of a further coder; `>>` marks the sentences to answer for."""
    new_folder(folder)
    rows = [
        {"passage": name, "sentence": number, "control": asked[name][number]}
        for name in sorted(asked)
        for number in sorted(asked[name])
    ]
    (folder / REREAD).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    passages = [row for row in read_jsonl(PASSAGES_PATH) if row["id"] in asked]
    rng.shuffle(passages)
    shown = [shown_passage(row, document_of(row, documents)) for row in passages]
    write_sheets([replace(p, asked=frozenset(asked[p.id])) for p in shown], folder)


def write_adjudication(folder: Path, documents: Documents, codebook: Codebook) -> int:
    """Write the sheet of what is to be decided, the two decisions in either order; return how many passages it has."""
    gold, again = _both(folder, codebook)
    swapped = {name for name in gold if random.Random(name).random() < 0.5}
    first = {name: (again if name in swapped else gold)[name] for name in gold}
    second = {name: (gold if name in swapped else again)[name] for name in gold}
    shown = [shown_passage(row, document_of(row, documents)) for row in read_jsonl(PASSAGES_PATH) if row["id"] in gold]
    text = disagreement_sheet(shown, first, second, codebook)
    (folder / ADJUDICATION).write_text(text, encoding="utf-8")
    return text.count("### ")


def gather(folder: Path, codebook: Codebook) -> int:
    """Take the decisions into the gold labels, and what was read into labels/reread.jsonl; return how many changed.

    Raises:
        CodingError: an answer is missing or is neither of the two, or a sentence was read again before.
    """
    rows, (gold, again) = read_jsonl(folder / REREAD), _both(folder, codebook)
    if twice := {(r["passage"], r["sentence"]) for r in rows} & read_before():
        raise CodingError(
            f"passage {min(twice)[0]} has a sentence that was read again before; if a gather was stopped, take "
            f"its lines out of {REREAD_PATH.name} and gather again"
        )
    decided = coded_passages(folder, ADJUDICATOR, _sizes(gold), codebook)
    found = {name: adjudicate(gold[name], again[name], decided.get(name)) for name in gold}
    for name, (labels, adjudicated) in found.items():
        for i in (number - 1 for number in adjudicated):
            if set(labels[i]) not in (set(gold[name].labels[i]), set(again[name].labels[i])):
                raise CodingError(f"passage {name}, sentence {i + 1}: the adjudicator's answer is neither of the two")
    read = []
    for row in rows:
        name, i = row["passage"], row["sentence"] - 1
        labels, adjudicated = found[name]
        outcome = list(labels[i]) if row["sentence"] in adjudicated else None
        read.append(
            {**row, "before": list(gold[name].labels[i]), "coder": list(again[name].labels[i]), "adjudicated": outcome}
        )
    kept = read_jsonl(GOLD_PATH)
    for row in kept:
        if row["passage"] in found:
            labels, adjudicated = found[row["passage"]]
            row["labels"] = [list(one) for one in labels]
            row["adjudicated"] = sorted({*row["adjudicated"], *adjudicated})
    record = [*_record(), *read]
    for path, lines in ((REREAD_PATH, record), (GOLD_PATH, kept)):  # in this order nothing is ever read twice
        write_durably(path, "".join(json.dumps(row) + "\n" for row in lines).encode("utf-8"))
    return sum(row["adjudicated"] is not None and row["adjudicated"] != row["before"] for row in read)


def _both(folder: Path, codebook: Codebook) -> tuple[dict[str, Coding], dict[str, Coding]]:
    """The gold labels of the round's passages, and the same with the further coder's answers put in.

    Raises:
        CodingError: a passage was not answered for, or a sentence beside those asked for was.
    """
    asked: dict[str, set[int]] = {}
    for row in read_jsonl(folder / REREAD):
        asked.setdefault(row["passage"], set()).add(row["sentence"])
    gold = {
        row["passage"]: Coding(row["passage"], tuple(map(tuple, row["labels"])), ())
        for row in read_jsonl(GOLD_PATH)
        if row["passage"] in asked
    }
    answered = coded_passages(folder, CODERS[1], _sizes(gold), codebook)
    if missing := sorted(gold.keys() - answered.keys()):
        raise CodingError(f"passage {missing[0]} lacks an answer ({len(missing)} in all)")
    for name, coding in answered.items():
        numbers = {i for i, labels in enumerate(coding.labels, 1) if labels} | {*coding.doubt}
        if beside := sorted(numbers - asked[name]):
            raise CodingError(f"passage {name}: nobody asked for sentence {beside[0]}, only for {sorted(asked[name])}")
    again = {
        name: replace(
            coding,
            labels=tuple(
                (answered[name] if number in asked[name] else coding).labels[number - 1]
                for number in range(1, len(coding.labels) + 1)
            ),
        )
        for name, coding in gold.items()
    }
    return gold, again


def _record() -> list[dict[str, Any]]:
    return read_jsonl(REREAD_PATH) if REREAD_PATH.is_file() else []


def _sizes(codings: Mapping[str, Coding]) -> dict[str, int]:
    return {name: len(coding.labels) for name, coding in codings.items()}
