"""Shared parts of the tests: the shipped classifier, the demo transcripts, the real texts where they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from model.classifier import Classifier
from rhetoric.label import load_classifier
from rhetoric.reading import Document, read_text

ROOT = Path(__file__).resolve().parent.parent
DEMO = sorted((ROOT / "seeds" / "demo").glob("*.txt"))
SHARED = Path(os.environ.get("RHETORIC_TEXTS", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    return load_classifier()


@pytest.fixture(scope="session")
def demo_documents() -> list[Document]:
    return [read_text(path) for path in DEMO]


@pytest.fixture(scope="session")
def seed_paths() -> list[Path]:
    """The five seed documents, which are not in the repository."""
    paths = sorted((SHARED / "seeds").glob("*.txt"))
    if not paths:
        pytest.skip(f"no seed documents in {SHARED}; set RHETORIC_TEXTS")
    return paths
