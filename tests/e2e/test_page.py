"""The page in a real browser."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rhetoric.segment import segment

from .visits import DEMO, ROOT, App, Visit

pytestmark = pytest.mark.browser

INTERVIEW = DEMO / "velmara-2019-interview.txt"
BODY = INTERVIEW.read_text(encoding="utf-8").split("---\n", 2)[2].strip()
FIELD = "#rh-speech textarea"
BODY_SENTENCES = len(segment(BODY).sentences)
HOSTILE = (
    "<script>window.hacked = 1</script> We <img src=x onerror='window.hacked = 2'> stand together. "
    "Then {{constructor.constructor('window.hacked = 3')()}} and ${window.hacked = 4} and `x` \\u0041 are said. "
    '"><b onmouseover="window.hacked = 5">Bold</b> words &lt;end&gt; the speech.'
)
CHINESE = "我们尊重国际法。我们的文化闻名世界。感谢大家的关注。"
ARABIC = "نحن نحترم القانون الدولي. ثقافتنا معروفة في جميع أنحاء العالم. شكرا لكم جميعا."
RUSSIAN = "Мы уважаем международное право. Наша культура известна во всём мире. Спасибо всем за внимание. " * 5


def label(*arguments: str, stdin: str | None = None) -> bytes:
    """Rows as the command line writes them."""
    command = [sys.executable, "-m", "rhetoric.cli", "label", "--quiet", *arguments]
    sent = None if stdin is None else stdin.encode()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=DEMO, input=sent, capture_output=True, check=True, env=environment).stdout


def paste(visit: Visit, text: str) -> None:
    """Put a text into the field as the clipboard does."""
    visit.page.evaluate("text => navigator.clipboard.writeText(text)", text)
    visit.page.locator(FIELD).focus()
    visit.page.keyboard.press("ControlOrMeta+V")


def paste_and_label(visit: Visit, text: str) -> None:
    paste(visit, text)
    visit.page.locator("#rh-label").click()
    visit.page.wait_for_selector(".rh-text")


def message(visit: Visit) -> str:
    """The message in the result's place, which must not be a traceback."""
    visit.page.wait_for_selector("#rh-result .rh-message:not(.is-busy)")
    text: str = visit.page.locator("#rh-result .rh-message").inner_text()
    assert "Traceback" not in text and "Error" not in text
    return text


def test_pasted_speech_shows_every_sentence_in_its_turn(visit: Visit) -> None:
    paste_and_label(visit, BODY)
    rows = [json.loads(line) for line in label("-", stdin=BODY).splitlines()]
    shown = visit.page.locator(".rh-s")
    assert shown.count() == len(rows)
    texts = visit.page.evaluate(
        "() => [...document.querySelectorAll('.rh-s')].map(s => { const c = s.cloneNode(true);"
        " c.querySelectorAll('.rh-chip').forEach(e => e.remove()); return c.textContent })"
    )
    assert [" ".join(text.split()) for text in texts] == [" ".join(row["text"].split()) for row in rows]
    probabilities = [list(map(float, s.split())) for s in shown.evaluate_all("all => all.map(s => s.dataset.p)")]
    assert probabilities == [pytest.approx(list(row["probabilities"].values()), abs=5e-5) for row in rows]
    assert visit.page.locator(".rh-turn").count() == len({row["turn"] for row in rows})
    assert BODY.startswith(visit.page.locator(".rh-speaker").first.inner_text() + ":")


def test_figure_and_filters_agree_with_the_rows(visit: Visit) -> None:
    paste_and_label(visit, BODY)
    rows = [json.loads(line) for line in label("-", stdin=BODY).splitlines()]
    asked = {key: sum(key in row["labels"] for row in rows) for key in rows[0]["probabilities"]}
    asked |= {"review": sum(row["needs_review"] for row in rows), "none": sum(not row["labels"] for row in rows)}
    visit.page.locator(".rh-only").check()
    for key, number in asked.items():
        choice = visit.page.locator(f"input[name=rh-show][value={key}]")
        choice.check()
        assert visit.page.locator(".rh-s:visible").count() == number
        assert choice.locator("xpath=..").inner_text().split()[-1] == f"{number:,}"
    counts = visit.page.locator(".rh-count").all_inner_texts()
    order = [*rows[0]["probabilities"], "none", "review"]
    assert counts == [f"{asked[key]} of {len(rows)}" for key in order]


