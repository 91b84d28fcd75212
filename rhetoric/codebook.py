"""The codebook: which categories there are, in which order, and what each one means.

Label order, names, help texts, colours and the card all come from `labels/codebook.toml`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from rhetoric.errors import CodebookError

CODEBOOK_PATH = Path(__file__).resolve().parent.parent / "labels" / "codebook.toml"

_KEY = re.compile(r"[a-z][a-z0-9_]*")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_VERSION = re.compile(r"\d+\.\d+")
_LISTS = ("yes", "no", "examples", "near_misses")


@dataclass(frozen=True, slots=True)
class Category:
    """One category: `key` stands in files, `name` on screens; rules and examples are for coders."""

    key: str
    name: str
    short: str
    colour: str
    definition: str
    test: str
    yes: tuple[str, ...]
    no: tuple[str, ...]
    examples: tuple[str, ...]
    near_misses: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse empty texts, texts that are none, a bad key or a bad colour."""
        for field in fields(self):
            value = getattr(self, field.name)
            several = isinstance(value, tuple)
            if several != (field.name in _LISTS) or not all(
                isinstance(v, str) for v in (value if several else [value])
            ):
                wanted = "a list of texts" if field.name in _LISTS else "a text"
                raise CodebookError(f"category {self.key!r}: {field.name} must be {wanted}, got {value!r}")
            if not value or (several and not all(value)):
                raise CodebookError(f"category {self.key!r}: {field.name} is empty")
        if not _KEY.fullmatch(self.key):
            raise CodebookError(f"category key {self.key!r} is not lower-case letters, digits and _")
        if not _COLOUR.fullmatch(self.colour):
            raise CodebookError(f"category {self.key!r}: colour {self.colour!r} is not like #1f77b4")


@dataclass(frozen=True, slots=True)
class Codebook:
    """The categories in label order, with the codebook's version and its general rules."""

    version: str
    title: str
    rules: tuple[str, ...]
    categories: tuple[Category, ...]

    def __post_init__(self) -> None:
        """Refuse a codebook without categories, with doubled keys, names or colours, or an odd version."""
        if not self.categories:
            raise CodebookError("the codebook has no categories")
        if len(set(self.keys)) != len(self.keys):
            raise CodebookError(f"category keys must differ, got {', '.join(self.keys)}")
        for name in ("name", "colour"):
            values = [getattr(category, name) for category in self.categories]
            if len(set(values)) != len(values):
                raise CodebookError(f"the {name}s of categories must differ, got {', '.join(values)}")
        if not isinstance(self.version, str) or not _VERSION.fullmatch(self.version):
            raise CodebookError(f'codebook version {self.version!r} is not like "1.0", in quotation marks')

    @property
    def keys(self) -> tuple[str, ...]:
        """Category keys in label order."""
        return tuple(category.key for category in self.categories)

    def __getitem__(self, key: str) -> Category:
        """Return the category of that key."""
        for category in self.categories:
            if category.key == key:
                return category
        raise CodebookError(f"no category {key!r}; the codebook has {', '.join(self.keys)}")


def read_codebook(path: Path = CODEBOOK_PATH) -> Codebook:
    """Read and check a codebook file (TOML).

    Raises:
        CodebookError: the file is missing, is not TOML, or lacks something.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CodebookError(f"there is no codebook at {path}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CodebookError(f"{path} is not a TOML file: {error}") from error
    try:
        return Codebook(
            version=table["version"],
            title=table["title"],
            rules=tuple(table["rules"]),
            categories=tuple(_category(key, entry) for key, entry in table["categories"].items()),
        )
    except KeyError as error:
        raise CodebookError(f"{path} lacks {error}") from error
    except (AttributeError, TypeError) as error:
        raise CodebookError(f"{path}: `rules` must be a list, and each of `categories` a table") from error


def _category(key: str, entry: Mapping[str, Any]) -> Category:
    names = {f.name for f in fields(Category)} - {"key"}
    for what, odd in (("lacks", names - entry.keys()), ("does not know", entry.keys() - names)):
        if odd:
            raise CodebookError(f"category {key!r} {what} {', '.join(sorted(odd))}")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    return Category(key=key, **values)


@cache
def default_codebook() -> Codebook:
    """Return the project's own codebook, read once."""
    return read_codebook()
