"""`rhetoric inspect`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from itertools import groupby
from typing import Any

import click

from rhetoric.cli.reading_options import reading_options
from rhetoric.errors import ReadError
from rhetoric.reading import Document, Reader, ReadOptions, shown
from rhetoric.reading.language import NAMES
from rhetoric.reading.options import FACTS
from rhetoric.voices import Reading, read_voices

_WIDTH = 100


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--sentences",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    help="How many sentences to show; 0 for all.",
)
@click.option("--text", "whole", is_flag=True, help="Print the text alone, as the offsets count it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a document, with everything that was read.")
@reading_options
def inspect(paths: tuple[str, ...], sentences: int, whole: bool, as_json: bool, reading: ReadOptions) -> None:
    """Show what is read from files, before anything is labelled.

    The facts with where each came from, the turns, what was dropped as boilerplate, the first
    sentences with where they stand.
    """
    failed = False
    with Reader(reading) as reader:
        for item in reader.read_all(paths):
            if isinstance(item, ReadError):
                failed = True
                click.echo(f"rhetoric: {item}", err=True)
            elif whole:
                click.echo(item.text)
            elif as_json:
                click.echo(json.dumps(_record(item), ensure_ascii=False))
            else:
                click.echo(describe(item, sentences) + "\n")
    sys.exit(1 if failed else 0)


def describe(document: Document, count: int) -> str:
    """Write what was read of a document, for people; `count` sentences, 0 for all."""
    voices = read_voices(document)
    parts = [shown(document.name), _about(document), *_facts(document), *_turns(voices), *_dropped(document)]
    return "\n".join([*parts, *_sentences(document, voices, count)])


def _about(document: Document) -> str:
    language = NAMES.get(document.language, document.language or "not told")
    encoding = f", {document.encoding}" if document.encoding else ""
    lines = [f"  read as {document.format or 'txt'}{encoding}; language: {language}; {len(document.text):,} characters"]
    if document.language not in ("", "en"):
        lines.append("  not in English: `rhetoric label` passes it over without --any-language")
    return "\n".join([*lines, *(f"  note: {note}" for note in document.notes)])


def _facts(document: Document) -> list[str]:
    lines = ["Facts"]
    used = set()
    for name in FACTS:
        value = getattr(document, name)
        fact = next((f for f in document.facts if f.value == value and f.name in (name, f"page {name}")), None)
        used.add(fact)
        lines.append(f"  {name:9}{shown(value) if value else '—'}" + (f"  ({fact.where})" if value and fact else ""))
    others = [fact for fact in document.facts if fact not in used]
    if others:
        lines.append("  also read")
    return lines + [f"    {f.name}: {shown(_printed(f.value))}  ({f.where})" for f in others]


def _printed(value: str) -> str:
    """A day without a year in words as well."""
    months = "January February March April May June July August September October November December".split()
    if len(value) == 7 and value.startswith("--"):
        return f"{int(value[5:])} {months[int(value[2:4]) - 1]}, no year printed"
    return value


def _turns(voices: Reading) -> list[str]:
    """Each speaker with turns and sentences, in order of appearance."""
    turns = len(voices.segments.turns)
    pairs = [(s.turn, name) for s, name in zip(voices.segments.sentences, voices.speakers, strict=True)]
    counts: dict[str, list[int]] = {}
    for name, run in groupby(pairs, key=lambda pair: pair[1]):
        count = counts.setdefault(name, [0, 0])
        count[0] += 1
        count[1] += sum(1 for _ in run)
    lines = [f"Turns  {turns:,}, of {len(counts)} speaker{'s' * (len(counts) != 1)}"]
    return lines + [
        f"  {shown(name) or '(not named)'}: {said:,} sentences in {times:,} pieces"
        for name, (times, said) in counts.items()
    ]


def _dropped(document: Document) -> list[str]:
    if not document.dropped:
        return ["Dropped  nothing"]
    lines = [f"Dropped  {len(document.dropped):,} pieces"]
    for piece in document.dropped[:30]:
        place = f" at {piece.start}" if piece.start >= 0 else ""
        lines.append(f"  {piece.reason}{place}: {_short(piece.text)}")
    rest = len(document.dropped) - 30
    return [*lines, f"  … and {rest:,} more (--json shows all)"] if rest > 0 else lines


def _sentences(document: Document, voices: Reading, count: int) -> list[str]:
    total = len(voices.segments.sentences)
    lines = [f"Sentences  {total:,}" + (f", the first {count}" if 0 < count < total else "")]
    for number, (sentence, speaker) in enumerate(zip(voices.segments.sentences, voices.speakers, strict=True), 1):
        if count and number > count:
            break
        where = document.where(sentence.start)
        place = f"{where}, " if where else ""
        lines.append(f"  {number}  [{place}{sentence.start}-{sentence.end}] {shown(speaker)}")
        lines.append(f"     {_short(document.text[sentence.start : sentence.end], 3 * _WIDTH)}")
    return lines


def _short(text: str, width: int = _WIDTH) -> str:
    line = shown(" ".join(text.split()))
    return line if len(line) <= width else f"{line[: width - 1]}…"


def _record(document: Document) -> dict[str, Any]:
    voices = read_voices(document)
    record = asdict(document)
    record["turns"] = [asdict(turn) for turn in voices.segments.turns]
    record["sentences"] = [
        {**asdict(s), "speaker": name, "where": document.where(s.start), "text": document.text[s.start : s.end]}
        for s, name in zip(voices.segments.sentences, voices.speakers, strict=True)
    ]
    return record
