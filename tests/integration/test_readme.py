"""Every snippet of the README runs, and prints what it says."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from rhetoric import cli
from rhetoric.codebook import default_codebook

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
PYTHON = [text for language, text in BLOCKS if language == "python"]
COMMANDS = [
    line
    for language, text in BLOCKS
    if language == "sh"
    for line in text.splitlines()
    if line.startswith(".venv/bin/rhetoric")
]


@pytest.mark.parametrize("snippet", PYTHON)
def test_python_snippets_print_their_comments(snippet: str) -> None:
    done = subprocess.run([sys.executable, "-c", snippet], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    expected = [line[2:] for line in snippet.splitlines() if line.startswith("# ")]
    assert done.stdout.splitlines() == expected


def test_commands_run_in_order(tmp_path: Path) -> None:
    assert len(COMMANDS) >= 5
    for command in COMMANDS:
        words = shlex.split(command, comments=True)[1:]
        words = [str(ROOT / w) if (ROOT / w).exists() and "/" in w else w for w in words]
        done = subprocess.run(
            [sys.executable, "-m", "rhetoric.cli", *words], capture_output=True, cwd=tmp_path, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stderr.decode()}"


@pytest.mark.train
def test_the_snippet_of_the_datasheet_runs() -> None:
    pytest.importorskip("datasets", reason="the train extra is not installed: make setup-train")
    (snippet,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "labels" / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    done = subprocess.run([sys.executable, "-c", snippet], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "labels/README.md",
        "model/MODEL_CARD.md",
        "seeds/README.md",
        "docs/reading.md",
        "docs/comparison.md",
    ],
)
def test_links_lead_somewhere(name: str) -> None:
    folder = (ROOT / name).parent
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", (ROOT / name).read_text(encoding="utf-8")):
        file, _, section = link.partition("#")
        target = folder / file if file else ROOT / name
        assert target.exists(), link
        if section:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert section in [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings], link


def test_commands_and_targets_that_are_named_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|^)make ([\w-]+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    named = set(re.findall(r"rhetoric ([a-z]+)\b", " ".join(re.findall(r"`(?:\.venv/bin/)?(rhetoric [^`]+)`", README))))
    assert named - set(cli.COMMANDS) == set()
    assert len(named) >= 7


def test_the_categories_are_those_of_the_codebook() -> None:
    for category in default_codebook().categories:
        assert f"| `{category.key}` | {category.short} |" in README


def test_the_readme_has_the_two_commands_and_its_pictures() -> None:
    assert "make run" in README
    assert "make test" in README
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / picture).is_file(), picture


def test_no_mark_for_figures_is_left_empty() -> None:
    for path in (ROOT / "README.md", ROOT / "model" / "MODEL_CARD.md", ROOT / "labels" / "README.md"):
        for name, text in re.findall(
            r"<!-- figures: (\S+) -->\n(.*?)<!-- /figures -->", path.read_text(encoding="utf-8"), re.DOTALL
        ):
            assert text.strip(), f"{path.name}: {name}"
