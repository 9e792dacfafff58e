"""Weights copied into a net by layer name, as Caffe does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from netdef.diag import Problem, Report, nearest
from netdef.layers.base import Array, Shape
from netdef.schema.weights import Weights

if TYPE_CHECKING:
    from netdef.run.net import Net


class WeightsDoNotFit(Problem):
    """A weight file has a layer of the same name with other params than the net's.

    The usual cause: the file belongs to another net, or the layer was changed since. To train
    the layer anew and keep the rest, rename it in the net: layers are matched by name.
    """

    code = "N501"


@dataclass(frozen=True, slots=True)
class Copied:
    """What copying weights did, by layer name.

    Attributes:
        matched: layers whose params were copied.
        missing: layers of the net with params that the file does not have.
        unused: layers of the file with params that the net does not have.
        reshaped: those of `matched` that a file of 2014 has with four axes.
    """

    matched: tuple[str, ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    reshaped: tuple[str, ...] = ()


def copy_weights(net: Net, weights: Weights, file: str) -> Copied:
    """Copy by layer name; nothing is copied where anything does not fit.

    Raises:
        NetdefError: a layer has another number of params, or one has another shape.
    """
    report = Report()
    matched = [name for name in net.params if weights.get(name)]
    for name in matched:
        _check(net, name, weights, file, report)
    report.raise_if_errors()
    reshaped = tuple(
        name
        for name in matched
        if any(
            array is not None and array.shape != param.shape
            for param, array in zip(net.params[name], weights[name], strict=True)
        )
    )
    for name in matched:
        for param, array in zip(net.params[name], weights[name], strict=True):
            if array is not None:  # HDF5 leaves a shared blob with its owner
                np.copyto(param.data, array.reshape(param.shape))
    return Copied(
        tuple(matched),
        tuple(name for name in net.params if name not in matched),
        tuple(name for name, arrays in weights.items() if arrays and name not in net.params),
        reshaped,
    )


def same_shape(file: Shape, net: Shape) -> bool:
    """Whether shapes agree; old files say (1, 1, 10, 500) for (10, 500)."""
    extra = len(file) - len(net)
    return file == net or (len(file) == 4 and extra > 0 and file == (1,) * extra + net)


def _check(net: Net, name: str, weights: Weights, file: str, report: Report) -> None:
    place = next(layer.place for layer in net.layers if layer.name == name)
    origin = f" in `{file}`" if file else ""
    mine, its = net.params[name], weights[name]
    if len(mine) != len(its):
        report.add(
            WeightsDoNotFit(
                f"layer `{name}` has {len(mine)} params, {len(its)}{origin}",
                place,
                help="check bias_term, or rename the layer to train it anew",
            )
        )
        return
    for param, array in zip(mine, its, strict=True):
        if array is not None and not same_shape(array.shape, param.shape):
            like = [n for n, a in weights.items() if any(_has(x, param.shape) for x in a)]
            near = nearest(name, like)
            report.add(
                WeightsDoNotFit(
                    f"the {param.role} of layer `{name}` is {_words(param.shape)}, "
                    f"{_words(array.shape)}{origin}",
                    place,
                    notes=(f"layer `{near[0]}` of the file has that shape",) if near else (),
                    help="rename the layer to train it anew and keep the rest of the weights",
                )
            )


def _has(array: Array | None, shape: Shape) -> bool:
    return array is not None and array.shape == shape


def _words(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "scalar"
