"""Groups, periods and codings about which little or nothing can be said."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from rhetoric.agreement import AgreementError, agreement
from rhetoric.audit import AuditError, allocate, cut, draw
from rhetoric.codings import read_coding_tables
from rhetoric.compare import compare, permutation_test, sides_of
from rhetoric.errors import ReadError
from rhetoric.keyness import KeynessError, keyness
from rhetoric.measure import measure, shares
from rhetoric.prevalence import Caution, PrevalenceError, Totals, estimate_share
from rhetoric.table import TableError, read_rows
from rhetoric.trend import changes, smooth, trend

KEYS = ("soft_power", "criticism_west")


def row(document, sentence, hit=False, **facts):
    probability = 0.9 if hit else 0.1
    return {
        "document": document, "title": "", "date": "", "speaker": "", "turn": 1, "sentence": sentence, "start": 0, "end": 4,
        "text": f"Words number {sentence} here.", "labels": ["criticism_west"] if hit else [],
        "probabilities": {"soft_power": 0.05, "criticism_west": probability}, "needs_review": False, **facts,
    }  # fmt: skip


def written(tmp_path, rows, name="rows.jsonl"):
    path = tmp_path / name
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return path


def corpus(documents=6, sentences=20, every=5, **facts):
    return [
        row(f"d{d}.txt", s, (s + d) % every == 0, **facts) for d in range(documents) for s in range(1, sentences + 1)
    ]


def estimate(hits, units, **options):
    return estimate_share(Totals(np.array(hits, float), np.array(units, float)), **options)


def test_one_document_has_a_share_but_no_interval():
    found = estimate([3], [10])
    assert found.share == 0.3
    assert np.isnan(found.low)
    assert found.cautions == (Caution.ONE_DOCUMENT,)


def test_nothing_found_gives_an_upper_end_not_a_silent_zero():
    found = estimate([0] * 20, [50] * 20)
    assert found.low == 0
    assert 0.1 < found.high < 0.2  # 20 independent units
    narrower = estimate([0] * 20, [50] * 20, design=2.0)
    assert 0.004 < narrower.high < 0.01  # 500 independent units
    assert Caution.NO_HITS in found.cautions


def test_no_documents_at_all():
    assert np.isnan(estimate([], []).share)


def test_a_document_without_sentences_is_refused():
    with pytest.raises(PrevalenceError, match="without sentences"):
        Totals(np.array([0.0]), np.array([0.0]))


def test_csv_jsonl_and_parquet_give_the_same_rows(tmp_path):
    rows = corpus(2, 5, 3, speaker="Nadia Oru")
    first = read_rows([written(tmp_path, rows)])
    flat = [
        {**{k: v for k, v in r.items() if k not in ("labels", "probabilities")}, "labels": ";".join(r["labels"]),
         **{f"probability_{k}": p for k, p in r["probabilities"].items()}}
        for r in rows
    ]  # fmt: skip
    pl.DataFrame(flat).write_csv(tmp_path / "rows.csv")
    pl.DataFrame(rows).write_parquet(tmp_path / "rows.parquet")
    columns = [
        "document",
        "sentence",
        "speaker",
        "words",
        *(f"{p}_{k}" for k in KEYS for p in ("label", "probability")),
    ]
    for name in ("rows.csv", "rows.parquet"):
        assert read_rows([tmp_path / name]).frame.select(columns).equals(first.frame.select(columns))


def test_the_same_run_twice_is_refused(tmp_path):
    path = written(tmp_path, corpus(1, 2))
    with pytest.raises(TableError, match="more than once"):
        read_rows([path, written(tmp_path, corpus(1, 2), "again.jsonl")])


def test_runs_of_two_models_or_codebooks_are_refused(tmp_path):
    for name, document in (("a", "x.txt"), ("b", "y.txt")):
        (tmp_path / name).mkdir()
        pl.DataFrame([row(document, 1)]).write_parquet(tmp_path / name / "part.parquet")
        (tmp_path / name / "manifest.json").write_text(json.dumps({"model_version": name}), encoding="utf-8")
    with pytest.raises(TableError, match="different models"):
        read_rows([tmp_path / "a", tmp_path / "b"])
    rows = read_rows([written(tmp_path, [row("v.txt", 1)], "v.jsonl"), written(tmp_path, [row("u.txt", 1)], "u.jsonl")])
    assert "v.jsonl" in rows.notes[0] and "not say with which model" in rows.notes[0]
    assert not read_rows([tmp_path / "v.jsonl"]).notes
    other = {**row("z.txt", 1), "probabilities": {"soft_power": 0.1}}
    with pytest.raises(TableError, match="different codebooks"):
        read_rows([written(tmp_path, [row("w.txt", 1)]), written(tmp_path, [other], "other.jsonl")])


@pytest.mark.parametrize(("change", "message"), [
    ({"date": "3 May 2012"}, "not like 2012"), ({"probabilities": {"soft_power": 2.0}}, "between 0 and 1"),
    ({"labels": ["ngo_support"]}, "without probabilities"),
])  # fmt: skip
def test_odd_rows_are_refused(tmp_path, change, message):
    with pytest.raises(TableError, match=message):
        read_rows([written(tmp_path, [{**row("a.txt", 1), **change}])])


def test_files_that_are_not_rows_are_refused(tmp_path):
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    for path, message in (
        (tmp_path / "notes.csv", "has no column"),
        (tmp_path / "none.csv", "no such file"),
        (tmp_path, "no Parquet"),
    ):
        with pytest.raises(TableError, match=message):
            read_rows([path])


def test_facts_fill_what_is_empty_and_say_what_they_lack(tmp_path):
    facts = tmp_path / "facts.csv"
    facts.write_text(
        "file,year,country,speaker\nd0.txt,2001,Velmara,Given\nd1.txt,2002,Ombaru,Given\n", encoding="utf-8"
    )
    path = written(tmp_path, [row("some/where/d0.txt", 1, speaker="Printed"), row("d1.txt", 1), row("d9.txt", 1)])
    rows = read_rows([path], facts)
    assert rows.frame["speaker"].to_list() == ["Printed", "Given", ""]
    assert rows.frame["date"].to_list() == ["2001", "2002", ""]
    assert rows.notes == (f"1 documents are not in {facts}",)
    _, notes = rows.grouped(["country"])
    assert "1 sentences in 1 documents have no country" in notes[0]


def test_a_pattern_of_file_names_stands_for_a_table_of_facts(tmp_path):
    path = written(tmp_path, [row("in/VEL_3_2001.txt", 1), row("in/OMB_4_2002.txt", 1), row("in/notes.txt", 1)])
    rows = read_rows([path], Path("{country}_{session}_{year}"))
    assert rows.frame["country"].to_list() == ["VEL", "OMB", None]
    assert rows.frame["date"].to_list() == ["2001", "2002", ""]
    assert rows.notes == ("1 documents are not in {country}_{session}_{year}",)
    assert [group for (group,) in measure(rows, ["country"]).groups()] == ["OMB", "VEL"]
    with pytest.raises(TableError, match="no document is named like"):
        read_rows([path], Path("{country}-{year}"))
    with pytest.raises(ReadError, match="unknown planet"):
        read_rows([path], Path("{planet}_{year}"))


def test_facts_of_other_documents_or_twice_are_refused(tmp_path):
    path, facts = written(tmp_path, corpus(1, 2)), tmp_path / "facts.csv"
    facts.write_text("file,country\nelse.txt,Velmara\n", encoding="utf-8")
    with pytest.raises(TableError, match="none of the 1 documents"):
        read_rows([path], facts)
    facts.write_text("file,country\nd0.txt,Velmara\nd0.txt,Ombaru\n", encoding="utf-8")
    with pytest.raises(TableError, match="more than once"):
        read_rows([path], facts)


def test_unknown_columns_and_values_name_what_there_is(tmp_path):
    rows = read_rows([written(tmp_path, corpus(2, 3))])
    with pytest.raises(TableError, match="no column 'country'"):
        measure(rows, ["country"])
    with pytest.raises(TableError, match="no row has document"):
        rows.where("document=nobody")
    with pytest.raises(TableError, match="no row has a year"):
        rows.grouped(["year"])


def test_counts_are_conserved_over_groups(tmp_path):
    rows = read_rows([written(tmp_path, corpus(6, 20, 5))])
    whole = next(s for s in shares(measure(rows)) if s.category == "criticism_west")
    parts = [s for s in shares(measure(rows, ["document"])) if s.category == "criticism_west"]
    assert sum(p.raw.hits for p in parts) == whole.raw.hits == rows.frame["label_criticism_west"].sum()
    words = next(s for s in shares(measure(rows, unit="word")) if s.category == "criticism_west")
    assert words.raw.units == rows.frame["words"].sum()
    documents = next(s for s in shares(measure(rows, unit="document")) if s.category == "criticism_west")
    assert documents.raw.units == 6


def test_comparing_with_one_document_or_nothing_found(tmp_path):
    rows = read_rows([written(tmp_path, [*corpus(4, 20, speaker="A"), row("z.txt", 1, True, speaker="B")])])
    results = {r.category: r for r in compare(measure(rows, ["speaker"]), rng=np.random.default_rng(0))}
    assert np.isnan(results["criticism_west"].p)
    assert "at least two documents" in results["criticism_west"].note
    assert "nothing was found in either group" in results["soft_power"].note


def test_a_test_with_an_audit_takes_one_weight_for_both_sides(tmp_path):
    rng = np.random.default_rng(8)
    lines, frame = [], []
    for side, wrong in (("A", 0.0), ("B", 0.3)):
        for document in range(10):
            for sentence in range(1, 31):
                gold = rng.random() < 0.2
                hit = gold != (rng.random() < wrong)
                lines.append(row(f"{side}{document}", sentence, bool(hit), speaker=side))
                frame.append((f"{side}{document}", sentence, "AB".index(side), bool(sentence <= 8), float(gold), 0.0))
    names = ("document", "sentence", "stratum", "coded", "gold_criticism_west", "gold_soft_power")
    audit = pl.DataFrame(frame, schema=list(names), orient="row")
    measures = measure(read_rows([written(tmp_path, lines)]), ["speaker"], audit=audit)
    own = [measures.corrected_share("criticism_west", (side,)).weight for side in "AB"]
    both = measure(read_rows([tmp_path / "rows.jsonl"]), audit=audit).corrected_share("criticism_west", ()).weight
    assert min(own) < both < max(own)
    (result,) = (r for r in compare(measures, rng=np.random.default_rng(0)) if r.category == "criticism_west")
    assert result.share_first.share == pytest.approx(measures.corrected_share("criticism_west", ("A",)).estimate.share)
    sides = sides_of(measures, "criticism_west", "A", ["B"], both)
    assert result.p == permutation_test(sides, np.random.default_rng(0))[0]


def test_keyness_of_an_empty_side():
    frame = pl.DataFrame({"document": ["a"], "text": ["some words"]})
    with pytest.raises(KeynessError, match="no sentences"):
        keyness(frame, frame.head(0))


def test_trend_keeps_empty_periods_and_says_so(tmp_path):
    rows = [
        row(f"{y}-{i}.txt", s, s % 4 == 0, date=str(y))
        for y in (2001, 2002, 2003, 2006, 2007)
        for i in range(2)
        for s in range(1, 9)
    ]
    measures = measure(read_rows([written(tmp_path, rows)]), ["year"])
    line = next(x for x in trend(measures, "year", rng=np.random.default_rng(0)) if x.category == "criticism_west")
    assert [p.period for p in line.points] == [str(y) for y in range(2001, 2008)]
    assert [p.estimate.documents for p in line.points] == [2, 2, 2, 0, 0, 2, 2]
    assert "no documents in 2004, 2005" in line.note
    assert sum(p.estimate.hits for p in line.points) == measures.frame["raw_criticism_west"].sum()


def test_a_clear_jump_is_found_where_it_is_and_noise_is_not():
    rng = np.random.default_rng(3)
    units = np.full(24, 100.0)
    periods = [str(2000 + i) for i in range(24)]
    jump = Totals(rng.binomial(100, np.repeat([0.05, 0.25], 12)).astype(float), units)
    flat = Totals(rng.binomial(100, 0.1, 24).astype(float), units)
    assert changes(periods, jump, rng, 499).periods == ("2012",)
    assert changes(periods, flat, rng, 499).periods == ()
    assert changes(periods[:5], Totals(flat.hits[:5], units[:5]), rng, 99) is None


def test_smooth_of_nothing_and_of_few_points():
    assert smooth(np.arange(10.0), Totals(np.zeros(10), np.ones(10))) is None
    assert smooth(np.arange(3.0), Totals(np.ones(3), np.ones(3))) is None
    line = smooth(np.arange(10.0), Totals(np.ones(10), np.full(10, 9.0)))
    assert np.all((line.low >= 0) & (line.low <= line.share) & (line.share <= line.high) & (line.high <= 1))


def test_strata_and_allocation_conserve_sentences():
    rng = np.random.default_rng(0)
    stratum = cut(rng.random(500) ** 4 + 0.01, 5)
    assert np.bincount(stratum).sum() == 500
    assert set(stratum) == set(range(stratum.max() + 1))
    assert sum(allocate(100, np.bincount(stratum).tolist())) == 100
    assert allocate(50, [3, 4]) == [3, 4]


def test_a_larger_draw_holds_the_smaller_one_and_shows_nothing_of_the_model(tmp_path):
    rows = read_rows([written(tmp_path, corpus(10, 30))])
    keys = []
    for size in (30, 60):
        design, frame, sample = draw(rows, size, random_seed=4)
        assert design.drawn == sample.height == size
        assert frame.height == rows.frame.height
        assert not {c for c in sample.columns if c.startswith(("label", "prob"))}
        keys.append(set(sample.select("document", "sentence").iter_rows()))
    assert keys[0] < keys[1]
    with pytest.raises(AuditError, match="size must be between"):
        draw(rows, 5)
    with pytest.raises(AuditError, match="3 sentences are too few"):
        draw(read_rows([written(tmp_path, corpus(1, 3), "few.jsonl")]), 3)


def test_agreement_without_positives_or_with_one_coder(tmp_path):
    path = tmp_path / "sheet.csv"
    path.write_text("document,sentence,coder,soft_power\na,1,x,0\na,1,y,0\nb,1,x,0\nb,1,y,0\n", encoding="utf-8")
    found = agreement(read_coding_tables([path], KEYS)[0], np.random.default_rng(0), draws=100)
    assert np.isnan(found.alpha.value)
    assert found.percent.value == 1
    assert "all codings are alike" in found.note
    path.write_text("document,sentence,coder,soft_power\na,1,x,0\nb,1,x,1\n", encoding="utf-8")
    with pytest.raises(AgreementError, match="needs two coders"):
        agreement(read_coding_tables([path], KEYS)[0], np.random.default_rng(0))


def test_wide_long_and_passage_codings_are_read_alike(tmp_path):
    (tmp_path / "wide.csv").write_text("document,sentence,x,y\na,1,1,1\na,2,0,1\nb,1,,0\n", encoding="utf-8")
    (tmp_path / "named.csv").write_text(
        "document,sentence,soft_power.x,soft_power.y\na,1,1,1\na,2,0,1\nb,1,,0\n", encoding="utf-8"
    )
    long = "document,sentence,coder,soft_power\na,1,x,1\na,1,y,1\na,2,x,0\na,2,y,1\nb,1,y,0\n"
    (tmp_path / "long.csv").write_text(long, encoding="utf-8")
    lines = [
        {"passage": "a", "coder": "x", "labels": [["soft_power"], []]},
        {"passage": "a", "coder": "y", "labels": [["soft_power"], ["soft_power"]]},
        {"passage": "b", "coder": "y", "labels": [[]]},
    ]
    written(tmp_path, lines, "passages.jsonl")
    tables = [
        read_coding_tables([tmp_path / n], ("soft_power",))[0]
        for n in ("wide.csv", "named.csv", "long.csv", "passages.jsonl")
    ]
    for table in tables:
        assert table.coders == ("x", "y")
        assert table.codes.tolist() == [[1, 1], [0, 1], [-1, 0]]
