"""Boilerplate, facts and voices of running text, on lines of our own."""

from __future__ import annotations

import pytest

from rhetoric.errors import ReadError
from rhetoric.reading import Document, Limits, ReadOptions, read_bytes
from rhetoric.reading.assemble import assemble
from rhetoric.reading.clean import boilerplate
from rhetoric.reading.dates import find_dates, read_date
from rhetoric.reading.language import detect_language
from rhetoric.reading.raw import Raw
from rhetoric.voices import REPORTER, read_voices

BODY = (
    "Dear friends, we have come a long way since the harbour was opened to all.\n\n"
    "We will go on helping the associations of the coast, because they help us every day of the year."
)


def read(text: str, name: str = "a.txt") -> Document:
    return read_bytes(text.encode(), name)


def sentences(document: Document) -> list[str]:
    return [document.text[s.start : s.end] for s in read_voices(document).segments.sentences]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("• it-IT1 en-GB1 pt-PT1 ru-RU1", "language switch"),
        ("English | Русский | Français", "language switch"),
        ("Facebook Twitter Telegram Email", "share bar"),
        ("Category: News Friday, 15 June 2018 11:40 Written by A. Person Hits: 517", "page furniture"),
        ("Additional materials", "menu"),
        ("Page 3 of 12", "page number"),
        ("9/31 15-00000", "page number"),
        ("29/09/2015 A/70/PV.18", "page number"),
        ("© 2019 Port Office. All rights reserved.", "page furniture"),
        ("Subscribe today online: one year (six issues) for only $48, at www.example.org.", "advert"),
        ("¹ The talk was given on March 2, 2008.", "footnote"),
    ],
)
def test_furniture_goes_and_is_told(line: str, reason: str) -> None:
    document = read(f"{BODY}\n\n{line}\n\n{BODY}")
    assert [(piece.reason, piece.text) for piece in document.dropped] == [(reason, line)]
    assert len(sentences(document)) == 4


@pytest.mark.parametrize(
    "line",
    [
        "We subscribe to the view that peace is made by many hands.",
        "Share.", "Our page in history begins with number 5.", "In 2015", "12 dead, 30 hurt: these are the issues of our days.",
        "I have read the news with sorrow.", "Thank you.", "Applause is not what we want.",
    ],
)  # fmt: skip
def test_what_could_be_speech_stays(line: str) -> None:
    assert not boilerplate(f"{BODY}\n\n{line}\n\n{BODY}")


def test_offsets_stay_true_where_something_was_dropped() -> None:
    text = f"All news\n\n{BODY}\n\nAdditional materials\n"
    document = read(text)
    assert len(document.text) == len(text)
    assert all(
        text[s.start : s.end] == document.text[s.start : s.end] for s in read_voices(document).segments.sentences
    )
    assert [text[d.start : d.end] for d in document.dropped] == [d.text for d in document.dropped]


@pytest.mark.parametrize(
    "middle", ["\n\n\nI\nN\nT\nE\nR\nV\n\n", "\n15\n\n", "\n \n \n29 06-53317 \n \n", "\f- 7 -\n\n"]
)
def test_a_sentence_goes_on_over_a_page_break(middle: str) -> None:
    document = read(
        f"{BODY}\n\nWe have spoken of it with the Council for the Coast and{middle}Harbours, with the mayors, and so on."
    )
    assert len(sentences(document)) == 3
    assert " ".join(sentences(document)[-1].split()).endswith(
        "Council for the Coast and Harbours, with the mayors, and so on."
    )


def test_stage_directions_go_within_a_line() -> None:
    document = read(
        "We are glad to be here. (Applause.) They are not! [laughter] (spoke in French) Let us begin (today)."
    )
    assert [" ".join(s.split()) for s in sentences(document)] == [
        "We are glad to be here.",
        "They are not!",
        "Let us begin (today).",
    ]


def test_front_matter_wins_over_the_text() -> None:
    document = read(
        f"---\ntitle: Mine\ndate: 2011-02-03\n---\nRemarks of the Mayor at the opening of the new harbour\n\n{BODY}"
    )
    assert (document.title, document.date) == ("Mine", "2011-02-03")
    assert document.facts[0].where == "front matter"


def test_front_matter_that_is_no_yaml_is_told() -> None:
    with pytest.raises(ReadError, match="not YAML"):
        read(f"---\ntitle: [\n---\n{BODY}")


