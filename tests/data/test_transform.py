from __future__ import annotations

import numpy as np
import pytest

from netdef.data.datum import array_to_datum
from netdef.data.errors import DataError
from netdef.data.mean import read_mean, write_mean
from netdef.data.reader import Context
from netdef.data.transform import Transform, Transformer
from netdef.data.workers import Workers
from netdef.diag import FieldError
from netdef.schema import BlobProto
from netdef.schema.netdef_pb2 import TransformationParameter

RNG = np.random.default_rng(0)
IMAGES = [RNG.integers(0, 256, (3, 9, 7), dtype=np.uint8) for _ in range(400)]


def apply(images, context=None, seed=1, first=0, **settings):
    transformer = Transformer(Transform(**settings), context or Context(), images[0].shape)
    out = np.full((len(images), *transformer.shape), np.nan, np.float32)
    transformer.apply(images, out, seed, first)
    return out


def windows(image, size):
    """All crops of an image, by the place of their corner."""
    _, height, width = image.shape
    return {
        (row, column): image[:, row : row + size, column : column + size]
        for row in range(height - size + 1)
        for column in range(width - size + 1)
    }


def test_nothing():
    np.testing.assert_array_equal(apply(IMAGES), IMAGES)


def test_mean_goes_before_scale():
    got = apply(IMAGES, mean_value=(10.0, 20.0, 30.5), scale=0.25)
    mean = np.array([10, 20, 30.5]).reshape(3, 1, 1)
    np.testing.assert_array_equal(got, (np.array(IMAGES) - mean) * 0.25)


def test_one_mean_for_all_channels():
    np.testing.assert_array_equal(apply(IMAGES, mean_value=(7.0,)), np.array(IMAGES) - 7.0)


def test_crop_takes_the_middle_in_test():
    got = apply(IMAGES, crop_size=4)
    np.testing.assert_array_equal(got, np.array(IMAGES)[:, :, 2:6, 1:5])


def test_crop_is_anywhere_in_train():
    got = apply(IMAGES, Context(train=True), crop_size=4)
    seen = set()
    for image, crop in zip(IMAGES, got, strict=True):
        places = [p for p, window in windows(image, 4).items() if np.array_equal(window, crop)]
        assert len(places) == 1
        seen.update(places)
    assert len(seen) == 6 * 4


@pytest.mark.parametrize("train", [True, False])
def test_mirror_in_both_phases(train):
    got = apply(IMAGES, Context(train=train), mirror=True)
    flipped = [np.array_equal(g, i[:, :, ::-1]) for g, i in zip(got, IMAGES, strict=True)]
    as_is = [np.array_equal(g, i) for g, i in zip(got, IMAGES, strict=True)]
    assert np.logical_xor(flipped, as_is).all()
    assert 150 < sum(flipped) < 250


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("mirror", [True, False])
def test_the_mean_image_is_cropped_and_mirrored_alike(tmp_path, train, mirror):
    mean = RNG.random((3, 9, 7)).astype(np.float32)
    write_mean(tmp_path / "m.binaryproto", mean)
    settings = {"crop_size": 4, "mirror": mirror}
    context = Context(train=train, folder=tmp_path)
    got = apply(IMAGES, context, mean_file="m.binaryproto", **settings)
    bare = apply(IMAGES, context, **settings)
    alone = apply([mean] * len(IMAGES), context, **settings)
    np.testing.assert_array_equal(got, bare - alone)


def test_a_batch_is_the_sum_of_its_images():
    context = Context(train=True)
    settings = {"crop_size": 5, "mirror": True, "mean_value": (3.0,), "scale": 0.5}
    whole = apply(IMAGES, context, first=1000, **settings)
    for i in (0, 7, 399):
        one = apply(IMAGES[i : i + 1], context, first=1000 + i, **settings)
        np.testing.assert_array_equal(one[0], whole[i])
    other = apply(IMAGES, context, first=1000, seed=2, **settings)
    assert not np.array_equal(other, whole)


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("mean", ["file", "values", "none"])
def test_large_images_in_threads_are_the_same(tmp_path, train, mean):
    images = [RNG.integers(0, 256, (3, 90, 101), dtype=np.uint8) for _ in range(9)]
    settings = {"crop_size": 80, "mirror": True, "scale": 0.3}
    if mean == "file":
        write_mean(tmp_path / "m", RNG.normal(100, 20, (3, 90, 101)))
        settings["mean_file"] = str(tmp_path / "m")
    elif mean == "values":
        settings["mean_value"] = (1, 2, 3)
    transformer = Transformer(Transform(**settings), Context(train=train), images[0].shape)
    one, two = (np.empty((9, *transformer.shape), np.float32) for _ in range(2))
    workers = Workers(3)
    transformer.apply(images, one, 5, 100)
    transformer.apply(images, two, 5, 100, workers)
    workers.close()
    np.testing.assert_array_equal(one, two)