def test_downloads_are_the_rows_of_the_command_line(visit: Visit) -> None:
    visit.page.locator("input[type=file]").set_input_files(INTERVIEW)
    visit.page.wait_for_selector(".rh-text")
    for form in ("jsonl", "csv"):
        with visit.page.expect_download() as download:
            visit.page.locator(f"#rh-{form}").click()
        assert download.value.suggested_filename == f"{INTERVIEW.stem}.{form}"
        content = Path(download.value.path()).read_bytes()
        assert content == label(INTERVIEW.name, "--format", form)
    table = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert table[0]["title"] == visit.page.locator("#rh-title").inner_text()


def test_example_is_labelled_at_once(visit: Visit) -> None:
    visit.page.get_by_role("button", name="Toast at the dinner").click()
    visit.page.wait_for_selector(".rh-text")
    assert "Toast" in visit.page.locator("#rh-title").inner_text()
    assert "coconut" in visit.page.locator(FIELD).input_value()
    assert "Maruke Tealo · 2022-05-12" in visit.page.locator(".rh-facts").inner_text()


def test_facts_of_an_example_leave_with_its_text(visit: Visit) -> None:
    visit.page.get_by_role("button", name="Toast at the dinner").click()
    visit.page.wait_for_selector(".rh-text")
    visit.page.locator(FIELD).fill("We open our doors to all of you. It is a fine evening for the country.")
    visit.page.locator("#rh-label").click()
    visit.page.get_by_role("heading", name="Pasted text").wait_for()
    assert "Tealo" not in visit.page.locator(".rh-facts").inner_text()


def test_keyboard_alone(visit: Visit) -> None:
    page = visit.page
    paste(visit, BODY)
    page.keyboard.press("ControlOrMeta+Enter")
    page.wait_for_selector(".rh-text")
    page.wait_for_function("document.activeElement.id === 'rh-title'")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('rh-s')"):
            break
    assert page.evaluate("document.activeElement.dataset.n") == "1"
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.n") == "2"
    card = page.locator("#rh-card")
    assert card.is_visible()
    assert len(re.findall(r"\d+\.\d% (?:yes|no)", card.inner_text())) == 3
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.dataset.n") == str(page.locator(".rh-s").count())
    page.keyboard.press("Escape")
    assert not card.is_visible()


@pytest.mark.parametrize(
    ("text", "expected"), [("", "nothing to label"), (" \n ", "nothing to label"), ("… — !!! ***", "no words")]
)
def test_nothing_to_label(visit: Visit, text: str, expected: str) -> None:
    visit.page.locator(FIELD).fill(text)
    visit.page.locator("#rh-label").click()
    assert expected in message(visit)
    assert not visit.page.locator("#rh-csv").is_visible()


@pytest.mark.parametrize(("text", "language"), [(RUSSIAN, "Russian"), (CHINESE, "Chinese"), (ARABIC, "Arabic")])
def test_another_language_is_said(visit: Visit, text: str, language: str) -> None:
    paste_and_label(visit, text)
    assert f"This is in {language}" in visit.page.locator(".rh-message.is-warning").inner_text()
    written = visit.page.locator(".rh-p").first.evaluate("e => getComputedStyle(e).direction")
    assert written == ("rtl" if language == "Arabic" else "ltr")


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("We will\u200b give gra\u00adnts to our\u2060 NGOs. Za" + "\u0301" * 500 + "lgo speaks.", 2),
        ("we go on and " * 7_700, 21),
        ("a" * 100_000, 20),
    ],
    ids=["unseen and stacked characters", "no full stop", "one word"],
)
@pytest.mark.parametrize("visit", [{"viewport": {"width": 390, "height": 844}}], indirect=True)
def test_odd_texts_are_shown_within_a_phone(visit: Visit, text: str, sentences: int) -> None:
    paste_and_label(visit, text)
    assert visit.page.locator(".rh-s").count() == sentences
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(
    ("text", "expected"),
    [("😀👍🏽👨‍👩‍👧‍👦🎉", "no words"), ("\0" * 200 + "We will go.", "not a text file")],
    ids=["emoji", "NUL"],
)
def test_what_is_no_text_is_said(visit: Visit, text: str, expected: str) -> None:
    visit.page.locator(FIELD).fill(text)
    visit.page.locator("#rh-label").click()
    assert expected in message(visit)


