from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import netdef
from netdef.data.reader import Context
from netdef.data.transform import Transform
from netdef.diag import FieldError
from netdef.layers.base import Phase
from netdef.layers.image_data import ImageData
from netdef.schema import LayerParameter

TOPS = ("data", "label")


@pytest.fixture
def folder(tmp_path):
    for i in range(3):
        Image.new("RGB", (7, 5), (i, 0, 100 + i)).save(tmp_path / f"{i}.png")
    (tmp_path / "list.txt").write_text("".join(f"{i}.png {i}\n" for i in range(3)))
    return tmp_path


def read(transform=None, prefetch=None, **settings):
    data = {} if prefetch is None else {"prefetch": prefetch}
    message = LayerParameter(
        type="ImageData", image_data_param=settings, data_param=data, transform_param=transform
    )
    return ImageData.read(message, Phase.TRAIN)


def test_read():
    layer = read(
        {"crop_size": 3, "mirror": True},
        prefetch=2,
        source="a/list.txt",
        batch_size=4,
        root_folder="r/",
        new_height=5,
        new_width=6,
        is_color=False,
        shuffle=True,
        rand_skip=7,
    )
    transform = Transform(crop_size=3, mirror=True)
    assert layer == ImageData("a/list.txt", 4, "r/", (5, 6), False, True, 7, 2, transform)
    assert layer.settings() == "list.txt ×4 5×6 shuffle crop 3 mirror"
    assert read(source="x") == ImageData("x")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "image_data_param.source is missing"),
        ({"source": "x", "batch_size": 0}, "image_data_param.batch_size must be at least 1, is 0"),
        (
            {"source": "x", "new_height": 5},
            "image_data_param.new_height is 5, and `new_width` is missing",
        ),
        (
            {"source": "x", "new_width": 5},
            "image_data_param.new_width is 5, and `new_height` is missing",
        ),
    ],
)
def test_read_refuses(settings, expected):
    with pytest.raises(FieldError) as caught:
        read(**settings)
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (ImageData("x"), None),
        (ImageData("x", size=(5, 6)), (1, 3, 5, 6)),
        (ImageData("x", 2, size=(5, 6), is_color=False), (2, 1, 5, 6)),
        (ImageData("x", size=(5, 6), transform=Transform(crop_size=4)), (1, 3, 4, 4)),
        (ImageData("x", transform=Transform(crop_size=4)), (1, 3, 4, 4)),
    ],
)
def test_what_is_known_without_the_list(layer, shape):
    expected = None if shape is None else (shape, shape[:1])
    assert layer.known_shapes(TOPS) == expected


def test_opened(folder):
    reader = ImageData("list.txt", 2, is_color=False).open(Context(folder=folder), TOPS)
    assert reader.shapes == ((2, 1, 5, 7), (2,))
    out = [np.zeros(shape, np.float32) for shape in reader.shapes]
    for expected in ([0, 1], [2, 0]):
        reader.read(out)
        assert out[1].tolist() == expected
    reader.close()


def test_a_broken_list_is_a_mistake_in_the_prototxt(folder):
    (folder / "list.txt").write_text("3.png 1")
    with pytest.raises(FieldError) as caught:
        ImageData("list.txt").open(Context(folder=folder), TOPS)
    assert caught.value.field == "image_data_param.source"
    assert "line 1 of" in caught.value.message


def test_in_a_net(folder):
    (folder / "net.prototxt").write_text("""
layer { name: "data" type: "ImageData" top: "data" top: "label"
  image_data_param { source: "list.txt" batch_size: 2 new_height: 3 new_width: 4 }
  transform_param { mean_value: 100 mean_value: 0 mean_value: 0 } }
""")
    with netdef.load(folder / "net.prototxt", seed=1) as net:
        for expected in ([0, 1], [2, 0]):
            out = net.forward()
            assert out["label"].tolist() == expected
            assert out["data"].shape == (2, 3, 3, 4)
            assert out["data"][:, 0, 1, 1].tolist() == expected  # blue less its mean
            assert out["data"][:, 2, 1, 1].tolist() == expected
