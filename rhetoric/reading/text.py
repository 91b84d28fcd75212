"""Plain text, with or without a block of facts at the top."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import frontmatter
import yaml
from charset_normalizer import from_bytes

from rhetoric.errors import ReadError
from rhetoric.reading.cards import FACTS, read_cards
from rhetoric.reading.document import Document

_CONTROL = {i for i in range(32)} - {9, 10, 12, 13, 27}
_MAX_CONTROL_SHARE = 0.01


def read_text(path: Path, name: str | None = None) -> Document:
    """Read a text file.

    Raises:
        ReadError: it cannot be opened, is empty, or is no text.
    """
    name = str(path) if name is None else name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ReadError(f"{name}: {error.strerror or error}") from error
    return read_bytes(content, name)


def read_bytes(content: bytes, name: str) -> Document:
    """Make a document of the bytes of a text file: UTF-8 first, then detection of the encoding."""
    if not content.strip():
        raise ReadError(f"{name}: the file is empty")
    text, facts = _front_matter(_decode(content, name), name)
    card = read_cards().get(hashlib.sha256(content).hexdigest(), {})
    return Document(name=name, text=text, **{**card, **facts})


def _decode(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        if _control_share(content) > _MAX_CONTROL_SHARE and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise ReadError(f"{name}: this is not a text file") from None
        best = from_bytes(content[:1_000_000]).best()
        if best is None:
            raise ReadError(f"{name}: the encoding cannot be told; save the file as UTF-8") from None
        return content.decode(best.encoding, errors="replace")
    if _control_share(content) > _MAX_CONTROL_SHARE:
        raise ReadError(f"{name}: this is not a text file")
    return text


def _control_share(content: bytes) -> float:
    sample = content[:65536]
    return sum(byte in _CONTROL for byte in sample) / max(1, len(sample))


def _front_matter(text: str, name: str) -> tuple[str, Mapping[str, str]]:
    """Split off a block of facts between two lines of three dashes at the top, if there is one."""
    if not text.startswith("---"):
        return text, {}
    try:
        post = frontmatter.loads(text)
    except yaml.YAMLError as error:
        raise ReadError(f"{name}: the block between --- at the top is not YAML: {error}") from error
    return post.content, {key: str(post[key]) for key in FACTS if post.get(key) is not None}
