from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import netdef
from netdef.data.mean import write_mean
from netdef.data.reader import Context
from netdef.data.transform import Transform
from netdef.diag import FieldError
from netdef.layers.base import Phase
from netdef.layers.window_data import WindowData
from netdef.schema import LayerParameter

TOPS = ("data", "label")
CROP = Transform(crop_size=7)


@pytest.fixture
def folder(tmp_path):
    Image.new("RGB", (30, 20), (10, 20, 30)).save(tmp_path / "a.png")
    (tmp_path / "w.txt").write_text("# 0\na.png\n3 20 30\n2\n1 0.8 10 5 19 14\n4 0.1 4 4 8 8\n")
    return tmp_path


def read(transform=None, **settings):
    message = LayerParameter(window_data_param=settings, transform_param=transform)
    return WindowData.read(message, Phase.TRAIN)


def test_read():
    layer = read(
        {"crop_size": 7},
        source="a/w.txt",
        batch_size=4,
        fg_threshold=0.75,
        bg_threshold=0.25,
        fg_fraction=0.5,
        context_pad=2,
        crop_mode="square",
        cache_images=True,
        root_folder="r/",
    )
    expected = WindowData(
        "a/w.txt", 4, 0.75, 0.25, 0.5, 2, "square", True, "r/", 4, Transform(crop_size=7)
    )
    assert layer == expected
    assert layer.settings() == "w.txt ×4 square pad 2 crop 7"
    assert layer.known_shapes(TOPS) == ((4, 3, 7, 7), (4,))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "window_data_param.source is missing"),
        ({"source": "w"}, "window_data_param.batch_size is missing"),
        (
            {"source": "w", "batch_size": 0},
            "window_data_param.batch_size must be at least 1, is 0",
        ),
        (
            {"source": "w", "batch_size": 1, "context_pad": 4},
            "window_data_param.context_pad is 4 on each side, which leaves nothing of a "
            "crop_size of 7",
        ),
        (
            {"source": "w", "batch_size": 1, "fg_fraction": 1.5},
            "window_data_param.fg_fraction must be from 0 to 1, is 1.5",
        ),
        (
            {"source": "w", "batch_size": 1, "crop_mode": "sqare"},
            "window_data_param.crop_mode is no mode: `sqare`",
        ),
    ],
)
def test_read_refuses(settings, expected):
    with pytest.raises(FieldError) as caught:
        read({"crop_size": 7}, **settings)
    assert str(caught.value) == expected


def test_crop_size_is_needed():
    with pytest.raises(FieldError, match=r"transform_param\.crop_size is missing"):
        read(source="w", batch_size=1)


def test_in_a_net(folder):
    (folder / "net.prototxt").write_text("""
layer { name: "data" type: "WindowData" top: "data" top: "label"
  window_data_param { source: "w.txt" batch_size: 4 fg_fraction: 0.25 }
  transform_param { crop_size: 7 mean_value: 10 scale: 0.5 } }
""")
    with netdef.load(folder / "net.prototxt", seed=1) as net:
        out = net.forward()
        assert out["data"].shape == (4, 3, 7, 7)
        assert out["label"].tolist() == [0, 0, 0, 1]
        assert (out["data"] == np.array([10, 5, 0]).reshape(3, 1, 1)).all()  # blue, green, red


def test_a_mean_file_is_cropped_in_the_middle(folder):
    write_mean(folder / "mean", np.arange(3 * 9 * 11, dtype=np.float32).reshape(3, 9, 11))
    layer = WindowData("w.txt", 1, transform=Transform(crop_size=7, mean_file="mean"))
    mean = layer._mean(Context(folder=folder))
    assert mean.shape == (3, 7, 7)
    assert mean[0, 0, 0] == 2 * 11 + 2


@pytest.mark.parametrize(
    ("transform", "field", "expected"),
    [
        (
            Transform(crop_size=7, mean_value=(1, 2)),
            "transform_param.mean_value",
            "is given 2 times, the images have 3 channels",
        ),
        (
            Transform(crop_size=7, mean_file="none"),
            "transform_param.mean_file",
            "`none` does not exist",
        ),
        (
            Transform(crop_size=7, mean_file="small"),
            "transform_param.mean_file",
            "`small` is 3×5×9, windows are 3×7×7",
        ),
    ],
)
def test_means_that_do_not_fit(folder, transform, field, expected):
    write_mean(folder / "small", np.zeros((3, 5, 9), np.float32))
    with pytest.raises(FieldError) as caught:
        WindowData("w.txt", 1, transform=transform).open(Context(folder=folder), TOPS)
    assert caught.value.field == field
    assert expected in caught.value.message


def test_a_broken_file_is_a_mistake_in_the_prototxt(folder):
    with pytest.raises(FieldError) as caught:
        WindowData("none.txt", 1, transform=CROP).open(Context(folder=folder), TOPS)
    assert caught.value.field == "window_data_param.source"
