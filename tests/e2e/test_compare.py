"""The page's tab of trends in a real browser."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from .visits import Visit

pytestmark = pytest.mark.browser

ROWS = "document,date,sentence,speaker,text,labels,probability_soft_power,probability_criticism_west,probability_ngo_support\n"
HOSTILE = "{{1+1}} ${window.hacked = 1} <img src=x onerror='window.hacked = 2'> $\\bad{$"


PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
TABLET = {"viewport": {"width": 800, "height": 1024}}
LONG = "Donaudampfschifffahrtsgesellschaftskapitänswitwe" * 3


def open_tab(visit: Visit) -> None:
    visit.page.get_by_role("tab", name="Compare over time").click()


def choose(visit: Visit, field: str, value: str) -> None:
    visit.page.locator(f"{field} input").click()
    visit.page.get_by_role("option", name=value, exact=True).click()


def test_points_of_the_examples_tell_their_numbers_and_lead_to_their_sentences(visit: Visit, tmp_path: Path) -> None:
    open_tab(visit)
    visit.page.locator("#rh-compare-examples").click()
    visit.page.wait_for_selector("#rh-trend .rh-drawing svg")
    choose(visit, "#rh-category", "Criticism of the West")
    visit.page.wait_for_selector("#rh-trend-title:has-text('Criticism of the West')")
    points = visit.page.locator("#rh-trend .rh-drawing a")
    with visit.page.expect_download() as download:
        visit.page.locator("#rh-trend-csv").click()
    download.value.save_as(tmp_path / "trend.csv")
    with (tmp_path / "trend.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if int(row["documents"])]
    assert points.count() == len(rows) > 3
    assert not visit.page.locator(".rh-behind > section:visible").count()
    for number, row in enumerate(rows):
        title = points.nth(number).locator("title").text_content()
        assert row["period"] in title and f"of {float(row['units']):.0f} sentences" in title
        points.nth(number).click()
        behind = visit.page.locator(".rh-behind > section:visible")
        assert behind.count() == 1
        assert behind.locator("h3").inner_text() == title
        assert behind.locator("blockquote").count() == min(20, int(float(row["found"])))


def test_uploaded_rows_can_be_told_apart_by_a_column_and_do_no_harm(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(ROWS)
        for year in range(2001, 2007):
            for speaker in ("Ana Vell", HOSTILE):
                for sentence in (1, 2, 3):
                    label = "soft_power" if sentence == 1 else ""
                    csv.writer(file).writerow(
                        [f"{year}-{speaker[:2]}", year, sentence, speaker, HOSTILE, label, 0.9 if label else 0.1, 0, 0]
                    )
    open_tab(visit)
    visit.page.locator("#rh-rows input[type=file]").set_input_files(path)
    visit.page.wait_for_selector("#rh-trend .rh-drawing svg")
    choose(visit, "#rh-by", "speaker")
    visit.page.wait_for_selector("#rh-trend-title:has-text('by speaker')")
    points = visit.page.locator("#rh-trend .rh-drawing a")
    assert points.count() == 12
    points.first.focus()
    visit.page.keyboard.press("Enter")
    assert HOSTILE.split("<")[0].strip() in visit.page.locator(".rh-behind > section:visible").inner_text()
    assert visit.page.evaluate("window.hacked") is None


def write_long_names(path: Path) -> Path:
    """Rows whose names are longer than a phone is wide and hold no blank."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(ROWS)
        for year in range(2001, 2009):
            for speaker in (LONG, LONG[::-1]):
                csv.writer(file).writerow([f"{speaker}{year}", year, 1, speaker, LONG, "soft_power", 0.9, 0, 0])
    return path


@pytest.mark.parametrize("visit", [PHONE, TABLET], indirect=True)
def test_narrow_screens_scroll_the_drawing_and_not_the_page(visit: Visit, tmp_path: Path) -> None:
    wide = visit.page.viewport_size["width"]
    open_tab(visit)

    def check() -> None:
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= wide
        assert visit.page.locator("#rh-rows").bounding_box()["width"] > 0.9 * wide
        outside = visit.page.evaluate(
            "wide => [...document.querySelectorAll('.gradio-container *:not(.rh-sr)')].filter(e => "
            "e.getClientRects().length && !e.closest('.rh-drawing svg') && e.getBoundingClientRect().right > wide + 1)"
            ".map(e => e.outerHTML.slice(0, 80))",
            wide,
        )
        assert outside == []

    check()
    rows = write_long_names(tmp_path / f"{LONG}.csv")
    visit.page.locator("#rh-rows input[type=file]").set_input_files(rows)
    visit.page.wait_for_selector("#rh-trend .rh-drawing svg")
    check()
    choose(visit, "#rh-by", "speaker")
    visit.page.wait_for_selector("#rh-trend-title:has-text('by speaker')")
    visit.page.locator("#rh-trend .rh-drawing a").first.click()
    assert visit.page.locator(".rh-behind > section:visible").count() == 1
    check()
    size = visit.page.locator("#rh-trend .rh-drawing text").first.bounding_box()
    assert size["height"] > 9, "the words of the drawing are too small to read"


def test_a_file_that_holds_no_rows_is_said(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    open_tab(visit)
    visit.page.locator("#rh-rows input[type=file]").set_input_files(path)
    visit.page.wait_for_selector("#rh-trend .rh-message")
    text = visit.page.locator("#rh-trend .rh-message").inner_text()
    assert text.startswith("notes.csv has no column") and str(tmp_path) not in text
