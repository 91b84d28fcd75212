"""Cards: facts of documents that the project knows by the sha256 of their bytes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

CARDS_PATH = Path(__file__).resolve().parent.parent.parent / "seeds" / "cards.toml"

FACTS = ("title", "date", "speaker", "source")


@cache
def read_cards(path: Path = CARDS_PATH) -> Mapping[str, Mapping[str, str]]:
    """Return the facts of each card, by the sha256 of the document's file."""
    cards = tomllib.loads(path.read_text(encoding="utf-8"))["documents"]
    return {
        card["sha256"]: {
            "title": card["title"],
            "date": card["date"],
            "speaker": card["speakers"][0] if len(card["speakers"]) == 1 else "",
            "source": card["publisher"],
        }
        for card in cards
    }
