"""What the page shows: labelled sentences, figures and messages, as HTML.

Pure functions without Gradio. Everything that a user wrote goes through `escape`.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from model.manifest import Decision, Manifest
from rhetoric.codebook import Category, Codebook
from rhetoric.errors import ReadError
from rhetoric.label import LabelledSentence, Labelling
from rhetoric.reading import Document, read_bytes
from rhetoric.reading.language import NAMES
from rhetoric.segment import Segments
from rhetoric.summary import Summary
from rhetoric.voices import read_voices

HERE = Path(__file__).resolve().parent
PASTED = "pasted text"
MAX_CHARACTERS = 1_200_000
"""Beyond this a browser is no place to read: it is some 14,000 sentences."""

LONG = 1_000
"""Sentences from which on the browser draws only the paragraphs in sight."""

LINES = ("solid", "dashed", "dotted", "double")
"""Underlines, by the category's place in the codebook, so that colour is never the only sign; wavy is for review."""

_JOINER = "&#8288;"
"""Keeps a label on the line of the word before it."""

_REVIEW = (
    '<p class="rh-short">A probability lies too close to its threshold to be sure, with a label or without: '
    "look yourself.</p>"
)
_TEMPLATE = str.maketrans({"{": "&#123;", "}": "&#125;", "$": "&#36;", "`": "&#96;", "\\": "&#92;"})


def escape(text: str) -> str:
    """Make text safe as HTML content or attribute, and inert in Gradio's client-side templates."""
    return inert(html.escape(text))


def inert(markup: str) -> str:
    """Keep Gradio's client-side templates from reading anything into HTML that is already escaped."""
    return markup.translate(_TEMPLATE)


def percent(probability: float) -> str:
    """Write a probability for the eye; only a true 0 or 1 reads as certain.

    >>> percent(0.834), percent(0.001), percent(0.9999)
    ('83%', '<1%', '>99%')
    """
    if 0 < probability < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= probability < 1 else f"{probability:.0%}"


def count(number: int, noun: str) -> str:
    """Write a number with its noun.

    >>> count(1, "turn"), count(1200, "sentence")
    ('1 turn', '1,200 sentences')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def marks(codebook: Codebook) -> Mapping[str, str]:
    """Give each category one capital letter of its name, or its number where all are taken."""
    taken: dict[str, str] = {}
    for number, category in enumerate(codebook.categories, 1):
        letters = (letter for letter in category.name.upper() if letter.isalpha() and letter not in taken.values())
        taken[category.key] = next(letters, str(number))
    return taken


def ink(colour: str) -> str:
    """Return black or white, whichever reads better on a colour (WCAG 2 relative luminance).

    >>> ink("#ffb000"), ink("#cc3311")
    ('#000000', '#ffffff')
    """
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#000000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "#ffffff"


def style(codebook: Codebook) -> str:
    """Return the page's style sheet: the fixed part, then the rules that follow from the codebook."""
    shown = [*codebook.keys, "none", "review"]
    rules = [_category_rules(number, category) for number, category in enumerate(codebook.categories)]
    return "\n".join([(HERE / "page.css").read_text(encoding="utf-8"), *rules, *map(_filter_rules, shown)])


def script() -> str:
    """Return the page's script: keys, the card of one sentence, and where to look after labelling."""
    return (HERE / "page.js").read_text(encoding="utf-8")


def _category_rules(number: int, category: Category) -> str:
    key, colour = category.key, category.colour
    return (
        f":root{{--k-{key}:{colour}}}"
        f".rh-u-{key}{{text-decoration:underline {LINES[number % len(LINES)]} {colour} 2px}}"
        f".rh-c-{key}{{background:{colour};color:{ink(colour)};--c:{colour}}}"
    )


def _filter_rules(shown: str) -> str:
    """Dim, or hide on demand, what the chosen filter does not ask for."""
    chosen = f'.rh:has(input[value="{shown}"]:checked)'
    hidden = f'.rh:has(.rh-only:checked):has(input[value="{shown}"]:checked)'
    return (
        f"{chosen} .rh-s:not(.is-{shown}){{opacity:.38}}"
        f"{hidden} .rh-s:not(.is-{shown}){{display:none}}"
        f"{hidden} :is(.rh-turn,.rh-p):not(:has(.is-{shown})){{display:none}}"
    )


