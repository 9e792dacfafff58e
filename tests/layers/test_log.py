"""Log against numpy's in float64."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import FieldError
from netdef.layers.base import NCHW, Phase
from netdef.layers.log import Log
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


def positive(random, shape):
    return random.uniform(0.5, 2, shape)


class TestLog(LayerLaws):
    cases = [
        Case(Log(), ((2, 3, 5),), bottoms={0: positive}),
        Case(Log(10, 2, 1), ((7, 3),), bottoms={0: positive}),
        Case(Log(0.5, -1, 3), ((7,),), bottoms={0: positive}),
    ]

    def reference(self, layer, bottoms, params):
        divisor = 1 if layer.base == -1 else np.log(layer.base)
        return (np.log(layer.shift + layer.scale * bottoms[0]) / divisor,)


def test_a_negative_value_has_no_logarithm_and_no_slope():
    stand = Stand(Case(Log(), ((3,),)), NCHW, bottoms=[np.array([-1.0, 0.0, 1.0])])
    (y,) = stand.forward()
    np.testing.assert_array_equal(y, [np.nan, -np.inf, 0])
    (dx,), _ = stand.backward([np.ones(3)])
    np.testing.assert_array_equal(dx, [np.nan, np.inf, 1])


@pytest.mark.parametrize("base", [-1, 10, 1.001])
def test_gradient_of_what_is_huge_or_tiny(base):
    x = np.array([1e-30, 1e-3, 1.0, 1e3, 1e30])
    layer = Log(base)
    stand = Stand(Case(layer, ((5,),)), NCHW, bottoms=[x])
    stand.forward()
    (dx,), _ = stand.backward([x])
    np.testing.assert_allclose(dx, 1 / (np.log(base) if base > 0 else 1), rtol=2e-5)


def read(**fields):
    return Log.read(LayerParameter(log_param=fields), Phase.TEST)


def test_read():
    assert read() == Log()
    assert read(base=2, scale=0.5, shift=1) == Log(2, 0.5, 1)


@pytest.mark.parametrize("base", [0, 1, -2, float("inf"), float("nan")])
def test_refuses_a_base_without_logarithm(base):
    with pytest.raises(FieldError) as caught:
        read(base=base)
    assert caught.value.field == "log_param.base"


def test_words():
    assert [Log().settings(), Log(10, 2, 1).settings()] == ["ln x", "log10(1 + 2 x)"]
