"""The laws themselves: each catches the mistake it is there for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from netdef.layers import base
from tests.layers.laws import Case, LayerLaws


@dataclass(frozen=True, slots=True)
class Twice(base.Layer):
    """y = 2 x, with one mistake."""

    mistake: str = ""
    in_place: bool = False
    accumulates: bool = True
    reads_bottoms: bool = False
    reads_tops: bool = False

    layout = base.ANY

    def shapes(self, bottoms):
        return ([*bottoms[0]],) if self.mistake == "list" else bottoms

    def buffers(self, site):
        return {"kept": base.Buffer(site.bottoms[0])}

    def prepare(self, run):
        run.buffer("kept").fill(2)

    def forward(self, run):
        x, y = run.bottom(0), run.top(0)
        np.multiply(x, run.buffer("kept") if self.mistake == "trusts" else 2, out=y)
        match self.mistake:
            case "unwritten":
                y[..., 0] = np.nan
            case "off":
                y += 1e-3
            case "impure":
                x += 1
            case "hides":
                y[~np.isfinite(y)] = 0
            case "random":
                y *= np.random.default_rng().uniform(0.9, 1.1)
            case "layout":
                y[0] = 0
            case "mixes":
                y += x.mean()

    def backward(self, run):
        dy, dx = run.top_diff(0), run.bottom_diff(0)
        if self.mistake == "reads":
            dy = dy + 0 * run.bottom(0)
        if self.mistake == "slope":
            dy = dy * 1.001
        if self.mistake == "spoils":
            run.top_diffs[0] *= 1
            run.top_diffs[0] += 1
        if self.mistake == "adds" or not run.adds(0):
            dx.fill(0)
        if self.mistake == "never sets":
            dx += np.nan
        dx += 2 * dy


class Laws(LayerLaws):
    def reference(self, layer, bottoms, params):
        return (2 * bottoms[0],)


@pytest.mark.parametrize(
    ("mistake", "law"),
    [
        ("list", "shapes_are_tuples_of_ints"),
        ("trusts", "forward_is_the_formula"),
        ("unwritten", "forward_is_the_formula"),
        ("off", "forward_is_the_formula"),
        ("layout", "forward_is_the_formula"),
        ("off", "forward_of_a_batch_of_one"),
        ("impure", "forward_is_pure"),
        ("random", "forward_is_pure"),
        ("hides", "non_finite_values_are_carried"),
        ("reads", "gradient_is_the_slope"),
        ("slope", "gradient_is_the_slope"),
        ("slope", "backward_of_a_batch_of_one"),
        ("never sets", "gradient_is_the_slope"),
        ("spoils", "backward_in_float32"),
        ("adds", "backward_adds_where_asked"),
        ("mixes", "shards_are_the_whole"),
    ],
)
def test_a_law_catches(mistake, law):
    check = getattr(Laws(), f"test_{law}")
    for layer, broken in ((Twice(), False), (Twice(mistake), True)):
        case = Case(layer, ((3, 4, 5),))
        where = (case,) if law.startswith("shapes") else (case, base.CHWN)
        if law.startswith("shards"):
            where = (*where, 2)
        if broken:
            with pytest.raises(AssertionError):
                check(*where)
        else:
            check(*where)


def test_equal_axes_are_refused():
    with pytest.raises(AssertionError, match="equal"):
        Laws().test_shapes_of_the_case_have_no_two_equal_axes(Case(Twice(), ((5, 2, 5),)))
