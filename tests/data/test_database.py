from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from netdef.data.database import DatabaseBatches
from netdef.data.datum import array_to_datum, encoded_datum
from netdef.data.errors import DataError
from netdef.data.lmdb_store import write
from netdef.data.prefetch import BatchReader
from netdef.data.reader import Context
from netdef.data.store import open_store
from netdef.data.transform import Transform
from netdef.diag import FieldError


def pixels(index, shape=(3, 5, 7)):
    """The image of a record: no two records and no two pixels nearby are equal."""
    return np.random.default_rng(index).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def make_lmdb(tmp_path):
    """A function that writes an LMDB of `count` images, labelled by their index."""

    def make(count, shape=(3, 5, 7), name="x_lmdb", changed=()):
        changed = dict(changed)
        items = []
        for i in range(count):
            value = changed.get(i, array_to_datum(pixels(i, shape), label=i))
            value = value if isinstance(value, bytes) else value.SerializeToString()
            items.append((b"%08d" % i, value))
        write(tmp_path / name, items)
        return tmp_path / name

    return make


def open_reader(path, batch=4, prefetch=0, context=None, rand_skip=0, label=True, **settings):
    batches = DatabaseBatches(
        open_store(path),
        batch,
        Transform(**settings),
        context or Context(),
        rand_skip=rand_skip,
        label=label,
    )
    return BatchReader(batches, prefetch)


def take(reader, count=1):
    """The next batches, each as copies of its arrays."""
    found = []
    for _ in range(count):
        arrays = [np.full(shape, np.nan, np.float32) for shape in reader.shapes]
        reader.read(arrays)
        found.append(arrays)
    return found


def labels(reader, count):
    return [batch[1].tolist() for batch in take(reader, count)]


def same(a, b):
    return all(
        np.array_equal(x, y)
        for one, two in zip(a, b, strict=True)
        for x, y in zip(one, two, strict=True)
    )


RANDOM = {"crop_size": 3, "mirror": True}
TRAIN = Context(train=True, seed=5)


def test_images_and_labels(make_lmdb):
    reader = open_reader(make_lmdb(9))
    assert reader.shapes == ((4, 3, 5, 7), (4,))
    (data, label), *_ = take(reader)
    np.testing.assert_array_equal(data, [pixels(i) for i in range(4)])
    assert label.tolist() == [0, 1, 2, 3]


def test_epochs_cross_batches(make_lmdb):
    assert labels(open_reader(make_lmdb(6)), 3) == [[0, 1, 2, 3], [4, 5, 0, 1], [2, 3, 4, 5]]


def test_a_batch_larger_than_the_store(make_lmdb):
    assert labels(open_reader(make_lmdb(3), batch=7), 2) == [
        [0, 1, 2, 0, 1, 2, 0],
        [1, 2, 0, 1, 2, 0, 1],
    ]


def test_without_labels(make_lmdb):
    reader = open_reader(make_lmdb(5), label=False)
    assert reader.shapes == ((4, 3, 5, 7),)
    assert len(take(reader)[0]) == 1


def test_floats_and_image_files(make_lmdb):
    rgb = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    png = BytesIO()
    Image.fromarray(rgb).save(png, "PNG")
    floats = array_to_datum(np.full((3, 2, 3), 0.5))
    store = make_lmdb(2, changed={0: encoded_datum(png.getvalue()), 1: floats})
    (data, _), *_ = take(open_reader(store, batch=2))
    np.testing.assert_array_equal(data[0], rgb[:, :, ::-1].transpose(2, 0, 1))
    np.testing.assert_array_equal(data[1], np.full((3, 2, 3), 0.5))


def test_float64_arrays(make_lmdb):
    for prefetch in (0, 2):
        reader = open_reader(make_lmdb(5, name=f"s{prefetch}"), prefetch=prefetch)
        out = [np.zeros(shape, np.float64) for shape in reader.shapes]
        reader.read(out)
        np.testing.assert_array_equal(out[0][3], pixels(3))
        reader.close()


def test_rand_skip(make_lmdb):
    store = make_lmdb(50)
    starts = [
        labels(open_reader(store, rand_skip=10, context=Context(seed=seed)), 1)[0][0]
        for seed in range(40)
    ]
    assert set(starts) <= set(range(10))
    assert len(set(starts)) > 5


def test_epochs_differ_in_crops(make_lmdb):
    reader = open_reader(make_lmdb(4), context=TRAIN, **RANDOM)
    one, two = take(reader, 2)
    assert one[1].tolist() == two[1].tolist()
    assert not np.array_equal(one[0], two[0])


