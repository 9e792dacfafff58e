"""Gradients by formula beside gradients by numbers, layer by layer, in float64.

Each layer runs by itself on what the net feeds it. Along a random direction the change of a
random sum of its tops is compared with what backward says. Where the changes to either side
differ, a kink lies between them (a ReLU's 0, two equal values of a maximum): another direction
is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from netdef.diag import Span
from netdef.doctor.together import leave, observe
from netdef.graph import Node
from netdef.graph.problems import name_span
from netdef.layers.base import (
    CHWN,
    Array,
    Backward,
    DataLayer,
    Forward,
    Layer,
    Layout,
    SinkLayer,
    Site,
)
from netdef.plan import Step
from netdef.run.net import Net

TOLERANCE = 1e-4
_STEP = 1e-6  # beside the size of the values
_KINK = 2e-5  # difference of the slopes to either side, beside their size; a fifth of TOLERANCE
_TRIES = 12
_FEW = 8  # values that the later directions change
_ASIDE = 1e-4


@dataclass(frozen=True, slots=True)
class Checked:
    """One gradient of a layer.

    Attributes:
        layer: its name.
        type: of the layer.
        target: "bottom `x`", or "weight", "bias", ….
        error: relative; NaN where nothing could be compared.
        kinks: directions that were given up because a kink lay on them.
        span: where the layer stands.
    """

    layer: str
    type: str
    target: str
    error: float
    kinks: int
    span: Span | None

    @property
    def verdict(self) -> str:
        """`ok`, `wrong`, or `kinks` where every direction has one."""
        if self.error != self.error:
            return "kinks"
        return "ok" if self.error <= TOLERANCE else "wrong"


def check_gradients(net: Net, seed: int = 0) -> Iterator[Checked]:
    """Check every layer that runs backward.

    Args:
        net: planned for backward; a forward pass is run.
        seed: of the directions.
    """
    catch = _Catch(net)
    observe(net, catch)
    try:
        net.forward()
    finally:
        leave(net, catch)
    for step in net.program.steps:
        node = net.graph.nodes[step.node]
        if step.layer is None or not step.backward or not step.bottoms:
            continue
        if isinstance(step.layer, DataLayer | SinkLayer):
            continue
        if type(step.layer).backward is Layer.backward:
            continue
        yield from _check(net, step, node, catch.values, np.random.default_rng(seed + step.node))


class _Catch:
    """Keeps what every value was when it was made, in Caffe's order of axes."""

    def __init__(self, net: Net) -> None:
        self.values: dict[int, Array] = {}
        self._net = net

    def ran_forward(self, step: Step) -> None:
        """Copy the tops."""
        for index in step.tops:
            value = self._net.program.values[index]
            arrays = value.arrays
            if value.layout is CHWN:
                arrays = [np.moveaxis(a, -1, 0) for a in arrays]
            self.values[index] = np.concatenate(arrays) if len(arrays) > 1 else arrays[0].copy()

    def before_backward(self, step: Step) -> None:
        """Nothing."""

    def ran_backward(self, step: Step) -> None:
        """Nothing."""


class _Alone:
    """A layer by itself, in float64."""

    def __init__(self, net: Net, step: Step, seed: int) -> None:
        node = net.graph.nodes[step.node]
        assert step.layer is not None
        self.layer = step.layer
        self._layout = step.layout
        program = net.program
        shapes = [program.values[i].shape for i in step.bottoms]
        tops = [program.values[i].shape for i in step.tops]
        batch = shapes[0][0] if shapes[0] else 0
        self.site = Site(
            step.layout,
            tuple(_turned(s, step.layout) for s in shapes),
            tuple(_turned(s, step.layout) for s in tops),
            tuple(step.propagate),
            tuple(net.graph.params[p].learns for p in node.params),
            np.float64,
            exact=True,
            images=batch,
        )
        self._seed = seed

    def _forward(self, bottoms: list[Array], params: list[Array]) -> Forward[Any]:
        site = self.site
        buffers = {
            name: np.zeros(b.shape, b.dtype or np.float64)
            for name, b in self.layer.buffers(site).items()
        }
        run: Forward[Any] = Forward(
            site,
            [_to(b, self._layout) for b in bottoms],
            [np.zeros(s) for s in site.tops],
            [p.copy() for p in params],  # some layers keep sums in them
            buffers,
            lambda: np.random.default_rng(self._seed),
        )
        run.work = self.layer.prepare(run)
        for name in self.layer.stages(site)[0]:
            getattr(self.layer, name)(run)
        return run

    def value(self, bottoms: list[Array], params: list[Array], sums: list[Array]) -> float:
        """The sum of the tops, weighed by `sums`."""
        run = self._forward(bottoms, params)
        return sum(float(np.vdot(t, s)) for t, s in zip(run.tops, sums, strict=True))

    def gradients(
        self, bottoms: list[Array], params: list[Array], sums: list[Array]
    ) -> tuple[list[Array | None], list[Array | None]]:
        """Of that sum, by bottoms (in Caffe's order) and params."""
        run = self._forward(bottoms, params)
        site = self.site
        pairs = zip(site.bottoms, site.wanted, strict=True)
        bottom_diffs = [np.zeros(s) if wanted else None for s, wanted in pairs]
        param_diffs = [
            np.zeros(p.shape) if learns else None
            for p, learns in zip(params, site.learns, strict=True)
        ]
        back = Backward(run, [s.copy() for s in sums], bottom_diffs, param_diffs)
        for name in self.layer.stages(site)[1]:
            getattr(self.layer, name)(back)
        return [None if d is None else _from(d, self._layout) for d in bottom_diffs], param_diffs