def pasted(text: str, taken: Document | None = None) -> Document:
    """Make a document of the text field; an unchanged text keeps the facts of the file it was taken from.

    Raises:
        ReadError: nothing was pasted, it has no words, or it is too long for the page.
    """
    if taken is not None and _same(text, taken.text):
        document = taken
    elif not text.strip():
        raise ReadError("There is nothing to label yet. Paste a speech, take an example or upload a text file.")
    elif not any(character.isalnum() for character in text):
        raise ReadError("There are no words in this text, only punctuation or symbols.")
    else:
        document = read_bytes(text.encode("utf-8", "replace"), PASTED)
    return check_length(document)


def check_length(document: Document) -> Document:
    """Return a document that the page can show.

    Raises:
        ReadError: it is longer than `MAX_CHARACTERS`.
    """
    if len(document.text) > MAX_CHARACTERS:
        raise ReadError(
            f"This text has {len(document.text):,} characters; the page takes up to {MAX_CHARACTERS:,}. "
            "Label it on the command line: rhetoric label FILE --out rows.csv"
        )
    return document


def _same(text: str, other: str) -> bool:
    """Compare texts as a browser's text field returns them: with plain line ends."""
    return " ".join(text.split()) == " ".join(other.split())


@dataclass(frozen=True, slots=True)
class Page:
    """Draws the parts of the page for one codebook and one model."""

    codebook: Codebook
    manifest: Manifest
    version: str

    def empty(self) -> str:
        """Return what stands in the result's place before there is one."""
        return (
            '<section class="rh rh-empty"><h2>What it looks for</h2>'
            "<p>Every sentence of a speech gets a yes or no, with a probability, for each of these categories. "
            f"A sentence may carry several or, most often, none.</p>{self._figure(None)}</section>"
        )

    def nothing_to_compare(self) -> str:
        """Return what stands in the trend's place before there are rows."""
        return (
            '<section class="rh rh-empty"><h2>Shares over time</h2><p>Upload the rows that <code>rhetoric label</code> '
            "wrote for a folder of dated speeches, or take the examples. A table of facts (country, speaker, year by "
            "file name) gives more columns to tell lines apart by.</p></section>"
        )

    def nothing_to_correct(self) -> str:
        """Return what stands in the place of corrected shares before there are any."""
        return (
            '<section class="rh rh-empty"><h2>Corrected shares</h2><p>A model that errs counts too much or too little. '
            "Draw a sample with <code>rhetoric audit draw</code>, code its sheet, and upload all rows of the run, the "
            "files of the audit (<code>design.json</code>, <code>frame.parquet</code>, <code>sentences.jsonl</code>) and the "
            "filled sheet: raw and corrected shares come side by side.</p></section>"
        )

    def message(self, text: str, kind: str = "error") -> str:
        """Say something to the user in the result's place; `kind` is error, warning or busy."""
        role = "status" if kind == "busy" else "alert"
        return f'<section class="rh"><p class="rh-message is-{kind}" role="{role}">{escape(text)}</p></section>'

    def result(self, labelling: Labelling) -> str:
        """Return the whole result: facts, figure, filter and the text with its labels."""
        if not labelling.sentences:
            return self.message("No sentence was found in this text.")
        summary = Summary(self.codebook)
        summary.add(labelling)
        document = labelling.document
        warning = "" if document.language in ("", "en") else _foreign(document.language)
        return (
            f'<section class="rh" aria-label="Result"><h2 id="rh-title" tabindex="-1">'
            f"{escape(document.title or _name(document))}</h2>{self._facts(labelling)}{warning}"
            f"{self._figure(summary, _bare(labelling.sentences))}{self._filter(summary, _bare(labelling.sentences))}"
            f"{self._text(labelling)}</section>"
        )

    def foot(self) -> str:
        """Return versions and limits."""
        return (
            '<footer class="rh-foot"><p><b>Read with care.</b> The labels are a small model’s first reading of English '
            "text, and it errs, most of all on irony and on sentences that lean on what was said before. Look at the "
            "sentences to review and at a sample of the others before you quote a share. Shares count sentences and "
            f"are not corrected for the model’s errors, except under Correct shares.</p>"
            f"<p>Model {escape(self.manifest.version)} · codebook "
            f"{escape(self.codebook.version)} · rhetoric {escape(self.version)} · "
            "Nothing you enter leaves this machine.</p></footer>"
        )

    def _facts(self, labelling: Labelling) -> str:
        document, sentences = labelling.document, labelling.sentences
        turns = len({s.turn for s in sentences})
        facts = [document.speaker, document.date, document.source, count(len(sentences), "sentence")]
        facts += [count(turns, "turn")] if turns > 1 else []
        return f'<p class="rh-facts" role="status">{" · ".join(escape(fact) for fact in facts if fact)}</p>'

    def _figure(self, summary: Summary | None, bare: int = 0) -> str:
        """Shares and counts, which are the legend too; the legend alone without a summary."""
        rows = [self._category_row(category, summary) for category in self.codebook.categories]
        rows.append(_row('<i class="rh-chip is-none">–</i>', "No category", "", summary, bare) if summary else "")
        review = summary.review if summary else 0
        rows.append(_row('<i class="rh-chip is-close">?</i>', "Needs review", _REVIEW, summary, review))
        return f'<ul class="rh-figure" aria-label="Share of sentences by category">{"".join(rows)}</ul>'

    def _category_row(self, category: Category, summary: Summary | None) -> str:
        lists = "".join(
            f"<h4>{heading}</h4><ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
            for heading, lines in (("Yes when", category.yes), ("No when", category.no))
        )
        more = (
            f'<p class="rh-short">{escape(category.short)}</p><details><summary>Full definition'
            f'<span class="rh-sr"> of {escape(category.name)}</span></summary><p>{escape(category.definition)}</p>'
            f"<p><em>{escape(category.test)}</em></p>{lists}</details>"
        )
        chip = f'<i class="rh-chip rh-c-{category.key}" aria-hidden="true">{marks(self.codebook)[category.key]}</i>'
        name = f'<span class="rh-u-{category.key}">{escape(category.name)}</span>'
        number = summary.counts[category.key] if summary else 0
        return _row(chip, name, more, summary, number, f"rh-c-{category.key}")

    def _filter(self, summary: Summary, bare: int) -> str:
        letters = marks(self.codebook)
        choices = [("all", "", "All", summary.sentences)]
        choices += [
            (
                c.key,
                f'<i class="rh-chip rh-c-{c.key}" aria-hidden="true">{letters[c.key]}</i>',
                c.name,
                summary.counts[c.key],
            )
            for c in self.codebook.categories
        ]
        choices += [("review", '<i class="rh-chip is-close" aria-hidden="true">?</i>', "Needs review", summary.review)]
        choices += [("none", "", "No category", bare)]
        radios = "".join(
            f'<label class="rh-choice"><input type="radio" name="rh-show" value="{key}"{" checked" * (key == "all")}>'
            f"<span>{chip}{escape(name)} <b>{number:,}</b></span></label>"
            for key, chip, name, number in choices
        )
        return (
            f'<fieldset class="rh-filter"><legend>Show</legend>{radios}<label class="rh-hide">'
            '<input type="checkbox" class="rh-only"> hide the other sentences</label></fieldset>'
        )

    def _text(self, labelling: Labelling) -> str:
        segments = read_voices(labelling.document).segments
        body = "".join(self._turn(sentences, segments) for sentences in _by_turn(labelling.sentences))
        book = [
            {"key": c.key, "name": c.name, "mark": marks(self.codebook)[c.key], "from": self._decision(c.key).threshold}
            for c in self.codebook.categories
        ]
        long = " is-long" * (len(labelling.sentences) > LONG)
        return (
            '<p class="rh-hint" id="rh-hint">Point at a sentence or tap it, or tab into the text and press '
            f'← →, to see all its probabilities.</p><div class="rh-text{long}" role="group" '
            f'aria-label="The speech, sentence by sentence" aria-describedby="rh-hint" '
            f'data-book="{escape(json.dumps(book))}">{body}</div>'
        )

    def _decision(self, key: str) -> Decision:
        return self.manifest.decisions[key]

    def _turn(self, sentences: Sequence[LabelledSentence], segments: Segments) -> str:
        printed = segments.turns[sentences[0].turn - 1].speaker
        head = f'<h3 class="rh-speaker">{escape(printed)}</h3>' if printed else ""
        paragraphs = groupby(sentences, key=lambda s: segments.sentences[s.sentence - 1].paragraph)
        body = "".join(
            f'<p class="rh-p" dir="auto">{" ".join(self._sentence(s) for s in group)}</p>' for _, group in paragraphs
        )
        return f'<section class="rh-turn">{head}{body}</section>'

    def _sentence(self, sentence: LabelledSentence) -> str:
        classes = ["rh-s", *(f"is-{key}" for key in sentence.labels)]
        classes += [] if sentence.labels else ["is-none"]
        classes += ["is-review"] if sentence.needs_review else []
        text = escape(sentence.text)
        unlabelled = ("review",) if sentence.needs_review and not sentence.labels else ()
        for key in (*reversed(sentence.labels), *unlabelled):
            text = f'<span class="rh-u rh-u-{key}">{text}</span>'
        who = f' data-who="{escape(sentence.speaker)}"' if sentence.speaker else ""
        numbers = " ".join(f"{sentence.probabilities[key]:.4f}" for key in self.codebook.keys)
        return (
            f'<span class="{" ".join(classes)}" tabindex="{0 if sentence.sentence == 1 else -1}" '
            f'data-n="{sentence.sentence}"{who} data-p="{numbers}"{_tint(sentence.labels)}>'
            f"{text}{self._chips(sentence)}</span>"
        )

    def _chips(self, sentence: LabelledSentence) -> str:
        letters = marks(self.codebook)
        chips = []
        for category in self.codebook.categories:
            probability, decision = sentence.probabilities[category.key], self._decision(category.key)
            low, high = decision.doubt
            labelled, close = category.key in sentence.labels, low <= probability <= high
            if not labelled and not close:
                continue
            look = f"rh-c-{category.key}" + " is-unsure" * close if labelled else "is-close"
            words = f"{category.name} {percent(probability)}{', needs review' * close}"
            chips.append(
                f'<i class="rh-chip {look}">{_JOINER}<span aria-hidden="true">{letters[category.key]}{"?" * close} '
                f'{escape(percent(probability))}</span><span class="rh-sr"> ({escape(words)})</span></i>'
            )
        return "".join(chips)


