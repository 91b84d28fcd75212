"""Share, audit, compare, trend, agreement and report as a user calls them, on made-up rows."""

import csv
import json
import re
import shlex

import numpy as np
import openpyxl
import polars as pl
import pytest
from click.testing import CliRunner

from rhetoric.cli import main

KEYS = ("soft_power", "criticism_west", "ngo_support")
WORDS = ("partners", "bridges", "schools", "sanctions", "harvest", "rivers", "pressure", "friends", "music", "ports")


@pytest.fixture
def rows(tmp_path):
    """Two invented countries, eight years, two speeches a year; the model errs, the truth is beside it."""
    rng = np.random.default_rng(11)
    lines, facts, truth = [], ["file,country,year"], {}
    for country, base in (("Velmara", 0.25), ("Ombaru", 0.08)):
        for year in range(2008, 2016):
            for part in (1, 2):
                name = f"{country}-{year}-{part}.txt"
                facts.append(f"{name},{country},{year}")
                inclined = rng.beta(10 * base, 10 * (1 - base))
                for number in range(1, 26):
                    gold = {key: bool(rng.random() < inclined) for key in KEYS}
                    probability = {
                        k: round(float(rng.beta(6, 3) if v else rng.beta(1, 12)), 4) for k, v in gold.items()
                    }
                    text = (
                        " ".join(["=", *rng.choice(WORDS, 8)])
                        if number == 3
                        else " ".join(rng.choice(WORDS, 8)).capitalize() + "."
                    )
                    truth[name, number] = gold
                    lines.append({
                        "document": name, "title": "", "date": "", "speaker": "", "turn": 1, "sentence": number, "start": 0,
                        "end": len(text), "text": text, "labels": [k for k in KEYS if probability[k] >= 0.5],
                        "probabilities": probability, "needs_review": False,
                    })  # fmt: skip
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines), encoding="utf-8")
    (tmp_path / "facts.csv").write_text("\n".join(facts) + "\n", encoding="utf-8")
    return tmp_path, truth


def run(*words, code=0):
    result = CliRunner().invoke(main, [str(w) for w in words])
    assert result.exit_code == code, result.output
    return result