@pytest.mark.parametrize(
    ("text", "fact", "value"),
    [
        (f"Mayor Ana Vell speaks at the opening of the harbour\n\n4 May 2019\n\n{BODY}", "date", "2019-05-04"),
        (f"Mayor Ana Vell speaks at the opening of the harbour\n\n{BODY}", "title", "Mayor Ana Vell speaks at the opening of the harbour"),
        (f"Remarks by Minister Ana Vell at the opening of the new harbour\n\nVell here.\n\n{BODY}", "speaker", "Ana Vell"),
        (f"MARVESK, April 20, 2016 (TPS) — {BODY}", "date", "2016-04-20"),
        (f"MARVESK, April 20 (TPS) — {BODY}", "place", "Marvesk"),
        (f"MARVESK, April 20 (TPS) — {BODY}", "source", "TPS"),
        (f"MARVESK, April 20 (TPS) — {BODY}", "date", ""),
        (f"{BODY}\n\nSource: Port Office", "source", "Port Office"),
        (f"{BODY}\n\n¹ The interview was taken on March 2, 2008.", "date", "2008-03-02"),
        (f"The mayor and the harbour of our town\n\n16 August 2019\n\nOn August 15, Mayor Ana Vell spoke at the Harbour Forum in Marvesk, and many came.\n\n{BODY}", "date", "2019-08-15"),
        (BODY, "title", ""), (BODY, "date", ""), (BODY, "speaker", ""), (BODY, "place", ""),
    ],
)  # fmt: skip
def test_facts_of_the_text(text: str, fact: str, value: str) -> None:
    assert getattr(read(text), fact) == value


def test_a_day_without_a_year_is_shown_and_not_chosen() -> None:
    document = read(f"MARVESK, October 31 (TPS) — {BODY}")
    assert ("date", "--10-31") in [(fact.name, fact.value) for fact in document.facts]
    assert not document.date


def test_name_pattern_and_facts_table(tmp_path: object) -> None:
    from pathlib import Path

    table = Path(str(tmp_path)) / "facts.csv"
    table.write_text("file,year,speaker\nKAZ_75_2020.txt,2020,Ana Vell\n", encoding="utf-8")
    raw = Raw("in/KAZ_75_2020.txt", BODY, "txt", base="KAZ_75_2020.txt")
    document = assemble(raw, ReadOptions(name_pattern="{country}_{session}_{year}", facts_table=str(table)))
    assert (document.speaker, document.date) == ("Ana Vell", "2020")
    assert ("country", "KAZ") in [(fact.name, fact.value) for fact in document.facts]


@pytest.mark.parametrize("pattern", ["{contry}", "{year", "plain", "{year}_{year}"])
def test_bad_name_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(ReadError, match="name pattern"):
        ReadOptions(name_pattern=pattern)


@pytest.mark.parametrize("limits", [{"size_mb": 0}, {"seconds": -1}, {"memory_mb": 10}])
def test_limits_that_let_nothing_through_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ReadError, match="limit"):
        Limits(**limits)


def test_dates_are_read_and_never_guessed() -> None:
    assert [d for d, _, _ in find_dates("31/12/2019, 1st of May 2020, Sept. 3, 2011, 45 May 2020, 2012-02-31")][:3] == [
        "2019-12-31", "2020-05-01", "2011-09-03",
    ]  # fmt: skip
    assert read_date("03/04/2019") == "2019"
    assert read_date("yesterday") == ""


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("We will go on helping the associations of the coast, because they help us.", "en"),
        ("Nous soutenons nos amis à l’étranger et nous continuerons à le faire avec eux.", "fr"),
        ("Мы поддержим наших друзей за рубежом и будем работать вместе с ними.", "ru"),
        ("نحن ندعم أصدقاءنا في الخارج وسوف نواصل التعاون", "ar"),
        ("Thank you.", ""),
    ],
)
def test_languages(text: str, language: str) -> None:
    assert detect_language(text) == language


REPORT = (
    "Marvesk wants more friends, Deputy Minister Ladis Ferrow said at a session of the council on Wednesday.\n\n"
    "“For years we believed that good goods need no advertisement. We were wrong about that,” Ferrow said. "
    "The mayor of the town listened.\n\n"
    "“It will cost a great deal of money and time,” the official added.\n\n"
    "In the meantime, Mayor Ana Vell said the harbour was open. “Nobody in this town believes a word of it,” she said."
)


def test_quotations_of_a_report_have_their_speakers() -> None:
    speakers = read_voices(read(REPORT)).speakers
    assert speakers == (REPORTER, "Ladis Ferrow", "Ladis Ferrow", REPORTER, "Ladis Ferrow", REPORTER, "Ana Vell")


def test_a_speech_that_quotes_stays_its_speaker_s() -> None:
    document = Document(
        "a", f"{BODY} “For years we believed that good goods need no advertisement,” Ferrow said.", speaker="Ana Vell"
    )
    assert set(read_voices(document).speakers) == {"Ana Vell"}


def test_names_are_one_within_a_document() -> None:
    document = read(
        "An interview with Minister Ana Vell on the harbour\n\nREVIEW: Why?\n\nVELL: Because.\n\nREVIEW: And now?\n\nVELL: Now we go."
    )
    voices = read_voices(document)
    assert voices.speakers == ("REVIEW", "Ana Vell", "REVIEW", "Ana Vell")
    assert [turn.speaker for turn in voices.segments.turns] == ["REVIEW", "VELL", "REVIEW", "VELL"]


def test_invisible_characters_do_not_part_words() -> None:
    document = read("\u202eWe help the asso\u200bciations of the coast.\u2066 They\x00thank us.")
    assert sentences(document) == ["We help the associations of the coast.", "They thank us."]
    assert "3 invisible" in document.notes[0]
