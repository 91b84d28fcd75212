"""The errors a user can mend. `cli.py` and `app.py` turn them into messages; nothing else does."""

from __future__ import annotations


class RhetoricError(Exception):
    """Base of all errors whose message is meant for the user: what was received and what would work."""


class ReadError(RhetoricError):
    """A document could not be read; `path` is the file or folder at fault, "" where the message alone says it."""

    def __init__(self, message: str, path: str = "") -> None:
        """Keep both."""
        super().__init__(message)
        self.path = path


class CodebookError(RhetoricError):
    """The codebook file is not a valid codebook."""


class LabelError(RhetoricError):
    """A document could not be labelled."""


class StoppedError(RhetoricError):
    """A run stopped before its end; what is labelled so far is kept and it can go on."""
