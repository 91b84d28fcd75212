"""The web page: `python app.py` serves it on http://127.0.0.1:7860. Layout and wiring only.

Gradio is imported when the page is built, so that importing this module is quick and has no effects.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import rhetoric
from model.manifest import WEIGHTS, ModelError
from rhetoric import page
from rhetoric.cli.options import model_option
from rhetoric.codebook import default_codebook
from rhetoric.errors import ReadError, RhetoricError
from rhetoric.export import WRITERS, write_jsonl
from rhetoric.label import Labelling, label_document, load_classifier
from rhetoric.reading import Document, Reader, Source, read_bytes

if TYPE_CHECKING:
    import gradio as gr

    from model.classifier import Classifier
    from rhetoric.table import LabelledRows

TITLE = "Rhetoric classifier"
HOST, PORT = "127.0.0.1", 7860
EXAMPLES = Path(__file__).resolve().parent / "seeds" / "demo"
MAX_FILE = "16mb"
LONG = 100_000
"""Characters from which on the page says at once that it takes a while."""

QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}
"""What keeps the libraries from calling home."""

Shown = tuple[str, str | None, str | None]
"""The result's HTML and the paths of the two files to download."""


Drawn = tuple[str, str | None, str | None, str | None]
"""The HTML of a trend or of shares, and the paths of its data, its SVG and its PNG."""


class Service:
    """What the page's buttons do, with the one classifier that all of them share."""

    def __init__(self, classifier: Classifier, folder: Path) -> None:
        """Keep the classifier, and the folder where downloads are written."""
        self._classifier = classifier
        self._folder = folder
        self.book = default_codebook()
        self.page = page.Page(self.book, classifier.manifest, rhetoric.__version__)
        documents = [read_bytes(path.read_bytes(), path.name) for path in EXAMPLES.glob("*.txt")]
        self.examples = sorted(documents, key=lambda document: document.date)

    def label(self, text: str, taken: Document | None) -> Iterator[Shown]:
        """Label the text field, which may hold the text of a document taken from a file."""
        try:
            document = page.pasted(text or "", taken)
            if len(document.text) > LONG:
                yield self.page.message(f"Labelling {len(document.text):,} characters …", "busy"), None, None
            labelling = label_document(document, self._classifier)
        except RhetoricError as error:
            yield self.page.message(str(error)), None, None
            return
        files = (
            (self._write(labelling, "csv"), self._write(labelling, "jsonl")) if labelling.sentences else (None, None)
        )
        yield self.page.result(labelling), *files

    def read_upload(self, path: str) -> Document:
        """Read an uploaded file of any format that holds one document.

        Raises:
            ReadError: it cannot be read, holds several documents, or is too long for the page.
        """
        source = Source(Path(path).name, path=Path(path))
        with Reader() as reader:
            items = list(islice(reader.read(source), 2))
        for item in items:
            if isinstance(item, ReadError):
                raise item
        if len(items) != 1:
            raise ReadError(
                f"{source.name} holds several documents, and the page takes one. "
                "Label them on the command line: rhetoric label FILE --out rows.csv"
            )
        return page.check_length(items[0])

    def example_rows(self) -> LabelledRows:
        """Label the example speeches, to have something to compare."""
        from rhetoric.table import read_rows

        path = Path(tempfile.mkdtemp(dir=self._folder)) / "examples.jsonl"
        sentences = (s for d in self.examples for s in label_document(d, self._classifier).sentences)
        with path.open("wb") as file:
            write_jsonl(sentences, file, self.book.keys)
        return read_rows([path])

    def read_rows(self, paths: Sequence[str], facts: str | None) -> LabelledRows:
        """Read uploaded rows, and the table of facts where one was uploaded.

        Raises:
            RhetoricError: they are no rows, or cannot be used together.
        """
        from rhetoric.table import read_rows

        if not paths:
            raise RhetoricError("There are no rows yet. Upload the file that rhetoric label wrote.")

        given = [Path(path) for path in filter(None, [*paths, facts])]
        try:
            rows = read_rows([Path(path) for path in paths], Path(facts) if facts else None)
        except RhetoricError as error:
            raise RhetoricError(_plain(str(error), given)) from error
        return replace(rows, notes=tuple(_plain(note, given) for note in rows.notes))

    def explore(self, rows: LabelledRows | None, category: str, by: str, period: str) -> Drawn:
        """Draw the trend that was asked for."""
        from rhetoric.explore import Asked, explore

        if rows is None:
            return self.page.nothing_to_compare(), None, None, None
        try:
            found = explore(rows, Asked(category, by or "", period), Path(tempfile.mkdtemp(dir=self._folder)))
        except RhetoricError as error:
            return self.page.message(str(error)), None, None, None
        return found.html, *map(str, found.files)

    def correct(self, rows: LabelledRows | None, files: Sequence[str], sheet: str | None, by: str) -> Drawn:
        """Correct the shares of uploaded rows with the files of an audit and its filled sheet."""
        from rhetoric.corrected import corrected, read_coded

        folder = Path(tempfile.mkdtemp(dir=self._folder))
        audit = folder / "the upload"
        audit.mkdir()
        try:
            if rows is None or not files or not sheet:
                raise RhetoricError("Upload all three: the rows, the files of the audit, and its filled sheet.")
            for path in files:
                shutil.copy(path, audit)
            found = corrected(rows, read_coded(audit, Path(sheet)), by or "", folder)
        except RhetoricError as error:
            return self.page.message(_plain(str(error), [audit, Path(sheet or audit)])), None, None, None
        return found.html, *map(str, found.files)

    def _write(self, labelling: Labelling, form: str) -> str:
        name = Path(labelling.document.name).stem.replace(" ", "-")
        path = Path(tempfile.mkdtemp(dir=self._folder)) / f"{name}.{form}"
        with path.open("wb") as file:
            WRITERS[form](labelling.sentences, file, self.book.keys)
        return str(path)