def _foreign(language: str) -> str:
    return (
        f'<p class="rh-message is-warning" role="alert"><b>This is in {escape(NAMES.get(language, language))}, not '
        "English.</b> The model was trained on English alone: take the labels below as noise, "
        "or paste a translation.</p>"
    )


def _row(chip: str, name: str, more: str, summary: Summary | None, number: int, look: str = "") -> str:
    """One row of the figure; without a summary it has neither bar nor numbers."""
    figures = ""
    if summary:
        share = number / summary.sentences
        figures = (
            f'<span class="rh-bar" aria-hidden="true"><span class="{look}" style="width:{share:.2%}"></span></span>'
            f'<span class="rh-share">{share:.1%}</span> '
            f'<span class="rh-count">{number:,} of {summary.sentences:,}</span>'
        )
    return f'<li><div class="rh-row">{chip}<span class="rh-name">{name}</span>{figures}</div>{more}</li>'


def _tint(labels: Sequence[str]) -> str:
    """Background of a labelled sentence: one band for each of its categories."""
    if not labels:
        return ""
    step = 100 / len(labels)
    bands = ",".join(
        f"color-mix(in srgb,var(--k-{key}) var(--tint),transparent) {i * step:.0f}% {(i + 1) * step:.0f}%"
        for i, key in enumerate(labels)
    )
    return f' style="background-image:linear-gradient({bands})"'


def _by_turn(sentences: Sequence[LabelledSentence]) -> Iterator[list[LabelledSentence]]:
    for _, group in groupby(sentences, key=lambda s: s.turn):
        yield list(group)


def _bare(sentences: Sequence[LabelledSentence]) -> int:
    return sum(not s.labels for s in sentences)


def _name(document: Document) -> str:
    return "Pasted text" if document.name == PASTED else document.name
