"""Fine-tuning: passages → a network whose logits stand for the codebook's categories."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import expit
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm
from transformers import PreTrainedTokenizerBase, get_linear_schedule_with_warmup

from model.manifest import Decision
from model.windows import Window, normalise, windows
from training.config import Config, ConfigError
from training.data import CodedSentence, Passage
from training.network import Network, base_folder, collate, load_base, padded, pool
from training.shape import load_weights, narrow, thin
from training.vectors import Imitation, Vectors

Array = npt.NDArray[np.float64]

NARROWING_STEPS = 150
"""Steps by which a network's heads and feed-forward units are judged before some are left out."""


@dataclass(frozen=True, slots=True)
class Example:
    """A window and the targets of its classified sentences: shape (sentences, categories); NaN carries no loss.

    `first` is the row of its first piece in the teacher's vectors, None where it has none there.
    """

    window: Window
    targets: Array
    first: int | None = None

    def rows(self) -> slice:
        """Where the teacher's vectors of its pieces are."""
        assert self.first is not None
        return slice(self.first, self.first + len(self.window.pieces))


@dataclass(frozen=True, slots=True)
class EncodedTurn:
    """A turn's word pieces by sentence, and targets of shape (sentences, categories), NaN for context.

    `first` is where the teacher's vectors of its first window begin, None where there are none.
    """

    pieces: list[list[int]]
    targets: Array
    first: int | None = None


def encode(passages: Sequence[Passage], tokenizer: PreTrainedTokenizerBase, categories: int) -> list[list[EncodedTurn]]:
    """Tokenise passages once; windows are laid out from the pieces in every epoch."""
    encoded = []
    for passage in passages:
        turns = []
        for turn in passage.turns:
            pieces = tokenizer([normalise(s.text) for s in turn], add_special_tokens=False, verbose=False)["input_ids"]
            targets = np.array([s.gold if s.gold is not None else [np.nan] * categories for s in turn], dtype=float)
            turns.append(EncodedTurn(pieces, targets))
        encoded.append(turns)
    return encoded


def lay_out(turn: EncodedTurn, context: str, config: Config, tokenizer: PreTrainedTokenizerBase) -> Iterator[Example]:
    """The windows of a turn that hold a coded sentence."""
    cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
    first = turn.first if context == config.context else None  # the teacher saw no other windows
    for window in windows(turn.pieces, context, config.max_pieces, cls, sep):  # type: ignore[arg-type]
        targets = turn.targets[[number for number, _, _ in window.sentences]]
        if not np.isnan(targets).all():
            yield Example(window, targets, first)
            if first is not None:
                first += len(window.pieces)


def with_rows(
    data: Sequence[list[EncodedTurn]], rows: int, config: Config, tokenizer: PreTrainedTokenizerBase
) -> list[list[EncodedTurn]]:
    """Turns that know where the teacher's vectors of their windows begin, of which there are so many.

    Raises:
        ConfigError: the windows have more or fewer pieces.
    """
    numbered, first = [], 0
    for turns in data:
        known = []
        for turn in turns:
            known.append(replace(turn, first=first))
            first += sum(len(example.window.pieces) for example in lay_out(turn, config.context, config, tokenizer))
        numbered.append(known)
    if first != rows:
        raise ConfigError(
            f"there are {rows:,} vectors for {first:,} word pieces: the teacher must have the same word pieces and layout of windows"
        )
    return numbered