def read(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def given(folder):
    return folder / "rows.jsonl", "--facts", folder / "facts.csv", "--by", "country"


def coded(folder, truth, name="audit", size=200, coder="ana", rows=None, design="stratified"):
    """Draw a sample, fill the sheet in with the truth, and read it back."""
    run("audit", "draw", *given(folder), "--out", folder / name, "--size", size, "--design", design)
    book = openpyxl.load_workbook(folder / name / "sheet.xlsx")
    sheet = book["sentences"]
    header = [cell.value for cell in sheet[1]]
    assert "probability_soft_power" not in header
    for line in list(sheet.iter_rows(min_row=2))[:rows]:
        cells = dict(zip(header, line, strict=True))
        assert cells["text"].data_type == "s"
        for key in KEYS:
            cells[key].value = int(truth[cells["document"].value, cells["sentence"].value][key])
    book.save(folder / "filled.xlsx")
    return run("audit", "read", folder / name, folder / "filled.xlsx", "--coder", coder)


def test_share_writes_table_file_and_figure(rows):
    folder, _ = rows
    result = run("share", *given(folder), "--out", folder / "s.csv", "--plot", folder / "s.svg")
    assert "Velmara" in result.output
    found = read(folder / "s.csv")
    assert [(r["category"], r["country"]) for r in found] == [(k, c) for k in KEYS for c in ("Ombaru", "Velmara")]
    for r in found:
        assert float(r["share_low"]) < float(r["share"]) < float(r["share_high"])
        assert float(r["share"]) == pytest.approx(float(r["found"]) / float(r["units"]))
    assert (folder / "s.svg").read_text(encoding="utf-8").count("<svg") == 1


def test_an_audit_goes_round_and_corrects_the_shares(rows):
    folder, truth = rows
    assert "200 of 200 coded" in coded(folder, truth).output
    run("share", *given(folder), "--audit", folder / "audit", "--out", folder / "s.csv")
    for r in read(folder / "s.csv"):
        actual = np.mean([v[r["category"]] for (name, _), v in truth.items() if name.startswith(r["country"])])
        assert float(r["corrected"]) == pytest.approx(actual, abs=0.07)
        assert 0 <= float(r["weight"]) <= 1
        assert int(r["coded"]) == 100
    run("share", *given(folder), "--audit", folder / "audit", "--where", "country=Velmara", "--json")
    run("compare", *given(folder), "--audit", folder / "audit", "--out", folder / "c.csv")
    assert all(float(r["difference"]) < 0 for r in read(folder / "c.csv"))
    run("trend", *given(folder), "--audit", folder / "audit", "--category", "soft_power")
    assert (
        "more to code"
        in run("audit", "plan", *given(folder), "--audit", folder / "audit", "--half-width", "0.03").output
    )


def test_a_random_sample_corrects_words_too_and_its_design_is_on_record(rows):
    folder, truth = rows
    coded(folder, truth, design="random")
    strata = json.loads((folder / "audit" / "design.json").read_text(encoding="utf-8"))["strata"]
    assert [(s["size"], s["sample"]) for s in strata] == [(400, 100), (400, 100)]
    for unit in ("sentence", "word"):
        run("share", *given(folder), "--audit", folder / "audit", "--unit", unit, "--out", folder / f"{unit}.csv")
    for by_sentence, by_word in zip(read(folder / "sentence.csv"), read(folder / "word.csv"), strict=True):
        # all but one sentence of a speech have eight words, so the two shares must be close
        assert float(by_word["corrected"]) == pytest.approx(float(by_sentence["corrected"]), abs=0.01)


def test_notes_say_where_the_count_is_off_and_where_the_labels_do_not_help(rows):
    folder, truth = rows
    lines = [json.loads(x) for x in (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    for line in lines:  # labels everywhere, and probabilities that know nothing
        line |= {"labels": list(KEYS), "probabilities": dict.fromkeys(KEYS, 0.6)}
    (folder / "rows.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines), encoding="utf-8")
    coded(folder, truth)
    said = run("share", *given(folder), "--audit", folder / "audit").output
    assert said.count("the raw share is too high") == 6
    assert said.count("the model adds little here") == 6


def test_a_sheet_coded_from_the_top_counts_and_one_with_gaps_says_so(rows):
    folder, truth = rows
    assert "80 of 200 coded" in coded(folder, truth, rows=80).output
    run("share", *given(folder), "--audit", folder / "audit")
    book = openpyxl.load_workbook(folder / "filled.xlsx")
    sheet = book["sentences"]
    for cell in sheet[2][-4:]:
        cell.value = None
    book.save(folder / "gap.xlsx")
    (folder / "audit" / "codings.jsonl").unlink()
    assert (
        "after a row that was left out"
        in run("audit", "read", folder / "audit", folder / "gap.xlsx", "--coder", "b").output
    )


def test_what_was_not_drawn_cannot_correct(rows):
    folder, truth = rows
    coded(folder, truth)
    drawn = {
        (x["document"], x["sentence"])
        for x in map(json.loads, (folder / "audit" / "sentences.jsonl").read_text().splitlines())
    }
    other = next(key for key in truth if key not in drawn)
    sheet = folder / "review.csv"
    sheet.write_text(f"document,sentence,{','.join(KEYS)}\n{other[0]},{other[1]},1,0,0\n", encoding="utf-8")
    result = run("audit", "read", folder / "audit", sheet, "--coder", "review", code=2)
    assert "cannot correct a share" in result.output


def test_half_filled_rows_and_odd_values_are_refused(rows):
    folder, truth = rows
    coded(folder, truth)
    first = json.loads((folder / "audit" / "sentences.jsonl").read_text().splitlines()[0])
    for cells, message in (("1,,0", "is empty"), ("1,maybe,0", "write 1 or 0"), (",,", "nothing is coded yet")):
        sheet = folder / "odd.csv"
        sheet.write_text(
            f"document,sentence,{','.join(KEYS)}\n{first['document']},{first['sentence']},{cells}\n", encoding="utf-8"
        )
        assert message in run("audit", "read", folder / "audit", sheet, "--coder", "x", code=2).output


def test_a_sheet_with_a_mended_sentence_number_is_refused(rows):
    folder, truth = rows
    coded(folder, truth)
    (folder / "odd.csv").write_text(f"document,sentence,{','.join(KEYS)}\na.txt,first,1,0,0\n", encoding="utf-8")
    said = run("audit", "read", folder / "audit", folder / "odd.csv", "--coder", "x", code=2).output
    assert "row 2: sentence is 'first'" in said


@pytest.mark.parametrize("name", ["design.json", "frame.parquet", "sentences.jsonl"])
def test_an_audit_without_one_of_its_files_or_with_another_in_its_place_is_refused(rows, name):
    folder, truth = rows
    coded(folder, truth)
    (folder / "audit" / name).unlink()
    assert f"({name} is missing)" in run("share", *given(folder), "--audit", folder / "audit", code=2).output
    (pl.DataFrame.write_parquet if name.endswith("parquet") else pl.DataFrame.write_ndjson)(
        pl.DataFrame({"a": [1]}), folder / "audit" / name
    )
    assert "damaged audit" in run("share", *given(folder), "--audit", folder / "audit", code=2).output


def test_an_audit_that_lacks_a_category_is_said(rows):
    folder, truth = rows
    coded(folder, truth)
    lines = [json.loads(x) for x in (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    for line in lines:
        line["probabilities"]["irony"] = 0.1
    (folder / "rows.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines), encoding="utf-8")
    assert "no codings of irony" in run("share", *given(folder), "--audit", folder / "audit", code=2).output


def test_coders_who_differ_must_be_adjudicated(rows):
    folder, truth = rows
    coded(folder, truth)
    wrong = {key: {k: not v for k, v in gold.items()} for key, gold in truth.items()}
    coded(folder, wrong, coder="ben", rows=120)
    result = run("share", *given(folder), "--audit", folder / "audit", code=2)
    assert "differ on 120 sentences" in result.output
    run("share", *given(folder), "--audit", folder / "audit", "--coder", "ana")
    assert "too low to rely on" in run("agreement", folder / "audit").output
    coded(folder, truth, coder="gold")
    run("share", *given(folder), "--audit", folder / "audit")


def test_an_audit_of_another_run_is_refused(rows):
    folder, truth = rows
    coded(folder, truth)
    lines = (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "rows.jsonl").write_text("".join(lines[:-30]), encoding="utf-8")
    assert "not in these rows" in run("share", *given(folder), "--audit", folder / "audit", code=2).output


def test_compare_is_symmetric_and_finds_the_difference(rows):
    folder, _ = rows
    for name, groups in (("one", "Velmara;Ombaru"), ("two", "Ombaru;Velmara")):
        run("compare", *given(folder), "--groups", groups, "--out", folder / f"{name}.csv")
    for a, b in zip(read(folder / "one.csv"), read(folder / "two.csv"), strict=True):
        assert float(a["difference"]) == pytest.approx(-float(b["difference"]))
        assert float(a["difference_low"]) == pytest.approx(-float(b["difference_high"]))
        assert float(a["p"]) <= float(a["p_holm"]) < 0.05
    result = run("compare", *given(folder), "--category", "soft_power", "--sentences", 2, "--words", folder / "w.png",
                 "--plot", folder / "c.pdf", "--against", "rest")  # fmt: skip
    assert "typical of" in result.output
    assert (folder / "w.png").read_bytes().startswith(b"\x89PNG")


def test_trend_has_every_year_and_group(rows):
    folder, _ = rows
    run(
        "trend", *given(folder), "--out", folder / "t.csv", "--smooth-out", folder / "l.csv", "--plot", folder / "t.png"
    )
    found = read(folder / "t.csv")
    assert len(found) == len(KEYS) * 2 * 8
    assert {r["documents"] for r in found} == {"2"}
    assert len(read(folder / "l.csv")) == len(KEYS) * 2 * 100


@pytest.mark.parametrize(("period", "first", "last", "count"), [
    ("month", "2001-11", "2002-08", 10), ("quarter", "2001-Q4", "2002-Q3", 4),
])  # fmt: skip
def test_months_and_quarters_keep_their_distance(rows, period, first, last, count):
    folder, _ = rows
    dates = ["2001-11-30", "2001-12", "2002-02-01", "2002-08-15"]
    documents = dict.fromkeys(json.loads(x)["document"] for x in (folder / "rows.jsonl").open(encoding="utf-8"))
    facts = [f"{name},{dates[i % 4]}" for i, name in enumerate(documents)]
    (folder / "dates.csv").write_text("\n".join(["file,date", *facts]), encoding="utf-8")
    run("trend", folder / "rows.jsonl", "--facts", folder / "dates.csv", "--period", period, "--out", folder / "t.csv",
        "--category", "soft_power", "--plot", folder / "t.svg")  # fmt: skip
    found = read(folder / "t.csv")
    assert [found[0]["period"], found[-1]["period"], len(found)] == [first, last, count]
    assert sum(int(r["documents"]) for r in found) == len(documents)
    assert all((r["share"] == "") == (r["documents"] == "0") for r in found)


@pytest.mark.parametrize(("words", "message"), [
    (("share", "none.jsonl"), "no such file"),
    (("share", "rows.jsonl", "--by", "planet"), "no column 'planet'"),
    (("share", "rows.jsonl", "--category", "humour"), "no category 'humour'"),
    (("share", "rows.jsonl", "--plot", "x.bmp"), "must be one of png"),
    (("share", "rows.jsonl", "--audit", "nowhere"), "not an audit folder"),
    (("compare", "rows.jsonl", "--by", "document", "--groups", "Velmara-2008-1.txt;nobody"), "no document 'nobody'"),
    (("trend", "rows.jsonl"), "no row has a year"),
    (("report", "rows.jsonl", "--out", "rows.jsonl"), "rows.jsonl"),
])  # fmt: skip
def test_mistakes_are_said_in_words(rows, monkeypatch, words, message):
    monkeypatch.chdir(rows[0])
    assert message in run(*words, code=2).output


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_report_is_whole_self_contained_and_the_same_again(rows):
    folder, truth = rows
    coded(folder, truth)
    coded(folder, truth, coder="ben")
    command = ("report", *given(folder), "--audit", folder / "audit", "--out", folder / "report")
    run(*command)
    first = files(folder / "report")
    facts = json.loads(first[next(p for p in first if p.name == "report.json")])
    program, *recorded = shlex.split(facts["command"])
    assert program == "rhetoric"
    run(*recorded)  # the command that the report names, not ours
    assert files(folder / "report") == first
    page = first[next(p for p in first if p.name == "index.html")].decode()
    for heading in (
        "Methods",
        "Shares",
        "Comparison",
        "Trend",
        "Model quality",
        "Agreement",
        "Limits",
        "Codebook",
        "Make it again",
    ):
        assert f"<h2>{heading}</h2>" in page
    assert not re.search(r"""(?:src|href|action)=["'](?!#|data:)""", page)
    assert not re.search(r"url\((?!#)|@import|<script", page)
    assert "Egami" in page
    ids = set(re.findall(r'id="(at-[^"]+)"', page))
    links = set(re.findall(r'xlink:href="#(at-[^"]+)"', page))
    assert links
    assert len(links & ids) > len(links) / 2  # points of years in which something was found
    assert len(facts["sources"]) == 2


def test_labelling_does_not_load_what_comparing_needs():
    import subprocess
    import sys

    code = "import sys, rhetoric.cli, rhetoric.cli.label; print([m for m in ('scipy', 'statsmodels', 'matplotlib', 'polars') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"
