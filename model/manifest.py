"""What lies beside the weights: label order, thresholds, calibration, versions and sums of files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

WEIGHTS = Path(__file__).resolve().parent / "weights"
MANIFEST_NAME = "manifest.json"
FORMAT = 1


class ModelError(Exception):
    """The model on disk cannot be used; the message says which part and what would work."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of the model: its size in bytes and its sha256 in hexadecimal."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Decision:
    """How one category's logit becomes a probability and a decision.

    probability = sigmoid(slope * logit + intercept); yes from `threshold` on; between the two
    ends of `doubt` a person should look (`needs_review`).
    """

    slope: float
    intercept: float
    threshold: float
    doubt: tuple[float, float]

    def __post_init__(self) -> None:
        """Refuse numbers outside their range."""
        low, high = self.doubt
        if not 0 <= low <= self.threshold <= high <= 1:
            raise ModelError(f"doubt band {self.doubt} must hold the threshold {self.threshold}, all between 0 and 1")
        if self.slope <= 0:
            raise ModelError(f"calibration slope must be above 0, got {self.slope}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The facts of one exported model; `decisions` is in label order."""

    version: str
    codebook_version: str
    decisions: Mapping[str, Decision]
    context: str
    max_pieces: int
    base: str
    base_sha256: str
    dataset_sha256: str
    files: Mapping[str, File]

    @property
    def categories(self) -> tuple[str, ...]:
        """Category keys in label order."""
        return tuple(self.decisions)

    def check_codebook(self, categories: Sequence[str], version: str) -> None:
        """Refuse a codebook with other categories, another order or another version.

        Raises:
            ModelError: naming what differs.
        """
        if tuple(categories) != self.categories:
            raise ModelError(
                f"the model's categories are {', '.join(self.categories)}; the codebook's are {', '.join(categories)}"
            )
        if version != self.codebook_version:
            raise ModelError(f"the model was trained with codebook {self.codebook_version}, this is {version}")

    def check_files(self, folder: Path) -> None:
        """Refuse files that are missing or whose size or sum differs from the manifest's.

        Raises:
            ModelError: naming the file.
        """
        for name, file in self.files.items():
            path = folder / name
            if not path.is_file():
                raise ModelError(f"{path} is missing; the manifest lists it")
            if path.stat().st_size != file.bytes or sha256_of(path) != file.sha256:
                raise ModelError(
                    f"{path} is not the file of the manifest (its sha256 differs); restore or export it again"
                )

    def write(self, folder: Path) -> None:
        """Write the manifest into the model's folder."""
        table = {"format": FORMAT, **asdict(self)}
        (folder / MANIFEST_NAME).write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: Path = WEIGHTS) -> Manifest:
    """Read the manifest of a model folder.

    Raises:
        ModelError: it is missing, is not JSON, or lacks something.
    """
    path = folder / MANIFEST_NAME
    try:
        table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if table.pop("format") != FORMAT:
            raise ModelError(f"{path} has another format than {FORMAT}; export the model again")
        table["decisions"] = {
            key: Decision(**{**entry, "doubt": tuple(entry["doubt"])}) for key, entry in table["decisions"].items()
        }
        table["files"] = {name: File(**entry) for name, entry in table["files"].items()}
        return Manifest(**table)
    except FileNotFoundError as error:
        raise ModelError(f"there is no model in {folder}; `python -m training export` writes one") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is not a model manifest: {error!r}") from error


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
