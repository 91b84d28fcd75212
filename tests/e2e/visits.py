"""What the browser tests pass around."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "seeds" / "demo"
CI_SIGNS = ("CI", "TF_BUILD", "JENKINS_URL")
"""What makes libraries behave in CI, and call home elsewhere."""


def watched(calls: Path) -> dict[str, str]:
    """Return the environment of a Python that notes in `calls` whom it calls, as on a user's machine."""
    here = {name: value for name, value in os.environ.items() if name not in CI_SIGNS}
    return {**here, "PYTHONPATH": str(Path(__file__).parent / "watch"), "WATCH_CALLS": str(calls)}


@dataclass
class App:
    """The running app: its address, and the file that lists whom its process called."""

    url: str
    port: int
    calls: Path


@dataclass
class Visit:
    """An open page, with what it asked for and what went wrong in it."""

    page: Any
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def hosts(self) -> set[str]:
        """Hosts that were asked for anything."""
        return {urlsplit(url).netloc for url in self.requests if urlsplit(url).scheme not in ("data", "blob")}
