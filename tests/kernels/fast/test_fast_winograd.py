"""Winograd with compiled transforms, by the laws of all ways to compute a convolution."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from tests.kernels.convolution import test_algorithms as usual
from tests.kernels.convolution.reference import Stand, apart, geometry

pytest.importorskip("numba", reason="compiled kernels need numba")

from netdef.kernels.convolution import Im2col, choose, winograd
from netdef.kernels.fast import winograd as fast
from netdef.kernels.fast.convolution import choose_fast, fast_ways
from netdef.kernels.fast.direct import FastDirect

WAYS = [
    fast.FastWinogradF2,
    fast.FastWinogradF4,
    fast.FastWinogradF5,
    fast.FastSpaceToDepthF2,
    fast.FastSpaceToDepthF4,
    fast.FastSpaceToDepthF5,
]
MORE = {
    "sixteen": geometry(16, 3, 4, (9, 11), 3, pad=1),
    "more-than-a-vector": geometry(19, 2, 3, (11, 10), 5, pad=2),
    "4x4": geometry(5, 3, 4, (9, 11), 4, pad=(1, 2)),
    "5x5-more-padding-than-kernel": geometry(3, 2, 3, (4, 5), 5, pad=(6, 7)),
    "many-rows": geometry(2, 2, 2, (23, 5), 3, pad=1),
}
CASES = [
    pytest.param(way, g, id=f"{way.__name__}-{name}")
    for name, g in (usual.GEOMETRIES | MORE).items()
    for way in WAYS
    if way.fits(g)
]
LAWS = {name: law for name, law in vars(usual.TestAlgorithm).items() if name.startswith("test_")}


def test_all_have_cases():
    assert {case.values[0] for case in CASES} == set(WAYS)


@pytest.fixture(params=["usual chunks", "a row of tiles a chunk"])
def _blocks(request, monkeypatch):
    """What the laws call theirs."""
    if request.param != "usual chunks":
        monkeypatch.setattr(winograd, "_TILES", 1)
        monkeypatch.setattr(fast, "_BLOCK", 1)


TestLaws = pytest.mark.parametrize(("way", "g"), CASES)(type("TestLaws", (), LAWS))


@pytest.mark.parametrize("pad", [0, 2])
@pytest.mark.parametrize("batch", [4, 8, 32, 50, 100])
@pytest.mark.parametrize("way", [w for w in WAYS if "Depth" not in w.__name__])
def test_the_same_as_without_numba(way, batch, pad):
    g = geometry(batch, 4, 6, (11, 14), 3, pad=pad, group=2)
    one, two = Stand(way, g, np.float32), Stand(way.__mro__[2], g, np.float32)
    assert not two.algorithm.name.endswith("compiled")
    assert apart(one.forward(), two.forward()) < 1e-5
    for got, right in zip(one.backward(), two.backward(), strict=True):
        assert apart(got, right) < 1e-5


@pytest.mark.parametrize("channels", [1, 2, 100])
def test_outputs_are_finished_once_and_in_blocks(channels, monkeypatch):
    g = geometry(5, 3, 7, (11, 6), 3, pad=1)
    monkeypatch.setattr(winograd, "_TILES", 1)
    monkeypatch.setattr(fast, "_BLOCK", channels * 4 * 6 * 5)
    stand = Stand(fast.FastWinogradF4, g)
    seen = []

    def finish(block, first):
        assert block.ndim == 2
        seen.append((first, *block.shape))
        block *= -2.0
        block += np.arange(first, first + len(block))[:, None]

    stand.algorithm.forward(stand.x, stand.w, stand.b, stand.y, finish)
    expected = -2 * stand.expected() + np.arange(7).reshape(-1, 1, 1, 1)
    np.testing.assert_allclose(stand.y, expected, rtol=0, atol=1e-10)
    assert max(count for _, count, _ in seen) == min(channels, 7)
    assert len({values for *_, values in seen}) == 2, "the last row of tiles has fewer"


@pytest.mark.parametrize("case", [c for c in usual.ACCURACY if c[0] is not Im2col])
def test_as_accurate(case):
    way, *rest = case
    usual.test_accuracy_in_float32(getattr(fast, f"Fast{way.__name__}"), *rest)


@pytest.mark.parametrize("add", [False, True])
def test_passes_allocate_nothing(add):
    stand = Stand(fast.FastWinogradF4, geometry(8, 16, 24, (30, 33), 3, pad=1), np.float32)
    for grad in stand.grads:
        grad.fill(0)

    def passes():
        stand.algorithm.forward(stand.x, stand.w, stand.b, stand.y)
        stand.backward(add_dx=add, add_params=add)

    passes()  # compiles
    tracemalloc.start()
    passes()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000


CHOSEN = {
    "cifar conv2": (geometry(100, 32, 32, 16, 5, pad=2), fast.FastWinogradF4),
    "CaffeNet conv3": (geometry(32, 256, 384, 13, 3, pad=1), fast.FastWinogradF5),
    "ResNet 7": (geometry(8, 512, 512, 7, 3, pad=1), fast.FastWinogradF2),
    "ResNet 56, one image": (geometry(1, 64, 64, 56, 3, pad=1), fast.FastWinogradF4),
    "GoogLeNet conv1": (geometry(16, 3, 64, 224, 7, stride=2, pad=3), fast.FastSpaceToDepthF4),
}


@pytest.mark.parametrize(("g", "way"), CHOSEN.values(), ids=list(CHOSEN))
def test_where_they_are_chosen(g, way):
    wanted = {"dx": False, "dw": True}
    assert choose_fast(g, exact=False, **wanted) is way
    assert way in fast_ways(g, exact=False, **wanted)
    exact = choose_fast(g, exact=True, **wanted)
    assert exact is (FastDirect if g.channels < 4 else choose(g, exact=True))
    assert not any("winograd" in found.name for found in fast_ways(g, exact=True, **wanted))


def test_what_a_plan_says():
    assert fast.FastWinogradF4.name == "winograd F(4), compiled"
    assert fast.FastSpaceToDepthF2.name == "space to depth, winograd F(2), compiled"
