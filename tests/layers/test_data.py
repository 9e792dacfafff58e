from __future__ import annotations

import numpy as np
import pytest

from netdef.data.datum import array_to_datum
from netdef.data.lmdb_store import write
from netdef.data.reader import Context
from netdef.data.transform import Transform
from netdef.diag import FieldError
from netdef.layers.base import Forward, Layout, Phase, Site
from netdef.layers.data import Data
from netdef.schema import LayerParameter


@pytest.fixture
def store(tmp_path):
    items = [
        (b"%04d" % i, array_to_datum(np.full((3, 5, 7), i, np.uint8), i).SerializeToString())
        for i in range(5)
    ]
    write(tmp_path / "x_lmdb", items)
    return tmp_path / "x_lmdb"


def message(transform=None, **settings):
    return LayerParameter(type="Data", data_param=settings, transform_param=transform)


def error(call, *args):
    with pytest.raises(FieldError) as caught:
        call(*args)
    return caught.value


def test_read():
    layer = Data.read(
        message({"crop_size": 3}, source="a/x_lmdb", batch_size=2, backend=1, rand_skip=7),
        Phase.TRAIN,
    )
    assert layer == Data("a/x_lmdb", 2, "LMDB", True, 7, 4, Transform(crop_size=3))
    assert layer.settings() == "x_lmdb ×2 crop 3"


def test_caffes_default_backend_is_leveldb():
    layer = Data.read(message(source="x", batch_size=2), Phase.TRAIN)
    assert (layer.backend, layer.backend_given) == ("LEVELDB", False)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"batch_size": 2}, "data_param.source is missing"),
        ({"source": "x"}, "data_param.batch_size is missing"),
        ({"source": "x", "batch_size": 0}, "data_param.batch_size must be at least 1, is 0"),
    ],
)
def test_read_refuses(settings, expected):
    assert str(error(Data.read, message(**settings), Phase.TRAIN)) == expected


def test_forward_fills_the_tops(store):
    reader = Data(str(store), 3).open(Context(), ("data", "label"))
    tops = [np.zeros(shape, np.float32) for shape in reader.shapes]
    site = Site(Layout.NCHW, (), tuple(top.shape for top in tops))
    run: Forward = Forward(site, [], tops)
    run.work = reader
    for expected in ([0, 1, 2], [3, 4, 0]):
        Data(str(store), 3).forward(run)
        assert tops[1].tolist() == expected
        assert tops[0].shape == (3, 3, 5, 7)
        assert tops[0][:, 2, 4, 6].tolist() == expected
    reader.close()


def test_one_top(store):
    reader = Data(str(store), 3).open(Context(), ("data",))
    assert reader.shapes == ((3, 3, 5, 7),)
    reader.close()


def test_a_path_beside_the_prototxt(store):
    reader = Data("x_lmdb", 3).open(Context(folder=store.parent), ("data",))
    reader.close()


def test_known_shapes():
    known = Transform(crop_size=4, mean_value=(1.0, 2.0, 3.0))
    assert Data("x", 2, transform=known).known_shapes(("a", "b")) == ((2, 3, 4, 4), (2,))
    assert Data("x", 2, transform=known).known_shapes(("a",)) == ((2, 3, 4, 4),)
    assert Data("x", 2, transform=Transform(crop_size=4)).known_shapes(("a",)) is None
    assert Data("x", 2).known_shapes(("a",)) is None


class TestOpenRefuses:
    def error(self, layer):
        found = error(layer.open, Context(), ("data", "label"))
        return found.field, found.message, found.help

    @pytest.mark.parametrize("backend", ["LMDB", "LEVELDB"])
    def test_missing(self, tmp_path, backend):
        field, text, _ = self.error(Data(str(tmp_path / "no"), 2, backend))
        assert (field, text) == ("data_param.source", f"`{tmp_path}/no` does not exist")

    def test_cut_short(self, store):
        data = (store / "data.mdb").read_bytes()
        (store / "data.mdb").write_bytes(data[:-5000])
        field, text, _ = self.error(Data(str(store), 2))
        assert field == "data_param.source"
        assert "is cut short" in text

    def test_an_lmdb_without_backend(self, store):
        found = self.error(Data(str(store), 2, "LEVELDB", backend_given=False))
        assert found == (
            "data_param.backend",
            f"is missing, which means LEVELDB: `{store}` is an LMDB",
            "write `backend: LMDB`",
        )

    def test_an_lmdb_that_is_said_to_be_a_leveldb(self, store):
        field, text, _ = self.error(Data(str(store), 2, "LEVELDB"))
        assert (field, text) == ("data_param.backend", f"is LEVELDB: `{store}` is an LMDB")

    def test_a_leveldb_that_is_said_to_be_an_lmdb(self, tmp_path):
        (tmp_path / "CURRENT").write_text("MANIFEST-000002\n")
        (tmp_path / "MANIFEST-000002").write_bytes(b"")
        assert self.error(Data(str(tmp_path), 2)) == (
            "data_param.backend",
            f"is LMDB: `{tmp_path}` is a LevelDB",
            "write `backend: LEVELDB`",
        )

    def test_a_leveldb_without_records(self, tmp_path):
        (tmp_path / "CURRENT").write_text("MANIFEST-000002\n")
        (tmp_path / "MANIFEST-000002").write_bytes(b"")
        field, text, _ = self.error(Data(str(tmp_path), 2, "LEVELDB"))
        assert (field, text) == ("data_param.source", f"`{tmp_path}` holds no records")

    def test_crop_that_does_not_fit(self, store):
        field, *_ = self.error(Data(str(store), 2, transform=Transform(crop_size=6)))
        assert field == "transform_param.crop_size"

    def test_mean_file_that_is_missing(self, store):
        field, text, _ = self.error(Data(str(store), 2, transform=Transform(mean_file="no")))
        assert (field, text) == ("transform_param.mean_file", "`no` does not exist")
