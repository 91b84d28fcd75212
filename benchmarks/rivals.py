"""Other ways to label the same sentences, each behind one call, for `benchmarks/throughput.py`.

A way takes turns (each the sequence of its sentences) and returns probabilities of shape
(sentences, categories) in reading order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from torch import nn
from transformers import BertPreTrainedModel, TextClassificationPipeline, pipeline
from transformers.modeling_outputs import SequenceClassifierOutput

from model.classifier import Classifier
from model.manifest import Decision
from model.windows import normalise, windows
from training.metrics import Bools, Floats, Ints
from training.network import collate, pool

BATCH = 32
Turns = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to label: what it is called, what exactly it does, and its decisions."""

    name: str
    what: str
    label: Callable[[Turns], Floats]
    decisions: Sequence[Decision]


class OneSentence(BertPreTrainedModel):
    """Our network in the form that the pipeline takes: a sentence's logits, calibrated, from the mean over its pieces."""

    def __init__(self, network: Any, decisions: Sequence[Decision]) -> None:
        super().__init__(network.encoder.config)
        self.network = network
        slope, intercept = ([getattr(d, name) for d in decisions] for name in ("slope", "intercept"))
        self.slope, self.intercept = nn.Parameter(torch.tensor(slope)), nn.Parameter(torch.tensor(intercept))

    def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any = None) -> SequenceClassifierOutput:
        by_piece = self.network(input_ids, attention_mask)
        own = attention_mask.clone()
        own[:, 0] = 0
        own[torch.arange(len(own)), attention_mask.sum(1) - 1] = 0  # neither [CLS] nor [SEP]
        mean = (by_piece * own[..., None]).sum(1) / own.sum(1, keepdim=True).clamp(min=1)
        return SequenceClassifierOutput(logits=mean * self.slope + self.intercept)


def flat(turns: Turns) -> list[str]:
    """Sentences in reading order, as the classifier sees them."""
    return [normalise(sentence) for turn in turns for sentence in turn]


logging.getLogger("transformers").setLevel(logging.CRITICAL)  # the pipeline does not know our class by name


def with_pipeline(
    network: Any, tokenizer: Any, decisions: Sequence[Decision], keys: Sequence[str], max_pieces: int
) -> Callable[[Turns], Floats]:
    """transformers.pipeline("text-classification"): batch 32, in reading order, fp32."""
    tokenizer.model_max_length = max_pieces
    model = OneSentence(network, decisions).eval()
    model.config.id2label, model.config.label2id = dict(enumerate(keys)), {k: i for i, k in enumerate(keys)}
    classify: TextClassificationPipeline = pipeline(
        "text-classification", model=model, tokenizer=tokenizer, batch_size=BATCH, function_to_apply="sigmoid", top_k=None,
    )  # fmt: skip

    def label(turns: Turns) -> Floats:
        found = classify(flat(turns), truncation=True)
        return np.array([[{s["label"]: s["score"] for s in scores}[key] for key in keys] for scores in found])

    return label


def with_torch_sorted(
    network: Any, tokenizer: Any, decisions: Sequence[Decision], max_pieces: int, bfloat16: bool
) -> Callable[[Turns], Floats]:
    """The same network, sentence by sentence, sorted by length in batches of 32."""
    model = OneSentence(network, decisions).eval()

    @torch.inference_mode()
    def label(turns: Turns) -> Floats:
        encoded = tokenizer(flat(turns), truncation=True, max_length=max_pieces)["input_ids"]
        order = sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
        out = np.empty((len(encoded), len(decisions)))
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            for i in range(0, len(order), BATCH):
                some = order[i : i + BATCH]
                batch = tokenizer.pad({"input_ids": [encoded[k] for k in some]}, return_tensors="pt")
                out[some] = torch.sigmoid(model(batch["input_ids"], batch["attention_mask"]).logits.float()).numpy()
        return out

    return label


def laid_out(turns: Turns, tokenizer: Any, context: Any, max_pieces: int) -> list[tuple[int, Any]]:
    """The windows of turns as the classifier lays them out, each with the number of its turn's first sentence."""
    laid, first = [], 0
    for turn in turns:
        pieces = (
            tokenizer([normalise(s) for s in turn], add_special_tokens=False, verbose=False)["input_ids"]
            if turn
            else []
        )
        laid += [
            (first, w) for w in windows(pieces, context, max_pieces, tokenizer.cls_token_id, tokenizer.sep_token_id)
        ]
        first += len(turn)
    return laid


