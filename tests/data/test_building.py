"""Making sets: what is written, what Caffe's libraries read of it, and going on after a stop."""

from __future__ import annotations

import gzip
import json
import os

import numpy as np
import pytest

from netdef.api.datasets import (
    dataset_cifar,
    dataset_csv,
    dataset_images,
    dataset_info,
    dataset_mean,
    dataset_mnist,
)
from netdef.data import building
from netdef.data.datum import datum_to_array, parse_datum
from netdef.data.errors import DataError
from netdef.data.recipes import ImageRecipe, read_idx
from netdef.data.sinks import Item
from netdef.diag import NetdefError

lmdb = pytest.importorskip("lmdb")
PIL = pytest.importorskip("PIL.Image")


def read_lmdb(path):
    with lmdb.open(str(path), readonly=True, lock=False) as env, env.begin() as txn:
        return [(key, parse_datum(value)) for key, value in txn.cursor()]


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(1)
    for name in ("apfelä", "birnen"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for number in range(6):
            image = random.integers(0, 256, (9 + number, 12, 3), np.uint8)
            ending = "png" if number % 2 else "jpg"
            PIL.fromarray(image).save(tmp_path / "in" / name / f"{number}.{ending}")
    return tmp_path


class TestImages:
    def test_files_are_kept_as_they_are(self, folder):
        made = dataset_images(folder / "in", folder / "out")
        records = read_lmdb(folder / "out")
        assert [datum.label for _, datum in records] == [0] * 6 + [1] * 6
        assert records[0][0] == "00000000_apfelä/0.jpg".encode()
        assert records[0][1].data == (folder / "in/apfelä/0.jpg").read_bytes()
        assert all(datum.encoded for _, datum in records)
        assert made.labels.read_text("utf-8") == "apfelä\nbirnen\n"
        assert sorted(p.name for p in folder.iterdir()) == ["in", "out", "out.labels.txt"]

    def test_leveldb_holds_the_same(self, folder):
        plyvel = pytest.importorskip("plyvel")
        dataset_images(folder / "in", folder / "l", recipe=ImageRecipe(size=(5, 7)))
        dataset_images(
            folder / "in", folder / "v", recipe=ImageRecipe(size=(5, 7)), backend="leveldb"
        )
        database = plyvel.DB(str(folder / "v"))
        found = [(key, parse_datum(value)) for key, value in database]
        database.close()
        assert found == read_lmdb(folder / "l")

    @pytest.mark.parametrize(
        ("recipe", "shape"),
        [
            (ImageRecipe(size=(5, 7), encode="raw"), (3, 5, 7)),
            (ImageRecipe(size=(5, 7), gray=True), (1, 5, 7)),
            (ImageRecipe(short_side=18, encode="jpg"), (3, 18, 24)),
        ],
    )
    def test_sizes(self, folder, recipe, shape):
        dataset_images(folder / "in", folder / "out", recipe=recipe)
        assert datum_to_array(read_lmdb(folder / "out")[0][1]).shape == shape

    def test_shares_for_validation(self, folder):
        made = dataset_images(
            folder / "in", folder / "a", val=folder / "b", val_part=1 / 3, shuffle=True
        )
        names = [{key.split(b"_", 1)[1] for key, _ in read_lmdb(folder / n)} for n in "ab"]
        assert [len(n) for n in names] == [8, 4]
        assert not names[0] & names[1]
        assert [s.records for s in made.sets] == [8, 4]
        labels = [datum.label for _, datum in read_lmdb(folder / "a")]
        assert labels != sorted(labels)
        assert sum(labels) == 4

    def test_a_broken_image(self, folder):
        (folder / "in/birnen/2.jpg").write_bytes(b"\xff\xd8\xff nothing")
        with pytest.raises(NetdefError, match=r"birnen/2.jpg` holds an image that cannot"):
            dataset_images(folder / "in", folder / "out")
        assert not (folder / "out").exists()
        made = dataset_images(folder / "in", folder / "out", skip_bad=1)
        assert (made.sets[0].records, list(made.sets[0].skipped)) == (11, ["birnen/2.jpg"])
        assert len(read_lmdb(folder / "out")) == 11

    @pytest.mark.parametrize("name", ["out", "out.h5"])
    def test_not_over_a_set_that_is_there(self, folder, name):
        recipe = ImageRecipe(size=(4, 4))
        dataset_images(folder / "in", folder / name, recipe=recipe)
        with pytest.raises(NetdefError, match="is there already"):
            dataset_images(folder / "in", folder / name, recipe=recipe)
        (folder / "in/apfelä/0.jpg").unlink()
        made = dataset_images(folder / "in", folder / name, recipe=recipe, replace=True)
        assert made.sets[0].records == 11
        assert dataset_info(folder / name).records == 11

    def test_hdf5_in_files_that_caffe_can_hold(self, folder, monkeypatch):
        monkeypatch.setattr("netdef.data.sinks._VALUES", 5 * 48)
        made = dataset_images(folder / "in", folder / "x.h5", recipe=ImageRecipe(size=(4, 4)))
        assert [p.name for p in made.sets[0].files] == ["x.h5", "x_1.h5", "x_2.h5", "x.txt"]
        found = dataset_info(folder / "x.txt")
        assert (found.records, found.shapes) == (12, {(3, 4, 4): 12})
        assert dict(found.labels) == {0: 6, 1: 6}

    def test_nothing_there(self, tmp_path):
        with pytest.raises(NetdefError, match="holds no images"):
            dataset_images(tmp_path, tmp_path / "out")
        with pytest.raises(NetdefError, match="does not exist"):
            dataset_images(tmp_path / "no.txt", tmp_path / "out")


class TestGoingOn:
    """A run that stops in the middle is gone on with by the next."""

    def make(self, tmp_path, backend, *, stop=None, recipe=1):
        made = []

        def one(number):
            if number == stop:
                raise KeyboardInterrupt
            made.append(number)
            return Item(b"%08d" % number, np.full((1, 2, 3), number, np.uint8), number % 5)

        name = "s.h5" if backend == "hdf5" else "s"
        built = building.build(tmp_path / name, backend, range(100), one, recipe={"number": recipe})
        return built, made

    @pytest.fixture(autouse=True)
    def small_chunks(self, monkeypatch):
        monkeypatch.setattr(building, "_CHUNK", 10)

    @pytest.mark.parametrize("backend", ["lmdb", "leveldb", "hdf5"])
    def test_after_an_interrupt(self, tmp_path, backend):
        pytest.importorskip({"leveldb": "plyvel", "hdf5": "h5py"}.get(backend, backend))
        with pytest.raises(KeyboardInterrupt):
            self.make(tmp_path, backend, stop=47)
        built, made = self.make(tmp_path, backend)
        assert built.resumed == 40
        assert min(made) == 40
        assert built.records == 100
        found = dataset_info(built.files[0], samples=100)
        assert found.records == 100
        assert sorted(int(r.values[0, 0, 0]) for r in found.samples) == list(range(100))
        assert all(r.label == r.values[0, 0, 0] % 5 for r in found.samples)
        assert not list(tmp_path.glob(".*"))

    def test_another_recipe_starts_anew(self, tmp_path):
        with pytest.raises(KeyboardInterrupt):
            self.make(tmp_path, "lmdb", stop=47)
        built, made = self.make(tmp_path, "lmdb", recipe=2)
        assert built.resumed == 0
        assert len(made) == 100

    def test_not_beside_another_process(self, tmp_path):
        with pytest.raises(KeyboardInterrupt):
            self.make(tmp_path, "lmdb", stop=47)
        note = tmp_path / ".s.part.json"
        found = json.loads(note.read_text())
        note.write_text(json.dumps({**found, "pid": os.getppid()}))
        with pytest.raises(DataError, match=f"process {os.getppid()} is writing `s` now"):
            self.make(tmp_path, "lmdb")


def write_idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wb") as file:
        file.write(head + array.astype(np.uint8).tobytes())


class TestMnist:
    def test_both_files(self, tmp_path):
        images = np.arange(4 * 6).reshape(4, 2, 3)
        write_idx(tmp_path / "i.gz", images)
        write_idx(tmp_path / "l", np.array([3, 1, 4, 1]))
        dataset_mnist(tmp_path / "i.gz", tmp_path / "l", tmp_path / "out")
        records = read_lmdb(tmp_path / "out")
        assert [(key, d.label) for key, d in records] == [
            (b"%08d" % n, label) for n, label in enumerate([3, 1, 4, 1])
        ]
        np.testing.assert_array_equal(datum_to_array(records[2][1]), images[2][None])

    def test_mistakes(self, tmp_path):
        write_idx(tmp_path / "i", np.zeros((4, 2, 3)))
        write_idx(tmp_path / "l", np.zeros(3))
        with pytest.raises(NetdefError, match=r"holds 4 images, `.*` 3 labels"):
            dataset_mnist(tmp_path / "i", tmp_path / "l", tmp_path / "out")
        (tmp_path / "x").write_bytes(b"hello")
        with pytest.raises(DataError, match="is not an idx file"):
            read_idx(tmp_path / "x")
        data = (tmp_path / "i").read_bytes()
        (tmp_path / "i").write_bytes(data[:-1])
        with pytest.raises(DataError, match="holds 23 values, its sizes 4×2×3 say 24"):
            read_idx(tmp_path / "i")


@pytest.mark.parametrize(("heads", "coarse"), [(1, False), (2, False), (2, True)])
def test_cifar(tmp_path, heads, coarse):
    rows = np.random.default_rng(1).integers(0, 256, (5, heads + 3072), np.uint8)
    (tmp_path / "a.bin").write_bytes(rows[:3].tobytes())
    (tmp_path / "b.bin").write_bytes(rows[3:].tobytes())
    dataset_cifar([tmp_path / "a.bin", tmp_path / "b.bin"], tmp_path / "out", coarse=coarse)
    records = read_lmdb(tmp_path / "out")
    column = 0 if coarse or heads == 1 else 1
    assert [d.label for _, d in records] == rows[:, column].tolist()
    assert records[4][1].data == rows[4, heads:].tobytes()
    (tmp_path / "a.bin").write_bytes(b"1")
    with pytest.raises(NetdefError, match="has 1 bytes, no multiple of"):
        dataset_cifar([tmp_path / "a.bin"], tmp_path / "out2")


def test_csv(tmp_path):
    (tmp_path / "t.csv").write_text("w,h,kind\n1,2.5,b\n3,4,a\n")
    made = dataset_csv(tmp_path / "t.csv", tmp_path / "out", label="kind")
    records = read_lmdb(tmp_path / "out")
    assert [d.label for _, d in records] == [1, 0]
    assert list(records[0][1].float_data) == [1, 2.5]
    assert made.labels.read_text() == "a\nb\n"
    with pytest.raises(NetdefError, match=r"line 2 of `.*` has `b` in column 3"):
        dataset_csv(tmp_path / "t.csv", tmp_path / "two", label="h")
    (tmp_path / "t.csv").write_text("1,2.5\n3,4\n")
    with pytest.raises(NetdefError, match=r"row 0 has the label 2\.5"):
        dataset_csv(tmp_path / "t.csv", tmp_path / "two")
    dataset_csv(tmp_path / "t.csv", tmp_path / "two.h5")


def test_mean(tmp_path, folder):
    dataset_images(folder / "in", folder / "out", recipe=ImageRecipe(size=(5, 7)))
    from netdef.data.mean import read_mean

    dataset_mean(folder / "out", folder / "m.binaryproto")
    dataset_mean(folder / "out", folder / "m.npy")
    expected = np.mean([datum_to_array(d) for _, d in read_lmdb(folder / "out")], axis=0)
    np.testing.assert_allclose(read_mean(folder / "m.binaryproto"), expected, rtol=1e-6)
    np.testing.assert_allclose(np.load(folder / "m.npy"), expected, rtol=1e-6)
    with pytest.raises(NetdefError, match=r"`apfelä/1.png` is 3×10×12, the first is 3×9×12"):
        dataset_mean(folder / "in", folder / "n.npy")
