"""What is read of the five seed documents, with and without their cards: `python benchmarks/seed_facts.py [TEXTS]`.

Facts, turns and counts go to results/seeds.json; no sentence does. Without its card a document has
only what its own text says.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rhetoric.reading import Document, read_bytes  # noqa: E402
from rhetoric.reading.options import FACTS  # noqa: E402
from rhetoric.voices import read_voices  # noqa: E402


def facts(document: Document) -> dict[str, str]:
    """Each fact with where it came from; of title and place, which are somebody's words, only that."""
    found = {}
    for name in FACTS:
        value = getattr(document, name)
        where = next((f.where for f in document.facts if f.value == value and f.name in (name, f"page {name}")), "")
        shown = f"{len(value)} characters" if name in ("title", "place") else value
        found[name] = f"{shown} ({where})" if value else ""
    return found


def main(folder: Path) -> list[dict[str, Any]]:
    """Read each seed twice: as it is, and with a line break more, by which its card does not know it."""
    rows = []
    for path in sorted(folder.glob("*.txt")):
        content = path.read_bytes()
        carded, bare = read_bytes(content, path.name), read_bytes(content + b"\n", path.name)
        voices = read_voices(carded)
        rows.append({
            "file": path.name, "with_card": facts(carded), "from_its_text": facts(bare),
            "other_dates": [f"{f.value} ({f.where})" for f in bare.facts if "date" in f.name and f.value != bare.date],
            "turns": len(voices.segments.turns), "sentences": dict(Counter(voices.speakers)),
            "dropped": [piece.reason for piece in carded.dropped],
        })  # fmt: skip
    return rows


if __name__ == "__main__":
    found = main((Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared") / "seeds")
    out = ROOT / "benchmarks" / "results" / "seeds.json"
    out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
