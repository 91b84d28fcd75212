"""The page's tab of corrected shares in a real browser: the numbers and warnings of the command line."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from rhetoric.cli import main

from .visits import Visit

pytestmark = pytest.mark.browser

KEYS = ("soft_power", "criticism_west", "ngo_support")
HOSTILE = "{{1+1}} ${window.hacked = 1} <img src=x onerror='window.hacked = 2'> $\\bad{$"


def run(*words: object) -> str:
    result = CliRunner().invoke(main, [str(w) for w in words])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    """A run of two speakers whose model counts too much, with a drawn audit."""
    rng = random.Random(1)
    with (tmp_path / "rows.jsonl").open("w", encoding="utf-8") as file:
        for n in range(20):
            for sentence in range(1, 21):
                probability = {key: round(rng.random(), 3) for key in KEYS}
                file.write(json.dumps({
                    "document": f"{n}.txt", "date": "2001", "speaker": ("Ana Vell", HOSTILE)[n % 2], "turn": 1,
                    "sentence": sentence, "text": f"Sentence {sentence}.", "needs_review": False,
                    "labels": [k for k in KEYS if probability[k] >= 0.3], "probabilities": probability,
                }) + "\n")  # fmt: skip
    run("audit", "draw", tmp_path / "rows.jsonl", "--out", tmp_path / "audit", "--size", 120, "--by", "speaker")
    return tmp_path


def code_sheet(folder: Path, left_out: int) -> Path:
    """Fill the sheet in by chance, but for one row."""
    rng = random.Random(2)
    with (folder / "audit" / "sheet.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row |= {key: "" if number == left_out else str(int(rng.random() < 0.2)) for key in KEYS}
    with (folder / "filled.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / "filled.csv"


def upload(visit: Visit, field: str, *paths: Path) -> None:
    visit.page.locator(f"{field} input[type=file]").set_input_files(paths)
    visit.page.locator(field).get_by_text(paths[-1].stem[:4]).last.wait_for()


def test_corrected_shares_are_those_of_the_command_line_with_its_warnings(visit: Visit, audit: Path) -> None:
    sheet = code_sheet(audit, left_out=100)
    visit.page.get_by_role("tab", name="Correct shares").click()
    button = visit.page.get_by_role("button", name="Correct the shares")
    button.click()
    visit.page.wait_for_selector("#rh-shares .rh-message:has-text('Upload all three')")
    upload(visit, "#rh-run", audit / "rows.jsonl")
    upload(visit, "#rh-sheet", sheet)
    upload(visit, "#rh-audit", audit / "audit" / "design.json", audit / "audit" / "sentences.jsonl")
    button.click()
    visit.page.wait_for_selector("#rh-shares .rh-message:has-text('frame.parquet is missing')")
    assert "/" not in visit.page.locator("#rh-shares .rh-message").inner_text()
    visit.page.locator("#rh-audit").get_by_label("Clear").click()
    upload(visit, "#rh-audit", *((audit / "audit" / n) for n in ("design.json", "sentences.jsonl", "frame.parquet")))
    visit.page.locator("#rh-correct-by input").click()
    visit.page.get_by_role("option", name="speaker", exact=True).click()
    button.click()
    visit.page.wait_for_selector("#rh-corrected-title")

    note = run("audit", "read", audit / "audit", sheet, "--coder", "ana")
    said = run("share", audit / "rows.jsonl", "--by", "speaker", "--audit", audit / "audit", "--out", audit / "cli.csv")
    with visit.page.expect_download() as download:
        visit.page.locator("#rh-shares-csv").click()
    download.value.save_as(audit / "page.csv")
    assert (audit / "page.csv").read_text(encoding="utf-8") == (audit / "cli.csv").read_text(encoding="utf-8")
    lines = visit.page.locator("#rh-shares tbody tr").all_inner_texts()
    assert len(lines) == 6 and all(text.count(" to ") == 2 for text in lines)
    shown = visit.page.locator("#rh-shares details li").all_inner_texts()
    warned = [line.removeprefix("Note: ") for line in (note + said).splitlines() if line.startswith("Note: ")]
    assert shown == warned and any("after a row that was left out" in line for line in shown)
    assert visit.page.locator("#rh-shares .rh-drawing svg").count() == 1
    assert visit.page.evaluate("window.hacked") is None
    visit.page.set_viewport_size({"width": 400, "height": 800})
    visit.page.wait_for_function("document.documentElement.scrollWidth <= 400")