def test_a_million_characters_are_labelled_and_shown(visit: Visit) -> None:
    text = (BODY + "\n\n") * (1_000_000 // len(BODY))
    put = "(field, text) => { field.value = text; field.dispatchEvent(new Event('input', { bubbles: true })) }"
    visit.page.locator(FIELD).evaluate(put, text)  # typing so much in takes the driver minutes
    visit.page.locator("#rh-label").click()
    visit.page.wait_for_selector(".rh-text", timeout=300_000)
    sentences = BODY_SENTENCES * (1_000_000 // len(BODY))
    assert visit.page.locator(".rh-s").count() == sentences
    assert f"{sentences:,} sentences" in visit.page.locator(".rh-facts").inner_text()
    assert visit.page.locator("#rh-csv").is_visible()


def test_binary_upload_keeps_what_was_there(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "<b>picture.png"
    path.write_bytes(bytes(range(256)) * 40)
    visit.page.locator(FIELD).fill("Good evening to all.")
    visit.page.locator("input[type=file]").set_input_files(path)
    said = message(visit)
    assert "picture.png" in said
    assert visit.page.locator(FIELD).input_value() == "Good evening to all."


def test_hostile_text_stays_text(visit: Visit) -> None:
    page = visit.page
    dialogs: list[str] = []
    page.on("dialog", lambda d: (dialogs.append(d.message), d.dismiss()))
    paste_and_label(visit, HOSTILE)
    page.locator(".rh-s").first.hover()
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None and not dialogs
    assert page.locator(".rh-text :is(img, script, b)").count() == 0
    shown = page.locator(".rh-text").text_content()
    for part in (
        "<script>window.hacked = 1</script>",
        "{{constructor",
        "${window.hacked = 4}",
        "\\u0041",
        "&lt;end&gt;",
    ):
        assert part in shown


def test_hostile_facts_stay_text(visit: Visit) -> None:
    front = (
        '---\ntitle: "<img src=x onerror=window.hacked=1>"\nspeaker: "{{7*7}}<i>x</i>"\n---\nGood evening to you all.\n'
    )
    paste_and_label(visit, front)
    assert visit.page.locator("#rh-title").inner_text() == "<img src=x onerror=window.hacked=1>"
    assert "{{7*7}}<i>x</i>" in visit.page.locator(".rh-facts").inner_text()
    assert visit.page.evaluate("window.hacked") is None


def test_long_text_is_labelled_and_a_longer_one_refused(visit: Visit) -> None:
    long = (BODY + "\n\n") * 30
    paste_and_label(visit, long)
    assert visit.page.locator(".rh-text.is-long").count() == 1
    paste(visit, "One more word. " * 90_000)
    visit.page.locator("#rh-label").click()
    visit.page.wait_for_selector("#rh-result .rh-message.is-error")
    assert "rhetoric label FILE" in message(visit)


@pytest.mark.parametrize(
    "visit",
    [
        {"viewport": {"width": 390, "height": 844}, "has_touch": True},
        {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
        {"viewport": {"width": 768, "height": 1024}},
    ],
    indirect=True,
)
def test_narrow_screens_do_not_scroll_sideways(visit: Visit) -> None:
    wide = "() => document.documentElement.scrollWidth - window.innerWidth"
    assert visit.page.evaluate(wide) <= 0
    paste_and_label(visit, BODY + "\n\n" + "Un" * 300 + "breakable word.")
    visit.page.locator("summary").first.click()
    assert visit.page.evaluate(wide) <= 0
    outside = visit.page.evaluate(
        "() => [...document.querySelectorAll('.rh *:not(.rh-sr)')].filter(e => e.getClientRects().length &&"
        " e.getBoundingClientRect().right > window.innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"
    )
    assert outside == []


def test_server_calls_nobody(visit: Visit, app: App) -> None:
    visit.page.get_by_role("button", name="Toast at the dinner").click()
    visit.page.wait_for_selector(".rh-text")
    assert app.calls.read_text() == ""
