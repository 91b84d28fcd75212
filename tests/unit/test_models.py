"""The table of models: what each row is trained on, and how the fits behind the weights are told."""

import random

import numpy as np
import pytest

pytestmark = pytest.mark.train
pytest.importorskip("datasets", reason="the train extra is not installed: make setup-train")

from model.manifest import Decision  # noqa: E402
from rhetoric.codebook import default_codebook  # noqa: E402
from training.cards import steps  # noqa: E402
from training.config import Config  # noqa: E402
from training.data import CodedSentence, Passage, evenly  # noqa: E402
from training.evaluate import BehaviourCase, behaviour  # noqa: E402
from training.models import FEW_SHOTS, few_shots, only, share  # noqa: E402

BOOK = default_codebook()


def passage(name: str, source: str) -> Passage:
    return Passage(name, name, source, {}, ((CodedSentence(f"Sentence of {name}.", (0, 0, 0)),),))


TRAIN = [passage(f"W{i}", "written") for i in range(8)] + [passage(f"P{i}", "real") for i in range(12)]


def test_setfit_sees_at_most_so_many_of_each_kind_and_all_where_there_are_fewer() -> None:
    gold = np.zeros((1000, 3), dtype=np.int64)
    gold[:300, 0] = gold[300:310, 1] = 1
    chosen = gold[few_shots(gold, random.Random(1))]
    assert (chosen.sum(axis=0) == [FEW_SHOTS, 10, 0]).all()
    assert (~chosen.any(axis=1)).sum() == FEW_SHOTS


def test_rows_train_on_their_part_and_are_tested_on_all() -> None:
    seen: dict[str, list[Passage]] = {}

    def row(split, config):  # type: ignore[no-untyped-def]
        seen.update(split)
        return {}

    split = {"train": TRAIN, "development": TRAIN[:3], "test": TRAIN[3:6]}
    only("real", row)(split, Config())
    assert {p.source for p in seen["train"]} == {"real"} and seen["test"] == TRAIN[3:6]
    share(0.5, row)(split, Config())
    assert len(seen["train"]) == 10 and seen["development"] == TRAIN[:3]


@pytest.mark.parametrize(("limit", "found"), [(None, [*range(7)]), (9, [*range(7)]), (3, [0, 2, 4]), (0, [])])
def test_items_are_taken_evenly(limit: int | None, found: list[int]) -> None:
    assert evenly(range(7), limit) == found


def test_a_behaviour_test_fails_only_where_the_model_was_right_before_the_change() -> None:
    def label(turns):  # type: ignore[no-untyped-def]  # "yes" where the text says so
        return [np.array([["yes" in text, 0, 0] for text in turn], dtype=float) for turn in turns]

    def case(before: str, after: str, expected: int) -> BehaviourCase:
        return BehaviourCase("swap", "soft_power", ("It rained.", before), (after,), 1, 0, 1, expected)

    cases = [case("yes", "no", 0), case("yes", "yes", 0), case("yes", "yes", 1), case("no", "yes", 0)]
    decisions = dict.fromkeys(BOOK.keys, Decision(1.0, 0.0, 0.5, (0.4, 0.6)))
    assert behaviour(label, decisions, cases, BOOK) == {
        "swap": {"cases": 4, "right_before": 3, "failures": 1, "failure_rate": 0.333}
    }


def test_the_fits_are_told_from_the_first_to_the_last() -> None:
    first = {"model": "an older model", "minutes": 52.8}
    second = {
        "minutes": 20.0,
        "training_sentences": 1234,
        "taught_sentences": 0,
        "vectors": None,
        "started_from": first,
        "averaged_with": "work/x",
    }
    third = {
        "minutes": 3.5,
        "training_sentences": 2000,
        "taught_sentences": 500,
        "vectors": 9_876,
        "config": {"epochs": 4, "plain_share": 0.2},
        "started_from": second,
    }
    assert steps(third).splitlines()[2:] == [
        "| 1 |  |  |  |  |  | 52.8 | an older model |",
        "| 2 | 1,234 | 0 |  |  |  | 20.0 | averaged with the weights before |",
        "| 3 | 2,000 | 500 | 9,876 | 4 | 0.2 | 3.5 |  |",
    ]  # fmt: skip
