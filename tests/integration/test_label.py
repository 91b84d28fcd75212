"""Labelling documents: offsets, order, independence of the run."""

import random
from pathlib import Path

import pytest

from model.classifier import Classifier
from rhetoric.label import label_document, label_documents
from rhetoric.reading import Document, read_text


def test_offsets_give_back_the_text_exactly(classifier: Classifier, demo_documents: list[Document]) -> None:
    for labelling in label_documents(demo_documents, classifier):
        end = 0
        for number, row in enumerate(labelling.sentences, 1):
            assert row.sentence == number
            assert row.text == labelling.document.text[row.start : row.end]
            assert row.start >= end
            end = row.end


def test_rows_do_not_depend_on_the_order_or_on_the_other_documents(
    classifier: Classifier, demo_documents: list[Document]
) -> None:
    alone = {d.name: label_document(d, classifier) for d in demo_documents}
    shuffled = random.Random(1).sample(demo_documents, len(demo_documents))
    for labelling in label_documents(shuffled, classifier):
        assert labelling == alone[labelling.document.name]


def test_the_same_text_twice_gives_the_same_rows_twice(classifier: Classifier, demo_documents: list[Document]) -> None:
    first, second = label_documents([demo_documents[0]] * 2, classifier)
    assert first == second
    assert len(first.sentences) > 10


def test_a_label_is_a_probability_from_its_threshold_on(classifier: Classifier, demo_documents: list[Document]) -> None:
    decisions = classifier.manifest.decisions
    for labelling in label_documents(demo_documents, classifier):
        for row in labelling.sentences:
            assert row.labels == tuple(k for k in decisions if row.probabilities[k] >= decisions[k].threshold)
            assert row.needs_review == any(
                d.doubt[0] <= row.probabilities[k] <= d.doubt[1] for k, d in decisions.items()
            )


def test_the_demo_transcripts_show_every_category(classifier: Classifier, demo_documents: list[Document]) -> None:
    found = {
        k for labelling in label_documents(demo_documents, classifier) for s in labelling.sentences for k in s.labels
    }
    assert found == set(classifier.manifest.categories)


def test_speakers_come_from_the_turns_else_from_the_document(classifier: Classifier) -> None:
    document = Document("x", "QUESTION: Will you come?\nMINISTER: Yes. We will.\n", speaker="Somebody")
    assert [(s.speaker, s.turn, s.text) for s in label_document(document, classifier).sentences] == [
        ("QUESTION", 1, "Will you come?"), ("MINISTER", 2, "Yes."), ("MINISTER", 2, "We will."),
    ]  # fmt: skip
    plain = label_document(Document("x", "Yes. We will.", speaker="Somebody"), classifier)
    assert {s.speaker for s in plain.sentences} == {"Somebody"}


@pytest.mark.parametrize("number", range(5))
def test_each_seed_goes_through_whole(classifier: Classifier, seed_paths: list[Path], number: int) -> None:
    document = read_text(seed_paths[number])
    rows = label_document(document, classifier).sentences
    assert len(rows) > 20
    assert all(row.text == document.text[row.start : row.end] for row in rows)
    assert document.title
    assert document.date
