"""Sentence boundaries against boundaries coded by hand, beside four segmenters alone.

`python benchmarks/boundaries.py [TEXTS]` writes results/boundaries.json: precision, recall and F1 of boundaries on the five
seeds, on 30 UN General Debate speeches on which the rules were mended, and on 30 fresh ones that two
readers coded without seeing our output, pooled, and our lowest F1 of a document. TEXTS is the
folder with seeds/ and corpus/ungdc/ (default ../shared). nupunkt, pysbd and blingfire are compared
where they are installed: `pip install nupunkt pysbd blingfire`.

A boundary is where a sentence ends. One that lies in page furniture counts as lying before it, and
optional boundaries count for nobody. The others get each text with single line ends as blanks, which
helps them: the texts are hard-wrapped.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rhetoric.reading import read_text  # noqa: E402
from rhetoric.reading.assemble import visible  # noqa: E402
from rhetoric.voices import read_voices  # noqa: E402

Segmenter = Callable[[str], Iterable[int]]


def sentencex(text: str) -> Iterable[int]:
    from sentencex import get_sentence_boundaries

    return [boundary["end_index"] for boundary in get_sentence_boundaries("en", text)]


def nupunkt(text: str) -> Iterable[int]:
    import nupunkt as library

    return [end for _, end in library.sent_spans(text)]


def pysbd(text: str) -> Iterable[int]:
    import pysbd as library

    return [s.end for s in library.Segmenter(language="en", clean=False, char_span=True).segment(text)]


def blingfire(text: str) -> Iterable[int]:
    import blingfire as library

    return [end for _, end in library.text_to_sentences_and_offsets(text)[1]]


OTHERS: tuple[Segmenter, ...] = (sentencex, nupunkt, pysbd, blingfire)


def read_gold(texts: Path) -> list[tuple[str, Path, set[int], set[int], list[tuple[int, int]]]]:
    """Set, path, ends, optional ends and furniture of every gold document; refuse a text that is another."""
    gold = json.loads((ROOT / "seeds" / "boundaries.json").read_text(encoding="utf-8"))
    documents = []
    ungdc = texts / "corpus" / "ungdc"
    for part, folder in (("seeds", texts / "seeds"), ("ungdc", ungdc), ("fresh", ungdc)):
        for name, entry in gold[part].items():
            path = folder / name
            if hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
                raise SystemExit(f"{path} is not the text whose boundaries were coded")
            if part == "seeds":
                spans = entry["spans"]
                length = len(visible(path.read_bytes().decode("utf-8-sig")))
                starts = [*(start for start, _ in spans), length]
                gaps = [(0, starts[0]), *((end, start) for (_, end), start in zip(spans, starts[1:], strict=True))]
                documents.append((part, path, {end for _, end in spans}, set(), gaps))
            else:
                furniture = [tuple(span) for span in entry["furniture"]]
                documents.append((part, path, set(entry["ends"]), set(entry["optional"]), furniture))
    return documents


def snapped(text: str, ends: Iterable[int], furniture: list[tuple[int, int]]) -> set[int]:
    """Ends moved back over blanks, furniture and marks without a letter, so that all are counted alike."""
    blank = list(text)
    for start, end in furniture:
        blank[start:end] = " " * (end - start)
    cleared = "".join(blank)
    found = set()
    for end in ends:
        stop = len(cleared[:end].rstrip(" \n\r\t\f\u00a0*#"))
        found.add(stop)
    return found - {0}


def measure(found: set[int], gold: set[int], optional: set[int]) -> tuple[int, int, int]:
    """Right, found and gold boundaries, the optional ones left out."""
    found, gold = found - optional, gold - optional
    return len(found & gold), len(found), len(gold)


def f1(right: int, found: int, gold: int) -> float:
    """Harmonic mean of precision and recall.

    >>> round(f1(8, 10, 9), 3)
    0.842
    """
    return 2 * right / (found + gold) if found + gold else 1.0


def main(texts: Path) -> dict[str, Any]:
    """Measure every system on every set; return what goes into the results."""
    systems = [s for s in OTHERS if importlib.util.find_spec(s.__name__)]
    totals: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    for part, path, ends, optional, furniture in read_gold(texts):
        text = visible(path.read_bytes().decode("utf-8-sig"))
        gold, free = snapped(text, ends, furniture), snapped(text, optional, furniture)
        document = read_text(path)
        ours = [s.end for s in read_voices(document).segments.sentences]
        rows = {"rhetoric": measure(snapped(text, ours, furniture), gold, free)}
        plain = re.sub(r"[\r\n]", " ", text)
        for system in systems:
            rows[system.__name__] = measure(snapped(text, system(plain), furniture), gold, free)
        for name, row in rows.items():
            totals.setdefault((part, name), []).append(row)
    sets: dict[str, dict[str, Any]] = {}
    for (part, name), counts in totals.items():
        right, found, gold_ends = (sum(column) for column in zip(*counts, strict=True))
        known = sets.setdefault(part, {"documents": len(counts), "boundaries": gold_ends, "systems": {}})
        known["systems"][name] = {
            "precision": round(right / found, 4), "recall": round(right / gold_ends, 4),
            "f1": round(f1(right, found, gold_ends), 4), "lowest_f1": round(min(f1(*row) for row in counts), 4),
        }  # fmt: skip
        print(part, name, known["systems"][name], flush=True)
    return {"sets": sets, "versions": {s.__name__: version(s.__name__) for s in systems}}


if __name__ == "__main__":
    result = main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared")
    out = ROOT / "benchmarks" / "results" / "boundaries.json"
    out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
