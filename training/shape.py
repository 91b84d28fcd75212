"""The shape of the encoder's layers: how many attention heads and feed-forward units each has.

Narrowing leaves out those that the loss needs least, in the manner of Michel et al. 2019 (arXiv:1905.10650): what a
value adds to the loss is, to first order, itself times its gradient; its square is summed over the word pieces of
some steps, and over a head's values. Training that goes on makes good what the cut cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial

import torch
from torch import Tensor, nn

from training.network import BaseError, Network


def thin(network: Network, layers: int) -> None:
    """Keep so many of the encoder's layers (0: all), taken evenly, the last one among them.

    Raises:
        BaseError: it has fewer.
    """
    has = _layers(network)
    if layers > len(has):
        raise BaseError(f"the encoder has {len(has)} layers, fewer than {layers}")
    if layers:
        _keep(network, [has[(i + 1) * len(has) // layers - 1] for i in range(layers)])


def narrow(network: Network, losses: Iterable[Callable[[], Tensor]], heads: int, feed_forward: int) -> None:
    """Keep so many attention heads and feed-forward units of every layer (0: all), those that matter most.

    `losses` compute the network's loss on some steps of training data.

    Raises:
        BaseError: the layers are not BERT's, or have fewer of them.
    """
    if not heads and not feed_forward:
        return
    layers = _layers(network)
    if not hasattr(layers[0].attention, "self"):
        raise BaseError("only networks with BERT's layers can be narrowed; leave out heads and feed_forward")
    size = network.encoder.config.hidden_size // network.encoder.config.num_attention_heads  # type: ignore[union-attr, operator]
    has = layers[0].attention.self.query.out_features // size, layers[0].intermediate.dense.out_features
    wanted = heads or has[0], feed_forward or has[1]
    if wanted[0] > has[0] or wanted[1] > has[1]:
        raise BaseError(f"a layer has {has[0]} heads and {has[1]} feed-forward units, fewer than {wanted}")
    if wanted == has:
        return
    for layer, (by_value, by_unit) in zip(layers, _importance(network, losses), strict=True):
        attention = layer.attention
        best = _best(by_value.unflatten(0, (-1, size)).sum(1), wanted[0])
        values = (best[:, None] * size + torch.arange(size)).flatten()
        for name in ("query", "key", "value"):
            setattr(attention.self, name, _rows(getattr(attention.self, name), values))
        attention.output.dense = _columns(attention.output.dense, values)
        units = _best(by_unit, wanted[1])
        layer.intermediate.dense = _rows(layer.intermediate.dense, units)
        layer.output.dense = _columns(layer.output.dense, units)


def load_weights(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load weights, whose layers may be narrow, into a network.

    Raises:
        BaseError: they are not of such a network. An exported file may lack the pooler's, which nothing uses.
    """
    _take_depth(network, weights)
    _take_shape(network, weights)
    own = network.state_dict()
    wrong = [name for name in own.keys() ^ weights.keys() if ".pooler." not in name]
    wrong += [name for name in own.keys() & weights.keys() if own[name].shape != weights[name].shape]
    if wrong:
        raise BaseError(f"these weights are not of this network; they differ in {', '.join(sorted(wrong)[:3])}")
    network.load_state_dict(weights, strict=False)


def _take_depth(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Leave out the last layers where `weights` has fewer."""
    depth = len({name.split(".layer.")[1].split(".")[0] for name in weights if ".encoder.layer." in name})
    if isinstance(network, Network) and 0 < depth < len(_layers(network)):
        _keep(network, list(_layers(network)[:depth]))


def _keep(network: Network, layers: list[nn.Module]) -> None:
    network.encoder.encoder.layer = nn.ModuleList(layers)  # type: ignore[union-attr]
    network.encoder.config.num_hidden_layers = len(layers)  # type: ignore[union-attr]


def _take_shape(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give the linear parts of the layers the sizes that they have in `weights`."""
    for name, part in list(network.named_modules()):
        kept = weights.get(f"{name}.weight")
        if ".layer." in name and isinstance(part, nn.Linear) and kept is not None and kept.shape != part.weight.shape:
            parent, _, child = name.rpartition(".")
            setattr(network.get_submodule(parent), child, _linear(kept, torch.zeros(len(kept)), part))


def _importance(network: Network, losses: Iterable[Callable[[], Tensor]]) -> list[tuple[Tensor, Tensor]]:
    """For each layer how much each value of its heads, and each feed-forward unit, matters to the losses."""
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
    return _linear(linear.weight[kept], linear.bias[kept], linear)


def _columns(linear: nn.Linear, kept: Tensor) -> nn.Linear:
    return _linear(linear.weight[:, kept], linear.bias, linear)


def _linear(weight: Tensor, bias: Tensor, like: nn.Linear) -> nn.Linear:
    """A linear part of given weights, trained if the one in whose place it comes was."""
    made = nn.Linear(weight.shape[1], weight.shape[0])
    made.weight.data, made.bias.data = weight.detach().clone(), bias.detach().clone()
    return made.requires_grad_(like.weight.requires_grad)
