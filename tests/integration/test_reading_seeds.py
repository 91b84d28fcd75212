"""The five seed documents: facts, turns, voices and boundaries. Their text lies outside the repository."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from rhetoric.reading import Document, read_bytes, read_text
from rhetoric.voices import REPORTER, read_voices

ROOT = Path(__file__).resolve().parent.parent.parent
SEEDS = ROOT.parent / "shared" / "seeds"
GOLD = json.loads((ROOT / "seeds" / "boundaries.json").read_text(encoding="utf-8"))["seeds"]
pytestmark = pytest.mark.skipif(not SEEDS.is_dir(), reason=f"the seed documents are not at {SEEDS}")


def seed(number: str, card: bool = True) -> Document:
    (path,) = SEEDS.glob(f"{number}_*.txt")
    return read_text(path) if card else read_bytes(path.read_bytes() + b"\n", path.name)


@pytest.mark.parametrize("name", sorted(GOLD))
def test_boundaries(name: str) -> None:
    found = {s.end for s in read_voices(read_text(SEEDS / name)).segments.sentences}
    gold = {end for _, end in GOLD[name]["spans"]}
    assert 2 * len(found & gold) / (len(found) + len(gold)) >= 0.99


@pytest.mark.parametrize("card", [True, False])
@pytest.mark.parametrize(
    ("number", "date"), [("000", "2019-08-15"), ("001", "2018-06-15"), ("002", "2019-06-24"), ("003", "2008-03-27")]
)
def test_the_day_of_the_speech_and_its_speaker(number: str, date: str, card: bool) -> None:
    document = seed(number, card)
    assert document.date == date
    assert document.speaker == "Sergey Lavrov"
    assert document.title


def test_a_day_without_a_year_and_the_year_of_the_card() -> None:
    assert seed("004").date == "2012-10-31"
    document = seed("004", card=False)
    assert document.date == ""
    assert ("date", "--10-31", "dateline") in [(f.name, f.value, f.where) for f in document.facts]
    assert (document.place, document.source) == ("Moscow", "Itar-Tass")


def test_venues() -> None:
    for number in ("000", "001", "002", "003", "004"):
        assert seed(number).place
    assert seed("000", card=False).place.endswith("in Solnechnogorsk")
    assert seed("002", card=False).place == "meeting with representatives of regional non-profit organisations"


def test_the_interview_alternates() -> None:
    speakers = [turn.speaker for turn in read_voices(seed("003")).segments.turns]
    assert speakers[0] == ""
    assert speakers[1:] == ["SECURITY INDEX", "LAVROV"] * 6
    assert set(read_voices(seed("003")).speakers) == {REPORTER, "SECURITY INDEX", "Sergey Lavrov"}


def test_the_agency_report_has_two_men_quoted() -> None:
    voices = read_voices(seed("004"))
    assert {name: voices.speakers.count(name) for name in voices.speakers} == {
        REPORTER: 6, "Konstantin Kosachev": 12, "Gennady Gatilov": 7,
    }  # fmt: skip


def test_the_article_quotes_one_man_after_its_reporter() -> None:
    speakers = read_voices(seed("000")).speakers
    assert speakers == (REPORTER,) * 2 + ("Sergey Lavrov",) * (len(speakers) - 2)


def test_nothing_of_menus_and_adverts_is_left() -> None:
    for number, words in {
        "001": ("Hits", "Category"), "002": ("en-GB1", "Additional", "Advanced"), "004": ("All news", "MOSCOW,"),
        "003": ("Bulletin", "TOKYO", "Doomsday", "EVERYWHERE", "Note"),
    }.items():  # fmt: skip
        document = seed(number)
        assert not [word for word in words if word in document.text]
        assert all(any(word in piece.text for piece in document.dropped) for word in words)


def test_no_sentence_is_lost() -> None:
    """Whatever is in no sentence was dropped for a reason, or is a speaker's label."""
    for path in sorted(SEEDS.glob("*.txt")):
        document = read_text(path)
        spans = [(s.start, s.end) for s in read_voices(document).segments.sentences]
        gaps = pairwise([0, *(edge for span in spans for edge in span), len(document.text)])
        left = {document.text[a:b].strip() for i, (a, b) in enumerate(gaps) if i % 2 == 0}
        assert left <= {"", "LAVROV:", "SECURITY INDEX:"}
