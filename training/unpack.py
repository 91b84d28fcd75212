"""The shipped int8 file → fp32 weights, so that training can go on from it where the fit itself is not at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from model.classifier import TOKENIZER_NAME, enclosing

Array = npt.NDArray[np.float32]


def unpack(file: Path) -> dict[str, torch.Tensor]:
    """Weights of the network in an int8 file that `export` wrote, by their names in `Network`.

    They are what int8 kept of them: a step of quantisation away from those of the fit.
    """
    graph = onnx.load(str(file)).graph
    made_by = {output: node for node in graph.node for output in node.output}
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    constants |= {n.output[0]: numpy_helper.to_array(n.attribute[0].t) for n in graph.node if n.op_type == "Constant"}

    def value(name: str) -> Array | None:
        """A constant, dequantised where need be; None for what depends on the input."""
        if name in constants:
            return constants[name]
        node = made_by.get(name)
        if node is None or node.op_type != "DequantizeLinear" or node.input[0] not in constants:
            return None
        stored, scale, zero = (constants[i] for i in node.input)
        axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
        shape = [-1 if i == axis % stored.ndim else 1 for i in range(stored.ndim)] if scale.ndim else []
        return (stored.astype(np.float32) - zero.astype(np.float32).reshape(shape)) * scale.reshape(shape)

    def smoothing(name: str) -> Array | None:
        """What the input of a layer was multiplied with so that it quantises better; the weights were divided by it."""
        node = made_by.get(name)
        while node is not None and node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            node = made_by.get(node.input[0])
        return (
            value(node.input[1])
            if node is not None and node.op_type == "Mul" and "smooth" in node.name.lower()
            else None
        )

    found = {i.name: constants[i.name] for i in graph.initializer if i.name.startswith(("encoder.", "head."))}
    for node in graph.node:
        name = node.name.removeprefix("/").replace("/encoder/layer", ".encoder.layer").replace("/", ".") + ".weight"
        if node.op_type == "MatMul" and (weight := value(node.input[1])) is not None:
            factor = smoothing(node.input[0])
            weight = weight if factor is None else weight * factor.reshape(-1, 1)
            found[name.replace(".MatMul", "")] = weight.T
        elif node.op_type == "Gather" and "_embeddings/" in node.name and (table := value(node.input[0])) is not None:
            found[name.replace(".Gather", "")] = table
    return {name: torch.tensor(array, dtype=torch.float32) for name, array in found.items()}


def exported_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer of an exported model, as training uses one."""
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_NAME))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    opens, closes = map(tokenizer.id_to_token, enclosing(tokenizer))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, cls_token=opens, sep_token=closes)
