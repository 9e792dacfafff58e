"""One layer on a test stand, with its arrays as a plan would hold them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from netdef.layers.base import (
    ANY,
    CHWN,
    NCHW,
    Array,
    Backward,
    Forward,
    Layer,
    Layout,
    Shape,
    Shapes,
    Site,
)

SEED = 7
NAN = float("nan")

Values = Array | Callable[[np.random.Generator, Shape], Array]


@dataclass(frozen=True)
class Case:
    """One layer with the shapes it is tried at.

    Attributes:
        layer: with its settings.
        bottom_shapes: in Caffe's order; no two axes of a shape may be equal (but for 1s), so
            that no kernel can mix them up unseen.
        params: values of the params; None for normal random ones.
        bottoms: values of some bottoms by index, an array or a function of a generator and the
            shape; the others are normal random. For labels, indices, positive arguments.
        tops: how many tops are asked for; None for all that `shapes` gives.
        kinks: where the gradient check must not stand; None for the layer's own.
        tolerance: largest error relative to the largest value of an array.
        batch_of_one: also try with the first axis cut to 1.
        nonfinite: also try with NaN and infinity in the first bottom.
        name: of the case in pytest's output; None for the layer's settings.
    """

    layer: Layer[Any]
    bottom_shapes: Shapes
    _: KW_ONLY
    params: Sequence[Array] | None = None
    bottoms: Mapping[int, Values] = field(default_factory=dict)
    tops: int | None = None
    kinks: tuple[float, ...] | None = None
    tolerance: float = 1e-5
    batch_of_one: bool = True
    nonfinite: bool = True
    name: str | None = None

    def __str__(self) -> str:
        """Name of the case in pytest's output."""
        return self.name or f"{self.layer} {self.bottom_shapes}"

    def top_shapes(self) -> Shapes:
        """Shapes of the tops asked for."""
        shapes = tuple(self.layer.shapes(self.bottom_shapes))
        return shapes if self.tops is None else shapes[: self.tops]

    def bottom_values(self, dtype: type = np.float64) -> list[Array]:
        """Values of the bottoms, away from the kinks."""
        random = np.random.default_rng(SEED)
        values = []
        for index, shape in enumerate(self.bottom_shapes):
            given = self.bottoms.get(index)
            if given is None:
                value = random.standard_normal(shape)
            else:
                value = np.asarray(given(random, shape) if callable(given) else given)
            assert value.shape == shape, f"bottom {index} is given as {value.shape}"
            values.append(value.astype(np.float32).astype(dtype))
        kinks = self.layer.kinks if self.kinks is None else self.kinks
        if values and 0 not in self.bottoms:
            _step_aside(values[0], kinks)
        return values

    def param_values(self, dtype: type = np.float64) -> list[Array]:
        """Values of the params."""
        random = np.random.default_rng(SEED + 1)
        learned = self.layer.params(self.bottom_shapes)
        if self.params is None:
            given = [random.standard_normal(p.shape) for p in learned]
        else:
            given = [np.asarray(p) for p in self.params]
            assert [p.shape for p in given] == [p.shape for p in learned]
        return [p.astype(np.float32).astype(dtype) for p in given]

    def layouts(self) -> tuple[Layout, ...]:
        """The layouts in which a plan may run this layer at these shapes."""
        at = self.layer.layout_at(self.bottom_shapes)
        return (NCHW, CHWN) if at is ANY else (at,)

    def wanted(self) -> tuple[bool, ...]:
        """For each bottom whether it can have a gradient."""
        return tuple(i not in self.layer.no_gradient for i in range(len(self.bottom_shapes)))

    def learns(self) -> tuple[bool, ...]:
        """For each param whether a solver would learn it."""
        return tuple(not p.statistic for p in self.layer.params(self.bottom_shapes))

    def has_backward(self) -> bool:
        """Whether the layer writes gradients at all."""
        return type(self.layer).backward is not Layer.backward

    def single(self) -> Case:
        """The same case with a batch of one."""
        batch = self.bottom_shapes[0][0]

        def cut(shape: Shape) -> Shape:
            return (1, *shape[1:]) if shape and shape[0] == batch else shape

        bottoms = {
            i: v if callable(v) or not v.shape or v.shape[0] != batch else v[:1]
            for i, v in self.bottoms.items()
        }
        return replace(self, bottom_shapes=tuple(map(cut, self.bottom_shapes)), bottoms=bottoms)


def _step_aside(values: Array, kinks: tuple[float, ...], margin: float = 0.05) -> None:
    for kink in kinks:
        near = np.abs(values - kink) < margin
        values[near] = kink + np.where(values[near] < kink, -margin, margin)


def to_layout(array: Array, layout: Layout) -> Array:
    """A contiguous copy of an array of Caffe's order, in a layout."""
    moved = np.moveaxis(array, 0, -1) if layout is CHWN and array.ndim else array
    return np.array(moved, order="C", copy=True)


