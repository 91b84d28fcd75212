"""The language of a text: English by its function words, anything else by py3langid (BSD, its model is in the package)."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_FUNCTION_WORDS = frozenset(
    "the of and to in that is for we our with as on are have it this be by will not i from".split()
)
_CHUNK = 2000
_ENGLISH_SHARE = 0.2
_MIN_LETTERS = 40
_MIN_OTHER = 4  # letters beyond Latin tell much sooner
_MARGIN = 5.0
"""Natural logarithm: the second language must be less likely by this much."""

NAMES = {
    "ar": "Arabic", "be": "Belarusian", "bg": "Bulgarian", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew",
    "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ka": "Georgian",
    "kk": "Kazakh", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "nl": "Dutch", "no": "Norwegian", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sr": "Serbian", "sv": "Swedish",
    "tr": "Turkish", "uk": "Ukrainian", "uz": "Uzbek", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
"""English names of the languages one meets most, for messages."""


def detect_language(text: str) -> str:
    """Return the ISO 639-1 code of the text's main language, "" where there is too little to tell."""
    sample = _sample(text)
    letters = sum(map(str.isalpha, sample))
    words = re.findall(r"[^\W\d_]+", sample.casefold())
    latin = sum(c.isascii() and c.isalpha() for c in sample)
    if words and latin > 0.9 * letters and letters >= _MIN_LETTERS:
        if sum(word in _FUNCTION_WORDS for word in words) > _ENGLISH_SHARE * len(words):
            return "en"
    if letters < (_MIN_LETTERS if latin > 0.5 * letters else _MIN_OTHER):
        return ""
    ranked = _identifier().rank(sample)
    return str(ranked[0][0]) if ranked[0][1] - ranked[1][1] > _MARGIN else ""


@cache
def _identifier() -> Any:
    """py3langid for the languages of `NAMES`: fewer of them, fewer mistakes on short and odd texts."""
    from py3langid import langid

    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)
    identifier.set_languages(sorted(NAMES))
    return identifier


def _sample(text: str) -> str:
    """Up to four pieces from all over the text."""
    if len(text) <= 4 * _CHUNK:
        return text
    step = (len(text) - _CHUNK) // 3
    return " ".join(text[i * step : i * step + _CHUNK] for i in range(4))
