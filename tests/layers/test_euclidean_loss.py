"""EuclideanLoss against sums of squares."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError
from netdef.layers.base import NCHW
from netdef.layers.euclidean_loss import EuclideanLoss
from tests.layers.laws import Case, LayerLaws, Stand


class TestEuclideanLoss(LayerLaws):
    cases = [
        Case(EuclideanLoss(), ((4, 3, 2), (4, 3, 2))),
        Case(EuclideanLoss(), ((4, 3, 2), (4, 6))),
        Case(EuclideanLoss(), ((4,), (4,))),
    ]

    def reference(self, layer, bottoms, params):
        a, b = (x.reshape(-1) for x in bottoms)
        return (np.sum((a - b) ** 2) / len(bottoms[0]) / 2,)


def test_it_is_divided_by_twice_the_batch_not_by_the_values():
    case = Case(EuclideanLoss(), ((2, 5),) * 2, bottoms={0: np.ones((2, 5)), 1: np.zeros((2, 5))})
    assert Stand(case, NCHW).forward()[0] == 10 / 4


def test_an_empty_batch_costs_nothing():
    assert Stand(Case(EuclideanLoss(), ((0, 3), (0, 3))), NCHW).forward()[0] == 0


@pytest.mark.parametrize(
    ("shapes", "bottom"),
    [(((2, 3), (2, 4)), 1), (((2, 3), (3, 2)), 1), (((), (2, 3)), 0), (((2,), ()), 1)],
)
def test_bottoms_that_do_not_fit_are_refused(shapes, bottom):
    with pytest.raises(BottomError) as caught:
        EuclideanLoss().shapes(shapes)
    assert caught.value.bottom == bottom


def test_both_bottoms_may_have_a_gradient():
    assert EuclideanLoss.no_gradient == ()
