"""The app in a process of its own, and a browser that notes where it goes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .visits import ROOT, App, Visit, watched

START_SECONDS = 120
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Start the app on a free port; its own outgoing connections are written down."""
    folder = tmp_path_factory.mktemp("app")
    port, calls, log = free_port(), folder / "calls.txt", folder / "log.txt"
    calls.touch()
    environment = watched(calls)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(port)],
            cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=environment,
        )  # fmt: skip
    try:
        _wait(process, log)
        yield App(f"http://127.0.0.1:{port}", port, calls)
    finally:
        process.terminate()
        process.wait(30)
    assert "Traceback" not in log.read_text(), log.read_text()


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while "is open on" not in log.read_text():
        if process.poll() is not None or time.monotonic() > end:
            pytest.fail(f"the app did not start:\n{log.read_text()}")
        time.sleep(0.2)


def _no_browser(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"CI never skips the browser tests: {reason}")
    pytest.skip(f"browser tests skipped: {reason}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start a headless browser: one that is installed, else Playwright's own."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        _no_browser("Playwright is not installed (make setup-test)")
    with sync_playwright() as playwright:
        reasons = []
        for path in (*filter(None, map(shutil.which, BROWSERS)), None):
            try:
                started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
                break
            except Error as error:
                reasons.append(f"{path or 'Playwright’s own'}: {str(error).strip().splitlines()[0]}")
        else:
            _no_browser(f"no browser starts ({'; '.join(reasons)}); sh scripts/browser.sh .venv/bin/python gets one")
        yield started
        started.close()


@pytest.fixture
def visit(app: App, browser: Any, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Open the page; `@pytest.mark.parametrize("visit", [{...}], indirect=True)` sets the context's options."""
    options = {"viewport": {"width": 1280, "height": 900}, **getattr(request, "param", {})}
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"], **options)
    context.set_default_timeout(60_000)
    page = context.new_page()
    visit = Visit(page)
    page.on("request", lambda r: visit.requests.append(r.url))
    page.on("websocket", lambda w: visit.requests.append(w.url))
    page.on("pageerror", lambda e: visit.errors.append(str(e)))
    page.goto(app.url)
    page.wait_for_selector("#rh-speech textarea")
    page.wait_for_selector(".rh")
    yield visit
    context.close()
    assert visit.hosts() == {f"127.0.0.1:{app.port}"}, "the page asked another host"
    assert not visit.errors