def _plain(message: str, paths: Sequence[Path]) -> str:
    """A message without the folders of uploads: they are ours and say nothing to the user."""
    for path in paths:
        message = message.replace(f"{path.parent}/", "")
    return message


def build(service: Service) -> gr.Blocks:
    """Lay the page out and connect its parts."""
    import gradio as gr

    def files(shown: Shown) -> tuple[Any, ...]:
        html, *paths = shown
        return html, *(gr.update(value=path, visible=path is not None) for path in paths)

    def on_label(text: str, taken: Document | None) -> Iterator[tuple[Any, ...]]:
        yield from map(files, service.label(text, taken))

    def on_document(document: Document) -> Iterator[tuple[Any, ...]]:
        for shown in service.label(document.text, document):
            yield document.text, document, *files(shown)

    def on_upload(path: str) -> Iterator[tuple[Any, ...]]:
        try:
            document = service.read_upload(path)
        except ReadError as error:
            yield gr.skip(), gr.skip(), *files((service.page.message(str(error)), None, None))
        else:
            yield from on_document(document)

    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(3600, 3600)) as blocks:
        plain: dict[str, Any] = {"apply_default_css": False, "js_on_load": None}
        calls: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "classifier", "api_visibility": "private"}
        taken = gr.State(None)
        gr.HTML(f"<h1>{page.escape(TITLE)}</h1><p>{page.escape(service.book.title)}</p>", elem_id="rh-head", **plain)
        with gr.Tab("Label a speech"):
            with gr.Row(elem_id="rh-columns"):
                with gr.Column(elem_id="rh-input"):
                    speech = gr.Textbox(
                        label="Speech", placeholder="Paste a speech here, in English, and press Ctrl + Enter.",
                        lines=12, max_lines=12, elem_id="rh-speech", autofocus=True,
                    )  # fmt: skip
                    button = gr.Button("Label the speech", variant="primary", elem_id="rh-label")
                    upload = gr.UploadButton("Upload a file (txt, docx, pdf, html …)", elem_id="rh-upload", size="md")
                    gr.HTML(
                        "<h2>Or take an example</h2><p>Speakers and states are invented.</p>", elem_id="rh-or", **plain
                    )
                    with gr.Column(elem_id="rh-examples"):
                        examples = [gr.Button(f"{d.date[:4]} · {d.title}", size="sm") for d in service.examples]
                with gr.Column(elem_id="rh-output"):
                    with gr.Row(elem_id="rh-files"):
                        downloads = [
                            gr.DownloadButton(f"Download {name}", visible=False, size="md", elem_id=f"rh-{form}")
                            for form, name in (("csv", "CSV"), ("jsonl", "JSON Lines"))
                        ]
                    result = gr.HTML(service.page.empty(), elem_id="rh-result", **plain)
        with gr.Tab("Compare over time", elem_id="rh-compare"):
            _compare_tab(service, plain, calls)
        with gr.Tab("Correct shares", elem_id="rh-correct"):
            _correct_tab(service, plain, calls)
        gr.HTML(service.page.foot(), **plain)

        shown = [result, *downloads]
        everything = [speech, taken, *shown]
        events = [
            button.click(on_label, [speech, taken], shown, show_progress_on=result, **calls),
            upload.upload(on_upload, upload, everything, show_progress_on=result, **calls),
            *(
                example.click(partial(on_document, document), None, everything, show_progress_on=result, **calls)
                for example, document in zip(examples, service.examples, strict=True)
            ),
        ]
        for event in events:
            event.then(None, js="() => window.rhetoricShow()")
    return blocks


