"""Compiled pooling gives what NumPy's gives, to the last bit where nothing is added up."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.kernels.pooling import AveragePool, MaximumPool, Window

pytest.importorskip("numba", reason="compiled kernels need numba")

from netdef.kernels.fast.pooling import FastAveragePool, FastMaximumPool, choose_fast
from netdef.kernels.fast.pooling_flat import FlatAveragePool, FlatMaximumPool

WINDOWS = {
    f"{kernel}-{stride}-{pad}-{batch}": Window(3, (9, 12), batch, kernel, stride, pad, out)
    for kernel, stride, pad, out in [
        ((2, 2), (2, 2), (0, 0), (5, 6)),
        ((3, 3), (2, 2), (0, 0), (4, 6)),
        ((3, 3), (2, 2), (1, 1), (5, 7)),
        ((3, 3), (1, 1), (1, 1), (9, 12)),
        ((2, 3), (3, 4), (0, 1), (3, 4)),
        ((5, 1), (1, 2), (2, 0), (9, 6)),
        ((4, 5), (2, 3), (3, 4), (6, 6)),
    ]
    for batch in (1, 3, 4, 8, 16)
}


def made(way, window, dtype=np.float32):
    pool = way(window)
    needs = pool.needs(backward=True)
    arrays = {n: np.full(need.shape, 7, need.dtype or dtype) for n, need in needs.items()}
    pool.bind(arrays, dtype)
    return pool


def ways(window, index):
    return ((MaximumPool, FastMaximumPool), (AveragePool, FastAveragePool))[index]


@pytest.mark.parametrize("window", WINDOWS.values(), ids=list(WINDOWS))
@pytest.mark.parametrize("index", [0, 1], ids=["max", "mean"])
@pytest.mark.parametrize("add", [False, True])
def test_as_numpy(window, index, add):
    random = np.random.default_rng(1)
    shape = (window.channels, *window.size, window.batch)
    x = random.integers(-3, 4, shape).astype(np.float32)  # many of a value: ties
    x[0, 0, 0] = np.nan if index == 0 else 0
    dy = random.standard_normal(window.top).astype(np.float32)
    start = random.standard_normal(shape).astype(np.float32)
    results = []
    for way in ways(window, index):
        pool = made(way, window)
        for _ in range(2):
            y, dx = np.full(window.top, np.nan, np.float32), start.copy()
            pool.forward(x, y)
            pool.backward(x, y, dy, dx, add=add)
        results.append((y, dx))
    (y, dx), (fast_y, fast_dx) = results
    if index == 0:
        np.testing.assert_array_equal(fast_y, y)
    np.testing.assert_allclose(fast_y, y, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(fast_dx, dx, rtol=1e-5, atol=2e-6)


def test_forward_alone_keeps_nothing_and_gives_the_same():
    window = WINDOWS["(3, 3)-(2, 2)-(1, 1)-4"]
    x = np.random.default_rng(2).standard_normal((3, 9, 12, 4)).astype(np.float32)
    usual, fast = ways(window, 0)
    y, fast_y = np.empty(window.top, np.float32), np.empty(window.top, np.float32)
    made(usual, window).forward(x, y)
    pool = fast(window)
    assert not pool.needs(backward=False)
    pool.forward(x, fast_y)
    np.testing.assert_array_equal(fast_y, y)


FLAT = [
    Window(3, size, batch, (kernel,) * 2, (stride,) * 2, pad, out)
    for kernel, stride, pad, size, out in [
        (3, 1, (1, 1), (9, 12), (9, 12)),
        (3, 1, (0, 2), (9, 12), (7, 14)),
        (2, 1, (1, 0), (3, 2), (4, 1)),
        (3, 2, (0, 0), (9, 12), (4, 6)),
        (3, 2, (1, 1), (9, 12), (5, 6)),
        (3, 2, (2, 2), (4, 3), (3, 3)),
        (2, 2, (0, 0), (9, 12), (5, 6)),
        (2, 2, (1, 1), (8, 141), (5, 71)),
    ]
    for batch in ((1, 2, 4, 5) if stride == 1 else (1,))
]


@pytest.mark.parametrize("window", FLAT, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_flat_as_numpy(window, dtype):
    assert choose_fast(window, backward=False) == (FlatMaximumPool, FlatAveragePool)
    random = np.random.default_rng(3)
    shape = (window.channels, *window.size, window.batch)
    x = random.standard_normal(shape).astype(dtype)
    x[1, :2, :2] = np.nan
    x[2, 0, 0], x[2, -1, -1] = -np.inf, np.inf
    dy = random.standard_normal(window.top).astype(dtype)
    results = []
    for way in (MaximumPool, FlatMaximumPool):
        pool = made(way, window, dtype)
        y, dx = np.full(window.top, np.nan, dtype), np.full(shape, np.nan, dtype)
        for _ in range(2):
            pool.forward(x, y)
        pool.backward(x, y, dy, dx, add=False)
        results.append((y, dx))
    for usual, flat in zip(*results, strict=True):
        np.testing.assert_array_equal(flat, usual)


@pytest.mark.parametrize("window", FLAT, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_flat_mean_as_numpy(window, dtype):
    random = np.random.default_rng(3)
    shape = (window.channels, *window.size, window.batch)
    x = random.standard_normal(shape).astype(dtype)
    x[2, 0, 0] = np.inf
    dy = random.standard_normal(window.top).astype(dtype)
    results = []
    for way in (AveragePool, FlatAveragePool):
        pool = made(way, window, dtype)
        y, dx = np.full(window.top, np.nan, dtype), np.full(shape, np.nan, dtype)
        for _ in range(2):
            pool.forward(x, y)
        pool.backward(x, y, dy, dx, add=False)
        results.append((y, dx))
    for usual, flat in zip(*results, strict=True):
        np.testing.assert_allclose(flat, usual, rtol=0, atol=4 * np.finfo(dtype).eps)


def test_where_each_is_chosen():
    def chosen(batch, stride, *, backward, kernel=3):
        out = (6 - kernel) // stride + 1
        window = Window(2, (6, 6), batch, (kernel,) * 2, (stride,) * 2, (0, 0), (out, out))
        return choose_fast(window, backward=backward)[0]

    assert chosen(1, 2, backward=False) is FlatMaximumPool
    assert chosen(1, 2, backward=True) is FlatMaximumPool
    assert chosen(2, 2, backward=False) is MaximumPool
    assert chosen(1, 1, backward=False, kernel=4) is MaximumPool
    assert chosen(16, 1, backward=False) is FlatMaximumPool
    assert chosen(16, 1, backward=True) is FastMaximumPool
    assert chosen(16, 2, backward=False) is FastMaximumPool


def test_numpy_where_there_is_nothing_to_win():
    whole = Window(2, (4, 4), 3, (4, 4), (1, 1), (0, 0), (1, 1))
    assert choose_fast(whole, backward=True) == (MaximumPool, AveragePool)
    many = Window(2, (40, 40), 3, (16, 16), (1, 1), (0, 0), (25, 25))
    assert choose_fast(many, backward=True)[0] is MaximumPool
