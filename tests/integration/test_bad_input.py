"""Rows of which little can be said, through the command line: a clear word, never a traceback or a false certainty."""

import csv
import json
import re
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from rhetoric.cli import main

KEYS = ("soft_power", "criticism_west")


def speech(document, hits, sentences=20, *, speaker="A", date="", text=""):
    """Rows of one speech in which the first `hits` sentences criticise."""
    return [
        {
            "document": document, "title": "", "date": date, "speaker": speaker, "turn": 1, "sentence": n, "start": 0,
            "end": 4, "text": text or f"Words number {n} here.", "labels": ["criticism_west"] if n <= hits else [],
            "probabilities": {"soft_power": 0.05, "criticism_west": 0.9 if n <= hits else 0.1}, "needs_review": False,
        }
        for n in range(1, sentences + 1)
    ]  # fmt: skip


def group(speaker, hits, **facts):
    """A speech for every number of hits."""
    return [row for i, n in enumerate(hits) for row in speech(f"{speaker}{i}.txt", n, speaker=speaker, **facts)]


ONE_EACH = speech("a.txt", 4, date="2001") + speech("b.txt", 5, speaker="B", date="2002")
ONE_ALONE = group("A", (2, 3, 4, 5), date="2001") + speech("b.txt", 5, speaker="B", date="2002")
NOTHING = group("A", (0,) * 5, date="2001") + group("B", (0,) * 5, date="2002")
NOTHING_IN_B = group("A", (2, 3, 4, 5, 1), date="2001") + group("B", (0,) * 5, date="2002")
ALIKE = group("A", (4,) * 5, date="2001") + group("B", (4,) * 5, date="2002")
ALL = group("A", (20,) * 5, date="2001") + group("B", (2, 3, 4, 5, 1), date="2002")
GAPS = [r for y in (2001, 2002, 2007, 2009) for r in speech(f"{y}.txt", y % 5, speaker="AB"[y % 2], date=str(y))]
UNDATED = group("A", (2, 3, 4, 5, 1), date="2001") + group("B", (2, 3, 4, 5, 1))
NO_DATES = group("A", (2, 3, 4)) + group("B", (2, 3, 4))
NO_WORDS = group("A", (2, 3, 4), date="2001", text="…") + group("B", (2, 3), date="2002", text="…")
WORDLESS_B = group("A", (2, 3, 4), date="2001") + group("B", (2, 3), date="2002", text="…")
SHORT = [r for i in range(12) for r in speech(f"{i}.txt", i % 3 == 0, 1, speaker="AB"[i % 2], date=str(2000 + i))]
CASES = {name: rows for name, rows in globals().items() if name.isupper() and name not in ("KEYS", "CASES")}


