"""MB/s of reading by format, through the worker, beside the rate of labelling: `python benchmarks/reading.py`.

MB are of the text that is read (characters as UTF-8), so that formats can be compared; the file's own
size is given too. Seconds are the processor's, of reading and labelling alike, so that what else the
machine does matters little and the ratios of one run can be trusted. A csv, a jsonl, a parquet and a
zip are also read at two lengths, for the worker's peak memory at each. All goes to results/reading.json.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from rhetoric.reading import Document, Reader  # noqa: E402
from rhetoric.voices import read_voices  # noqa: E402
from tests import reading_files as files  # noqa: E402

LEAST_SECONDS = 0.5
SPEECH = "\n\n".join(f"{p} This is sentence number {i}." for i in range(40) for p in files.PARAGRAPHS)
"""About as long as a speech in the UN General Debate: 17 kB."""


def make(ending: str, copies: int) -> bytes:
    """A file of one format: one long document, or a row a document."""
    text = "\n\n".join([SPEECH] * copies)
    paragraphs = tuple(text.split("\n\n"))
    rows = [{"id": str(i), "text": SPEECH} for i in range(copies)]
    if ending in ("csv", "tsv"):
        return files.table("," if ending == "csv" else "\t", rows).encode()
    if ending == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    if ending == "parquet":
        import polars as pl

        buffer = io.BytesIO()
        pl.DataFrame(rows).write_parquet(buffer, row_group_size=1000)
        return buffer.getvalue()
    if ending == "zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for i in range(copies):
                archive.writestr(f"{i}.txt", f"{i} {SPEECH}")
        return buffer.getvalue()
    if ending == "pdf":
        return pdf(paragraphs)
    if ending == "txt":
        return text.encode()
    old = files.PARAGRAPHS, files.ROWS
    files.PARAGRAPHS, files.ROWS = paragraphs, rows
    try:
        makers = {
            "html": lambda: files.html_page().encode(), "docx": files.docx_bytes, "odt": files.odt_bytes,
            "rtf": files.rtf_bytes, "srt": lambda: files.subtitles("srt").encode(),
            "vtt": lambda: files.subtitles("vtt").encode(), "xlsx": files.xlsx_bytes,
        }  # fmt: skip
        return makers[ending]()
    finally:
        files.PARAGRAPHS, files.ROWS = old


def pdf(paragraphs: tuple[str, ...]) -> bytes:
    """Pages of 40 lines of 80 characters."""
    import textwrap

    from reportlab.pdfgen import canvas

    lines = [line for p in paragraphs for line in textwrap.wrap(p, 80)]
    buffer = io.BytesIO()
    page = canvas.Canvas(buffer)
    for number in range(0, len(lines), 40):
        for i, line in enumerate(lines[number : number + 40]):
            page.drawString(60, 780 - 15 * i, line)
        page.drawString(300, 30, str(number // 40 + 1))
        page.showPage()
    page.save()
    return buffer.getvalue()


def peak(reader: Reader) -> float:
    """Most memory the worker has had, in MB (Linux)."""
    assert reader._process is not None
    status = Path(f"/proc/{reader._process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


def spent(reader: Reader) -> float:
    """Seconds of processor time the worker has used (Linux)."""
    assert reader._process is not None
    fields = Path(f"/proc/{reader._process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(path: Path) -> tuple[float, int, float]:
    """Processor seconds, bytes of text and the worker's peak MB: a warm worker reads the file until it has had enough."""
    with Reader() as reader:
        read_once(reader, path)
        begin, size = spent(reader), 0
        while spent(reader) - begin < LEAST_SECONDS:
            size += read_once(reader, path)
        return spent(reader) - begin, size, peak(reader)


def read_once(reader: Reader, path: Path) -> int:
    """Bytes of text in a file."""
    size = 0
    for item in reader.read(str(path)):
        assert isinstance(item, Document), item
        size += len(item.text.encode())
    return size