def _row_fields(label: str, rows_id: str, facts_id: str) -> tuple[Any, Any]:
    """Fields for labelled rows and for the facts that go with their files."""
    import gradio as gr

    rows = gr.File(
        label=label, file_count="multiple", elem_id=rows_id, height=150, file_types=[".csv", ".jsonl", ".parquet"]
    )
    facts = gr.File(
        label="Facts by file name, if you have them", elem_id=facts_id, height=150,
        file_types=[".csv", ".tsv", ".xlsx", ".jsonl", ".parquet"],
    )  # fmt: skip
    return rows, facts


def _download_buttons(prefix: str) -> list[Any]:
    """Buttons for a figure and its data, hidden until there is one."""
    import gradio as gr

    return [
        gr.DownloadButton(f"Download {name}", visible=False, size="md", elem_id=f"{prefix}-{name.lower()}")
        for name in ("CSV", "SVG", "PNG")
    ]


def _compare_tab(service: Service, plain: dict[str, Any], calls: dict[str, Any]) -> None:
    """Lay out the tab of trends and connect its parts."""
    import gradio as gr

    from rhetoric.explore import group_columns

    def drawn(rows: LabelledRows | None, category: str, by: str, period: str) -> tuple[Any, ...]:
        html, *paths = service.explore(rows, category, by, period)
        return html, *(gr.update(value=path, visible=path is not None) for path in paths)

    def taken(rows: LabelledRows, category: str, period: str) -> tuple[Any, ...]:
        by = gr.update(choices=[("one line for all", ""), *((c, c) for c in group_columns(rows))], value="")
        return rows, by, *drawn(rows, category, "", period)

    def on_examples(category: str, period: str) -> tuple[Any, ...]:
        return taken(service.example_rows(), category, period)

    def on_rows(paths: list[str] | None, facts: str | None, category: str, period: str) -> tuple[Any, ...]:
        try:
            return taken(service.read_rows(paths or [], facts), category, period)
        except RhetoricError as error:
            return None, gr.skip(), service.page.message(str(error)), *(gr.update(visible=False) for _ in range(3))

    rows = gr.State(None)
    with gr.Row(elem_classes="rh-columns"):
        with gr.Column(elem_classes="rh-input"):
            files, facts = _row_fields("Rows that rhetoric label wrote", "rh-rows", "rh-facts")
            examples = gr.Button("Compare the examples", elem_id="rh-compare-examples", size="md")
            names = [(category.name, category.key) for category in service.book.categories]
            category = gr.Dropdown(names, value=names[0][1], label="Category", elem_id="rh-category")
            by = gr.Dropdown([("one line for all", "")], value="", label="A line for each", elem_id="rh-by")
            period = gr.Dropdown(["year", "quarter", "month"], value="year", label="Period", elem_id="rh-period")
        with gr.Column(elem_classes="rh-output"):
            with gr.Row(elem_classes="rh-files"):
                downloads = _download_buttons("rh-trend")
            figure = gr.HTML(service.page.nothing_to_compare(), elem_id="rh-trend", **plain)
    shown = [figure, *downloads]
    everything = [rows, by, *shown]
    examples.click(on_examples, [category, period], everything, show_progress_on=figure, **calls)
    for given in (files, facts):
        given.upload(on_rows, [files, facts, category, period], everything, show_progress_on=figure, **calls)
    for choice in (category, by, period):
        choice.input(drawn, [rows, category, by, period], shown, show_progress_on=figure, **calls)


