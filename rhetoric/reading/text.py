"""Plain text and Markdown, with or without a block of facts at the top."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from rhetoric.errors import ReadError
from rhetoric.reading.document import Document, Fact
from rhetoric.reading.encoding import decode
from rhetoric.reading.options import FACTS, ReadOptions
from rhetoric.reading.raw import Raw
from rhetoric.reading.source import Source, shown

_MAX_FRONT_MATTER = 20_000


def read(source: Source, options: ReadOptions) -> Iterator[Raw]:
    """Read a text file as one document."""
    content = source.read()
    text, encoding, notes = decode(content, source.name)
    body, facts = front_matter(text, source.name)
    yield Raw(
        source.name, body, source.suffix.lstrip(".") or "txt", encoding, facts, notes=notes,
        sha256=hashlib.sha256(content).hexdigest(), base=source.base,
    )  # fmt: skip


def front_matter(text: str, name: str) -> tuple[str, tuple[Fact, ...]]:
    """Split off a block of facts between two lines of three dashes at the top, if there is one.

    Raises:
        ReadError: the block is not YAML.
    """
    if not re.match(r"---[ \t]*\r?\n", text) or not re.search(r"\n---[ \t]*(\r?\n|$)", text[:_MAX_FRONT_MATTER]):
        return text, ()
    import frontmatter
    import yaml

    try:
        post = frontmatter.loads(text)
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ReadError(f"{shown(name)}: the block between --- at the top is not YAML: {reason}") from error
    simple = (str, int, float, datetime.date)
    facts = (Fact(key, str(post[key]), "front matter") for key in FACTS if isinstance(post.get(key), simple))
    return post.content, tuple(facts)


def read_bytes(content: bytes, name: str) -> Document:
    """Make a document of the bytes of a text file, in this process: for text at hand, such as a form's field.

    Raises:
        ReadError: it is empty, or is no text.
    """
    from rhetoric.reading.assemble import assemble

    options = ReadOptions()
    (raw,) = read(Source(name, content=content, limit=options.limits.size), options)
    return assemble(raw, options)


def read_text(path: Path, name: str | None = None) -> Document:
    """Read a text file in this process.

    Raises:
        ReadError: it cannot be opened, is empty, or is no text.
    """
    source = Source(str(path) if name is None else name, path=path)
    return read_bytes(source.read(), source.name)
