"""Accuracy against a loop over positions, and its traps."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.layers.accuracy import Accuracy
from netdef.layers.base import NCHW, Phase
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


def labels(classes):
    return {1: lambda random, shape: random.integers(0, classes, shape)}


class TestAccuracy(LayerLaws):
    cases = [
        Case(Accuracy(), ((8, 5), (8,)), bottoms=labels(5)),
        Case(Accuracy(2, tops=2), ((8, 5), (8, 1)), bottoms=labels(5)),
        Case(Accuracy(3, ignore_label=1, tops=2), ((2, 5, 3, 7), (2, 3, 7)), bottoms=labels(5)),
        Case(Accuracy(2, axis=-1, tops=2), ((2, 3, 5), (2, 3)), bottoms=labels(5)),
        Case(Accuracy(axis=0), ((5, 3), (3,)), bottoms=labels(5), batch_of_one=False),
    ]

    def reference(self, layer, bottoms, params):
        x, label = bottoms
        classes = x.shape[layer.axis]
        rows = np.moveaxis(x, layer.axis, -1).reshape(-1, classes)
        hits, of_class = np.zeros(classes), np.zeros(classes)
        for row, k in zip(rows, label.reshape(-1).astype(int), strict=True):
            if k != layer.ignore_label:
                of_class[k] += 1
                hits[k] += k in np.argsort(-row)[: layer.top_k]
        return np.array(hits.sum() / max(1, of_class.sum())), hits / np.maximum(1, of_class)


def accuracy(layer, x, label):
    x, label = np.asarray(x, float), np.asarray(label)
    case = Case(layer, (x.shape, label.shape), bottoms={0: x, 1: label})
    return [top.tolist() for top in Stand(case, NCHW).forward()]


def test_ties_count_as_better():
    assert accuracy(Accuracy(), [[1, 1, 1]], [0]) == [0]
    assert accuracy(Accuracy(2), [[1, 1, 0]], [0]) == [1]
    assert accuracy(Accuracy(2), [[1, 1, 1]], [0]) == [0]
    assert accuracy(Accuracy(3), [[1, 1, 1]], [0]) == [1]


def test_a_net_that_has_run_away_is_not_perfect():
    assert accuracy(Accuracy(), [[np.nan] * 3, [0, np.nan, 1]], [0, 2]) == [0.5]


def test_a_class_without_labels_has_accuracy_0():
    assert accuracy(Accuracy(tops=2), np.eye(3), [0, 1, 1]) == [pytest.approx(2 / 3), [1, 0.5, 0]]


@pytest.mark.parametrize(("x", "label"), [([[1, 0]], [9]), (np.zeros((0, 2)), [])])
def test_nothing_that_counts_has_accuracy_0(x, label):
    assert accuracy(Accuracy(ignore_label=9, tops=2), x, label) == [0, [0, 0]]


def test_labels_that_are_no_class_stop_the_run():
    with pytest.raises(BottomError, match="holds label 3 at index 0, the classes are 0 to 2"):
        accuracy(Accuracy(), [[0, 1, 2]], [3])


def test_it_has_no_gradient():
    assert Accuracy.no_gradient == (0, 1)
    assert not Case(Accuracy(), ((2, 3), (2,))).has_backward()


@pytest.mark.parametrize("shapes", [((2, 3), (3,)), ((2, 3, 5), (2, 1))])
def test_labels_must_be_one_for_each_position(shapes):
    with pytest.raises(BottomError, match="labels for") as caught:
        Accuracy().shapes(shapes)
    assert caught.value.bottom == 1


def test_top_k_must_be_a_number_of_classes():
    with pytest.raises(FieldError, match="is 5, but there are 3 classes"):
        Accuracy(5).shapes(((2, 3), (2,)))
    with pytest.raises(FieldError, match="must be at least 1"):
        Accuracy.read(LayerParameter(accuracy_param={"top_k": 0}), Phase.TEST)


def test_read():
    param = {"top_k": 5, "axis": -1, "ignore_label": 0}
    message = LayerParameter(accuracy_param=param, top=["a", "b"])
    assert Accuracy.read(message, Phase.TEST) == Accuracy(5, -1, 0, 2)
    assert Accuracy.read(LayerParameter(top=["a"]), Phase.TEST) == Accuracy()
