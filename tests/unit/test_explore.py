"""The page's trend, without a browser."""

import json
import re

import pytest

from rhetoric.errors import RhetoricError
from rhetoric.explore import Asked, explore, group_columns
from rhetoric.table import read_rows

HOSTILE = "{{1+1}} ${x} $\\bad{$ <script>x</script>"


@pytest.fixture
def rows(tmp_path):
    lines = []
    for year in range(2001, 2008):
        for speaker in ("Ana Vell", HOSTILE):
            for sentence in (1, 2, 3, 4):
                hit = sentence == 1 and year > 2003
                lines.append({
                    "document": f"{year} {speaker}", "date": str(year), "speaker": speaker, "turn": 1, "sentence": sentence,
                    "text": f"{HOSTILE} {sentence}", "labels": ["soft_power"] if hit else [],
                    "probabilities": {"soft_power": 0.9 if hit else 0.1},
                })  # fmt: skip
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return read_rows([path])


def test_every_point_has_its_words_and_its_sentences(rows, tmp_path):
    assert group_columns(rows) == ["document", "speaker"]
    found = explore(rows, Asked("soft_power", "speaker"), tmp_path)
    links = re.findall(r'<a xlink:href="#([^"]+)" aria-label="[^"]+"><title>', found.html)
    places = re.findall(r'<section id="([^"]+)" tabindex="-1" hidden>', found.html)
    assert sorted(links) == sorted(places) and len(set(links)) == 14
    assert found.html.count("<blockquote>") == rows.frame["label_soft_power"].sum() == 8
    assert found.html.count("No sentence is in the category") == 6
    assert all(path.stat().st_size for path in found.files)


def test_nothing_that_users_wrote_comes_to_life(rows, tmp_path):
    html = explore(rows, Asked("soft_power", "speaker"), tmp_path).html
    assert "<script" not in html and "{{" not in html and "${" not in html and "_blank" not in html


def test_dates_that_are_all_alike_are_said(rows, tmp_path):
    with pytest.raises(RhetoricError, match="two periods"):
        explore(rows.where("date=2001"), Asked("soft_power"), tmp_path)
