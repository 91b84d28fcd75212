"""Mutated files for the readers: bytes flipped, cut, doubled, spliced; inside packages as well as around them."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

MAGIC = (b"\x00" * 8, b"\xff" * 8, b"%PDF-1.4", b"PK\x03\x04", b"<![CDATA[", b"]]>", b"&#x0;", b"{\\rtf1", b"\xed\xa0\x80", b'"', b"\n\n",
         b"-->", b"99999999999999999999", b"\x7f\xff\xff\xff", b"--- ", b"<a>" * 50)  # fmt: skip
PACKAGES = (".docx", ".odt", ".xlsx", ".zip")


def mutate(content: bytes, rng: random.Random) -> bytes:
    """Change a few places of the bytes."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if not data:
            break
        at = rng.randrange(len(data))
        length = rng.choice((1, 2, 8, 64, 512))
        match rng.randrange(7):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data[at : at + length] = rng.randbytes(length)
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = rng.choice(MAGIC)
            case 4:
                data[at:at] = data[at : at + length] * rng.choice((2, 10, 100))
            case 5:
                del data[at:]
            case 6:
                other = rng.randrange(len(data))
                data[at : at + length] = data[other : other + length]
    return bytes(data)


def mutate_inside(content: bytes, rng: random.Random) -> bytes:
    """Change one member of a zip and pack it again, so that the change reaches the parser."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        chosen = rng.choice(names)
        for name in names:
            member = old.read(name)
            new.writestr(name, mutate(member, rng) if name == chosen else member)
    return buffer.getvalue()


def mutants(paths: list[Path], count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of `count` mutated files, in turn from each path."""
    rng = random.Random(seed)
    originals = [(path.suffix, path.read_bytes()) for path in paths]
    for number in range(count):
        suffix, content = originals[number % len(originals)]
        inside = suffix in PACKAGES and rng.random() < 0.6
        yield f"{number}{suffix}", mutate_inside(content, rng) if inside else mutate(content, rng)