def test_images_of_many_sizes():
    images = [IMAGES[0], RNG.integers(0, 256, (3, 5, 6), dtype=np.uint8), IMAGES[1]]
    centre = apply(images, crop_size=4)
    np.testing.assert_array_equal(centre[1], images[1][:, 0:4, 1:5])
    anywhere = apply(images, Context(train=True), crop_size=4)
    for image, crop in zip(images, anywhere, strict=True):
        assert any(np.array_equal(window, crop) for window in windows(image, 4).values())


class TestRead:
    def test_fields(self):
        message = TransformationParameter(
            scale=0.5, mirror=True, crop_size=3, mean_value=[1, 2], force_gray=True
        )
        assert Transform.read(message) == Transform(0.5, True, 3, "", (1, 2), False, True)
        assert Transform.read(TransformationParameter()) == Transform()

    def test_two_means(self):
        with pytest.raises(FieldError) as caught:
            Transform.read(TransformationParameter(mean_file="x", mean_value=[1]))
        assert caught.value.field == "transform_param.mean_file"

    def test_both_forced(self):
        with pytest.raises(FieldError) as caught:
            Transform.read(TransformationParameter(force_color=True, force_gray=True))
        assert caught.value.field == "transform_param.force_gray"


class TestDoesNotFit:
    def error(self, context=None, **settings):
        with pytest.raises(FieldError) as caught:
            Transformer(Transform(**settings), context or Context(), (3, 9, 7))
        return str(caught.value)

    def test_crop_is_too_large(self):
        expected = "transform_param.crop_size is 8, the images of 3×9×7 are smaller"
        assert self.error(crop_size=8) == expected

    def test_means_are_too_few(self):
        assert "is given 2 times, the images have 3 channels" in self.error(mean_value=(1.0, 2.0))

    def test_mean_file_is_missing(self):
        assert self.error(mean_file="no.b") == "transform_param.mean_file `no.b` does not exist"

    def test_mean_file_is_of_another_size(self, tmp_path):
        write_mean(tmp_path / "m", np.zeros((3, 9, 8)))
        error = self.error(Context(folder=tmp_path), mean_file="m")
        assert error == "transform_param.mean_file `m` is 3×9×8, the images are 3×9×7"

    @pytest.mark.parametrize(
        ("settings", "shape", "message"),
        [
            ({}, (3, 9, 8), "is 3×9×8, the first is 3×9×7"),
            ({"crop_size": 4}, (1, 9, 7), "is 1×9×7, the first is 3×9×7"),
            ({"crop_size": 4}, (3, 9, 3), "is 3×9×3, the first is 3×9×7"),
        ],
    )
    def test_an_image_of_another_size(self, settings, shape, message):
        transformer = Transformer(Transform(**settings), Context(), (3, 9, 7))
        with pytest.raises(DataError) as caught:
            transformer.array(array_to_datum(np.zeros(shape, np.uint8)))
        assert caught.value.message == message

    def test_a_mean_file_wants_all_images_of_its_size(self, tmp_path):
        write_mean(tmp_path / "m", np.zeros((3, 9, 7)))
        transform = Transform(crop_size=4, mean_file="m")
        transformer = Transformer(transform, Context(folder=tmp_path), (3, 9, 7))
        with pytest.raises(DataError, match="the first is 3×9×7"):
            transformer.check((3, 10, 7))


class TestMean:
    def test_there_and_back(self, tmp_path):
        mean = RNG.random((3, 4, 5)).astype(np.float32)
        write_mean(tmp_path / "m", mean)
        np.testing.assert_array_equal(read_mean(tmp_path / "m"), mean)

    def test_new_shape_and_doubles(self, tmp_path):
        blob = BlobProto(double_data=range(6))
        blob.shape.dim.extend((1, 2, 3))
        (tmp_path / "m").write_bytes(blob.SerializeToString())
        assert read_mean(tmp_path / "m").shape == (1, 2, 3)

    def test_no_blob(self, tmp_path):
        (tmp_path / "m").write_bytes(b"\xff\xff\xff")
        with pytest.raises(DataError, match="is not a BlobProto"):
            read_mean(tmp_path / "m")

    def test_values_do_not_fill_the_shape(self, tmp_path):
        blob = BlobProto(num=1, channels=3, height=2, width=2, data=[1])
        (tmp_path / "m").write_bytes(blob.SerializeToString())
        with pytest.raises(DataError, match="holds 1 values, its shape is 1×3×2×2"):
            read_mean(tmp_path / "m")

    def test_other_axes(self, tmp_path):
        blob = BlobProto(num=2, channels=1, height=1, width=1, data=[1, 2])
        (tmp_path / "m").write_bytes(blob.SerializeToString())
        with pytest.raises(DataError, match="a blob of 2×1×1×1"):
            read_mean(tmp_path / "m")
