"""InnerProduct against sums written out."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import FieldError
from netdef.layers import inner_product
from netdef.layers.base import CHWN, NCHW, Phase
from netdef.layers.inner_product import InnerProduct
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws


class TestInnerProduct(LayerLaws):
    cases = [
        Case(InnerProduct(4), ((2, 5),), name="matrix"),
        Case(InnerProduct(4), ((2, 3, 7, 5),), name="images"),
        Case(InnerProduct(4, transpose=True), ((2, 3, 7, 5),), name="transposed"),
        Case(InnerProduct(4, bias_term=False), ((2, 3, 5),), name="no-bias"),
        Case(InnerProduct(4, axis=2), ((2, 3, 7, 5),), name="axis-2"),
        Case(InnerProduct(4, axis=-1, transpose=True), ((2, 3, 7, 5),), name="last-axis"),
        Case(InnerProduct(4, axis=-1), ((3, 7),), name="last-axis-of-two"),
        Case(InnerProduct(4, axis=0), ((3, 7),), name="axis-0", batch_of_one=False),
        Case(InnerProduct(1), ((2, 5),), name="one-output"),
    ]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        w = params[0].T if layer.transpose else params[0]
        axis = layer.axis % x.ndim
        rows = x.reshape(int(np.prod(x.shape[:axis])), -1)
        y = np.zeros((len(rows), layer.num_output))
        for n, row in enumerate(rows):
            for o in range(layer.num_output):
                y[n, o] = np.sum(w[o] * row) + (params[1][o] if layer.bias_term else 0)
        return (y.reshape(*x.shape[:axis], layer.num_output),)


def test_sums_block_by_block(monkeypatch):
    monkeypatch.setattr(inner_product, "_block", lambda inputs, examples: 2)
    for case in TestInnerProduct.cases:
        (layout,) = case.layouts()
        TestInnerProduct().test_backward_adds_where_asked(case, layout)


def read(**fields):
    return InnerProduct.read(LayerParameter(inner_product_param=fields), Phase.TRAIN)


def test_reads_what_is_written():
    assert read(num_output=3) == InnerProduct(3)
    assert read(num_output=3, axis=2, transpose=True, bias_term=False) == InnerProduct(
        3, bias_term=False, axis=2, transpose=True
    )


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, "num_output"),
        ({"num_output": 0}, "num_output"),
        ({"num_output": 2, "bias_filler": {"type": "zeros"}}, "bias_filler.type"),
    ],
)
def test_refuses_settings(fields, path):
    with pytest.raises(FieldError) as caught:
        read(**fields)
    assert caught.value.field == f"inner_product_param.{path}"


def test_refuses_an_axis_that_is_not_there():
    with pytest.raises(FieldError) as caught:
        InnerProduct(3, axis=2).shapes(((4, 5),))
    assert caught.value.field == "inner_product_param.axis"


def test_counts_and_words():
    layer, bottoms = InnerProduct(500), ((64, 50, 4, 5),)
    assert layer.macs(bottoms, layer.shapes(bottoms)) == 64 * 1000 * 500
    assert [p.shape for p in layer.params(bottoms)] == [(500, 1000), (500,)]
    assert [p.shape for p in InnerProduct(500, transpose=True).params(bottoms)] == [
        (1000, 500),
        (500,),
    ]
    assert layer.settings() == "→500"


def test_batch_lies_last_only_where_the_first_axis_is_the_batch():
    assert InnerProduct(3).layout_at(((4, 5, 6),)) is CHWN
    assert InnerProduct(3, axis=2).layout_at(((4, 5, 6),)) is NCHW
