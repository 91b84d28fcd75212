"""The app's command, without a browser."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from .visits import ROOT, watched


def run(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, env=environment)


def test_import_loads_neither_torch_nor_gradio() -> None:
    done = run("-c", "import app, sys; print({'torch', 'transformers', 'gradio', 'datasets'} & set(sys.modules))")
    assert done.stdout.strip() == "set()", done.stderr
    assert done.stderr == ""


def test_import_calls_nobody_and_starts_nothing(tmp_path: Path) -> None:
    calls = tmp_path / "calls.txt"
    calls.touch()
    done = run("-c", "import app", environment=watched(calls))
    assert done.returncode == 0, done.stderr
    assert calls.read_text() == ""


def test_port_taken_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("app.py", "--port", str(port))
    assert done.returncode != 0
    assert f"127.0.0.1:{port}" in done.stderr and "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_without_a_model_is_said() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = run("app.py", "--model", "docs", "--port", str(port))
    assert done.returncode != 0 and "there is no model in docs" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_the_options() -> None:
    done = run("app.py", "--help")
    assert done.returncode == 0
    assert "--port" in done.stdout and "--host" in done.stdout
