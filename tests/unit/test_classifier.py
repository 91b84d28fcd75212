import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.classifier import MODEL_NAME, TOKENIZER_NAME, Classifier
from model.manifest import MANIFEST_NAME, WEIGHTS, Decision, File, ModelError, read_manifest, sha256_of
from rhetoric.codebook import default_codebook

BOOK = default_codebook()
TURN = ["NATO lied to us.", "We then helped the NGOs of the region with grants.", "The weather is fine."]


def load(folder: Path = WEIGHTS, **changes: object) -> Classifier:
    return Classifier.load(folder, **{"categories": BOOK.keys, "codebook_version": BOOK.version, **changes})  # type: ignore[arg-type]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(WEIGHTS, tmp_path / "weights")
    return tmp_path / "weights"


def test_probabilities_come_by_turn_in_label_order(classifier: Classifier) -> None:
    found = classifier.predict_proba([TURN, [], TURN[:1]])
    assert [p.shape for p in found] == [(3, 3), (0, 3), (1, 3)]
    assert all(((p > 0) & (p < 1)).all() for p in found)
    assert classifier.manifest.categories == BOOK.keys


def test_a_turn_gets_the_same_probabilities_whatever_else_is_asked(classifier: Classifier) -> None:
    alone = classifier.predict_proba([TURN])[0]
    others = [[f"This is sentence {n} of a turn of another length." for n in range(k)] for k in range(1, 30)]
    assert np.array_equal(classifier.predict_proba([*others, TURN])[-1], alone)
    assert np.array_equal(classifier.predict_proba([TURN, *others])[0], alone)
    assert np.array_equal(load(threads=1).predict_proba([TURN])[0], alone)


def test_a_bare_string_is_refused(classifier: Classifier) -> None:
    for wrong in ("a speech", ["a turn"]):
        with pytest.raises(TypeError, match="sequence of sentences"):
            classifier.predict_proba(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("sentence", ["", " ", "[CLS] [SEP] [MASK]", "\u0000\ud800", "word " * 5000, "привет", "…"])
def test_odd_sentences_get_probabilities(classifier: Classifier, sentence: str) -> None:
    (found,) = classifier.predict_proba([[sentence, "A plain sentence."]])
    assert np.isfinite(found).all()


def test_another_codebook_is_refused() -> None:
    with pytest.raises(ModelError, match="ngo_support, soft_power"):
        load(categories=("ngo_support", "soft_power"))
    with pytest.raises(ModelError, match=r"codebook 1\.0, this is 2\.0"):
        load(codebook_version="2.0")


def test_a_changed_or_missing_file_is_named(copy: Path) -> None:
    with (copy / MODEL_NAME).open("r+b") as file:
        file.seek(1000)
        file.write(b"x")
    with pytest.raises(ModelError, match=MODEL_NAME):
        load(copy)
    (copy / MODEL_NAME).unlink()
    with pytest.raises(ModelError, match=r"missing"):
        load(copy)


def rename_pieces(folder: Path, cls: str, sep: str) -> None:
    """Give a model's special pieces other names, in its tokenizer and in the manifest's sum of it."""
    tokenizer = folder / TOKENIZER_NAME
    text = tokenizer.read_text(encoding="utf-8").replace('"[CLS]"', f'"{cls}"').replace('"[SEP]"', f'"{sep}"')
    tokenizer.write_text(text, encoding="utf-8")
    manifest = read_manifest(folder)
    files = {**manifest.files, TOKENIZER_NAME: File(tokenizer.stat().st_size, sha256_of(tokenizer))}
    replace(manifest, files=files).write(folder)


def test_other_bases_name_their_special_pieces_otherwise(classifier: Classifier, copy: Path) -> None:
    rename_pieces(copy, "<s>", "</s>")
    assert np.array_equal(load(copy).predict_proba([TURN])[0], classifier.predict_proba([TURN])[0])
    text = (copy / TOKENIZER_NAME).read_text(encoding="utf-8")
    (copy / TOKENIZER_NAME).write_text(text.replace('"[unused1]"', '"[CLS]"'), encoding="utf-8")
    rename_pieces(copy, "[CLS]", "[SEP]")  # a piece of that name that opens no text, as all-mpnet-base-v2 has
    assert np.array_equal(load(copy).predict_proba([TURN])[0], classifier.predict_proba([TURN])[0])
    table = json.loads((copy / TOKENIZER_NAME).read_text(encoding="utf-8")) | {"post_processor": None}
    (copy / TOKENIZER_NAME).write_text(json.dumps(table), encoding="utf-8")
    rename_pieces(copy, "[CLS]", "[SEP]")
    with pytest.raises(ModelError, match="0 special pieces"):
        load(copy)


def test_a_broken_manifest_is_refused(copy: Path) -> None:
    path = copy / MANIFEST_NAME
    table = json.loads(path.read_text(encoding="utf-8"))
    for broken in (
        "{",
        "[]",
        json.dumps({**table, "format": 99}),
        json.dumps({k: v for k, v in table.items() if k != "base"}),
    ):
        path.write_text(broken, encoding="utf-8")
        with pytest.raises(ModelError, match=MANIFEST_NAME):
            read_manifest(copy)
    path.unlink()
    with pytest.raises(ModelError, match="no model"):
        read_manifest(copy)


def test_a_doubt_band_holds_its_threshold() -> None:
    with pytest.raises(ModelError, match="doubt"):
        Decision(1.0, 0.0, 0.5, (0.6, 0.8))
