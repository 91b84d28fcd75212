"""The shape of the encoder's layers: how many attention heads and feed-forward units each has.

Narrowing leaves out those that the loss needs least, in the manner of Michel et al. 2019 (arXiv:1905.10650): what a
value adds to the loss is, to first order, itself times its gradient; its square is summed over the word pieces of
some steps, and over a head's values. Training that goes on makes good what the cut cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
        BaseError: the layers have fewer of them, or heads are to be left out of layers that are not BERT's.
    """
    layers = _layers(network)
    has = _heads(network), layers[0].intermediate.dense.out_features
    wanted = heads or has[0], feed_forward or has[1]
    if wanted[0] > has[0] or wanted[1] > has[1]:
        raise BaseError(f"a layer has {has[0]} heads and {has[1]} feed-forward units, fewer than {wanted}")
    if wanted[0] < has[0] and not hasattr(layers[0].attention, "self"):
        raise BaseError("heads can be left out of BERT's layers only; leave out that option")
    parts = [layer.attention.output.dense for layer in layers] if wanted[0] < has[0] else []
    parts += [layer.output.dense for layer in layers] if wanted[1] < has[1] else []
    if not parts:
        return
    scores = dict(zip(parts, _importance(network, parts, losses), strict=True))
    for layer in layers:
        if layer.output.dense in scores:
            units = _best(scores[layer.output.dense], wanted[1])
            layer.intermediate.dense = _rows(layer.intermediate.dense, units)
            layer.output.dense = _columns(layer.output.dense, units)
        attention = layer.attention
        if wanted[0] < has[0]:
            by_head = scores[attention.output.dense].unflatten(0, (has[0], -1))
            values = torch.arange(by_head.numel()).view_as(by_head)[_best(by_head.sum(1), wanted[0])].flatten()
            for name in ("query", "key", "value"):
                setattr(attention.self, name, _rows(getattr(attention.self, name), values))
            attention.output.dense = _columns(attention.output.dense, values)


def _heads(network: Network) -> int:
    """How many attention heads a layer has, of which some may have been left out before."""
    config, attention = network.encoder.config, _layers(network)[0].attention
    if not hasattr(attention, "self"):
        return int(config.num_attention_heads)  # type: ignore[union-attr, arg-type]
    width = config.hidden_size // config.num_attention_heads  # type: ignore[union-attr, operator]
    return int(attention.self.query.out_features // width)  # type: ignore[union-attr, operator]


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


def _importance(network: Network, parts: Sequence[nn.Linear], losses: Iterable[Callable[[], Tensor]]) -> list[Tensor]:
    """For each linear part, how much each of its inputs matters to the losses."""
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
    return sums


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
