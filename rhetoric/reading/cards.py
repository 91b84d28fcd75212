"""Cards: facts of documents that the project knows by the sha256 of their bytes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CARDS_PATH = Path(__file__).resolve().parent.parent.parent / "seeds" / "cards.toml"


@dataclass(frozen=True, slots=True)
class Card:
    """Facts of one document by name, and the full names of all who speak in it."""

    facts: Mapping[str, str]
    speakers: tuple[str, ...]


@cache
def read_cards(path: Path = CARDS_PATH) -> Mapping[str, Card]:
    """Return the card of each known document, by the sha256 of its file. Without the file there are none."""
    if not path.is_file():
        return {}
    cards = tomllib.loads(path.read_text(encoding="utf-8"))["documents"]
    return {card["sha256"]: _card(card) for card in cards}


def _card(card: Mapping[str, object]) -> Card:
    listed = card["speakers"]
    speakers = tuple(map(str, listed)) if isinstance(listed, list) else ()
    facts = {
        "title": str(card["title"]), "date": str(card["date"]), "speaker": speakers[0] if len(speakers) == 1 else "",
        "source": str(card["publisher"]), "place": str(card.get("venue", "")),
    }  # fmt: skip
    return Card({key: value for key, value in facts.items() if value}, speakers)
