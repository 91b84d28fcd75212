"""Take the README's picture of the page: `python benchmarks/screenshot.py [--out docs/page.png]`.

It starts the app, labels a demo transcript and takes a picture 1,280 pixels wide.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import click
from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "page.png"
EXAMPLE = "interview with the Foreign Minister"
SIZE = {"width": 1280, "height": 1180}
MOST_BYTES = 300_000
COLOURS = 128


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
@click.option("--example", default=EXAMPLE, show_default=True, help="Words of the title of the demo transcript.")
@click.option("--dark", is_flag=True, help="In dark colours.")
@click.option("--phone", is_flag=True, help="As wide as a phone.")
def main(out: Path, example: str, dark: bool, phone: bool) -> None:
    """Start the app, label a demo transcript, take the picture, end the app."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = subprocess.Popen([sys.executable, "app.py", "--port", str(port)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        app.stdout.readline()  # "The page is open on …"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
                args=["--no-sandbox", "--disable-gpu"],
            )
            size = {"width": 390, "height": 844} if phone else SIZE
            page = browser.new_page(viewport=size, color_scheme="dark" if dark else "light")
            page.goto(f"http://127.0.0.1:{port}")
            take(page, example, out)
            browser.close()
    finally:
        app.terminate()
        app.wait(30)
    click.echo(f"{out}: {out.stat().st_size:,} bytes")
    if out.stat().st_size > MOST_BYTES:
        sys.exit(f"the picture is larger than {MOST_BYTES:,} bytes")


def take(page: Page, example: str, out: Path) -> None:
    """Label an example and write the picture."""
    page.get_by_role("button", name=example).click()
    page.wait_for_selector(".rh-text")
    page.mouse.move(5, 5)
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    page.wait_for_timeout(500)
    out.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=out)
    with Image.open(out) as image:
        image.convert("RGB").quantize(COLOURS).save(out, optimize=True)


if __name__ == "__main__":
    main()
