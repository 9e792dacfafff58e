"""BatchReindex against examples picked one by one."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError
from netdef.layers.base import NCHW
from netdef.layers.batch_reindex import BatchReindex
from tests.layers.laws import Case, LayerLaws, Stand

NUMBERS = np.array([3, 0, 0, 2, 3, 3])


class TestBatchReindex(LayerLaws):
    cases = [
        Case(
            BatchReindex(),
            ((4, 2, 3), (6,)),
            bottoms={1: NUMBERS},
            batch_of_one=False,
            name="repeated",
        ),
        Case(
            BatchReindex(),
            ((4, 5), (2,)),
            bottoms={1: np.array([3, 1])},
            batch_of_one=False,
            name="left-out",
        ),
        Case(
            BatchReindex(),
            ((5,), (3,)),
            bottoms={1: np.array([4, 0, 4])},
            batch_of_one=False,
            name="single-values",
        ),
        Case(BatchReindex(), ((1, 3, 2), (4,)), bottoms={1: np.zeros(4)}, name="one-example"),
    ]

    def reference(self, layer, bottoms, params):
        x, numbers = bottoms
        return (np.stack([x[int(i)] for i in numbers]),)


@pytest.mark.parametrize("numbers", [0, 3])
def test_no_numbers_or_no_values(numbers):
    x = (2, 0) if numbers else (2, 3)
    case = Case(BatchReindex(), (x, (numbers,)), bottoms={1: np.zeros(numbers)})
    stand = Stand(case, NCHW)
    (y,) = stand.forward()
    assert y.shape == (numbers, x[1])
    (dx, _), _ = stand.backward([y])
    assert not dx.any()


@pytest.mark.parametrize("bad", [4, -1, 0.5, np.nan, np.inf])
def test_refuses_numbers(bad):
    case = Case(BatchReindex(), ((4, 2), (3,)), bottoms={1: np.array([0, 1, bad])})
    with pytest.raises(
        BottomError, match=r"at \[2\], which is no whole number from 0 to 3"
    ) as caught:
        Stand(case, NCHW).forward()
    assert caught.value.bottom == 1


@pytest.mark.parametrize(
    ("shapes", "bottom"), [(((4, 2), (3, 1)), 1), (((4, 2), ()), 1), (((), (3,)), 0)]
)
def test_refuses_shapes(shapes, bottom):
    with pytest.raises(BottomError) as caught:
        BatchReindex().shapes(shapes)
    assert caught.value.bottom == bottom
