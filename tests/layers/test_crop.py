"""Crop against numbers picked one by one."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.layers.base import CHWN, NCHW, Phase
from netdef.layers.crop import Crop
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


class TestCrop(LayerLaws):
    cases = [
        Case(Crop(), ((2, 3, 7, 6), (2, 3, 4, 5)), name="no-offset"),
        Case(Crop(offset=(1,)), ((2, 3, 7, 6), (2, 3, 4, 5)), name="one-offset"),
        Case(Crop(offset=(3, 0)), ((2, 3, 7, 6), (2, 5, 4, 6)), name="offsets"),
        Case(Crop(1, (1, 2, 0)), ((2, 5, 7, 6), (2, 3, 4, 1)), name="channels-too"),
        Case(Crop(-1, (2,)), ((2, 3, 7, 6), (2, 1, 3, 4)), name="last-axis"),
        Case(Crop(0, (1, 0, 2)), ((4, 3, 7), (2, 3, 5)), batch_of_one=False, name="batch-too"),
        Case(Crop(2, (1,)), ((3, 4, 7, 6), (2, 1, 5, 3)), name="reference-of-another-batch"),
        Case(Crop(1, (2,)), ((4, 7), (4, 3, 5)), name="reference-of-more-axes"),
        Case(Crop(), ((2, 3, 7, 6), (2, 3, 7, 6)), name="all"),
    ]

    def reference(self, layer, bottoms, params):
        x, reference = bottoms
        axis = layer.axis % x.ndim
        shape = (*x.shape[:axis], *reference.shape[axis : x.ndim])
        offsets = layer.offset or (0,)
        if len(offsets) == 1:
            offsets = offsets * (x.ndim - axis)
        y = np.zeros(shape)
        for at in np.ndindex(shape):
            moved = [i + o for i, o in zip(at[axis:], offsets, strict=True)]
            y[at] = x[(*at[:axis], *moved)]
        return (y,)


def test_the_reference_has_no_gradient_but_zero():
    case = Case(Crop(offset=(1, 0)), ((2, 3, 7, 6), (2, 3, 4, 5)))
    stand = Stand(case, CHWN)
    stand.forward()
    (dx, dreference), _ = stand.backward([np.ones((2, 3, 4, 5))])
    assert dx.sum() == 2 * 3 * 4 * 5
    assert not dreference.any()


def test_layout_is_chwn_where_both_have_the_batch():
    assert Crop().layout_at(((2, 3, 7, 6), (2, 3, 4, 5))) is CHWN
    assert Crop().layout_at(((2, 3, 7, 6), (1, 3, 4, 5))) is NCHW
    assert Crop(0).layout_at(((2, 3, 7, 6), (2, 3, 4, 5))) is NCHW


def test_reads_what_is_written():
    message = LayerParameter(crop_param={"axis": 1, "offset": [2, 1, 3]})
    assert Crop.read(message, Phase.TEST) == Crop(1, (2, 1, 3))
    assert Crop.read(LayerParameter(), Phase.TEST) == Crop()


@pytest.mark.parametrize(
    ("layer", "reference", "path"),
    [
        (Crop(4), (2, 3, 4, 5), "axis"),
        (Crop(2, (1, 2, 3)), (2, 3, 4, 5), "offset[2]"),
        (Crop(1, (1, 2)), (2, 3, 4, 5), "offset[1]"),
        (Crop(2, (1, 2)), (2, 3, 4, 5), "offset[1]"),
        (Crop(2, (4,)), (2, 3, 4, 5), "offset[0]"),
    ],
)
def test_refuses_settings_that_do_not_fit(layer, reference, path):
    with pytest.raises(FieldError) as caught:
        layer.shapes(((2, 3, 7, 6), reference))
    assert caught.value.field == f"crop_param.{path}"
    assert caught.value.help


@pytest.mark.parametrize("reference", [(2, 3, 4), (2, 3, 8, 5)])
def test_refuses_references_that_do_not_fit(reference):
    with pytest.raises(BottomError) as caught:
        Crop().shapes(((2, 3, 7, 6), reference))
    assert caught.value.bottom == 1
    assert caught.value.help


def test_words():
    assert Crop().settings() == ""
    assert Crop(1, (2, 0)).settings() == "axis 1 at 2 0"