COPIES = {"pdf": 5, "docx": 5, "html": 5, "srt": 5, "vtt": 5}
"""Speeches in the file of a format, where it is not 20."""

FORMATS = ("txt", "html", "pdf", "docx", "odt", "rtf", "srt", "vtt", "csv", "tsv", "xlsx", "jsonl", "parquet", "zip")


def by_format(folder: Path) -> dict[str, dict[str, float]]:
    found = {}
    for ending in FORMATS:
        path = folder / f"speech.{ending}"
        path.write_bytes(make(ending, COPIES.get(ending, 20)))
        seconds, size, memory = measure(path)
        found[ending] = {
            "megabytes_a_second": size / 1e6 / seconds, "text_megabytes": size / 1e6,
            "file_megabytes": path.stat().st_size / 1e6, "peak_megabytes": memory,
        }  # fmt: skip
        print(ending, {name: round(value, 2) for name, value in found[ending].items()}, flush=True)
        path.unlink()
    return found


def segmenting() -> dict[str, float]:
    document = Document("a", "\n\n".join([SPEECH] * 100))
    begin = time.process_time()
    count = len(read_voices(document).speakers)
    seconds = time.process_time() - begin
    return {"megabytes_a_second": len(document.text) / 1e6 / seconds, "sentences_a_second": count / seconds}


def labelling() -> dict[str, float]:
    from rhetoric.label import label_document, load_classifier

    classifier = load_classifier()
    document = Document("a", "\n\n".join([SPEECH] * 5))
    label_document(Document("a", SPEECH), classifier)
    begin = time.process_time()
    count = len(label_document(document, classifier).sentences)
    seconds = time.process_time() - begin
    return {"megabytes_a_second": len(document.text) / 1e6 / seconds, "sentences_a_second": count / seconds}


def stream(folder: Path, copies: int) -> dict[str, list[dict[str, float]]]:
    """The worker's peak memory over a file of a tenth of the copies and over one of all."""
    found: dict[str, list[dict[str, float]]] = {}
    for ending in ("csv", "jsonl", "parquet", "zip"):
        path = folder / f"long.{ending}"
        for count in (copies // 10, copies):
            path.write_bytes(make(ending, count))
            with Reader() as reader:
                size = sum(len(item.text) for item in reader.read(str(path)) if isinstance(item, Document))
                found.setdefault(ending, []).append({"text_megabytes": size / 1e6, "peak_megabytes": peak(reader)})
            path.unlink()
        print(ending, found[ending], flush=True)
    return found


def start() -> dict[str, float]:
    """Seconds until the first file is read, the worker's start included, and for the next."""
    with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        file.write(SPEECH.encode())
        file.flush()
        begin = time.perf_counter()
        with Reader() as reader:
            list(reader.read(file.name))
            first = time.perf_counter() - begin
            list(reader.read(file.name))
            second = time.perf_counter() - begin - first
    return {"first_file_seconds": first, "next_file_seconds": second}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["rates", "streamed"], help="only this part; the other stays as it was")
    parser.add_argument("--copies", type=int, default=2000, help="speeches in the longest streamed file")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "reading.json")
    options = parser.parse_args()
    found = json.loads(options.out.read_text(encoding="utf-8")) if options.out.is_file() else {}
    with tempfile.TemporaryDirectory() as name:
        if options.part != "streamed":
            found |= {
                "start": start(),
                "formats": by_format(Path(name)),
                "sentences": segmenting(),
                "labelling": labelling(),
            }
        if options.part != "rates":
            found |= {"streamed": stream(Path(name), options.copies)}
    options.out.write_text(json.dumps(rounded(found), indent=1) + "\n", encoding="utf-8")


def rounded(value: Any) -> Any:
    """Four significant digits are what such a measurement can carry."""
    if isinstance(value, dict):
        return {key: rounded(v) for key, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
