"""What happens without a browser: a reason on the screen, and in CI a failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .visits import CI_SIGNS, ROOT


@pytest.mark.browser
def test_the_browser_starts(browser: Any) -> None:
    assert browser.version


@pytest.mark.parametrize(("ci", "code", "word"), [({}, 0, "SKIPPED"), ({"CI": "true"}, 1, "CI never skips")])
def test_without_a_browser_the_tests_are_skipped_aloud_and_in_ci_fail(
    tmp_path: Path, ci: dict[str, str], code: int, word: str
) -> None:
    bare = {name: value for name, value in os.environ.items() if name not in CI_SIGNS}
    environment = {**bare, **ci, "PATH": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        f"{__file__}::{test_the_browser_starts.__name__}",
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert word in done.stdout
    assert "no browser starts" in done.stdout