def fit(
    passages: Sequence[Passage], categories: int, config: Config, progress: bool = True,
    start: Mapping[str, Tensor] | None = None, vectors: Vectors | None = None,
) -> tuple[Network, PreTrainedTokenizerBase]:  # fmt: skip
    """Fine-tune the base on passages. The same passages, config and machine give the same weights.

    `start` holds the weights of an earlier fit to go on from, as when a round of codings has come in;
    `vectors` are a teacher's of the windows of the passages.

    Raises:
        ConfigError: nothing is left to train on, or the vectors are of other windows.
    """
    rng = random.Random(config.random_seed)
    torch.manual_seed(config.random_seed)
    network, tokenizer = load_base(
        base_folder(config.base, config.base_sha256), categories, config.dropout, config.frozen_layers
    )
    if start is not None:
        load_weights(network, start)
    thin(network, config.layers)
    data = encode(passages, tokenizer, categories)
    imitation = None
    if vectors is not None:
        data = with_rows(data, len(vectors), config, tokenizer)
        imitation = Imitation(network.head.in_features, vectors)
    chances = [chance_of(passage, config) for passage in passages]
    epochs = [batches_of(data, chances, config, tokenizer, rng) for _ in range(config.epochs)]
    if not all(epochs):
        raise ConfigError(
            "there is nothing to train on: no passages, or none that plain_share and written_share let in"
        )
    narrow(
        network,
        (partial(loss_of, network, batch, 0.0) for batch in epochs[0][:NARROWING_STEPS]),
        config.heads,
        config.feed_forward,
    )
    steps = sum(map(len, epochs))
    groups = _parameter_groups(network, config)
    if imitation is not None:
        groups.append({"params": [*imitation.parameters()], "lr": config.head_learning_rate, "weight_decay": 0.0})
    trained = [p for group in groups for p in group["params"]]
    optimizer = torch.optim.AdamW(groups, fused=True)
    schedule = get_linear_schedule_with_warmup(optimizer, int(steps * config.warmup_share), steps)
    average = AveragedModel(network, avg_fn=partial(_running_mean, decay=config.average))
    network.train()
    bar = tqdm(total=steps, unit="step", disable=not progress)
    for epoch in epochs:
        for batch in epoch:
            with torch.autocast("cpu", torch.bfloat16, enabled=config.bfloat16):
                loss = loss_of(network, batch, config.label_smoothing, imitation, config.vectors_weight)
            loss.backward()
            nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            average.update_parameters(network)
            bar.update()
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    bar.close()
    return average.module.eval(), tokenizer


def _running_mean(mean: Tensor, new: Tensor, updates: Tensor | int, decay: float) -> Tensor:
    """Exponential mean that forgets the first steps sooner, so that short fits are not held back."""
    return torch.lerp(mean, new, 1 - min(decay, (1 + int(updates)) / (10 + int(updates))) if decay else 1.0)


@torch.inference_mode()
def predict(network: Network, tokenizer: PreTrainedTokenizerBase, passages: Sequence[Passage], config: Config) -> Array:
    """Logits of the coded sentences of passages, in order: shape (sentences, categories)."""
    categories = network.head.out_features
    jobs: list[tuple[Example, int, list[int]]] = []
    rows = 0
    for turns in encode(passages, tokenizer, categories):
        for turn in turns:
            coded = ~np.isnan(turn.targets).any(axis=1)
            position = rows + np.cumsum(coded) - 1
            for example in lay_out(turn, config.context, config, tokenizer):
                jobs.append(
                    (example, rows, [int(position[n]) if coded[n] else -1 for n, _, _ in example.window.sentences])
                )
            rows += int(coded.sum())
    out = np.empty((rows, categories))
    jobs.sort(key=lambda job: len(job[0].window.pieces))
    for i in range(0, len(jobs), 16):
        chunk = jobs[i : i + 16]
        wins = [example.window for example, _, _ in chunk]
        logits = pool(network(*collate(wins)), wins).double().numpy()
        where = [p for _, _, positions in chunk for p in positions]
        for p, row in zip(where, logits, strict=True):
            if p >= 0:
                out[p] = row
    return out


def probabilities(
    network: Network, tokenizer: PreTrainedTokenizerBase, config: Config, decisions: Sequence[Decision],
    turns: Sequence[Sequence[str]],
) -> list[Array]:  # fmt: skip
    """Calibrated probabilities of turns by a fit: for each an array of shape (sentences, categories)."""
    none = (0.0,) * len(decisions)
    passages = [
        Passage(str(i), str(i), "written", {}, (tuple(CodedSentence(text, none) for text in turn),))
        for i, turn in enumerate(turns)
    ]
    slope, intercept = (np.array([getattr(d, name) for d in decisions]) for name in ("slope", "intercept"))
    found: Array = expit(predict(network, tokenizer, passages, config) * slope + intercept)
    return np.split(found, np.cumsum([len(turn) for turn in turns])[:-1])


