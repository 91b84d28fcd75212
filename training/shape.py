"""The shape of the encoder's layers: how many attention heads and feed-forward units each has.

Narrowing leaves out those that the loss needs least, after Michel et al. 2019 (arXiv:1905.10650): a part matters as
much as the loss would change without it, to first order. Training that goes on makes good what the cut cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial

import torch
from torch import Tensor, nn

from training.network import Network


def narrow(network: Network, losses: Iterable[Callable[[], Tensor]], heads: int, units: int) -> None:
    """Keep so many attention heads and feed-forward units of every layer (0: all), those that matter most.

    `losses` compute the network's loss on some steps of training data.
    """
    layers = _layers(network)
    size = network.encoder.config.hidden_size // network.encoder.config.num_attention_heads  # type: ignore[union-attr, operator]
    has_heads, has_units = (
        layers[0].attention.self.query.out_features // size,
        layers[0].intermediate.dense.out_features,
    )
    heads, units = min(heads or has_heads, has_heads), min(units or has_units, has_units)
    if (heads, units) == (has_heads, has_units):
        return
    for layer, (by_value, by_unit) in zip(layers, _importance(network, losses), strict=True):
        attention = layer.attention
        kept = (_best(by_value.unflatten(0, (-1, size)).sum(1), heads)[:, None] * size + torch.arange(size)).flatten()
        for name in ("query", "key", "value"):
            setattr(attention.self, name, _rows(getattr(attention.self, name), kept))
        attention.output.dense = _columns(attention.output.dense, kept)
        kept = _best(by_unit, units)
        layer.intermediate.dense = _rows(layer.intermediate.dense, kept)
        layer.output.dense = _columns(layer.output.dense, kept)


def load_weights(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load weights, narrow or not, into a network.

    Raises:
        RuntimeError: some are missing. An exported file may lack the pooler's, which nothing uses.
    """
    _take_shape(network, weights)
    found = network.load_state_dict(weights, strict=False)
    if wrong := [name for name in (*found.missing_keys, *found.unexpected_keys) if ".pooler." not in name]:
        raise RuntimeError(f"these weights do not fit the network: {', '.join(wrong)}")


def _take_shape(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give the linear layers of a network the sizes that they have in `weights`."""
    for name, module in list(network.named_modules()):
        shape = weights[f"{name}.weight"].shape if f"{name}.weight" in weights else None
        if isinstance(module, nn.Linear) and shape is not None and shape != module.weight.shape:
            parent, _, child = name.rpartition(".")
            setattr(network.get_submodule(parent), child, nn.Linear(shape[1], shape[0]))


def _importance(network: Network, losses: Iterable[Callable[[], Tensor]]) -> list[tuple[Tensor, Tensor]]:
    """For each layer how much each value of its heads, and each unit, matters to the losses."""
    parts = [part for layer in _layers(network) for part in (layer.attention.output.dense, layer.output.dense)]
    sums = [torch.zeros(part.in_features) for part in parts]
    network.eval()
    for loss in losses:
        seen: list[Tensor] = [torch.empty(0)] * len(parts)
        with ExitStack() as hooks:
            for i, part in enumerate(parts):
                hooks.callback(part.register_forward_pre_hook(partial(_keep_input, seen, i)).remove)
            gradients = torch.autograd.grad(loss(), seen)
        for total, gradient, value in zip(sums, gradients, seen, strict=True):
            total += (gradient * value).detach().flatten(0, -2).square().sum(0)
    return list(zip(sums[::2], sums[1::2], strict=True))


def _keep_input(seen: list[Tensor], i: int, _part: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    seen[i] = inputs[0]


def _layers(network: Network) -> nn.ModuleList:
    return network.encoder.encoder.layer  # type: ignore[union-attr, return-value]


def _best(scores: Tensor, number: int) -> Tensor:
    return scores.topk(number).indices.sort().values


def _rows(linear: nn.Linear, kept: Tensor) -> nn.Linear:
    return _linear(linear.weight[kept], linear.bias[kept])


def _columns(linear: nn.Linear, kept: Tensor) -> nn.Linear:
    return _linear(linear.weight[:, kept], linear.bias)


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    made = nn.Linear(weight.shape[1], weight.shape[0])
    made.weight.data, made.bias.data = weight.detach().clone(), bias.detach().clone()
    return made