def _correct_tab(service: Service, plain: dict[str, Any], calls: dict[str, Any]) -> None:
    """Lay out the tab of corrected shares and connect its parts."""
    import gradio as gr

    from rhetoric.explore import group_columns

    def on_rows(paths: list[str] | None, facts: str | None) -> tuple[Any, ...]:
        try:
            rows = service.read_rows(paths or [], facts)
        except RhetoricError as error:
            return None, gr.skip(), service.page.message(str(error)), *(gr.update(visible=False) for _ in range(3))
        by = gr.update(choices=[("all rows together", ""), *((c, c) for c in group_columns(rows))], value="")
        return rows, by, service.page.nothing_to_correct(), *(gr.update(visible=False) for _ in range(3))

    def on_correct(rows: LabelledRows | None, audit: list[str] | None, sheet: str | None, by: str) -> tuple[Any, ...]:
        html, *paths = service.correct(rows, audit or [], sheet, by)
        return html, *(gr.update(value=path, visible=path is not None) for path in paths)

    rows = gr.State(None)
    with gr.Row(elem_classes="rh-columns"):
        with gr.Column(elem_classes="rh-input"):
            files, facts = _row_fields("All rows of the run", "rh-run", "rh-run-facts")
            audit = gr.File(
                label="The audit's folder: its three data files", file_count="multiple",
                elem_id="rh-audit", height=150, file_types=[".json", ".jsonl", ".parquet"],
            )  # fmt: skip
            sheet = gr.File(
                label="Its filled sheet", elem_id="rh-sheet", height=150, file_types=[".xlsx", ".csv", ".jsonl"],
            )  # fmt: skip
            by = gr.Dropdown([("all rows together", "")], value="", label="A row for each", elem_id="rh-correct-by")
            button = gr.Button("Correct the shares", variant="primary", elem_id="rh-set-right")
        with gr.Column(elem_classes="rh-output"):
            with gr.Row(elem_classes="rh-files"):
                downloads = _download_buttons("rh-shares")
            result = gr.HTML(service.page.nothing_to_correct(), elem_id="rh-shares", **plain)
    shown = [result, *downloads]
    for given in (files, facts):
        given.upload(on_rows, [files, facts], [rows, by, *shown], show_progress_on=result, **calls)
    button.click(on_correct, [rows, audit, sheet, by], shown, show_progress_on=result, **calls)


def serve(service: Service, host: str, port: int) -> None:
    """Serve the page until it is interrupted."""
    import gradio as gr

    fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Liberation Sans", "sans-serif"]
    theme = gr.themes.Base(
        primary_hue="slate", neutral_hue="slate", font=fonts, font_mono=["ui-monospace", "monospace"]
    )
    blocks = build(service)
    blocks.queue().launch(
        server_name=host, server_port=port, share=False, quiet=True, theme=theme, ssr_mode=False, run_history=False,
        footer_links=[], max_file_size=MAX_FILE, enable_monitoring=False, pwa=False, mcp_server=False,
        head=f"<style>{page.style(service.book)}</style><script>{page.script()}</script>", prevent_thread_lock=True,
    )  # fmt: skip
    print(f"The page is open on http://{host}:{port}. Ctrl+C ends it.", flush=True)
    try:
        blocks.block_thread()
    finally:
        blocks.close(verbose=False)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default=HOST, show_default=True, help="Address to listen on; 0.0.0.0 lets others in.")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@model_option
def main(host: str, port: int, model: Path | None) -> None:
    """Open the page where a speech goes in and labelled sentences come out. Ctrl+C ends it."""
    _check_port(host, port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # so that the folder of downloads goes with us
    with tempfile.TemporaryDirectory(prefix="rhetoric-") as folder:
        os.environ.update(QUIET, GRADIO_TEMP_DIR=folder)
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(filter(None, [os.environ.get("no_proxy"), HOST]))
        try:
            service = Service(load_classifier(folder=model or WEIGHTS), Path(folder))
        except (RhetoricError, ModelError) as error:
            sys.exit(f"rhetoric: {error}")
        serve(service, host, port)


def _check_port(host: str, port: int) -> None:
    """Say so at once when the page cannot listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.UsageError(
                f"cannot listen on {host}:{port} ({error.strerror}). "
                f"Is the page open already? Another port: python app.py --port {port + 1}"
            ) from error


if __name__ == "__main__":
    main()
