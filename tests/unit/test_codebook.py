from dataclasses import replace
from pathlib import Path

import pytest

from rhetoric.codebook import CODEBOOK_PATH, Codebook, default_codebook, read_codebook
from rhetoric.errors import CodebookError


def test_the_codebook_has_its_categories_in_label_order() -> None:
    assert default_codebook().keys == ("soft_power", "criticism_west", "ngo_support")


def test_every_category_has_eight_examples_and_eight_near_misses_of_its_own() -> None:
    seen: set[str] = set()
    for category in default_codebook().categories:
        assert len(category.examples) >= 8
        assert len(category.near_misses) >= 8
        texts = {*category.examples, *category.near_misses}
        assert len(texts) == len(category.examples) + len(category.near_misses)
        assert not texts & seen
        seen |= texts


def test_colours_differ() -> None:
    colours = [c.colour for c in default_codebook().categories]
    assert len(set(colours)) == len(colours)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('version = "1.0"', 'version = "one"', "one"),
        ('version = "1.0"', "", "version"),
        ("[categories.soft_power]", "[categories.Soft]", "Soft"),
        ("[categories.soft_power]", "[categories.soft_power", "TOML"),
        ('version = "1.0"', "version = 1.0", "quotation"),
        ('colour = "#', 'colour = "red', "colour"),
        ("colour =", "color =", "'soft_power' lacks colour"),
        ("colour =", 'hue = "blue"\ncolour =', "does not know hue"),
        ('name = "NGO support"', "name = 3", "'ngo_support': name must be a text, got 3"),
        ('name = "NGO support"', 'name = "Soft power"', "names of categories must differ"),
        ("\nyes = [", '\nyes = "always"\nno_longer = [', "soft_power"),
        ("\nexamples = [", '\nexamples = [ "",', "examples is empty"),
        ("[categories.soft_power]", "[categories]\nsoft = 1\n[categories.soft_power]", "each of `categories` a table"),
    ],
)
def test_a_broken_codebook_is_refused_with_what_is_wrong(tmp_path: Path, old: str, new: str, word: str) -> None:
    path = tmp_path / "codebook.toml"
    text = CODEBOOK_PATH.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CodebookError, match=word):
        read_codebook(path)


def test_a_missing_codebook_is_named(tmp_path: Path) -> None:
    with pytest.raises(CodebookError, match="nowhere"):
        read_codebook(tmp_path / "nowhere.toml")


def test_a_text_is_no_list_of_texts() -> None:
    with pytest.raises(CodebookError, match=r"yes must be a list of texts, got 'always'"):
        replace(default_codebook().categories[0], yes="always")  # type: ignore[arg-type]


def test_doubled_keys_and_unknown_keys_are_refused() -> None:
    book = default_codebook()
    with pytest.raises(CodebookError, match="differ"):
        Codebook(book.version, book.title, book.rules, (book.categories[0], replace(book.categories[0])))
    with pytest.raises(CodebookError, match="no category 'softness'"):
        book["softness"]
