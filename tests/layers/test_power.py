"""Power against ** in float64."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.layers.base import NCHW, Phase
from netdef.layers.power import Power
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


def positive(random, shape):
    return random.uniform(0.5, 2, shape)


class TestPower(LayerLaws):
    cases = [
        Case(Power(), ((2, 3, 5),)),
        Case(Power(1, 1.5, 0.1), ((2, 3, 5),)),
        Case(Power(2, 0.5, 1), ((2, 3, 5),)),
        Case(Power(3, -0.5, 0.2), ((2, 3),)),
        Case(Power(0.5, 2, 1), ((2, 3),), bottoms={0: positive}),
        Case(Power(-1, 2, 1), ((2, 3),), bottoms={0: positive}),
        Case(Power(0.37, 2, 1), ((2, 3),), bottoms={0: positive}),
        Case(Power(0, 2, 1), ((2, 3),)),
        Case(Power(3, 0, 2), ((2, 3),), nonfinite=False),  # Caffe does not look at x here
    ]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        return ((layer.shift + layer.scale * x) ** layer.power,)


def gradient(layer, values):
    values = np.array([values], np.float64)
    stand = Stand(Case(layer, (values.shape,), bottoms={0: values}), NCHW)
    stand.forward()
    (dx,), _ = stand.backward([np.ones_like(values)])
    return dx[0]


@pytest.mark.parametrize("power", [2, 3, 1.5])
def test_gradient_at_0_is_0_where_caffe_divides_0_by_0(power):
    np.testing.assert_array_equal(gradient(Power(power), [0, 0]), [0, 0])


def test_gradient_of_a_constant_is_0_even_at_0():
    np.testing.assert_array_equal(gradient(Power(0), [0, 3]), [0, 0])


def test_read():
    message = LayerParameter(power_param={"power": 2, "scale": 0.5, "shift": 1})
    assert Power.read(message, Phase.TEST) == Power(2, 0.5, 1)
    assert Power.read(LayerParameter(), Phase.TEST) == Power()


def test_settings_are_the_formula():
    layers = [Power(), Power(2), Power(1, 0.5), Power(2, 0.5, 1), Power(1, 1, -128)]
    assert [p.settings() for p in layers] == ["", "x^2", "0.5 x", "(1 + 0.5 x)^2", "-128 + x"]