def from_layout(array: Array, layout: Layout) -> Array:
    """A view of an array of a layout, in Caffe's order."""
    return np.moveaxis(array, -1, 0) if layout is CHWN and array.ndim else array


def random() -> np.random.Generator:
    """The random numbers that every pass is handed: the same stream each time."""
    return np.random.default_rng(SEED + 2)


class Stand:
    """One layer with its arrays, as a plan would hold them; all in the layout.

    Buffers are poisoned before each pass as far as a plan promises nothing about them: a layer
    may trust a saved buffer in backward only, and any other buffer never.

    Args:
        case: layer and shapes.
        layout: in which the arrays lie.
        dtype: of blobs and params.
        wanted: for each bottom whether its gradient is wanted; default: all that can have one.
        learns: the same for params.
        in_place: the first top is the first bottom, and so are their gradients.
        gradients_in_place: only their gradients are one array.
        bottoms: values in Caffe's order; default: the case's.
        params: values; default: the case's.
    """

    def __init__(
        self,
        case: Case,
        layout: Layout,
        dtype: type = np.float32,
        *,
        wanted: tuple[bool, ...] | None = None,
        learns: tuple[bool, ...] | None = None,
        in_place: bool = False,
        gradients_in_place: bool = False,
        bottoms: Sequence[Array] | None = None,
        params: Sequence[Array] | None = None,
        top_shapes: Shapes | None = None,
    ) -> None:
        self.layer, self.layout = case.layer, layout
        values = case.bottom_values() if bottoms is None else bottoms
        self._bottom_values = [to_layout(np.asarray(v, dtype), layout) for v in values]
        self._param_values = [
            np.array(p, dtype) for p in (case.param_values() if params is None else params)
        ]
        top_values = [np.empty(s, dtype) for s in top_shapes or case.top_shapes()]
        self.bottoms = [v.copy() for v in self._bottom_values]
        self.params = [p.copy() for p in self._param_values]
        self.tops = [to_layout(t, layout) for t in top_values]
        if in_place:
            self.tops[0] = self.bottoms[0]
        self.in_place = in_place
        self.gradients_in_place = in_place or gradients_in_place
        self.wanted = case.wanted() if wanted is None else wanted
        self.learns = case.learns() if learns is None else learns
        self.site = Site(
            layout,
            tuple(b.shape for b in self.bottoms),
            tuple(t.shape for t in self.tops),
            self.wanted,
            self.learns,
            dtype,
        )
        self._needs = dict(self.layer.buffers(self.site))
        self._buffers = {
            name: np.empty(b.shape, b.dtype or dtype) for name, b in self._needs.items()
        }
        self.run: Forward[Any] = Forward(
            self.site, self.bottoms, self.tops, self.params, self._buffers, random
        )
        self._poison_buffers(saved=True)
        self.run.work = self.layer.prepare(self.run)

    def _poison_buffers(self, *, saved: bool) -> None:
        for name, need in self._needs.items():
            if need.lasting:
                if saved:
                    self._buffers[name].fill(0)  # as a plan hands it over
            elif saved or not need.saved:
                poison(self._buffers[name])

    def forward(self) -> list[Array]:
        """Run forward from the first values; return copies of the tops in Caffe's order."""
        self.start_forward()
        run_stages(self.layer.forward_stages, self.layer, [self.run])
        return self.top_values()

    def start_forward(self) -> None:
        """Put the first values into bottoms and params, and poison all that is to be written."""
        for bottom, value in zip(self.bottoms, self._bottom_values, strict=True):
            bottom[...] = value
        for param, value in zip(self.params, self._param_values, strict=True):
            param[...] = value
        for top in self.tops[self.in_place :]:
            poison(top)
        self._poison_buffers(saved=True)

    def top_values(self) -> list[Array]:
        """Copies of the tops in Caffe's order."""
        return [from_layout(t, self.layout).copy() for t in self.tops]

    def backward(
        self,
        top_diffs: Sequence[Array],
        adds_to: Sequence[Array] | None = None,
    ) -> tuple[list[Array | None], list[Array | None]]:
        """Run backward after `forward`; return the gradients of bottoms and params.

        Args:
            top_diffs: in Caffe's order.
            adds_to: what the bottoms' gradients hold before, to be added to.
        """
        run = self.start_backward(top_diffs, adds_to)
        run_stages(self.layer.backward_stages, self.layer, [run])
        return self.gradients(run)

    def start_backward(
        self,
        top_diffs: Sequence[Array],
        adds_to: Sequence[Array] | None = None,
    ) -> Backward[Any]:
        """Make the gradients' arrays, and poison all that backward must not read."""
        dtype = self.site.dtype
        dys = [to_layout(np.asarray(d, dtype), self.layout) for d in top_diffs]
        self._kept_diffs = [d.copy() for d in dys]
        dxs: list[Array | None] = [
            np.full(b.shape, NAN, dtype) if w else None
            for b, w in zip(self.bottoms, self.wanted, strict=True)
        ]
        if adds_to is not None:
            for index, value in enumerate(adds_to):
                if dxs[index] is not None:
                    dxs[index] = to_layout(np.asarray(value, dtype), self.layout)
        if self.gradients_in_place and self.wanted[0]:
            dxs[0] = dys[0]
        dps: list[Array | None] = [
            np.full(p.shape, NAN, dtype) if w else None
            for p, w in zip(self.params, self.learns, strict=True)
        ]
        self._poison_buffers(saved=False)
        reads = self.layer.reads_bottoms, self.layer.reads_tops
        if not (self.in_place and any(reads)):
            for read, arrays in zip(reads, (self.bottoms, self.tops), strict=True):
                for array in () if read else arrays:
                    poison(array)
        adds = (adds_to is not None,) * len(dxs)
        return Backward(self.run, dys, dxs, dps, adds)

    def gradients(self, run: Backward[Any]) -> tuple[list[Array | None], list[Array | None]]:
        """Gradients of bottoms, copied in Caffe's order, and of params, as backward left them."""
        pairs = list(zip(run.top_diffs, self._kept_diffs, strict=True))
        for dy, before in pairs[self.gradients_in_place :]:
            np.testing.assert_array_equal(dy, before, "backward wrote into a top's gradient")
        back = [None if d is None else from_layout(d, self.layout).copy() for d in run.bottom_diffs]
        return back, run.param_diffs