def with_torch_windows(
    network: Any, tokenizer: Any, decisions: Sequence[Decision], context: Any, max_pieces: int
) -> Callable[[Turns], Floats]:
    """The same network on the classifier's own windows, sorted by length, batches of 8: what int8 is measured against."""
    slope, intercept = _calibration(decisions)

    @torch.inference_mode()
    def label(turns: Turns) -> Floats:
        laid = sorted(laid_out(turns, tokenizer, context, max_pieces), key=lambda job: len(job[1].pieces))
        out = np.empty((sum(map(len, turns)), len(decisions)))
        for i in range(0, len(laid), 8):
            some = laid[i : i + 8]
            where = [first + number for first, w in some for number, _, _ in w.sentences]
            out[where] = pool(network(*collate([w for _, w in some])), [w for _, w in some]).double().numpy()
        return 1 / (1 + np.exp(-(out * slope + intercept)))

    return label


def with_onnxruntime(
    path: Path, tokenizer: Any, decisions: Sequence[Decision], context: Any, max_pieces: int, threads: int
) -> Callable[[Turns], Floats]:
    """ONNX Runtime on the classifier's own windows, one at a time."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    slope, intercept = _calibration(decisions)

    def label(turns: Turns) -> Floats:
        out = np.empty((sum(map(len, turns)), len(decisions)))
        for first, window in laid_out(turns, tokenizer, context, max_pieces):
            ids = np.asarray([window.pieces], dtype=np.int64)
            by_piece = session.run(["logits"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]
            for number, start, end in window.sentences:
                out[first + number] = by_piece[start:end].mean(axis=0)
        return 1 / (1 + np.exp(-(out * slope + intercept)))

    return label


def with_classifier(classifier: Classifier) -> Callable[[Turns], Floats]:
    """The shipped way."""
    return lambda turns: np.concatenate([p for p in classifier.predict_proba(turns) if len(p)])


def _calibration(decisions: Sequence[Decision]) -> tuple[Floats, Floats]:
    return np.array([d.slope for d in decisions]), np.array([d.intercept for d in decisions])


@dataclass(frozen=True, slots=True)
class Coded:
    """Coded sentences with the turns they stand in.

    `coded` tells which sentences of the turns have gold, `real` which of those were really spoken.
    """

    turns: Turns
    coded: Bools
    gold: Ints
    real: Bools


def fit_head(embed: Callable[[list[str]], Floats], train: Coded) -> OneVsRestClassifier:
    """Logistic regression on embeddings of the coded training sentences."""
    texts = [text for text, coded in zip(flat(train.turns), train.coded, strict=True) if coded]
    return OneVsRestClassifier(LogisticRegression(C=10, max_iter=2000, class_weight="balanced")).fit(
        embed(texts), train.gold
    )


def with_embeddings(embed: Callable[[list[str]], Floats], head: OneVsRestClassifier) -> Callable[[Turns], Floats]:
    """Sentence embeddings and logistic regression."""
    return lambda turns: np.asarray(head.predict_proba(embed(flat(turns))))


def sentence_transformer(folder: str) -> Any:
    """The base model as a sentence-transformers model: mean pooling."""
    from sentence_transformers import SentenceTransformer, models

    words = models.Transformer(folder, max_seq_length=256)
    return SentenceTransformer(
        modules=[words, models.Pooling(words.get_embedding_dimension()), models.Normalize()], device="cpu"
    )


def with_setfit(body: Any, head: OneVsRestClassifier) -> Callable[[Turns], Floats]:
    """SetFit's own predict, on the published body and a fitted head (its contrastive step is not run)."""
    from setfit import SetFitModel

    model = SetFitModel(model_body=body, model_head=head, multi_target_strategy="one-vs-rest")
    return lambda turns: np.asarray(model.predict_proba(flat(turns), batch_size=BATCH, as_numpy=True))


def static_model(base: str, kept: Path) -> Any:
    """model2vec's static embeddings, distilled from the base model once."""
    from model2vec import StaticModel

    if not kept.is_dir():
        from model2vec.distill import distill

        distill(base, pca_dims=256).save_pretrained(kept)
    return StaticModel.from_pretrained(kept)


def save_fp32(network: Any, path: Path) -> Path:
    """The fp32 network as ONNX."""
    from training.export import write_onnx

    write_onnx(network, path)
    return path
