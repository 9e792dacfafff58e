"""Every layer type of Caffe is one of ours, and every one of ours says what there is to say."""

from __future__ import annotations

from inspect import cleandoc

import pytest

from netdef import layers

REGISTERED = """
    AbsVal Accuracy ArgMax BNLL BatchNorm BatchReindex Bias Clip Concat ContrastiveLoss
    Convolution Crop Data Deconvolution Dropout DummyData ELU Eltwise Embed EuclideanLoss Exp
    Filter Flatten HDF5Data HDF5Output HingeLoss Im2col ImageData InfogainLoss InnerProduct Input
    LRN LSTM LSTMUnit Log MVN MemoryData MultinomialLogisticLoss PReLU Parameter Pooling Power
    Python RNN ReLU Reduction Reshape SPP Scale Sigmoid SigmoidCrossEntropyLoss Silence Slice
    Softmax SoftmaxWithLoss Split Swish TanH Threshold Tile WindowData
"""
"""The 61 types that BVLC Caffe at commit 9b89154 registers."""

CAFFE = REGISTERED.split()

DATA = {"Data", "HDF5Data", "ImageData", "MemoryData", "WindowData"}


def test_the_list_is_whole():
    assert len(CAFFE) == len(set(CAFFE)) == 61


def test_every_type_of_caffe_is_there():
    missing = set(CAFFE) - set(layers.types())
    assert not missing


@pytest.mark.parametrize("name", CAFFE)
def test_a_type_is_found_by_its_name_alone(name):
    found = layers.find(name)
    assert found is not None
    assert found.type == name
    assert found.__name__ == name
    assert layers.find(name.lower()) is None or name.islower()


@pytest.mark.parametrize("name", CAFFE)
def test_a_type_is_documented(name):
    found = layers.find(name)
    assert found is not None
    text = cleandoc(found.__doc__ or "")
    first, *rest = text.splitlines()
    assert first.endswith(".")
    for section in ["Tops:", "Source:"] if name in DATA else ["Bottoms:", "Tops:", "Source:"]:
        assert section in rest
        assert rest[rest.index(section) + 1].startswith("    ")


def test_case_and_underscores_do_not_make_a_type():
    assert layers.find("relu") is None
    assert layers.find("inner_product") is None
    assert layers.find("Axes") is None
    assert layers.find("base") is None
