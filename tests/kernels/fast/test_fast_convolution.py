"""The compiled ways to compute a convolution, by the laws of all others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.kernels.convolution import test_algorithms as usual
from tests.kernels.convolution.reference import geometry

pytest.importorskip("numba", reason="compiled kernels need numba")

from netdef.kernels.convolution import Depthwise, Im2col
from netdef.kernels.fast import depthwise_few, direct
from netdef.kernels.fast.convolution import choose_fast
from netdef.kernels.fast.depthwise import FastDepthwise
from netdef.kernels.fast.depthwise_few import FewDepthwise
from netdef.kernels.fast.direct import FastDirect

MORE = {
    "first": geometry(4, 3, 8, (9, 11), 3, stride=2, pad=1),
    "first-5x5": geometry(3, 1, 4, (9, 12), 5, pad=2),
    "first-7x7": geometry(8, 3, 4, (13, 11), 7, stride=2, pad=3),
    "first-2x6-dilated": geometry(16, 2, 4, (9, 17), (2, 6), dilation=(1, 2)),
    "first-more-stride-than-kernel": geometry(3, 2, 4, (11, 12), 1, stride=3),
    "depthwise-more-padding": geometry(3, 4, 4, (5, 6), 3, pad=4, group=4),
    "depthwise-4x4-many": geometry(8, 3, 6, (7, 9), 4, pad=1, group=3),
    "depthwise-one": geometry(1, 4, 4, (7, 9), 3, pad=1, group=4),
    "depthwise-one-stride-2": geometry(1, 4, 4, (7, 8), 3, stride=2, pad=1, group=4),
    "depthwise-one-stride-2-even": geometry(1, 3, 3, (8, 6), 3, stride=2, pad=1, group=3),
    "depthwise-one-long": geometry(1, 2, 2, (5, 70), 3, stride=2, pad=1, group=2),
    "depthwise-two-small": geometry(2, 3, 3, (3, 4), 3, pad=1, group=3),
    "depthwise-sixteen": geometry(16, 3, 3, (7, 9), 3, stride=2, pad=1, group=3),
}
WAYS = (FastDepthwise, FewDepthwise, FastDirect)
CASES = [
    pytest.param(way, g, id=f"{way.__name__}-{name}")
    for name, g in (usual.GEOMETRIES | MORE).items()
    for way in WAYS
    if way.fits(g)
]
LAWS = [name for name in vars(usual.TestAlgorithm) if name.startswith("test_")]
CHOICES = {
    "test_backward_of_what_is_wanted": [(True, False), (False, True), (False, False)],
    "test_what_is_held_lasts": [(True,), (False,)],
}


def test_all_have_cases():
    assert {case.values[0] for case in CASES} == set(WAYS)


@pytest.fixture(params=["usual tiles", "small tiles"])
def _tiles(request, monkeypatch):
    if request.param == "small tiles":
        monkeypatch.setattr(direct, "_ROWS", 1)
        monkeypatch.setattr(depthwise_few, "_BLOCK", 1)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("way", "g"), CASES)
@pytest.mark.usefixtures("_tiles")
def test_law(way, g, law):
    check = getattr(usual.TestAlgorithm(), law)
    for choice in CHOICES.get(law, [()]):
        check(way, g, *choice)


def test_where_they_are_chosen():
    depthwise, first = usual.GEOMETRIES["depthwise"], MORE["first"]
    wanted = {"exact": True, "dw": True}
    assert choose_fast(depthwise, dx=True, **wanted) is FastDepthwise
    assert choose_fast(first, dx=False, **wanted) is FastDirect
    assert choose_fast(first, dx=True, **wanted) is Im2col
    assert choose_fast(usual.GEOMETRIES["3x3"], dx=True, **wanted) is Im2col


@pytest.mark.parametrize(
    ("name", "few", "many"),
    [
        ("depthwise", FewDepthwise, FastDepthwise),
        ("depthwise-one-stride-2", FewDepthwise, FastDepthwise),
        ("depthwise-4x4-many", FastDepthwise, FastDepthwise),
        ("depthwise-1x1-stride-3", Depthwise, FastDepthwise),
        ("first", Im2col, FastDirect),
    ],
)
def test_what_pays_for_few_images(name, few, many):
    """One image at most shapes of a MobileNet is faster its own way; else NumPy's is left."""
    g = (usual.GEOMETRIES | MORE)[name]
    first = name == "first"
    wanted = {"exact": True, "dx": False, "dw": first}
    assert choose_fast(replace(g, batch=1), **wanted) is few
    assert choose_fast(replace(g, batch=4), **wanted) is many
    if not first:
        learning = choose_fast(replace(g, batch=1), exact=True, dx=True, dw=True)
        assert learning is (FastDepthwise if max(g.stride) == 1 else Depthwise)
