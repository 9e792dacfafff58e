"""Divisors and labels, as Caffe counts them."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError
from netdef.layers.loss_param import MODES, SMALLEST, divisor, read_labels
from netdef.schema.netdef_pb2 import LossParameter


def test_modes_are_in_the_order_of_the_enum():
    assert tuple(LossParameter.NormalizationMode.keys()) == MODES


@pytest.mark.parametrize(("mode", "by"), [*zip(MODES, (12, 7, 3, 1), strict=True)])
def test_divisor(mode, by):
    assert divisor(mode, 12, 7, 3) == by
    assert divisor(mode, 0, 0, 0) == 1


def test_smallest_is_caffes():
    assert f"{-np.log(SMALLEST):.4f}" == "87.3365"


def test_labels_lose_fractions_and_axes():
    labels, valid = read_labels(np.array([[1.9], [0.0]], np.float32), 2, None)
    assert labels.tolist() == [1, 0]
    assert valid is None


def test_an_ignored_label_is_marked():
    labels, valid = read_labels(np.array([255, 1.0]), 2, 255)
    assert labels.tolist() == [0, 1]
    assert valid.tolist() == [False, True]


@pytest.mark.parametrize("bad", [2, -1, np.nan, np.inf])
def test_no_class(bad):
    with pytest.raises(BottomError, match="at index 1, the classes are 0 to 1"):
        read_labels(np.array([0, bad]), 2, None)