def written(folder, rows, name="rows.jsonl"):
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def run(*words):
    """Run a command; it must end with 0, or with 2 and a message, and print no number that is none."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code in (0, 2), (words, result.output, result.exception)
    assert result.exit_code == 0 or "Error: " in result.output
    assert not re.search(r"\bnan\b|\binf\b|None|Traceback|-0\.0+%", result.output), result.output
    return result


def read(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("unit", ["sentence", "word", "document"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("error")
def test_no_command_breaks_or_prints_what_is_no_number(tmp_path, case, unit):
    rows = written(tmp_path, CASES[case])
    run("share", rows, "--by", "speaker", "--unit", unit, "--out", tmp_path / "s.csv")
    run("compare", rows, "--by", "speaker", "--unit", unit, "--sentences", 1)
    run("trend", rows, "--by", "speaker", "--unit", unit, "--out", tmp_path / "t.json")
    if unit == "sentence":
        run("share", rows, "--by", "year")
        run("compare", rows, "--by", "year", "--against", "rest")
        run("trend", rows, "--period", "month")
        run("audit", "plan", rows, "--by", "speaker", "--half-width", "0.02")


@pytest.mark.parametrize("case", ["ONE_ALONE", "NOTHING", "ALIKE", "NO_DATES"])
def test_a_report_of_such_rows_says_what_it_lacks(tmp_path, case):
    rows = written(tmp_path, CASES[case])
    run("report", rows, "--by", "speaker", "--out", tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    said = {
        "ONE_ALONE": "one document: no interval", "NOTHING": "there is nothing to compare",
        "ALIKE": "all documents have the same share", "NO_DATES": "no trend: fewer than two years",
    }  # fmt: skip
    assert said[case] in page
    assert not re.search(r">(nan|inf|None)<", page)


def test_documents_that_are_all_alike_are_no_certainty(tmp_path):
    """Four hits of 20 in every speech: the scatter is 0, but an interval of no width would be a lie."""
    rows = written(tmp_path, ALIKE)
    assert "all documents have the same share" in run("share", rows, "--out", tmp_path / "s.csv").output
    found = next(r for r in read(tmp_path / "s.csv") if r["category"] == "criticism_west")
    assert float(found["share_low"]) < 0.1 < 0.3 < float(found["share_high"])  # Wilson's, of 2 in 10
    run("compare", rows, "--by", "speaker", "--out", tmp_path / "c.csv")
    pair = next(r for r in read(tmp_path / "c.csv") if r["category"] == "criticism_west")
    assert float(pair["difference_low"]) < -0.1 < 0.1 < float(pair["difference_high"])
    assert pair["ratio_low"] == ""


def test_a_group_of_one_document_can_be_counted_but_not_tested_or_planned(tmp_path):
    rows = written(tmp_path, ONE_ALONE)
    said = run("compare", rows, "--by", "speaker").output
    assert "a test needs at least two documents in each group" in said
    assert "– to –" not in said
    planned = run("audit", "plan", rows, "--by", "speaker", "--half-width", "0.02", "--out", tmp_path / "p.csv").output
    assert "one document: how far speeches differ is not known" in planned
    assert {r["more_to_code"] for r in read(tmp_path / "p.csv") if r["speaker"] == "B"} == {""}


def test_a_plan_does_not_promise_a_width_of_nothing(tmp_path):
    said = run("audit", "plan", written(tmp_path, NOTHING), "--half-width", "0.02", "--out", tmp_path / "p.csv").output
    assert "nothing shows how far speeches differ" in said
    assert [r["least_half_width"] for r in read(tmp_path / "p.csv")] == ["", ""]


def test_a_plan_for_a_group_with_few_codings_leans_on_the_shares_as_counted(tmp_path):
    rows = group("A", (2, 3, 4, 5, 1, 0)) + group("B", (9, 8, 2, 5, 1, 0))
    path, *audit = coded(tmp_path, rows, lambda _document, n: n < 3, size=20)
    words = ("audit", "plan", path, "--by", "speaker", "--half-width", "0.2")
    said = run(*words, *audit, "--out", tmp_path / "coded.csv").output
    assert "fewer than 20 coded sentences: planned from the shares as counted" in said
    run(*words, "--out", tmp_path / "none.csv")
    for thin, none in zip(read(tmp_path / "coded.csv"), read(tmp_path / "none.csv"), strict=True):
        assert thin["least_half_width"] == none["least_half_width"]


def test_names_with_commas_are_groups_like_others(tmp_path):
    rows = written(tmp_path, group("Lee, Ann", (2, 3, 4)) + group('The "Duke"', (2, 3, 5)) + group("C", (1, 1, 2)))
    said = run("report", rows, "--by", "speaker", "--groups", 'Lee, Ann;The "Duke"', "--out", tmp_path / "report")
    assert said.exit_code == 0
    assert {r["speaker"] for r in read(tmp_path / "report" / "data" / "shares.csv")} == {"Lee, Ann", 'The "Duke"'}
    kept = run("share", rows, "--by", "speaker", "--where", 'speaker="Lee, Ann",C').output
    assert "Lee, Ann" in kept
    assert "Duke" not in kept


def test_names_with_semicolons_are_given_one_by_one(tmp_path):
    rows = written(tmp_path, group("Lee; Ann", (2, 3, 4)) + group("B", (2, 3, 5)) + group("C", (1, 1, 2)))
    words = ("--by", "speaker", "--groups", "B", "--group", "Lee; Ann", "--out")
    assert run("report", rows, *words, tmp_path / "report").exit_code == 0
    assert {r["speaker"] for r in read(tmp_path / "report" / "data" / "shares.csv")} == {"Lee; Ann", "B"}
    assert run("compare", rows, *words, tmp_path / "pairs.csv").exit_code == 0
    assert {(r["first"], r["second"]) for r in read(tmp_path / "pairs.csv")} == {("B", "Lee; Ann")}
    assert "no speaker 'Lee'" in run("compare", rows, "--by", "speaker", "--groups", "B;Lee; Ann").output


def test_a_plan_says_which_rows_have_no_group(tmp_path):
    said = run("audit", "plan", written(tmp_path, UNDATED), "--by", "year", "--by", "speaker", "--half-width", "0.1")
    assert "100 sentences in 5 documents have no year and are left out" in said.output


def coded(folder, rows, gold, size=60):
    """An audit in which `gold` of (document, sentence) is what people said."""
    path = written(folder, rows)
    run("audit", "draw", path, "--out", folder / "audit", "--size", size, "--by", "speaker")
    drawn = [json.loads(x) for x in (folder / "audit" / "sentences.jsonl").read_text(encoding="utf-8").splitlines()]
    lines = [f"{x['document']},{x['sentence']},0,{int(gold(x['document'], x['sentence']))}" for x in drawn]
    (folder / "sheet.csv").write_text("\n".join([f"document,sentence,{','.join(KEYS)}", *lines]), encoding="utf-8")
    assert (
        f"{size} of {size} coded" in run("audit", "read", folder / "audit", folder / "sheet.csv", "--coder", "x").output
    )
    return path, "--audit", folder / "audit"


def test_an_audit_without_positives_says_so_everywhere(tmp_path):
    rows = group("A", (2, 3, 4, 5, 1, 0), date="2001") + speech("b.txt", 9, 40, speaker="B", date="2002")
    given = coded(tmp_path, rows, lambda _document, _sentence: False)
    assert "only 0 coded sentences are in the category" in run("share", *given, "--by", "speaker").output
    run("share", *given, "--by", "speaker", "--out", tmp_path / "s.csv")
    first = next(r for r in read(tmp_path / "s.csv") if r["category"] == "criticism_west" and r["speaker"] == "A")
    assert (float(first["corrected"]), float(first["corrected_low"])) == (0, 0)
    assert 0.05 < float(first["corrected_high"]) < 0.2  # 0 of 30 coded, not 0 of 120
    assert "nothing was found in either group" in run("compare", *given, "--by", "speaker").output
    assert "no coded sentence is in the category" in run("trend", *given).output
    said = run("audit", "plan", *given, "--by", "year", "--half-width", "0.05").output
    assert "one document: how far speeches differ is not known" in said
    run("report", *given, "--by", "speaker", "--out", tmp_path / "report")


def test_empty_periods_stay_empty_and_are_named(tmp_path):
    said = run("trend", written(tmp_path, GAPS), "--out", tmp_path / "t.csv").output
    assert "no documents in 2003, 2004, 2005, 2006, 2008" in said
    assert "a test for changes of level needs 6 periods with documents, a smooth line 5; there are 4" in said
    empty = [r for r in read(tmp_path / "t.csv") if r["documents"] == "0"]
    assert len(empty) == 10
    assert {r["share"] for r in empty} == {""}


def test_missing_dates_are_counted_aloud(tmp_path):
    rows = written(tmp_path, UNDATED)
    assert "100 sentences in 5 documents have no year and are left out" in run("share", rows, "--by", "year").output
    assert "all dates lie in 2001" in run("trend", rows).output
    assert "no row has a year" in run("trend", written(tmp_path, NO_DATES)).output


@pytest.mark.parametrize("date", ["2001-13", "2001-00", "0000", "2001-02-30", "2001-1", "soon"])
@pytest.mark.parametrize("beside", [False, True])
def test_dates_that_are_none_are_refused_in_rows_and_in_facts(tmp_path, date, beside):
    rows = written(tmp_path, group("A", (2, 3)) + group("B", (2, 3), date="" if beside else date))
    (tmp_path / "facts.csv").write_text(f"file,date\nB0.txt,{date}\n", encoding="utf-8")
    said = run("trend", rows, *(["--facts", tmp_path / "facts.csv"] if beside else []))
    assert said.exit_code == 2
    assert f"date '{date}' is not like 2012" in said.output


def test_a_mistyped_century_is_no_trend(tmp_path):
    rows = written(tmp_path, group("A", (2, 3), date="0201-05") + group("B", (2, 3), date="2001-05"))
    assert "21,601 months; is one of them wrong?" in run("trend", rows, "--period", "month").output
    early = written(tmp_path, group("A", (2, 3), date="0999") + group("B", (2, 3), date="1001"))
    run("trend", early, "--out", tmp_path / "t.csv")
    assert [r["period"] for r in read(tmp_path / "t.csv")][:3] == ["0999", "1000", "1001"]


def test_sentences_without_words_have_no_share_of_words(tmp_path):
    assert "no sentence has a word" in run("share", written(tmp_path, NO_WORDS), "--unit", "word").output
    said = run("share", written(tmp_path, WORDLESS_B), "--unit", "word", "--by", "speaker").output
    assert "2 documents have no words and are left out" in said


def run_folder(folder, rows, model):
    folder.mkdir()
    pl.DataFrame(rows).write_parquet(folder / "part.parquet")
    (folder / "manifest.json").write_text(json.dumps({"model": "m", "model_version": model}), encoding="utf-8")
    return folder


@pytest.mark.parametrize("command", [
    ("share", "--by", "speaker"), ("compare", "--by", "speaker"), ("trend",), ("report", "--by", "speaker", "--out", "r"),
    ("audit", "plan", "--half-width", "0.02"), ("audit", "draw", "--out", "a", "--size", "20"),
])  # fmt: skip
def test_runs_of_two_models_are_not_counted_together(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    first = run_folder(tmp_path / "one", group("A", (2, 3), date="2001"), "1.0")
    second = run_folder(tmp_path / "two", group("B", (2, 3), date="2002"), "2.0")
    said = run(*command, first, second)
    assert said.exit_code == 2
    assert "different models" in said.output
    assert not Path("r").exists()


@pytest.mark.parametrize(("words", "message"), [
    (("compare", "--by", "speaker", "--groups", "A;A"), "needs two groups, got A"),
    (("compare", "--by", "speaker", "--groups", "A", "--against", "A"), "needs two groups, got A"),
    (("compare", "--by", "speaker", "--groups", "A", "--against", "rest"), "needs two groups, got A"),
    (("share", "--by", "speaker", "--by", "speaker"), "name each once"),
    (("report", "--out", "r", "--by", "speaker", "--groups", "A;Q"), "no speaker 'Q'; there is A, B"),
    (("report", "--out", "r", "--groups", "A;B"), "need --by"),
])  # fmt: skip
def test_groups_that_are_not_there_or_twice_are_refused(tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    said = run(words[0], written(tmp_path, UNDATED), *words[1:])
    assert said.exit_code == 2
    assert message in said.output
    assert not Path("r").exists()
