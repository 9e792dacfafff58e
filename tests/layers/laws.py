"""Laws that every layer obeys, proved case by case against a slow reference.

A test of a layer type is a subclass of `LayerLaws` with its `cases` and its `reference`:

    class TestReLU(LayerLaws):
        cases = [Case(ReLU(), ((2, 3),))]

        def reference(self, layer, bottoms, params):
            (x,) = bottoms
            return (np.maximum(x, 0),)

`Stand` (in stand.py) does for one layer what a plan does for a net: it owns the arrays.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from netdef.layers.base import CHWN, Array, Layout
from tests.layers.stand import (
    NAN,
    SEED,
    Case,
    Shards,
    Stand,
    close,
    random,
    to_layout,
    top_gradients,
)

__all__ = ["Case", "LayerLaws", "Shards", "Stand", "close", "random"]


class LayerLaws:
    """Base of the tests of a layer: give `cases` and `reference`."""

    cases: ClassVar[Sequence[Case]] = ()

    def reference(
        self, layer: Any, bottoms: list[Array], params: list[Array]
    ) -> tuple[Array, ...] | None:
        """The tops, computed slowly, in float64 and Caffe's order, by other means.

        None where there is nothing to compare with, such as random numbers in an order that
        depends on the layout; `laws.random()` is the stream that forward is handed.
        """
        raise NotImplementedError

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Try every law at every case and layout."""
        wants = metafunc.fixturenames
        if "case" in wants and "layout" in wants:
            pairs = [(c, at) for c in self.cases for at in c.layouts()]
            names = [f"{c}-{at.value}" for c, at in pairs]
            metafunc.parametrize(("case", "layout"), pairs, ids=names)
        elif "case" in wants:
            metafunc.parametrize("case", self.cases, ids=str)

    @pytest.fixture(autouse=True)
    def _silent(self) -> Iterator[None]:
        """A layer may divide by what it will throw away, but must not fail on warnings."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            yield

    def _reference(self, case: Case, bottoms: list[Array]) -> list[Array] | None:
        with np.errstate(all="ignore"):
            tops = self.reference(case.layer, bottoms, case.param_values())
        return None if tops is None else [np.asarray(t) for t in tops][: len(case.top_shapes())]

    # -- shapes

    def test_shapes_of_the_case_have_no_two_equal_axes(self, case: Case) -> None:
        """Equal axes hide mixed-up axes."""
        for shape in case.bottom_shapes:
            long = [axis for axis in shape if axis != 1]
            assert len(set(long)) == len(long), f"two axes of {shape} are equal"

    def test_shapes_are_tuples_of_ints(self, case: Case) -> None:
        """The graph hashes shapes and prints them."""
        for shape in case.layer.shapes(case.bottom_shapes):
            assert type(shape) is tuple
            assert all(type(axis) is int for axis in shape)
        assert hash(case.layer) is not None

    def test_shapes_agree_with_the_reference(self, case: Case) -> None:
        """`shapes` says what the formula gives."""
        expected = self._reference(case, case.bottom_values())
        if expected is not None:
            assert [tuple(t.shape) for t in expected] == list(case.top_shapes())

    def test_counts_agree_with_what_the_type_says(self, case: Case) -> None:
        """Bottoms and tops are as many as the type allows."""
        layer = case.layer
        for count, (low, high) in (
            (len(case.bottom_shapes), layer.bottom_count),
            (len(case.top_shapes()), layer.top_count),
        ):
            assert low <= count <= (count if high is None else high)

    # -- forward

    def test_forward_is_the_formula(self, case: Case, layout: Layout) -> None:
        """Every value of every top is written, and right."""
        _check_forward(self, case, layout)

    def test_forward_of_a_batch_of_one(self, case: Case, layout: Layout) -> None:
        """A batch of one is a batch."""
        if case.batch_of_one:
            _check_forward(self, case.single(), layout)

    def test_forward_without_backward_is_the_same(self, case: Case, layout: Layout) -> None:
        """Saving nothing for backward changes nothing."""
        off = Stand(
            case,
            layout,
            wanted=(False,) * len(case.wanted()),
            learns=(False,) * len(case.learns()),
        )
        for one, other in zip(off.forward(), Stand(case, layout).forward(), strict=True):
            close(one, other, case.tolerance, "top without backward")

    def test_forward_is_pure(self, case: Case, layout: Layout) -> None:
        """Bottoms and params stay; the same again gives the same digits."""
        stand = Stand(case, layout)
        first = stand.forward()
        for bottom, value in zip(stand.bottoms, stand._bottom_values, strict=True):
            np.testing.assert_array_equal(bottom, value, "forward wrote into a bottom")
        if not any(p.statistic for p in case.layer.params(case.bottom_shapes)):
            for param, value in zip(stand.params, stand._param_values, strict=True):
                np.testing.assert_array_equal(param, value, "forward wrote into a param")
        for one, other in zip(first, stand.forward(), strict=True):
            np.testing.assert_array_equal(one, other, "forward differs the second time")

    def test_forward_in_place(self, case: Case, layout: Layout) -> None:
        """A layer that says so may write its top over its bottom."""
        if not case.layer.in_place:
            return
        assert case.top_shapes()[0] == case.bottom_shapes[0]
        apart, within = Stand(case, layout), Stand(case, layout, in_place=True)
        for one, other in zip(within.forward(), apart.forward(), strict=True):
            close(one, other, case.tolerance, "top in place")

    def test_non_finite_values_are_carried(self, case: Case, layout: Layout) -> None:
        """No layer makes a number of a NaN or of infinity where the formula does not."""
        if not case.nonfinite or 0 in case.bottoms or 0 in case.layer.no_gradient:
            return
        for bad in (NAN, np.inf, -np.inf):
            values = case.bottom_values()
            values[0].flat[values[0].size // 2] = bad
            expected = self._reference(case, values)
            if expected is None:
                return
            tops = Stand(case, layout, bottoms=values).forward()
            for index, (top, right) in enumerate(zip(tops, expected, strict=True)):
                finite = np.isfinite(top)
                assert not np.any(finite & ~np.isfinite(right)), f"top {index} hides a {bad}"
                close(top[finite], right[finite], case.tolerance, f"top {index} beside a {bad}")

    # -- backward

    def test_gradient_is_the_slope(self, case: Case, layout: Layout) -> None:
        """Gradients of bottoms and params agree with differences along random directions."""
        if not case.has_backward():
            return
        stand = Stand(case, layout, np.float64)
        top_diffs = top_gradients(case)
        stand.forward()
        dxs, dps = stand.backward(top_diffs)
        bottoms, params = case.bottom_values(), case.param_values()
        for kind, values, diffs in (("bottom", bottoms, dxs), ("param", params, dps)):
            for index, diff in enumerate(diffs):
                if diff is None:
                    continue
                assert np.all(np.isfinite(diff)), f"gradient of {kind} {index} is not finite"
                self._check_slope(case, layout, kind, index, diff, values, top_diffs)

    def _check_slope(
        self,
        case: Case,
        layout: Layout,
        kind: str,
        index: int,
        diff: Array,
        values: list[Array],
        top_diffs: list[Array],
        step: float = 1e-6,
        directions: int = 3,
    ) -> None:
        """Compare <diff, d> with the slope of <top_diffs, tops> along d."""
        random = np.random.default_rng(SEED + 4)
        stand = Stand(case, layout, np.float64)
        held = stand._bottom_values if kind == "bottom" else stand._param_values
        for _ in range(directions):
            direction = random.standard_normal(values[index].shape)
            ends = []
            for sign in (1, -1):
                moved = values[index] + sign * step * direction
                held[index][...] = to_layout(moved, layout) if kind == "bottom" else moved
                tops = stand.forward()
                ends.append(sum(float(np.sum(t * d)) for t, d in zip(tops, top_diffs, strict=True)))
            slope = (ends[0] - ends[1]) / (2 * step)
            parts = diff * direction
            scale = float(np.sqrt(np.sum(parts**2))) + abs(slope) + 1e-3 + 1e-3 * abs(ends[0])
            error = abs(float(parts.sum()) - slope) / scale
            assert error < 1e-5, (
                f"gradient of {kind} {index}: {parts.sum()} where the slope is {slope}"
            )

    def test_backward_in_float32(self, case: Case, layout: Layout) -> None:
        """Single precision agrees with double, sets what it writes, and repeats itself."""
        if not case.has_backward():
            return
        top_diffs = top_gradients(case)
        single, double = Stand(case, layout), Stand(case, layout, np.float64)
        single.forward()
        double.forward()
        got = _flat(single.backward(top_diffs))
        expected = _flat(double.backward(top_diffs))
        single.forward()
        again = _flat(single.backward(top_diffs))
        for index, diff in got.items():
            assert diff.dtype == np.float32
            close(diff, expected[index], 10 * case.tolerance, f"gradient of {index}")
            np.testing.assert_array_equal(diff, again[index], f"gradient of {index} differs")

    def test_backward_of_a_batch_of_one(self, case: Case, layout: Layout) -> None:
        """A batch of one has gradients."""
        if case.batch_of_one and case.has_backward():
            self.test_gradient_is_the_slope(case.single(), layout)

    def test_backward_adds_where_asked(self, case: Case, layout: Layout) -> None:
        """A layer that accumulates adds to what a bottom's gradient holds."""
        if not case.layer.accumulates or not case.has_backward():
            return
        random, top_diffs = np.random.default_rng(SEED + 5), top_gradients(case)
        before = [random.standard_normal(s).astype(np.float32) for s in case.bottom_shapes]
        stand = Stand(case, layout)
        stand.forward()
        plain, plain_params = stand.backward(top_diffs)
        stand.forward()
        summed, summed_params = stand.backward(top_diffs, before)
        for index, diff in enumerate(summed):
            if diff is not None:
                close(diff, plain[index] + before[index], 1e-5, f"sum of bottom {index}")
        for index, diff in enumerate(summed_params):
            if diff is not None:
                close(diff, plain_params[index], 1e-6, f"param {index} is set all the same")

    def test_backward_writes_only_what_is_wanted(self, case: Case, layout: Layout) -> None:
        """Each gradient comes out right when it is the only one that is wanted."""
        if not case.has_backward():
            return
        top_diffs = top_gradients(case)
        stand = Stand(case, layout)
        stand.forward()
        expected = _flat(stand.backward(top_diffs))
        if len(expected) == 1:
            return
        for kind, index in expected:
            alone = Stand(
                case,
                layout,
                wanted=_only(case.wanted(), index if kind == "bottom" else None),
                learns=_only(case.learns(), index if kind == "param" else None),
            )
            alone.forward()
            got = _flat(alone.backward(top_diffs))
            assert list(got) == [(kind, index)]
            right = expected[kind, index]
            close(got[kind, index], right, case.tolerance, f"{kind} {index} alone")

    def test_backward_in_place(self, case: Case, layout: Layout) -> None:
        """A layer that says so may write its bottom's gradient over its top's.

        Where backward reads the bottoms, the plan gives the layer a top of its own, but the
        gradients may still share.
        """
        if not case.layer.in_place or not case.has_backward():
            return
        top_diffs = top_gradients(case)
        over_data = not case.layer.reads_bottoms
        apart = Stand(case, layout)
        within = Stand(case, layout, in_place=over_data, gradients_in_place=True)
        apart.forward()
        within.forward()
        expected, got = _flat(apart.backward(top_diffs)), _flat(within.backward(top_diffs))
        for index, diff in expected.items():
            close(got[index], diff, case.tolerance, f"gradient of {index} in place")

    # -- shards

    @pytest.mark.parametrize("count", [2, 3])
    def test_shards_are_the_whole(self, case: Case, layout: Layout, count: int) -> None:
        """A batch cut into shards, each with its own arrays, gives what it gives in one."""
        layer = case.layer
        shapes = (*case.bottom_shapes, *case.top_shapes())
        if layout is not CHWN or layer.random or not case.top_shapes():
            return
        if any(not shape or shape[0] < count for shape in shapes):
            return
        whole, shards = Stand(case, layout), Shards(case, count)
        for one, other in zip(shards.forward(), whole.forward(), strict=True):
            close(one, other, case.tolerance, "top of shards")
        for one, other in zip(shards.params, whole.params, strict=True):
            close(one, other, case.tolerance, "param after forward in shards")
        if case.has_backward():
            top_diffs = top_gradients(case)
            expected, got = _flat(whole.backward(top_diffs)), _flat(shards.backward(top_diffs))
            for index, diff in expected.items():
                close(got[index], diff, 10 * case.tolerance, f"gradient of {index} in shards")


def _only(all_of: tuple[bool, ...], index: int | None) -> tuple[bool, ...]:
    return tuple(i == index for i in range(len(all_of)))


def _flat(
    diffs: tuple[list[Array | None], list[Array | None]],
) -> dict[tuple[str, int], Array]:
    """The gradients that are there, by kind and index."""
    return {
        (kind, index): diff
        for kind, group in zip(("bottom", "param"), diffs, strict=True)
        for index, diff in enumerate(group)
        if diff is not None
    }


def _check_forward(laws: LayerLaws, case: Case, layout: Layout) -> None:
    expected = laws._reference(case, case.bottom_values())
    tops = Stand(case, layout).forward()
    for index, (top, shape) in enumerate(zip(tops, case.top_shapes(), strict=True)):
        assert top.shape == shape, f"top {index} is {top.shape}, shapes says {shape}"
        assert top.dtype == np.float32
        if expected is None:
            assert not np.any(np.isnan(top)), f"top {index} is not written everywhere"
        else:
            close(top, expected[index], case.tolerance, f"top {index}")
