"""Compiled LRN gives what NumPy's gives, and is chosen where it is the faster."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from netdef.kernels.lrn import Formula, Inhibitor
from netdef.layers.base import CHWN, Site
from netdef.layers.lrn import LRN
from tests.layers import stand, test_lrn

pytest.importorskip("numba", reason="compiled kernels need numba")

from netdef.kernels.fast import lrn

SHAPE = (7, 5, 6, 9)
FORMULAS = {
    "across-3": Formula(3, 0.3, 0.75, 1.0, across=True),
    "across-5": Formula(5, 0.3, 0.75, 2.0, across=True),
    "across-more-than-channels": Formula(17, 0.3, 0.75, 1.0, across=True),
    "within-3": Formula(3, 0.3, 0.75, 1.0, across=False),
    "within-7": Formula(7, 0.3, 0.75, 1.0, across=False),
    "within-more-than-image": Formula(15, 0.3, 0.75, 1.0, across=False),
}


@pytest.fixture
def _always(monkeypatch):
    """Also for the small arrays of a test, in several pieces."""
    monkeypatch.setattr(lrn, "_SHORTEST", 1)
    monkeypatch.setattr(lrn, "_TILE", 64)


@pytest.mark.usefixtures("_always")
class TestLRNCompiled(test_lrn.TestLRN):
    @pytest.fixture(autouse=True)
    def _fast(self, monkeypatch):
        monkeypatch.setattr(stand, "Site", partial(stand.Site, fast=True))


def made(way, formula, dtype):
    kernel = way(formula, SHAPE)
    needs = kernel.needs(backward=True)
    scratch = {name: np.full(size, np.nan, dtype) for name, (size, _) in needs.items()}
    kernel.bind(scratch, backward=True)
    return kernel


def results(way, formula, dtype, *, add, in_place):
    kernel, random = made(way, formula, dtype), np.random.default_rng(4)
    values = (random.standard_normal(SHAPE).astype(np.float32) for _ in range(3))
    x, dy, start = (array.astype(dtype) for array in values)
    for _ in range(2):
        y, dx = np.full_like(x, np.nan), dy.copy() if in_place else start.copy()
        kernel.forward(x, y)
        kernel.backward(x, dx if in_place else dy, dx, add=add)
    if in_place:
        y = x
        kernel.forward(x, y)
    return y, dx


@pytest.mark.usefixtures("_always")
@pytest.mark.parametrize("formula", FORMULAS.values(), ids=list(FORMULAS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("add", "in_place"), [(False, False), (True, False), (False, True)])
def test_as_numpy_in_float64(formula, dtype, add, in_place):
    way = lrn.choose_fast(formula, SHAPE)
    assert way is lrn.FastInhibitor
    ours = results(way, formula, dtype, add=add, in_place=in_place)
    exact = results(Inhibitor, formula, np.float64, add=add, in_place=in_place)
    for one, other in zip(ours, exact, strict=True):
        assert np.linalg.norm(one - other) < 4 * np.finfo(dtype).eps * np.linalg.norm(other)


@pytest.mark.usefixtures("_always")
@pytest.mark.parametrize("name", ["across-5", "within-3"])
def test_nothing_is_kept_for_backward(name):
    needs = lrn.FastInhibitor(FORMULAS[name], SHAPE).needs(backward=True)
    assert not any(saved for _, saved in needs.values())


@pytest.mark.usefixtures("_always")
def test_beside_infinity_is_0():
    x = np.ones(SHAPE, np.float32)
    x[3] = np.inf
    kernel, y = made(lrn.FastInhibitor, FORMULAS["across-3"], np.float32), np.empty_like(x)
    kernel.forward(x, y)
    assert np.all(np.isnan(y[3]))
    assert np.all(y[2] == 0)
    assert np.all(y[4] == 0)
    assert np.all(y[5] > 0)


def said(layer, shape, **site):
    return layer.algorithm(Site(CHWN, (shape,), (shape,), fast=True, **site))


def test_where_it_is_chosen():
    assert said(LRN(5), (96, 27, 27, 1)) == "compiled"
    assert said(LRN(3, norm_region="WITHIN_CHANNEL"), (32, 16, 16, 50)) == "compiled"
    # rows of so few values are not worth a loop of their own
    assert said(LRN(3, norm_region="WITHIN_CHANNEL"), (32, 16, 16, 1)) == ""
    assert said(LRN(5, beta=0.6), (96, 27, 27, 16)) == ""
    assert said(LRN(1), (96, 27, 27, 16)) == ""
    assert said(LRN(5), (0, 27, 27, 16)) == ""
