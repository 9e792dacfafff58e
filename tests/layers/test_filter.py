"""Filter against a loop over examples."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.layers.base import NCHW, Phase, TopsReshaped
from netdef.layers.filter import Filter
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


def ones(random, shape):
    return np.ones(shape)


class TestFilter(LayerLaws):
    """With a selector that picks all; the plan makes room for fewer, see `stand`."""

    cases = [
        Case(Filter(), ((4, 3), (4,)), bottoms={1: ones}),
        Case(
            Filter(3, (3,)),
            ((4, 3, 5), (4,), (4, 2, 1, 6), (4, 1)),
            bottoms={3: lambda random, shape: random.uniform(1, 2, shape)},
        ),
    ]

    def reference(self, layer, bottoms, params):
        *filtered, selector = bottoms
        rows = [n for n, picks in enumerate(selector.reshape(-1)) if picks != 0]
        return tuple(np.stack([x[n] for n in rows]) for x in filtered)


def stand(selector, x):
    """A filter with room for what is picked."""
    selector, x = np.asarray(selector), np.asarray(x, float)
    case = Case(Filter(), (x.shape, selector.shape), bottoms={0: x, 1: selector})
    shapes = ((int(np.count_nonzero(selector)), *x.shape[1:]),)
    return Stand(case, NCHW, top_shapes=shapes)


@pytest.mark.parametrize("selector", [[0, 1, 0, -0.5], [0, 0, 0, 0], [1, 0, 0, 0]])
def test_what_is_picked_goes_on_and_comes_back(selector):
    x = np.random.default_rng(0).standard_normal((4, 3, 5)).astype(np.float32)
    run = stand(selector, x)
    rows = [n for n, picks in enumerate(selector) if picks]
    np.testing.assert_array_equal(run.forward()[0], x[rows])
    dy = np.random.default_rng(1).standard_normal((len(rows), 3, 5)).astype(np.float32)
    (dx, _), _ = run.backward([dy])
    expected = np.zeros_like(x)
    expected[rows] = dy
    np.testing.assert_array_equal(dx, expected)


def test_it_asks_for_room():
    run = Stand(Case(Filter(), ((4, 3), (4, 1)), bottoms={1: np.eye(4)[:, :1]}), NCHW)
    with pytest.raises(TopsReshaped) as caught:
        run.forward()
    assert caught.value.shapes == ((1, 3),)
    assert caught.value.run is run.run


def test_nan_neither_picks_nor_leaves():
    with pytest.raises(BottomError, match="holds nan at index 1") as caught:
        stand([1, np.nan], np.zeros((2, 3))).forward()
    assert caught.value.bottom == 1


@pytest.mark.parametrize(
    ("shapes", "bottom", "expected"),
    [
        (((4, 3), (4, 2)), 1, "is 4×2, a selector has one value for each example"),
        (((4, 3), ()), 1, "is scalar, a selector"),
        (((4, 3), (5, 3), (4,)), 1, "is 5×3 and the selector has 4 values"),
        (((), (4,)), 0, "is scalar and the selector has 4 values"),
    ],
)
def test_shapes_refuses(shapes, bottom, expected):
    with pytest.raises(BottomError, match=expected) as caught:
        Filter(len(shapes) - 1).shapes(shapes)
    assert caught.value.bottom == bottom


def test_read():
    message = LayerParameter(bottom=["a", "b", "s"], top=["x", "y"])
    assert Filter.read(message, Phase.TEST) == Filter(2, (2,))
    for tops in (["x"], ["x", "y", "z"]):
        with pytest.raises(FieldError, match="for 2 bottoms to filter"):
            Filter.read(LayerParameter(bottom=["a", "b", "s"], top=tops), Phase.TEST)