def _check(
    net: Net, step: Step, node: Node, values: dict[int, Array], random: np.random.Generator
) -> Iterator[Checked]:
    alone = _Alone(net, step, int(random.integers(1 << 31)))
    bottoms = [values[i].astype(np.float64) for i in step.bottoms]
    for position, wanted in enumerate(step.propagate):
        if wanted:
            bottoms[position] = _aside(bottoms[position], alone.layer.kinks, random)
    params = [net.learned[p].data.astype(np.float64) for p in node.params]
    sums = [random.standard_normal(s) for s in alone.site.tops]
    by_bottoms, by_params = alone.gradients(bottoms, params, sums)
    span = name_span(net.graph, node)

    def result(target: str, arrays: list[Array], at: int, gradient: Array) -> Checked:
        def along(direction: Array, size: float) -> float:
            kept = arrays[at]
            arrays[at] = kept + size * direction
            found = alone.value(bottoms, params, sums)
            arrays[at] = kept
            return found

        error, kinks = _compare(along, arrays[at], gradient, random)
        return Checked(node.name, node.type, target, error, kinks, span)

    for position, found in enumerate(by_bottoms):
        if found is not None:
            name = node.message.bottom[position]
            yield result(f"bottom `{name}`", bottoms, position, found)
    for position, found in enumerate(by_params):
        if found is not None:
            yield result(net.graph.params[node.params[position]].role, params, position, found)


def _compare(
    along: Callable[[Array, float], float],
    values: Array,
    gradient: Array,
    random: np.random.Generator,
) -> tuple[float, int]:
    """Relative error of a gradient, and how many directions had a kink."""
    kinks = 0
    size = _STEP * max(float(np.sqrt(np.mean(values**2))) if values.size else 1.0, 1e-3)
    for attempt in range(_TRIES):
        direction = random.standard_normal(values.shape)
        if attempt:
            few = np.zeros(values.size)
            few[random.choice(values.size, min(_FEW, values.size), replace=False)] = 1
            direction *= few.reshape(values.shape)
        whole = float(np.linalg.norm(gradient * (direction != 0)))
        said = float(np.vdot(gradient, direction))
        here = along(direction, 0.0)
        up, down = along(direction, size), along(direction, -size)
        right, left, middle = (up - here) / size, (here - down) / size, (up - down) / (2 * size)
        # what rounding alone can make of a difference
        noise = 1e-15 * max(abs(here), abs(up)) / size
        scale = max(whole, abs(middle), 1e3 * noise, 1e-12)
        if abs(right - left) > _KINK * scale + 10 * noise:
            kinks += 1
            continue
        return max(0.0, abs(middle - said) - 10 * noise) / scale, kinks
    return float("nan"), kinks


def _aside(values: Array, kinks: tuple[float, ...], random: np.random.Generator) -> Array:
    """The values a little off, so that none are equal and none stands on a kink."""
    size = _ASIDE * (float(np.sqrt(np.mean(values**2))) if values.size else 1.0)
    moved = np.abs(np.abs(values) + size * random.uniform(0.5, 1.5, values.shape))
    moved *= np.where(values < 0, -1, 1)
    for kink in kinks:
        near = np.abs(moved - kink) < size / 4
        moved[near] = kink + size
    return moved


def _turned(shape: tuple[int, ...], layout: Layout) -> tuple[int, ...]:
    return (*shape[1:], shape[0]) if layout is CHWN and shape else shape


def _to(array: Array, layout: Layout) -> Array:
    turned = np.moveaxis(array, 0, -1) if layout is CHWN and array.ndim else array
    return np.array(turned, order="C", copy=True)


def _from(array: Array, layout: Layout) -> Array:
    return np.moveaxis(array, -1, 0) if layout is CHWN and array.ndim else array
