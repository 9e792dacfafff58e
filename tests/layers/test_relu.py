"""ReLU against its formula in float64."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.kernels.blocks import BLOCK
from netdef.layers.base import Phase
from netdef.layers.relu import ReLU
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws


class TestReLU(LayerLaws):
    cases = [
        Case(ReLU(), ((2, 3, 7, 5),)),
        Case(ReLU(), ((3,),)),
        Case(ReLU(negative_slope=0.1), ((4, 2, 3),)),
        Case(ReLU(negative_slope=1.5), ((4, 3),)),
        Case(ReLU(negative_slope=-0.5), ((4, 2, 3),)),
        Case(ReLU(), ((2, BLOCK // 2 + 3),), name="more than a block"),
    ]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        below = layer.negative_slope * np.minimum(x, 0) if layer.negative_slope else 0
        return (np.maximum(x, 0) + below,)


@pytest.mark.parametrize("slope", [0.0, 0.25])
def test_read_takes_the_slope(slope):
    message = LayerParameter(relu_param={"negative_slope": slope})
    assert ReLU.read(message, Phase.TRAIN) == ReLU(slope)


def test_engine_is_accepted_and_ignored():
    message = LayerParameter(relu_param={"engine": 2})
    assert ReLU.read(message, Phase.TEST) == ReLU()


def test_settings_name_a_slope_that_is_there():
    assert [ReLU().settings(), ReLU(0.1).settings()] == ["", "slope 0.1"]
