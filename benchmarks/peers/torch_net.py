"""A torch module that computes what a prototxt says, so that torch and netdef do the same work.

netdef's compiler reads the file; the settings are read from Caffe's messages, not from netdef's
layers, and the arithmetic is torch's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from netdef.diag import Report
from netdef.graph import Net as GraphNet
from netdef.graph import Node, State, compile_net
from netdef.layers.base import Phase, Shape
from netdef.schema.document import read_net
from netdef.schema.netdef_pb2 import EltwiseParameter, LRNParameter, PoolingParameter
from netdef.schema.weights import Weights

Operation = Callable[..., Tensor]


class LRN(nn.Module):
    """Local response normalization across channels; exported as ONNX's own LRN."""

    def __init__(self, size: int, alpha: float, beta: float, k: float) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        if torch.onnx.is_in_onnx_export():
            return _OnnxLRN.apply(x, self.size, self.alpha, self.beta, self.k)
        return functional.local_response_norm(x, self.size, self.alpha, self.beta, self.k)


class _OnnxLRN(torch.autograd.Function):
    """torch would export a dozen operations in its place."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, size: int, alpha: float, beta: float, k: float) -> Tensor:
        del ctx
        return functional.local_response_norm(x, size, alpha, beta, k)

    @staticmethod
    def symbolic(g: Any, x: Any, size: int, alpha: float, beta: float, k: float) -> Any:
        return g.op("LRN", x, size_i=size, alpha_f=alpha, beta_f=beta, bias_f=k)


class LRNWithin(nn.Module):
    """Local response normalization within each channel's map."""

    def __init__(self, size: int, alpha: float, beta: float) -> None:
        super().__init__()
        self.size, self.alpha, self.beta = size, alpha, beta

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        mean = functional.avg_pool2d(x * x, self.size, 1, self.size // 2)
        return x * (1 + self.alpha * mean) ** -self.beta


class Scale(nn.Module):
    """Caffe's Scale with bias: one factor and one summand for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x * self.weight + self.bias


class FlatLinear(nn.Linear):
    """Caffe's InnerProduct: all axes but the first as one."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, …) to (N, outputs)."""
        return super().forward(torch.flatten(x, 1))


@dataclass(frozen=True, slots=True)
class _Made:
    """A layer's operation, and the blobs it reads and makes."""

    name: str
    run: Operation
    bottoms: tuple[str, ...]
    top: str


class TorchNet(nn.Module):
    """A net whose layers run one after the other.

    Args:
        graph: as netdef's compiler left it.
        strong: BatchNorm and the Scale after it as one affine BatchNorm.
    """

    def __init__(self, graph: GraphNet, *, strong: bool) -> None:
        super().__init__()
        self._owners: dict[str, nn.Module] = {}
        self._losses: list[tuple[str, float]] = []
        made: list[_Made] = []
        for node in graph.nodes:
            if node.type == "Input":
                continue
            shapes = [graph.blobs[b].shape or () for b in node.bottoms if b is not None]
            top = node.message.top[0]
            if node.type == "SoftmaxWithLoss":
                self._losses.append((top, (*node.message.loss_weight, 1.0)[0]))
            if node.type == "Scale" and strong:
                before = made.pop()
                run = nn.BatchNorm2d(shapes[0][1], eps=before.run.eps)
                self._owners[before.name] = run
            else:
                run = _make(node, shapes)
            if isinstance(run, nn.Module):
                self._owners[node.name] = run
            made.append(_Made(node.name, run, tuple(node.message.bottom), top))
        self._parts = nn.ModuleList(dict.fromkeys(self._owners.values()))
        self._steps = []
        for index, one in enumerate(made):
            later = {name for other in made[index + 1 :] for name in other.bottoms}
            done = [n for n in dict.fromkeys(one.bottoms) if n not in later and n != one.top]
            self._steps.append((one.run, one.bottoms, one.top, done))

    def forward(self, data: Tensor, label: Tensor | None = None) -> Tensor:
        """The weighted sum of the losses, or what the last layer made."""
        blobs = {"data": data, "label": label}
        top = "data"
        for run, bottoms, top, done in self._steps:
            value = run(*(blobs[name] for name in bottoms))
            for name in done:
                del blobs[name]
            blobs[top] = value
        if not self._losses:
            return blobs[top]
        return sum((weight * blobs[name] for name, weight in self._losses), torch.zeros(()))

    def load(self, weights: Weights) -> None:
        """Copy the weights of a .caffemodel."""
        with torch.no_grad():
            for layer, arrays in weights.items():
                owner = self._owners.get(layer)
                if owner is None:
                    continue
                tensors = [torch.from_numpy(a) for a in arrays if a is not None]
                if len(tensors) == 3:  # BatchNorm: sums and what they are to be divided by
                    factor = float(tensors[2]) or 1.0
                    owner.running_mean.copy_(tensors[0] / factor)
                    owner.running_var.copy_(tensors[1] / factor)
                    continue
                for param, tensor in zip((owner.weight, owner.bias), tensors, strict=False):
                    param.copy_(tensor.reshape(param.shape))


def read(path: Path, phase: Phase) -> GraphNet:
    """Compile a prototxt.

    Raises:
        NetdefError: it has mistakes.
    """
    report = Report()
    document = read_net(path, report)
    report.raise_if_errors()
    assert document is not None
    graph = compile_net(document, State(phase), report)
    report.raise_if_errors()
    return graph


def _make(node: Node, shapes: list[Shape]) -> Operation:
    """What a layer computes, as a function of its bottoms."""
    makers = {
        "Convolution": _convolution,
        "Pooling": _pooling,
        "InnerProduct": _inner_product,
        "LRN": _lrn,
        "BatchNorm": _batch_norm,
        "Scale": lambda node, shape: Scale(shape[1]),
        "Dropout": lambda node, shape: nn.Dropout(node.message.dropout_param.dropout_ratio),
        "ReLU": lambda node, shape: partial(functional.relu, inplace=_in_place(node)),
        "Eltwise": _eltwise,
        "Concat": lambda node, shape: lambda *xs: torch.cat(xs, 1),
        "Softmax": lambda node, shape: partial(functional.softmax, dim=1),
        "SoftmaxWithLoss": lambda node, shape: functional.cross_entropy,
    }
    return makers[node.type](node, shapes[0])


def _in_place(node: Node) -> bool:
    return node.message.bottom[0] == node.message.top[0]


def _convolution(node: Node, shape: Shape) -> nn.Module:
    param = node.message.convolution_param
    return nn.Conv2d(
        shape[1],
        param.num_output,
        param.kernel_size[0],
        (*param.stride, 1)[0],
        (*param.pad, 0)[0],
        groups=param.group,
        bias=param.bias_term,
    )


def _pooling(node: Node, shape: Shape) -> Operation:
    param = node.message.pooling_param
    if param.global_pooling:
        return partial(functional.avg_pool2d, kernel_size=shape[2:])
    # Both round sizes up, leave out windows that begin past the end, and count padding.
    pool = functional.max_pool2d if param.pool == PoolingParameter.MAX else functional.avg_pool2d
    return partial(
        pool, kernel_size=param.kernel_size, stride=param.stride, padding=param.pad, ceil_mode=True
    )


def _inner_product(node: Node, shape: Shape) -> Operation:
    return FlatLinear(prod(shape[1:]), node.message.inner_product_param.num_output)


def _lrn(node: Node, shape: Shape) -> nn.Module:
    del shape
    param = node.message.lrn_param
    if param.norm_region == LRNParameter.WITHIN_CHANNEL:
        return LRNWithin(param.local_size, param.alpha, param.beta)
    return LRN(param.local_size, param.alpha, param.beta, param.k)


def _batch_norm(node: Node, shape: Shape) -> nn.Module:
    return nn.BatchNorm2d(shape[1], eps=node.message.batch_norm_param.eps, affine=False)


def _eltwise(node: Node, shape: Shape) -> Operation:
    del shape
    param = node.message.eltwise_param
    if param.operation != EltwiseParameter.SUM or len(node.message.bottom) != 2 or param.coeff:
        raise NotImplementedError(f"`{node.name}`: only the sum of two")
    return torch.add
