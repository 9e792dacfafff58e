"""The compiled ways to compute a convolution, by the laws of all others."""

from __future__ import annotations

import pytest

from tests.kernels.convolution import test_algorithms as usual
from tests.kernels.convolution.reference import geometry

pytest.importorskip("numba", reason="compiled kernels need numba")

from netdef.kernels.convolution import Im2col
from netdef.kernels.fast import direct
from netdef.kernels.fast.convolution import choose_fast
from netdef.kernels.fast.depthwise import FastDepthwise
from netdef.kernels.fast.direct import FastDirect

MORE = {
    "first": geometry(4, 3, 8, (9, 11), 3, stride=2, pad=1),
    "first-5x5": geometry(3, 1, 4, (9, 12), 5, pad=2),
    "first-7x7": geometry(8, 3, 4, (13, 11), 7, stride=2, pad=3),
    "first-2x6-dilated": geometry(16, 2, 4, (9, 17), (2, 6), dilation=(1, 2)),
    "first-more-stride-than-kernel": geometry(3, 2, 4, (11, 12), 1, stride=3),
    "depthwise-more-padding": geometry(3, 4, 4, (5, 6), 3, pad=4, group=4),
    "depthwise-4x4-many": geometry(8, 3, 6, (7, 9), 4, pad=1, group=3),
    "depthwise-sixteen": geometry(16, 3, 3, (7, 9), 3, stride=2, pad=1, group=3),
}
CASES = [
    pytest.param(way, g, id=f"{way.__name__}-{name}")
    for name, g in (usual.GEOMETRIES | MORE).items()
    for way in (FastDepthwise, FastDirect)
    if way.fits(g)
]
LAWS = [name for name in vars(usual.TestAlgorithm) if name.startswith("test_")]
WANTED = [(True, False), (False, True), (False, False)]


def test_both_have_cases():
    assert {case.values[0] for case in CASES} == {FastDepthwise, FastDirect}


@pytest.fixture(params=["usual tiles", "small tiles"])
def _tiles(request, monkeypatch):
    if request.param == "small tiles":
        monkeypatch.setattr(direct, "_ROWS", 1)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("way", "g"), CASES)
@pytest.mark.usefixtures("_tiles")
def test_law(way, g, law):
    check = getattr(usual.TestAlgorithm(), law)
    if law == "test_backward_of_what_is_wanted":
        for dx, dw in WANTED:
            check(way, g, dx, dw)
    else:
        check(way, g)


def test_where_they_are_chosen():
    depthwise, first = usual.GEOMETRIES["depthwise"], MORE["first"]
    wanted = {"exact": True, "dw": True}
    assert choose_fast(depthwise, dx=True, **wanted) is FastDepthwise
    assert choose_fast(first, dx=False, **wanted) is FastDirect
    assert choose_fast(first, dx=True, **wanted) is Im2col
    assert choose_fast(usual.GEOMETRIES["3x3"], dx=True, **wanted) is Im2col
