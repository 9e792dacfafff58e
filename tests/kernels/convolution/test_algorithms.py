"""Every way to compute a convolution against the sums of the formula."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from netdef.kernels.convolution import (
    Depthwise,
    Gemm1x1,
    Im2col,
    SpaceToDepth,
    SpaceToDepthF2,
    SpaceToDepthF4,
    SpaceToDepthF5,
    Winograd,
    WinogradF2,
    WinogradF4,
    WinogradF5,
    depthwise,
    gemm_1x1,
    im2col,
    winograd,
)
from tests.kernels.convolution.reference import Stand, apart, geometry

GEOMETRIES = {
    "3x3": geometry(3, 4, 6, (7, 10), 3),
    "3x3-padded": geometry(5, 4, 3, (9, 14), 3, pad=1),
    "3x3-mostly-padding": geometry(3, 2, 5, (1, 4), 3, pad=2),
    "3x3-more-padding-than-kernel": geometry(3, 2, 5, (6, 7), 3, pad=(4, 3)),
    "3x3-groups": geometry(3, 6, 4, (8, 5), 3, pad=(1, 0), group=2),
    "3x3-one": geometry(1, 3, 5, (9, 12), 3, pad=1),
    "3x3-two": geometry(2, 3, 5, (9, 12), 3, pad=1),
    "3x3-four": geometry(4, 3, 5, (9, 12), 3, pad=1),
    "3x3-fits-no-tile": geometry(3, 4, 5, (3, 4), 3),
    "5x5": geometry(3, 4, 6, (9, 12), 5),
    "5x5-padded": geometry(4, 2, 3, (6, 11), 5, pad=2),
    "5x5-groups": geometry(3, 6, 4, (8, 7), 5, pad=(2, 1), group=2),
    "1x1": geometry(3, 4, 6, (5, 7), 1),
    "1x1-strided": geometry(3, 4, 6, (5, 7), 1, stride=2),
    "11x11-stride-4": geometry(2, 3, 5, (27, 31), 11, stride=4),
    "7x7-stride-2": geometry(4, 3, 5, (12, 15), 7, stride=2, pad=3),
    "5x5-stride-3": geometry(3, 4, 6, (14, 11), 5, stride=3, pad=2, group=2),
    "3x3-stride-2": geometry(1, 4, 6, (8, 9), 3, stride=2, pad=1),
    "depthwise": geometry(3, 5, 5, (7, 8), 3, pad=1, group=5),
    "depthwise-four": geometry(4, 5, 5, (7, 8), 3, pad=1, group=5),
    "depthwise-stride-2": geometry(3, 5, 5, (8, 7), 3, stride=2, pad=1, group=5),
    "depthwise-stride-2-four": geometry(4, 5, 5, (8, 7), 3, stride=2, pad=1, group=5),
    "depthwise-many": geometry(2, 3, 12, (6, 7), (3, 4), stride=(1, 2), pad=(0, 2), group=3),
    "depthwise-dilated": geometry(
        2, 3, 3, (11, 12), 3, stride=(2, 3), pad=(2, 3), dilation=(2, 2), group=3
    ),
    "depthwise-dilated-more": geometry(
        2, 3, 6, (14, 13), 3, stride=(4, 1), pad=1, dilation=(6, 3), group=3
    ),
    "depthwise-1x1-stride-3": geometry(3, 2, 2, (7, 8), 1, stride=3, group=2),
    "dilated": geometry(3, 4, 6, (9, 10), 3, pad=1, dilation=2),
}
LOOSER = [WinogradF2, WinogradF4, WinogradF5, SpaceToDepthF2, SpaceToDepthF4, SpaceToDepthF5]


def ways(g):
    yield Im2col
    if g.columns_are_input:
        yield Gemm1x1
    yield from (way for way in (Depthwise, *LOOSER) if way.fits(g))


CASES = [
    pytest.param(way, g, id=f"{way.__name__}-{name}")
    for name, g in GEOMETRIES.items()
    for way in ways(g)
]


def test_every_way_has_its_cases():
    tried = {case.values[0] for case in CASES}
    assert tried == {Im2col, Gemm1x1, Depthwise, *LOOSER}


@pytest.fixture(params=["usual blocks", "small blocks"])
def _blocks(request, monkeypatch):
    if request.param == "small blocks":
        monkeypatch.setattr(gemm_1x1, "_BLOCK", 1)
        monkeypatch.setattr(gemm_1x1, "_NARROW", 4)
        monkeypatch.setattr(im2col, "_BLOCK", 1)
        monkeypatch.setattr(im2col, "_NARROW", 1)
        monkeypatch.setattr(winograd, "_BLOCK", 1)
        monkeypatch.setattr(winograd, "_TILES", 1)
        monkeypatch.setattr(depthwise, "_BLOCK", 100)


@pytest.mark.parametrize(("way", "g"), CASES)
class TestAlgorithm:
    """In float64 all ways agree to many digits, so these find mistakes, not rounding."""

    @pytest.mark.usefixtures("_blocks")
    def test_forward_is_the_formula(self, way, g):
        stand = Stand(way, g)
        for _ in range(2):
            np.testing.assert_allclose(stand.forward(), stand.expected(), rtol=0, atol=1e-10)

    def test_forward_without_bias_or_gradients(self, way, g):
        stand = Stand(way, g, dx=False, dw=False)
        stand.poison()
        stand.algorithm.forward(stand.x, stand.w, None, stand.y)
        stand.b[...] = 0
        np.testing.assert_allclose(stand.y, stand.expected(), rtol=0, atol=1e-10)

    @pytest.mark.usefixtures("_blocks")
    @pytest.mark.parametrize("bias", [True, False])
    def test_what_is_held_lasts(self, way, g, bias):
        """Bits as of weights made anew, though all else is overwritten, until they are taken."""
        stand = Stand(way, g, np.float32, dx=False, dw=False)
        algorithm, x, b = stand.algorithm, stand.x, stand.b if bias else None
        held = algorithm.held(bias=bias)
        assert set(held) <= set(stand.scratch)
        weights = [stand.w, -2 * stand.w[::-1]]
        expected = []
        for w in weights:
            stand.poison()
            algorithm.forward(x, w, b, stand.y)
            expected.append(stand.y.copy())
        algorithm.holds = True
        stand.poison()
        for w, right in zip(weights, expected, strict=True):
            algorithm.take_weights(w, b)
            given = np.full_like(w, np.nan) if issubclass(way, Winograd | SpaceToDepth) else w
            for _ in range(2):
                for name in stand.scratch.keys() - set(held):
                    stand.scratch[name].fill(np.nan)
                algorithm.forward(x, given, b, stand.y)
                np.testing.assert_array_equal(stand.y, right)

    def test_what_is_held_serves_the_gradient_of_the_input(self, way, g):
        """As a Deconvolution has it: nothing learns."""
        stand = Stand(way, g, np.float32, dw=False)
        expected = stand.backward(dw=False)[0].copy()
        held = stand.algorithm.held(bias=False)
        stand.algorithm.holds = True
        stand.algorithm.take_weights(stand.w, None)
        for name in stand.scratch.keys() - set(held):
            stand.scratch[name].fill(np.nan)
        dx = stand.grads[0]
        stand.algorithm.backward(stand.x, stand.w, stand.dy, dx, None, None)
        np.testing.assert_array_equal(dx, expected)

    @pytest.mark.usefixtures("_blocks")
    def test_backward_is_the_adjoint(self, way, g):
        stand = Stand(way, g)
        for _ in range(2):
            for got, right in zip(stand.backward(), stand.expected_grads(), strict=True):
                np.testing.assert_allclose(got, right, rtol=0, atol=1e-9)

    @pytest.mark.parametrize(("dx", "dw"), [(True, False), (False, True), (False, False)])
    def test_backward_of_what_is_wanted(self, way, g, dx, dw):
        stand = Stand(way, g, dx=dx, dw=dw)
        got = stand.backward(dx=dx, dw=dw)
        for wanted, one, right in zip((dx, dw, dw), got, stand.expected_grads(), strict=True):
            if wanted:
                np.testing.assert_allclose(one, right, rtol=0, atol=1e-9)
            else:
                assert np.isnan(one).all()

    @pytest.mark.usefixtures("_blocks")
    def test_backward_adds(self, way, g):
        stand = Stand(way, g)
        right = stand.expected_grads()
        for index, grad in enumerate(stand.grads):
            grad[...] = index
        stand.backward(add_dx=True, add_params=True)
        for index, (got, one) in enumerate(zip(stand.grads, right, strict=True)):
            np.testing.assert_allclose(got, index + one, rtol=0, atol=1e-9)
        for grad in stand.grads:
            grad.fill(0)
        stand.backward(add_dx=True)
        for got, one in zip(stand.grads, right, strict=True):
            np.testing.assert_allclose(got, one, rtol=0, atol=1e-9)

    def test_float32_repeats_itself(self, way, g):
        stand = Stand(way, g, np.float32)
        y = stand.forward().copy()
        grads = [grad.copy() for grad in stand.backward()]
        np.testing.assert_array_equal(stand.forward(), y)
        for got, before in zip(stand.backward(), grads, strict=True):
            np.testing.assert_array_equal(got, before)
        assert apart(y, stand.expected()) < 1e-5
        for got, right in zip(grads, stand.expected_grads(), strict=True):
            assert apart(got, right) < 2e-5

    def test_new_arrays_are_not_taken_for_those_before(self, way, g):
        stand = Stand(way, g)
        for turn in range(10):
            stand.x, stand.dy = stand.x * (turn + 1), stand.dy * 0.5
            stand.grads[0] = np.full_like(stand.x, np.nan)
            stand.y = np.full_like(stand.y, np.nan)
            scale = np.abs(stand.x).max() * 1e-9
            np.testing.assert_allclose(stand.forward(), stand.expected(), rtol=0, atol=scale)
            for got, right in zip(stand.backward(), stand.expected_grads(), strict=True):
                np.testing.assert_allclose(got, right, rtol=0, atol=scale)


ACCURACY = [  # way, kernel, stride, most error forward and backward; as their docstrings say
    (Im2col, 3, 1, 4e-7),
    (WinogradF2, 3, 1, 5e-7),
    (WinogradF4, 3, 1, 1.2e-6),
    (WinogradF5, 3, 1, 3.5e-6),
    (WinogradF4, 5, 1, 5e-6),
    (SpaceToDepthF4, 11, 4, 1.2e-6),
]


@pytest.mark.parametrize(("way", "kernel", "stride", "most"), ACCURACY)
def test_accuracy_in_float32(way, kernel, stride, most):
    channels = 64 if stride == 1 else 4
    size = (15, 14) if stride == 1 else (63, 59)
    g = geometry(2, channels, 48, size, kernel, stride=stride, pad=kernel // 2)
    stand = Stand(way, g, np.float32)
    stand.b.fill(0)
    errors = [apart(stand.forward(), stand.expected())]
    pairs = zip(stand.backward(), stand.expected_grads(), strict=True)
    errors += [apart(got, right) for got, right in pairs]
    assert max(errors) < most
    if way in LOOSER:
        assert max(errors) > most / 6, "better than it says: say so"


ALLOCATION = 150_000
"""Bytes: NumPy's own buffers for strided operands, and change."""


@pytest.mark.parametrize("add", [False, True])
@pytest.mark.parametrize(
    ("way", "g"),
    [
        (WinogradF4, geometry(8, 16, 24, (30, 33), 3, pad=1)),
        (WinogradF4, geometry(4, 16, 24, (60, 33), 5, pad=2, group=2)),
        (SpaceToDepthF4, geometry(16, 3, 24, (63, 71), 11, stride=4)),
        (Im2col, geometry(16, 3, 24, (63, 71), 7, stride=2)),
        (Depthwise, geometry(8, 40, 40, (30, 33), 3, pad=1, group=40)),
        (Depthwise, geometry(8, 40, 40, (30, 33), 3, stride=2, pad=1, group=40)),
    ],
)
def test_passes_allocate_nothing(way, g, add):
    stand = Stand(way, g, np.float32)
    for grad in stand.grads:
        grad.fill(0)

    def passes():
        stand.algorithm.forward(stand.x, stand.w, stand.b, stand.y)
        stand.backward(add_dx=add, add_params=add)

    passes()  # views are made the first time
    assert stand.x.nbytes > 3 * ALLOCATION
    tracemalloc.start()
    passes()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < ALLOCATION
