"""From bytes to text: UTF-8 first, then what a byte order mark or the bytes themselves tell."""

from __future__ import annotations

import codecs
from typing import BinaryIO

from charset_normalizer import from_bytes

from rhetoric.errors import ReadError
from rhetoric.reading.source import shown

_CONTROL = bytes(i for i in range(32) if i not in (9, 10, 12, 13, 27))
_MAX_CONTROL_SHARE = 0.01
_MAX_BROKEN_SHARE = 0.002
_SAMPLE = 1_000_000
_WESTERN = frozenset(
    "àâäáãåæçéèêëíìîïñóòôöõøœúùûüÿßÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØŒÚÙÛÜŸ‘’“”„«»–—…•€£©®°§¡¿ªº·´\u00a0\u00ad½¼¾²³¹×"
)
_COMMON = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "iso8859_2", "iso8859_5", "koi8_r",
    "koi8_u", "mac_roman", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr", "cp949", "cp874", "cp866",
)  # fmt: skip
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


def decode(content: bytes, name: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the text, the encoding and what to tell the user.

    Raises:
        ReadError: these are no bytes of a text.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace"), encoding, ()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _detect(content, name)
    _refuse_binary(content, name)
    return text, "utf-8", ()


def sniff(file: BinaryIO, name: str) -> str:
    """Tell the encoding of a file that is too long to hold, reading it once in pieces; leave it at its start."""
    sample = file.read(_SAMPLE)
    file.seek(0)
    for mark, encoding in _BOMS:
        if sample.startswith(mark):
            return encoding
    _refuse_binary(sample, name)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := file.read(_SAMPLE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        _, encoding, _ = _detect(sample, name)
        return encoding
    finally:
        file.seek(0)
    return "utf-8-sig"


def _detect(content: bytes, name: str) -> tuple[str, str, tuple[str, ...]]:
    _refuse_binary(content, name)
    text = content.decode("utf-8-sig", errors="replace")
    broken = text.count("\ufffd") - content.count("\ufffd".encode())
    beyond = sum(map(content.count, (b"\xe2\x80", b"\xc3", b"\xc2", b"\xd0", b"\xd1")))
    if broken <= max(1, _MAX_BROKEN_SHARE * len(text)) and beyond > 2 * broken:
        return text, "utf-8", (f"{broken} bytes are not UTF-8 and were read as \ufffd",)
    if _is_western(content[:_SAMPLE]):
        return content.decode("cp1252", errors="replace"), "cp1252", ("not UTF-8: read as cp1252",)
    sample = content[:_SAMPLE]
    best = from_bytes(sample, cp_isolation=list(_COMMON)).best() or from_bytes(sample).best()
    if best is None:
        raise ReadError(f"{shown(name)}: the encoding cannot be told; save the file as UTF-8")
    text = content.decode(best.encoding, errors="replace")
    return text, best.encoding, (f"not UTF-8: read as {best.encoding}",)


def _is_western(sample: bytes) -> bool:
    """Whether this is mostly ASCII, with the letters and quotation marks of Western Europe as Windows writes them."""
    try:
        beyond = sample.translate(None, bytes(range(128))).decode("cp1252")
    except UnicodeDecodeError:
        return False
    return len(beyond) < 0.12 * len(sample) and all(c in _WESTERN for c in beyond)


def _refuse_binary(content: bytes, name: str) -> None:
    sample = content[:65536]
    control = len(sample) - len(sample.translate(None, _CONTROL))
    if control > _MAX_CONTROL_SHARE * len(sample) + 2:
        raise ReadError(f"{shown(name)}: this is not a text file")
