"""ArgMax against sorting, one example at a time."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.layers.arg_max import ArgMax
from netdef.layers.base import ANY, NCHW, Phase
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


class TestArgMax(LayerLaws):
    cases = [
        Case(ArgMax(), ((4, 3),), nonfinite=False),
        Case(ArgMax(), ((4, 3, 5, 7),), nonfinite=False),
        Case(ArgMax(3, out_max_val=True), ((4, 3, 5),), nonfinite=False),
        Case(ArgMax(2, out_max_val=True), ((2, 3, 5, 7, 6),), nonfinite=False),
        Case(ArgMax(axis=1), ((4, 3, 5, 7),), nonfinite=False),
        Case(ArgMax(3, axis=-2), ((4, 3, 5, 7),), nonfinite=False),
        Case(ArgMax(1, 1, out_max_val=True), ((4, 3, 5),)),
        Case(ArgMax(2, 0, out_max_val=True), ((4, 3, 5),), batch_of_one=False),
    ]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        if layer.axis is None:
            y = np.zeros((len(x), 1 + layer.out_max_val, layer.top_k, *(1,) * (x.ndim - 3)))
            for n, values in enumerate(x.reshape(len(x), -1)):
                best = ordered(values)[: layer.top_k]
                y[n, 0] = np.reshape(best, y[n, 0].shape)
                if layer.out_max_val:
                    y[n, 1] = np.reshape(values[best], y[n, 1].shape)
            return (y,)

        def pick(values):
            best = ordered(values)[: layer.top_k]
            return values[best] if layer.out_max_val else best

        return (np.apply_along_axis(pick, layer.axis, x),)


def ordered(values):
    return sorted(range(len(values)), key=lambda i: (values[i], i), reverse=True)


def run(layer, x):
    x = np.asarray(x, float)
    return Stand(Case(layer, (x.shape,), bottoms={0: x}), NCHW).forward()[0].tolist()


@pytest.mark.parametrize("top_k", [1, 2])
def test_of_equal_values_the_last_comes_first(top_k):
    """Caffe sorts pairs of value and place."""
    assert run(ArgMax(top_k, 1), [[5, 1, 5, 0]]) == [[2, 0][:top_k]]
    assert run(ArgMax(top_k), [[5, 1, 5, 0]]) == [[[2, 0][:top_k]]]


@pytest.mark.parametrize("top_k", [1, 2])
def test_nan_is_not_passed_over(top_k):
    assert run(ArgMax(top_k, 1), [[0, np.nan, np.inf]]) == [[1, 2][:top_k]]


def test_an_empty_batch():
    assert run(ArgMax(), np.zeros((0, 3))) == []
    assert run(ArgMax(axis=1), np.zeros((0, 3))) == []


def test_it_stays_where_its_bottom_is_unless_examples_are_mixed():
    assert ArgMax(axis=1).layout_at(((4, 3, 5),)) is ANY
    assert ArgMax(axis=-3).layout_at(((4, 3, 5),)) is NCHW
    assert ArgMax().layout_at(((4, 3, 5),)) is NCHW


def test_it_has_no_gradient():
    assert ArgMax.no_gradient == (0,)
    assert not Case(ArgMax(), ((2, 3),)).has_backward()


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (ArgMax(16), (4, 3, 5), "is 16, but there are 15 values to choose from"),
        (ArgMax(6, 2), (4, 3, 5), "is 6, but there are 5 values to choose from"),
        (ArgMax(axis=3), (4, 3, 5), "argmax_param.axis is 3, but the bottom is 4×3×5"),
    ],
)
def test_shapes_refuses(layer, shape, expected):
    with pytest.raises(FieldError, match=expected):
        layer.shapes((shape,))


def test_a_scalar_cannot_be_searched():
    with pytest.raises(BottomError, match="is a scalar"):
        ArgMax().shapes(((),))


def test_read():
    message = LayerParameter(argmax_param={"top_k": 5, "axis": -1, "out_max_val": True})
    layer = ArgMax.read(message, Phase.TEST)
    assert layer == ArgMax(5, -1, out_max_val=True)
    assert layer.settings() == "top 5 axis -1 values"
    assert ArgMax.read(LayerParameter(), Phase.TEST) == ArgMax()
    assert ArgMax.read(LayerParameter(argmax_param={"axis": 0}), Phase.TEST).axis == 0
    with pytest.raises(FieldError, match=r"argmax_param.top_k must be at least 1, is 0"):
        ArgMax.read(LayerParameter(argmax_param={"top_k": 0}), Phase.TEST)
