"""The rule's choices for the layers that netdef is measured by."""

from __future__ import annotations

import pytest

from netdef.kernels.convolution import (
    Depthwise,
    Gemm1x1,
    Im2col,
    SpaceToDepthF4,
    WinogradF2,
    WinogradF4,
    WinogradF5,
    choose,
)
from tests.kernels.convolution.reference import geometry

KNOWN = [
    ("LeNet conv1", geometry(64, 1, 20, 28, 5), Im2col),
    ("LeNet conv2", geometry(64, 20, 50, 12, 5), WinogradF4),
    ("cifar conv1", geometry(100, 3, 32, 32, 5, pad=2), Im2col),
    ("cifar conv2", geometry(100, 32, 32, 16, 5, pad=2), WinogradF4),
    ("CaffeNet conv1", geometry(32, 3, 96, 227, 11, stride=4), SpaceToDepthF4),
    ("CaffeNet conv2", geometry(32, 96, 256, 27, 5, pad=2, group=2), WinogradF4),
    ("CaffeNet conv3", geometry(32, 256, 384, 13, 3, pad=1), WinogradF5),
    ("GoogLeNet conv1", geometry(16, 3, 64, 224, 7, stride=2, pad=3), Im2col),
    ("GoogLeNet conv2", geometry(16, 64, 192, 56, 3, pad=1), WinogradF4),
    ("GoogLeNet 1x1", geometry(16, 192, 64, 28, 1), Gemm1x1),
    ("ResNet 56", geometry(8, 64, 64, 56, 3, pad=1), WinogradF4),
    ("ResNet 14", geometry(8, 256, 256, 14, 3, pad=1), WinogradF5),
    ("ResNet 7", geometry(8, 512, 512, 7, 3, pad=1), WinogradF2),
    ("ResNet 7, one image", geometry(1, 512, 512, 7, 3, pad=1), Im2col),
    ("ResNet shortcut", geometry(8, 256, 512, 56, 1, stride=2), Im2col),
    ("MobileNet depthwise", geometry(8, 128, 128, 56, 3, pad=1, group=128), Depthwise),
    ("as large as the input", geometry(8, 16, 32, 5, 5), Gemm1x1),
    ("dilated", geometry(8, 64, 64, 56, 3, pad=2, dilation=2), Im2col),
    ("uneven", geometry(8, 64, 64, 56, (3, 1), pad=(1, 0)), Im2col),
]


@pytest.mark.parametrize(("g", "way"), [k[1:] for k in KNOWN], ids=[k[0] for k in KNOWN])
def test_known_layers(g, way):
    assert choose(g) is way


ONE_IMAGE = [
    ("cifar_full conv3", geometry(1, 32, 64, 8, 5, pad=2), Im2col, WinogradF4),
    ("LeNet conv2", geometry(1, 20, 50, 12, 5), Im2col, WinogradF4),
    ("CaffeNet conv1", geometry(1, 3, 96, 227, 11, stride=4), SpaceToDepthF4, SpaceToDepthF4),
    ("CaffeNet conv3", geometry(1, 256, 384, 13, 3, pad=1), WinogradF2, WinogradF2),
    ("CaffeNet conv5", geometry(1, 384, 256, 13, 3, pad=1, group=2), Im2col, WinogradF2),
    ("GoogLeNet 5x5", geometry(1, 24, 64, 14, 5, pad=2), Im2col, WinogradF4),
    ("ResNet 56", geometry(1, 64, 64, 56, 3, pad=1), WinogradF4, WinogradF4),
    ("ResNet 14", geometry(1, 256, 256, 14, 3, pad=1), WinogradF2, WinogradF2),
    ("ResNet 7", geometry(1, 512, 512, 7, 3, pad=1), Im2col, Im2col),
    ("ResNet 14, four images", geometry(4, 256, 256, 14, 3, pad=1), WinogradF2, WinogradF5),
    ("VGG 14", geometry(1, 512, 512, 14, 3, pad=1), WinogradF2, WinogradF2),
    ("VGG 224", geometry(1, 3, 64, 224, 3, pad=1), Im2col, Im2col),
]


@pytest.mark.parametrize(
    ("g", "anew", "held"), [k[1:] for k in ONE_IMAGE], ids=[k[0] for k in ONE_IMAGE]
)
def test_of_few_images_where_weights_are_held(g, anew, held):
    assert choose(g) is anew
    assert choose(g, holds=True) is held
    assert choose(g, holds=True, exact=True) is Im2col


@pytest.mark.parametrize("g", [k[1] for k in KNOWN], ids=[k[0] for k in KNOWN])
def test_exact_keeps_the_sums_of_the_formula(g):
    assert choose(g, exact=True) in (Im2col, Gemm1x1, Depthwise)
