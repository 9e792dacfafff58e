from __future__ import annotations

import numpy as np
import pytest

import netdef
from netdef import io
from netdef.diag import NetdefError

PIL = pytest.importorskip("PIL.Image")


@pytest.fixture
def picture(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (6, 8, 3), np.uint8)
    PIL.fromarray(pixels).save(tmp_path / "p.png")
    return tmp_path / "p.png", pixels


def test_images_as_caffe_loads_them(picture):
    path, pixels = picture
    image = io.load_image(path)
    np.testing.assert_allclose(image, pixels / 255, atol=1e-7)
    assert io.load_image(path, color=False).shape == (6, 8, 1)
    with pytest.raises(NetdefError, match=r"`no\.png` does not exist"):
        io.load_image("no.png")


def test_preprocess(picture):
    path, pixels = picture
    prepare = io.Preprocess((9, 3, 4, 6), mean=(1, 2, 3), scale=0.5, resize_to=(6, 8))
    expected = (pixels[1:5, 1:7, ::-1] - np.array([1.0, 2, 3])).transpose(2, 0, 1) * 0.5
    np.testing.assert_allclose(prepare(path)[0], expected, rtol=1e-6)
    np.testing.assert_allclose(prepare(pixels, path)[0], expected, rtol=1e-6)
    mean = np.random.default_rng(2).normal(size=(3, 6, 8)).astype(np.float32)
    io.save_mean(path.with_suffix(".binaryproto"), mean)
    by_image = io.Preprocess((9, 3, 4, 6), mean=path.with_suffix(".binaryproto"), rgb=False)
    expected = (pixels[:, :, ::-1].transpose(2, 0, 1) - mean)[:, 1:5, 1:7]
    np.testing.assert_allclose(by_image(path)[0], expected, rtol=1e-5)


def test_preprocess_is_what_a_data_layer_does(picture, tmp_path):
    from netdef.data.image_list import ImageListBatches
    from netdef.data.reader import Context
    from netdef.data.transform import Transform

    path, _ = picture
    (tmp_path / "list.txt").write_text(f"{path} 0\n")
    transform = Transform(scale=0.25, crop_size=5, mean_value=(3, 4, 5))
    batches = ImageListBatches(tmp_path / "list.txt", 1, transform, Context(), size=(7, 9))
    out = [np.zeros(shape, np.float32) for shape in batches.shapes]
    batches.fill(0, out)
    prepare = io.Preprocess((1, 3, 5, 5), mean=(3, 4, 5), scale=0.25, resize_to=(7, 9))
    np.testing.assert_array_equal(prepare(path), out[0])


def test_transformer_there_and_back(picture):
    path, _ = picture
    transformer = io.Transformer({"data": (1, 3, 6, 8)})
    transformer.set_transpose("data", (2, 0, 1))
    transformer.set_channel_swap("data", (2, 1, 0))
    transformer.set_raw_scale("data", 255)
    transformer.set_mean("data", np.array([104, 117, 123]))
    transformer.set_input_scale("data", 0.5)
    image = io.load_image(path)
    data = transformer.preprocess("data", image)
    expected = (image[:, :, ::-1].transpose(2, 0, 1) * 255 - [[[104]], [[117]], [[123]]]) / 2
    np.testing.assert_allclose(data, expected, atol=1e-4)
    np.testing.assert_allclose(transformer.deprocess("data", data), image, atol=1e-6)
    with pytest.raises(ValueError, match="`x` is no input"):
        transformer.set_raw_scale("x", 1)


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (7,), (2, 3)])
def test_blobs_there_and_back(shape):
    values = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    blob = io.array_to_blobproto(values, diff=values * 2)
    np.testing.assert_array_equal(io.blobproto_to_array(blob), values)
    np.testing.assert_array_equal(io.blobproto_to_array(blob, return_diff=True), values * 2)


def test_old_blobs():
    from netdef.schema import BlobProto

    blob = BlobProto(data=[1, 2, 3, 4, 5, 6], num=1, channels=2, height=3, width=1)
    assert io.blobproto_to_array(blob).shape == (1, 2, 3, 1)


def test_oversample():
    image = np.random.default_rng(1).normal(size=(5, 7, 2))
    crops = io.oversample([image], (3, 4))
    assert crops.shape == (10, 3, 4, 2)
    np.testing.assert_allclose(crops[1], image[:3, 3:], rtol=1e-6)
    np.testing.assert_allclose(crops[4], image[1:4, 1:5], rtol=1e-6)
    np.testing.assert_allclose(crops[7], image[2:, :4][:, ::-1], rtol=1e-6)


def test_resize():
    ramp = np.arange(6, dtype=np.float32)[:, None, None].repeat(4, axis=1)
    large = io.resize_image(ramp, (12, 4))
    np.testing.assert_allclose(large[1:-1, 0, 0], np.arange(0.25, 5.0, 0.5), atol=1e-5)
    assert io.resize_image(ramp, (3, 2), interp_order=0)[:, 0, 0].tolist() == [1, 3, 5]


def test_top_k():
    scores = np.array([0.1, 0.7, 0.2])
    assert io.top_k(scores, 2, ["a", "b", "c"]) == [("b", 0.7), ("c", 0.2)]
    assert io.top_k(scores, 9, ["a"])[0] == ("1", 0.7)


def test_it_is_there_when_netdef_is():
    assert netdef.io is io