class Shards:
    """One layer on several stands, each with a part of the batch, that meet between stages.

    Args:
        case: layer and shapes; every bottom has at least as many images as there are shards.
        count: how many shards.
        bottoms: values in Caffe's order; default: the case's.
    """

    def __init__(
        self,
        case: Case,
        count: int,
        bottoms: Sequence[Array] | None = None,
        dtype: type = np.float32,
    ) -> None:
        self.layer = case.layer
        values = case.bottom_values() if bottoms is None else bottoms
        parts = zip(*(cut(v, count) for v in values), strict=True)
        tops = zip(*(cut(np.empty(s), count) for s in case.top_shapes()), strict=True)
        self.stands = [
            Stand(
                replace(case, bottom_shapes=tuple(v.shape for v in part), bottoms={}),
                Layout.CHWN,
                dtype,
                wanted=case.wanted(),
                learns=case.learns(),
                bottoms=part,
                params=case.param_values(),
                top_shapes=tuple(t.shape for t in top),
            )
            for part, top in zip(parts, tops, strict=True)
        ]
        self.params = self.stands[0].params
        for stand in self.stands[1:]:
            stand.params = stand.run.params = self.params

    def forward(self) -> list[Array]:
        """Run forward; return the tops of the whole batch in Caffe's order."""
        for stand in self.stands:
            stand.start_forward()
        run_stages(self.layer.forward_stages, self.layer, [s.run for s in self.stands])
        tops = zip(*(s.top_values() for s in self.stands), strict=True)
        return [np.concatenate(parts) for parts in tops]

    def backward(self, top_diffs: Sequence[Array]) -> tuple[list[Array | None], list[Array | None]]:
        """Run backward after `forward`; gradients of the whole batch."""
        diffs = zip(*(cut(d, len(self.stands)) for d in top_diffs), strict=True)
        runs = [s.start_backward(part) for s, part in zip(self.stands, diffs, strict=True)]
        run_stages(self.layer.backward_stages, self.layer, runs)
        found = [s.gradients(run) for s, run in zip(self.stands, runs, strict=True)]
        dxs = zip(*(dx for dx, _ in found), strict=True)
        dps = zip(*(dp for _, dp in found), strict=True)
        return (
            [None if parts[0] is None else np.concatenate(parts) for parts in dxs],
            [None if parts[0] is None else np.sum(parts, axis=0) for parts in dps],
        )


def run_stages(stages: Sequence[str], layer: Layer[Any], runs: Sequence[Any]) -> None:
    """Run each stage for every shard before the next begins."""
    for run in runs:
        run.peers = runs
    with np.errstate(all="ignore"):
        for stage in stages:
            for run in runs:
                getattr(layer, stage)(run)


def cut(array: Array, count: int) -> list[Array]:
    """Parts of a batch, the later ones the larger."""
    ends = [len(array) * part // count for part in range(count + 1)]
    return [array[a:b] for a, b in pairwise(ends)]


def poison(array: Array) -> None:
    """Fill with values that nobody can have computed."""
    array.fill(True if array.dtype.kind == "b" else NAN if array.dtype.kind == "f" else 113)


def close(actual: Array, expected: Array, tolerance: float, what: str) -> None:
    """Assert that arrays agree, relative to the largest expected value."""
    expected = np.asarray(expected, np.float64)
    assert actual.shape == expected.shape, f"{what}: {actual.shape}, not {expected.shape}"
    scale = max(1e-3, float(np.abs(expected).max(initial=0.0)))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * scale, err_msg=what)


def top_gradients(case: Case) -> list[Array]:
    """Some gradient for every top."""
    random = np.random.default_rng(SEED + 3)
    return [
        random.standard_normal(s).astype(np.float32).astype(np.float64) for s in case.top_shapes()
    ]