@pytest.mark.parametrize("prefetch", [1, 2, 4])
def test_prefetch_changes_nothing(make_lmdb, prefetch):
    store = make_lmdb(7)
    expected = take(open_reader(store, context=TRAIN, rand_skip=5, **RANDOM), 12)
    reader = open_reader(store, prefetch=prefetch, context=TRAIN, rand_skip=5, **RANDOM)
    assert same(take(reader, 12), expected)
    reader.close()


@pytest.mark.parametrize("prefetch", [0, 3])
@pytest.mark.parametrize("done", [0, 1, 5])
def test_goes_on_exactly(make_lmdb, prefetch, done):
    """In another process the seed may be another: the state brings its own."""
    store = make_lmdb(7)
    first = open_reader(store, prefetch=prefetch, context=TRAIN, rand_skip=5, **RANDOM)
    take(first, done)
    state = dict(first.state())
    expected = take(first, 6)
    other = Context(train=True, seed=99)
    second = open_reader(store, prefetch=prefetch, context=other, rand_skip=5, **RANDOM)
    take(second, 2)
    second.restore(state)
    assert second.state() == state
    assert same(take(second, 6), expected)
    first.close()
    second.close()


def test_goes_on_with_another_batch_size(make_lmdb):
    store = make_lmdb(10)
    first = open_reader(store, batch=3)
    take(first, 2)
    second = open_reader(store, batch=2)
    second.restore(first.state())
    assert labels(second, 1) == [[6, 7]]


def test_two_readers_at_once(make_lmdb):
    """A TRAIN and a TEST net may read one store."""
    store = make_lmdb(7)
    train = open_reader(store, prefetch=2, context=TRAIN, **RANDOM)
    test = open_reader(store, prefetch=2, batch=3)
    assert [labels(train, 1)[0], labels(test, 1)[0], labels(train, 1)[0], labels(test, 1)[0]] == [
        [0, 1, 2, 3],
        [0, 1, 2],
        [4, 5, 6, 0],
        [3, 4, 5],
    ]
    train.close()
    assert labels(test, 1) == [[6, 0, 1]]
    test.close()


@pytest.mark.parametrize("prefetch", [0, 2])
class TestBroken:
    def message(self, store, prefetch, batches=2, **settings):
        reader = open_reader(store, prefetch=prefetch, **settings)
        with pytest.raises(DataError) as caught:
            take(reader, batches)
        with pytest.raises(DataError) as again:
            take(reader)
        assert again.value.message == caught.value.message
        reader.close()
        return caught.value.message

    def test_another_size(self, make_lmdb, prefetch):
        store = make_lmdb(6, changed={5: array_to_datum(pixels(5, (3, 5, 8)))})
        expected = f"record `00000005` of `{store}` is 3×5×8, the first is 3×5×7"
        assert self.message(store, prefetch) == expected

    def test_batches_before_it_are_read(self, make_lmdb, prefetch):
        reader = open_reader(make_lmdb(6, changed={5: b"\xff\xff"}), prefetch=prefetch)
        assert labels(reader, 1) == [[0, 1, 2, 3]]
        with pytest.raises(DataError, match="is not a Datum"):
            take(reader)
        reader.restore({"record": 0, "seed": 0})
        assert labels(reader, 1) == [[0, 1, 2, 3]]
        reader.close()

    def test_another_size_is_fine_with_a_crop(self, make_lmdb, prefetch):
        store = make_lmdb(6, changed={5: array_to_datum(pixels(5, (3, 5, 8)))})
        take(open_reader(store, prefetch=prefetch, crop_size=5), 2)

    def test_too_small_for_the_crop(self, make_lmdb, prefetch):
        store = make_lmdb(6, changed={5: array_to_datum(pixels(5, (3, 5, 4)))})
        assert "`00000005`" in self.message(store, prefetch, crop_size=5)

    def test_a_corrupt_store(self, make_lmdb, prefetch):
        store = make_lmdb(300)
        with open(store / "data.mdb", "r+b") as file:
            size = file.seek(0, 2)
            file.seek(size // 2)
            file.write(b"\xaa" * (size // 2))
        assert f"`{store}` is corrupt" in self.message(store, prefetch, batches=75)


def test_the_first_record_is_broken(make_lmdb):
    store = make_lmdb(2, changed={0: b"\xff\xff"})
    with pytest.raises(DataError, match=f"record `00000000` of `{store}` is not a Datum"):
        open_reader(store)


def test_settings_that_do_not_fit(make_lmdb):
    with pytest.raises(FieldError, match="crop_size"):
        open_reader(make_lmdb(2), crop_size=6)


def test_an_empty_leveldb(tmp_path):
    (tmp_path / "CURRENT").write_text("MANIFEST-000002\n")
    (tmp_path / "MANIFEST-000002").write_bytes(b"")
    with pytest.raises(DataError, match="holds no records"):
        open_store(tmp_path)
