"""Takes the measures of a net while it runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from netdef.doctor.figures import BlobFigures, Poison
from netdef.doctor.spread import Spread
from netdef.graph.problems import name_span
from netdef.layers.base import Array, Layout
from netdef.plan import Program, Step, Value
from netdef.run.net import Net

# Values this near to where a Sigmoid or TanH ends have less than a hundredth of its slope.
_SIGMOID_EDGE, _TANH_EDGE = 0.0025, 0.995


@dataclass(slots=True)
class _Seen:
    """What was seen of one top."""

    data: Spread = field(default_factory=Spread)
    gradient: Spread = field(default_factory=Spread)
    alive: Array | None = None
    limits: int = 0
    values: int = 0


class Probe:
    """An observer that measures all tops and their gradients.

    Args:
        net: that runs.
        most: values of an array to look at for size and spread, a share of its images; None
            for all. NaN is looked for everywhere.

    Attributes:
        iteration: that runs; the caller counts.
        poison: the first value that was not finite.
    """

    def __init__(self, net: Net, most: int | None = None) -> None:
        self.iteration = 0
        self.poison: Poison | None = None
        self._net = net
        self._most = most
        self._seen: dict[tuple[int, int], _Seen] = {}

    @property
    def _program(self) -> Program:
        return self._net.program

    def ran_forward(self, step: Step) -> None:
        """Measure the tops."""
        if step.layer is None:
            return
        for position, index in enumerate(step.tops):
            value = self._program.values[index]
            seen = self._of(step, position)
            for array in self._some(value, value.arrays):
                seen.data.take(array)
                self._take_units(step, value, seen, array)
            if self.poison is None:
                self.poison = self._look(step, value, value.arrays, "forward")

    def before_backward(self, step: Step) -> None:
        """Measure the gradients of the tops."""
        if step.layer is None:
            return
        for position, index in enumerate(step.tops):
            value = self._program.values[index]
            seen = self._of(step, position)
            for array in self._some(value, value.diffs):
                seen.gradient.take(array)
            if self.poison is None:
                self.poison = self._look(step, value, value.diffs, "backward")

    def ran_backward(self, step: Step) -> None:
        """Look at the gradients that it gave its bottoms."""
        if step.layer is None or self.poison is not None:
            return
        for index, wanted in zip(step.bottoms, step.propagate, strict=False):
            value = self._program.values[index]
            if wanted and self.poison is None:
                self.poison = self._look(step, value, value.diffs, "backward")

    def figures(self) -> tuple[BlobFigures, ...]:
        """What was measured."""
        found = []
        for (node, position), seen in sorted(self._seen.items()):
            layer = self._program.net.nodes[node]
            blob = self._program.net.blobs[layer.tops[position]]
            alive = seen.alive
            found.append(
                BlobFigures(
                    node,
                    layer.name,
                    layer.type,
                    blob.name,
                    seen.data,
                    seen.gradient,
                    0 if alive is None else int(alive.size),
                    None if alive is None else int(alive.size - np.count_nonzero(alive)),
                    seen.limits / seen.values if seen.values else None,
                )
            )
        return tuple(found)

    def _of(self, step: Step, position: int) -> _Seen:
        return self._seen.setdefault((step.node, position), _Seen())

    def _some(self, value: Value, arrays: list[Array]) -> Iterable[Array]:
        """The arrays, or of large ones every so many images."""
        total = sum(array.size for array in arrays)
        every = 1 if self._most is None else max(1, total // self._most)
        for array in arrays:
            if every == 1 or not array.ndim:
                yield array
            else:
                yield array[..., ::every] if value.layout is Layout.CHWN else array[::every]

    def _take_units(self, step: Step, value: Value, seen: _Seen, array: Array) -> None:
        kind = step.layer.type if step.layer is not None else ""
        if kind == "ReLU" and not getattr(step.layer, "negative_slope", 0.0):
            axis = 0 if value.layout is Layout.CHWN or array.ndim < 2 else 1
            rest = tuple(a for a in range(array.ndim) if a != axis)
            if not array.ndim or (value.layout is Layout.CHWN and array.ndim < 2):
                return  # one value an image: no unit stays the same
            alive: Array = np.any(array > 0, axis=rest)
            seen.alive = alive if seen.alive is None else seen.alive | alive
        elif kind == "Sigmoid":
            seen.limits += int(np.count_nonzero(np.abs(array - 0.5) > 0.5 - _SIGMOID_EDGE))
            seen.values += array.size
        elif kind == "TanH":
            seen.limits += int(np.count_nonzero(np.abs(array) > _TANH_EDGE))
            seen.values += array.size

    def _look(self, step: Step, value: Value, arrays: list[Array], way: str) -> Poison | None:
        """The first value of a blob that is not finite."""
        if all(finite(array) for array in arrays):
            return None
        net = self._program.net
        node = net.nodes[step.node]
        if way == "forward":
            for index in node.params:
                data = self._program.params[index]
                if not finite(data):
                    param = net.params[index]
                    owner = net.nodes[param.owner.node]
                    role = f"{param.role} `{param.name}`" if param.name else param.role
                    return poison(
                        self.iteration, "weights", owner.name, role, data, name_span(net, owner)
                    )
        count, where = 0, 0
        first: Array | None = None
        bounds = self._program.bounds(value) if value.layout is Layout.CHWN else [(0, 0)]
        for array, (low, _) in zip(arrays, bounds, strict=True):
            whole = np.moveaxis(array, -1, 0) if value.layout is Layout.CHWN else array
            bad = ~np.isfinite(whole)
            count += int(np.count_nonzero(bad))
            if first is None and bad.any():
                first, where = whole, low
        assert first is not None
        found = poison(self.iteration, way, node.name, value.name, first, name_span(net, node))
        at = (found.index[0] + where, *found.index[1:]) if found.index else ()
        return Poison(
            self.iteration, way, node.name, value.name, at, found.value, count, found.span
        )


def finite(array: Array) -> bool:
    """Whether no value is NaN or infinite."""
    with np.errstate(all="ignore"):
        # a sum of finite values may overflow: then look at each
        return bool(np.isfinite(array.sum()) or np.isfinite(array).all())


def poison(iteration: int, way: str, layer: str, blob: str, array: Array, span: object) -> Poison:
    """The first value of an array, in Caffe's order of axes, that is not finite."""
    bad = ~np.isfinite(array)
    at = np.unravel_index(int(np.argmax(bad)), array.shape)
    index = tuple(int(i) for i in at)
    return Poison(
        iteration,
        way,
        layer,
        blob,
        index,
        float(array[at]),
        int(np.count_nonzero(bad)),
        span,  # type: ignore[arg-type]
    )
