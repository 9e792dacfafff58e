"""Reduction against a loop over what stays."""

from __future__ import annotations

from math import fsum

import numpy as np
import pytest

from netdef.diag import FieldError
from netdef.layers.base import NCHW, Phase
from netdef.layers.reduction import Reduction
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand

TERMS = {
    "SUM": lambda v: v,
    "MEAN": lambda v: v,
    "ASUM": abs,
    "SUMSQ": lambda v: v * v,
}


class TestReduction(LayerLaws):
    cases = [
        Case(Reduction(operation, axis, coeff), ((4, 3, 5),), batch_of_one=axis != 3)
        for operation in TERMS
        for axis, coeff in ((0, 1.0), (1, 2.5), (-1, -0.5))
    ]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        kept = x.shape[: layer.axis % x.ndim]
        y = np.zeros(kept)
        for at in np.ndindex(kept):
            values = x[at].reshape(-1)
            terms = [TERMS[layer.operation](float(v)) for v in values]
            total = fsum(terms) if np.isfinite(terms).all() else sum(terms)
            y[at] = layer.coeff * total / (len(values) if layer.operation == "MEAN" else 1)
        return (y,)


@pytest.mark.parametrize("operation", list(TERMS))
def test_nothing_adds_up_to_0(operation):
    stand = Stand(Case(Reduction(operation), ((0, 3),)), NCHW)
    assert stand.forward()[0] == 0


def test_many_values_keep_their_digits():
    x = np.random.default_rng(0).uniform(0, 1, (1, 1 << 20)).astype(np.float32)
    for operation, term in TERMS.items():
        case = Case(Reduction(operation, 1), (x.shape,), bottoms={0: x})
        expected = np.sum(term(x.astype(np.float64))) / (x.size if operation == "MEAN" else 1)
        assert Stand(case, NCHW).forward()[0][0] == pytest.approx(expected, rel=1e-6)


def test_there_must_be_such_an_axis():
    with pytest.raises(FieldError, match=r"reduction_param.axis is 3, but the bottom is 4×3×5"):
        Reduction(axis=3).shapes(((4, 3, 5),))
    with pytest.raises(FieldError, match=r"reduction_param.axis is 0, but the bottom is scalar"):
        Reduction().shapes(((),))


def test_read():
    param = {"operation": "MEAN", "axis": -2, "coeff": 0.5}
    layer = Reduction.read(LayerParameter(reduction_param=param), Phase.TEST)
    assert layer == Reduction("MEAN", -2, 0.5)
    assert layer.settings() == "mean axis -2 ×0.5"
    assert Reduction.read(LayerParameter(), Phase.TEST) == Reduction()
    for name in TERMS:
        message = LayerParameter(reduction_param={"operation": name})
        assert Reduction.read(message, Phase.TEST).operation == name
