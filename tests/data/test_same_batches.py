"""The same images through every source give the same batches."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.api.datasets import dataset_images
from netdef.data.database import DatabaseBatches
from netdef.data.errors import DataError
from netdef.data.hdf5 import Hdf5Batches
from netdef.data.image_list import ImageListBatches
from netdef.data.prefetch import BatchReader
from netdef.data.reader import Context
from netdef.data.recipes import ImageRecipe
from netdef.data.store import open_store
from netdef.data.tolerance import tolerate
from netdef.data.transform import Transform

PIL = pytest.importorskip("PIL.Image")
pytest.importorskip("lmdb")
pytest.importorskip("plyvel")
pytest.importorskip("h5py")

COUNT, BATCH = 11, 4
SIZE = (20, 24)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bilder_ä")
    random = np.random.default_rng(1)
    lines = []
    for number in range(COUNT):
        height, width = random.integers(21, 40, 2)
        path = folder / f"größe_{number}.png"
        PIL.fromarray(random.integers(0, 256, (height, width, 3), np.uint8)).save(path)
        lines.append(f"{path} {number % 3}\n")
    (folder / "list.txt").write_text("".join(lines), "utf-8")
    return folder


@pytest.fixture(scope="module")
def sets(images):
    recipes = {
        "lmdb": ("lmdb", "keep"),
        "lmdb_raw": ("lmdb", "raw"),
        "leveldb": ("leveldb", "keep"),
        "leveldb_raw": ("leveldb", "raw"),
        "rows.h5": ("hdf5", "raw"),
    }
    for name, (backend, encode) in recipes.items():
        recipe = ImageRecipe(size=SIZE, encode=encode)
        dataset_images(images / "list.txt", images / name, recipe=recipe, backend=backend)
    return images


def rounds(batches, count=5):
    """Some batches, over the end of the set."""
    reader = BatchReader(batches, 2)
    out = []
    for _ in range(count):
        arrays = [np.zeros(shape, np.float32) for shape in reader.shapes]
        reader.read(arrays)
        out.append(arrays)
    reader.close()
    return out


def same(one, two):
    for (data, label), (other, other_label) in zip(one, two, strict=True):
        np.testing.assert_array_equal(data, other)
        np.testing.assert_array_equal(label, other_label)


@pytest.mark.parametrize(
    "transform",
    [
        Transform(),
        Transform(crop_size=12, mirror=True, mean_value=(10, 20, 30), scale=0.5),
    ],
    ids=["plain", "all"],
)
@pytest.mark.parametrize("train", [False, True])
def test_databases_and_lists(sets, transform, train):
    context = Context(train=train, seed=7)
    expected = rounds(ImageListBatches(sets / "list.txt", BATCH, transform, context, size=SIZE))
    assert expected[0][1].tolist() == [0, 1, 2, 0]
    for name in ("lmdb", "lmdb_raw", "leveldb", "leveldb_raw"):
        same(rounds(DatabaseBatches(open_store(sets / name), BATCH, transform, context)), expected)


def test_hdf5(sets):
    context = Context(seed=7)
    expected = rounds(ImageListBatches(sets / "list.txt", BATCH, Transform(), context, size=SIZE))
    same(rounds(Hdf5Batches(sets / "rows.txt", ["data", "label"], BATCH, context)), expected)


@pytest.mark.parametrize("name", ["lmdb", "leveldb"])
def test_goes_on_exactly(sets, name):
    """A reader restored in the middle gives what one that never stopped gives."""
    transform = Transform(crop_size=12, mirror=True)
    context = Context(train=True, seed=3)

    def reader():
        store = open_store(sets / name)
        return BatchReader(DatabaseBatches(store, BATCH, transform, context, rand_skip=5), 3)

    def take(reader, count):
        arrays = [[np.zeros(s, np.float32) for s in reader.shapes] for _ in range(count)]
        for out in arrays:
            reader.read(out)
        return arrays

    one = reader()
    before, state, after = take(one, 4), dict(one.state()), take(one, 4)
    two = reader()
    two.restore(state)
    same(take(two, 4), after)
    assert not np.array_equal(before[0][0], after[0][0])


class TestSkipBad:
    """Two of the records are broken."""

    @pytest.fixture
    def broken(self, images, tmp_path):
        from netdef.data.lmdb_store import LmdbStore, write

        recipe = ImageRecipe(size=SIZE)
        dataset_images(images / "list.txt", tmp_path / "good", recipe=recipe)
        records = list(LmdbStore(tmp_path / "good"))
        for place in (0, 6):
            records[place] = records[place][0], b"\x22\x03abc\x38\x01"
        write(tmp_path / "bad", records)
        return tmp_path / "bad"

    def read(self, path, most):
        with tolerate(most) as tolerance:
            store = open_store(path)
            batches = DatabaseBatches(store, BATCH, Transform(), Context(train=True))
            return rounds(batches, 6), tolerance

    def test_the_next_good_one_stands_in(self, broken, sets):
        got, tolerance = self.read(broken, 2)
        expected = rounds(
            DatabaseBatches(open_store(sets / "lmdb"), BATCH, Transform(), Context()), 6
        )
        np.testing.assert_array_equal(got[0][0][0], expected[0][0][1])
        np.testing.assert_array_equal(got[0][0][1:], expected[0][0][1:])
        np.testing.assert_array_equal(got[1][0][2], expected[1][0][3])
        assert len(tolerance.skipped) == 2  # though each came by twice
        assert all("cannot be decoded" in text for text in tolerance.skipped.values())

    def test_one_too_many(self, broken):
        with pytest.raises(DataError, match=r"record `00000006_.*holds an image") as info:
            self.read(broken, 1)
        assert "1 may be skipped" in info.value.help

    def test_none(self, broken):
        with pytest.raises(DataError, match="record `00000000_"):
            self.read(broken, 0)

    def test_lists(self, images, tmp_path):
        lines = (images / "list.txt").read_text("utf-8").splitlines()
        lines[1] = "missing.png 1"
        (tmp_path / "list.txt").write_text("\n".join(lines), "utf-8")
        with tolerate(1) as tolerance:
            batches = ImageListBatches(
                tmp_path / "list.txt", BATCH, Transform(), Context(), size=SIZE
            )
            first = rounds(batches, 1)[0]
        assert first[1].tolist() == [0, 2, 2, 0]
        assert list(tolerance.skipped) == [f"line 2 of `{tmp_path / 'list.txt'}`"]