def gold_matrix(passages: Sequence[Passage]) -> npt.NDArray[np.int64]:
    """Gold labels of the coded sentences, in order: shape (sentences, categories)."""
    return np.array([s.gold for p in passages for s in p.sentences()], dtype=np.int64)


def really_spoken(passages: Sequence[Passage]) -> npt.NDArray[np.bool_]:
    """Which of the coded sentences stand in real passages: shape (sentences,)."""
    return np.array([p.source == "real" for p in passages for _ in p.sentences()], dtype=bool)


def chance_of(passage: Passage, config: Config) -> float:
    """How likely it is that an epoch shows a passage."""
    plain = all(target < 0.5 for sentence in passage.sentences() if sentence.gold for target in sentence.gold)
    return (config.plain_share if plain else 1.0) * (config.written_share if passage.source == "written" else 1.0)


def batches_of(
    data: Sequence[list[EncodedTurn]], chances: Sequence[float], config: Config, tokenizer: PreTrainedTokenizerBase,
    rng: random.Random,
) -> list[list[Example]]:  # fmt: skip
    """One epoch: windows laid out afresh, shuffled, in steps of at most `batch_pieces` word pieces.

    `chances` says how likely it is that the epoch shows a passage.
    """
    examples: list[Example] = []
    for turns, chance in zip(data, chances, strict=True):
        if chance < 1 and rng.random() >= chance:
            continue
        context = "sentence" if config.context == "sentence" or rng.random() < config.single_share else config.context
        for turn in turns:
            examples.extend(lay_out(turn, context, config, tokenizer))
    rng.shuffle(examples)
    # Steps of one padded length each: few shapes, which oneDNN compiles once, and little padding.
    # A step has the teacher's vectors of all its windows or of none.
    open_batches: dict[tuple[int, bool], list[Example]] = {}
    batches: list[list[Example]] = []
    for example in examples:
        length = padded(len(example.window.pieces))
        kind = length, example.first is None
        batch = open_batches.setdefault(kind, [])
        batch.append(example)
        if len(batch) >= max(1, config.batch_pieces // length):
            batches.append(open_batches.pop(kind))
    batches.extend(open_batches.values())
    rng.shuffle(batches)
    return batches


def loss_of(
    network: Network, batch: Sequence[Example], smoothing: float, imitation: Imitation | None = None, weight: float = 0.0
) -> Tensor:  # fmt: skip
    """Mean binary cross-entropy over the coded sentences and categories of a step.

    With `imitation`, so many times the distance to the teacher's vectors is added.
    """
    wins = [example.window for example in batch]
    vectors = network.vectors(*collate(wins))
    logits = pool(network.classify(vectors).float(), wins)
    targets = torch.from_numpy(np.concatenate([example.targets for example in batch])).float()
    coded = ~targets.isnan()
    targets = targets * (1 - smoothing) + smoothing / 2
    loss = nn.functional.binary_cross_entropy_with_logits(logits[coded], targets[coded])
    if imitation is None or batch[0].first is None:
        return loss
    own = torch.cat([vectors[row, : len(window.pieces)] for row, window in enumerate(wins)])
    return loss + weight * imitation(own, [example.rows() for example in batch])


def _parameter_groups(network: Network, config: Config) -> list[dict[str, object]]:
    """Learning rates that fall from layer to layer towards the input; the head has its own."""
    depth = len(network.encoder.encoder.layer)  # type: ignore[union-attr, arg-type]
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        if name.startswith("head"):
            rate = config.head_learning_rate
        else:
            layer = int(name.split("layer.")[1].split(".")[0]) + 1 if "layer." in name else 0
            rate = config.learning_rate * config.layer_decay ** (depth - layer)
        decay = config.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": p, "lr": rate, "weight_decay": decay} for (rate, decay), p in groups.items()]
