"""Eltwise against NumPy's reductions."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.kernels.blocks import BLOCK
from netdef.layers.base import NCHW, Phase
from netdef.layers.eltwise import Eltwise
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand

TWO, THREE = ((2, 3, 5),) * 2, ((2, 3, 5),) * 3


class TestEltwise(LayerLaws):
    cases = [
        Case(Eltwise(), TWO, name="sum"),
        Case(Eltwise(), THREE, name="sum of three"),
        Case(Eltwise(coeff=(1.5, -0.5)), TWO, name="coeff"),
        Case(Eltwise(coeff=(1, 1, -1)), THREE, name="coeff 1 1 -1"),
        Case(Eltwise("PROD"), TWO, name="prod"),
        Case(Eltwise("PROD"), THREE, name="prod of three"),
        Case(Eltwise("MAX"), TWO, name="max"),
        Case(Eltwise("MAX"), THREE, name="max of three"),
        Case(Eltwise("MAX"), ((2, BLOCK // 2 + 3),) * 2, name="more than a block"),
        Case(Eltwise(coeff=(1.5, -0.5)), ((2, BLOCK // 2 + 3),) * 2, name="blocks of coeff"),
    ]

    def reference(self, layer, bottoms, params):
        if layer.operation == "SUM":
            return (sum(c * x for c, x in zip(layer.coeff or (1, 1, 1), bottoms, strict=False)),)
        reduce = np.multiply.reduce if layer.operation == "PROD" else np.maximum.reduce
        return (reduce(bottoms),)


def gradients(layer, *values):
    arrays = [np.array([v], np.float64) for v in values]
    case = Case(layer, tuple(a.shape for a in arrays), bottoms=dict(enumerate(arrays)))
    stand = Stand(case, NCHW)
    stand.forward()
    dxs, _ = stand.backward([np.full(arrays[0].shape, 5.0)])
    return [d[0].tolist() for d in dxs]


def test_of_equal_maxima_one_gets_the_gradient_as_in_caffe():
    assert gradients(Eltwise("MAX"), [1], [1], [1]) == [[0], [5], [0]]
    assert gradients(Eltwise("MAX"), [1], [0], [1]) == [[5], [0], [0]]


def test_gradient_of_a_product_with_a_0_in_it():
    assert gradients(Eltwise("PROD"), [0, 2], [3, 0]) == [[15, 0], [0, 10]]


def read(bottoms=2, **param):
    message = LayerParameter(eltwise_param=param, bottom=list("abc"[:bottoms]))
    return Eltwise.read(message, Phase.TRAIN)


def test_read():
    assert read(operation=0) == Eltwise("PROD")
    assert read(coeff=[1, -1]) == Eltwise("SUM", (1, -1))
    assert read(operation=2, coeff=[1, -1]) == Eltwise("MAX")  # Caffe takes and forgets them
    assert read(operation=0, stable_prod_grad=False) == Eltwise("PROD")


@pytest.mark.parametrize(
    ("param", "field"),
    [
        ({"operation": 0, "coeff": [1, 2]}, "coeff[0]"),
        ({"coeff": [1]}, "coeff[0]"),
        ({"coeff": [1, 2, 3]}, "coeff[2]"),
    ],
)
def test_coefficients_that_do_not_fit_are_refused(param, field):
    with pytest.raises(FieldError) as caught:
        read(**param)
    assert caught.value.field == f"eltwise_param.{field}"


def test_another_shape_is_refused():
    with pytest.raises(BottomError, match="is 3×2 and the first is 2×3") as caught:
        Eltwise().shapes(((2, 3), (2, 3), (3, 2)))
    assert caught.value.bottom == 2


def test_settings():
    layers = [Eltwise(), Eltwise(coeff=(1, -0.5)), Eltwise("MAX")]
    assert [e.settings() for e in layers] == ["sum", "sum 1 -0.5", "max"]
