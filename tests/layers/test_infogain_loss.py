"""InfogainLoss against a loop over positions."""

from __future__ import annotations

from dataclasses import replace
from math import log

import numpy as np
import pytest

from netdef.data.reader import Context
from netdef.diag import BottomError, FieldError
from netdef.layers.base import NCHW, Phase
from netdef.layers.infogain_loss import InfogainLoss
from netdef.layers.softmax_with_loss import SoftmaxWithLoss
from netdef.schema import BlobProto, LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand

MATRIX = np.random.default_rng(3).uniform(0, 2, (5, 5)).astype(np.float32)


def given(classes=5):
    return {1: lambda random, shape: random.integers(0, classes, shape)}


class TestInfogainLoss(LayerLaws):
    cases = [
        Case(InfogainLoss(), ((4, 5), (4,), (1, 25)), bottoms=given()),
        Case(InfogainLoss("h", matrix=MATRIX), ((4, 5), (4, 1)), bottoms=given()),
        Case(InfogainLoss(ignore_label=1), ((2, 5, 3, 7), (2, 3, 7), (25,)), bottoms=given()),
        Case(InfogainLoss("h", -1, 2, "FULL", matrix=MATRIX), ((4, 3, 5), (4, 3)), bottoms=given()),
        Case(
            InfogainLoss(normalization="BATCH_SIZE"),
            ((4, 5, 3), (4, 3), (1, 1, 25)),
            bottoms=given(),
        ),
    ]

    def reference(self, layer, bottoms, params):
        x, label = bottoms[:2]
        matrix = (layer.matrix if layer.matrix is not None else bottoms[2]).reshape(5, 5)
        classes = np.moveaxis(x, layer.axis, -1)
        p = np.zeros(classes.shape)
        total, count = 0.0, 0
        for at, k in zip(
            np.ndindex(classes.shape[:-1]), label.reshape(-1).astype(int), strict=True
        ):
            powers = np.exp(classes[at] - classes[at].max())
            p[at] = powers / sum(powers)
            if k != layer.ignore_label:
                logs = [log(max(v, 1e-20)) if v == v else v for v in p[at]]
                total -= float(np.dot(matrix[k], logs))
                count += 1
        by = {"VALID": count, "FULL": label.size, "BATCH_SIZE": len(x), "NONE": 1}
        loss = total / max(1, by[layer.normalization])
        return (np.array(loss),)


def test_with_the_identity_it_is_softmax_with_loss():
    shapes = ((4, 5, 3), (4, 3))
    ours = Case(InfogainLoss("h", ignore_label=2, matrix=np.eye(5)), shapes, bottoms=given())
    plain = Case(SoftmaxWithLoss(ignore_label=2), shapes, bottoms=given())
    runs = Stand(ours, NCHW), Stand(plain, NCHW)
    mine, theirs = (run.forward()[0] for run in runs)
    np.testing.assert_allclose(mine, theirs, rtol=1e-6)
    mine, theirs = (run.backward([np.array(2.0)])[0][0] for run in runs)
    np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-7)


def test_a_second_top_has_the_probabilities():
    case = Case(InfogainLoss("h", tops=2, matrix=np.eye(5)), ((4, 5, 3), (4, 3)), bottoms=given())
    x = case.bottom_values()[0]
    expected = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(Stand(case, NCHW).forward()[1], expected, rtol=1e-5)


def test_a_probability_of_0_counts_as_1e_20():
    x = np.array([[0.0, 1000]])
    case = Case(InfogainLoss("h", matrix=np.eye(2)), ((1, 2), (1,)), bottoms={0: x, 1: np.zeros(1)})
    assert Stand(case, NCHW).forward()[0] == pytest.approx(46.0517, rel=1e-5)


class TestFile:
    def write(self, path, **fields):
        path.write_bytes(BlobProto(**fields).SerializeToString())

    def test_is_read_beside_the_prototxt(self, tmp_path):
        self.write(tmp_path / "h", data=range(9), num=1, channels=1, height=3, width=3)
        layer = InfogainLoss("h")
        begun = layer.begin(Context(folder=tmp_path), ((2, 3), (2,)))
        assert begun.matrix.reshape(-1).tolist() == list(range(9))
        assert begun.shapes(((2, 3), (2,))) == ((),)
        with pytest.raises(FieldError, match="holds 1×1×3×3 values, 4 classes need 4×4 values"):
            begun.shapes(((2, 4), (2,)))

    @pytest.mark.parametrize(
        ("name", "expected"),
        [("none", "none` does not exist"), ("flat", "holds 3×2 values, no square")],
    )
    def test_is_refused(self, tmp_path, name, expected):
        self.write(tmp_path / "flat", data=range(6), shape={"dim": [3, 2]})
        with pytest.raises(FieldError, match=expected) as caught:
            InfogainLoss(str(tmp_path / name)).begin(Context(), ((2, 3), (2,)))
        assert caught.value.field == "infogain_loss_param.source"


def test_a_third_bottom_needs_no_file():
    layer = InfogainLoss()
    assert layer.begin(Context(), ((2, 3), (2,), (9,))) is layer
    with pytest.raises(BottomError, match="is 4×3, 3 classes need 3×3 values") as caught:
        layer.shapes(((2, 3), (2,), (4, 3)))
    assert caught.value.bottom == 2


def test_labels():
    with pytest.raises(BottomError, match="is 2×2, 4 labels for 2 positions"):
        InfogainLoss().shapes(((2, 3), (2, 2), (9,)))
    case = Case(InfogainLoss(), ((2, 3), (2,), (9,)), bottoms={1: np.array([0, 3])})
    with pytest.raises(BottomError, match="holds label 3 at index 1"):
        Stand(case, NCHW).forward()


def read(**fields):
    return InfogainLoss.read(LayerParameter(**fields), Phase.TRAIN)


def test_read():
    param = {"source": "a/h.binaryproto", "axis": 2}
    layer = read(
        infogain_loss_param=param,
        loss_param={"ignore_label": 255, "normalization": "FULL"},
        bottom=["x", "l"],
        top=["loss", "p"],
    )
    assert layer == InfogainLoss("a/h.binaryproto", 2, 255, "FULL", 2)
    assert layer == replace(layer, matrix=MATRIX)
    assert layer.settings() == "h.binaryproto axis 2 ignore 255 full"
    three = read(infogain_loss_param=param, bottom=["x", "l", "h"], top=["loss"])
    assert three == InfogainLoss("", 2)


def test_read_refuses():
    with pytest.raises(FieldError, match=r"infogain_loss_param.source is missing"):
        read(bottom=["x", "l"], top=["loss"])
    with pytest.raises(FieldError, match=r"loss_param.normalize is not for InfogainLoss"):
        read(bottom=["x", "l", "h"], top=["loss"], loss_param={"normalize": True})
