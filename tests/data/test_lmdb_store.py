from __future__ import annotations

import os
import random
import sys
from contextlib import suppress

import lmdb
import pytest

from netdef.data.errors import DataError
from netdef.data.lmdb_store import LmdbStore, write


def items(count, size=lambda i: 50 + i % 7):
    rng = random.Random(1)
    return [(b"%08d_\xc3\xa9" % i, rng.randbytes(size(i))) for i in range(count)]


def read_with_lmdb(path):
    with lmdb.open(str(path), readonly=True, lock=False) as env, env.begin() as txn:
        return list(txn.cursor())


def big_values(i):
    return [10, 3000, 70_000][i % 3]


@pytest.mark.parametrize(
    ("count", "size"), [(1, len), (3, big_values), (500, big_values), (5000, None)]
)
def test_reads_what_lmdb_reads(tmp_path, count, size):
    expected = items(count, (lambda i: 9) if size is len else size or (lambda i: i % 60))
    assert write(tmp_path / "s", expected) == count
    store = LmdbStore(tmp_path / "s")
    assert len(store) == count
    assert list(store) == expected == read_with_lmdb(tmp_path / "s")


def test_keys_come_in_order_of_bytes(tmp_path):
    shuffled = items(300)
    random.Random(5).shuffle(shuffled)
    write(tmp_path / "s", shuffled)
    assert list(LmdbStore(tmp_path / "s")) == sorted(shuffled)


def test_jumps_to_any_record(tmp_path):
    expected = items(2000, big_values)
    write(tmp_path / "s", expected)
    store = LmdbStore(tmp_path / "s")
    for index in random.Random(3).choices(range(2000), k=300):
        assert store.record(index) == expected[index]
    with pytest.raises(IndexError):
        store.record(2000)
    with pytest.raises(IndexError):
        store.record(-1)


def test_records_deleted_and_replaced_with_lmdb(tmp_path):
    write(tmp_path / "s", items(900, big_values))
    with lmdb.open(str(tmp_path / "s"), map_size=1 << 28) as env:
        for start in range(0, 900, 50):
            with env.begin(write=True) as txn:
                for key, _ in items(900)[start : start + 50 : 3]:
                    txn.delete(key)
                for key, _ in items(900)[start + 1 : start + 50 : 5]:
                    txn.put(key, key * 100)
    assert list(LmdbStore(tmp_path / "s")) == read_with_lmdb(tmp_path / "s")


def test_grows_beyond_the_first_map(tmp_path, monkeypatch):
    monkeypatch.setattr("netdef.data.lmdb_store._FIRST_MAP", 1 << 16)
    expected = items(400, lambda i: 5000)
    write(tmp_path / "s", expected)
    assert list(LmdbStore(tmp_path / "s")) == expected
    assert sorted(os.listdir(tmp_path / "s")) == ["data.mdb", "lock.mdb"]


def test_two_at_once(tmp_path):
    expected = items(300)
    write(tmp_path / "s", expected)
    one, two = LmdbStore(tmp_path / "s"), LmdbStore(tmp_path / "s")
    assert [(a, b) for a, b in zip(one, two, strict=True)] == [(x, x) for x in expected]
    one.close()
    assert two.record(0) == expected[0]


def test_a_failed_write_leaves_nothing(tmp_path):
    def broken():
        yield from items(3)
        raise RuntimeError("the camera is gone")

    with pytest.raises(RuntimeError, match="camera"):
        write(tmp_path / "s", broken())
    assert os.listdir(tmp_path) == []


def test_a_failed_write_leaves_the_store_that_was_there(tmp_path):
    write(tmp_path / "s", items(3))
    with pytest.raises(DataError, match="is there twice"):
        write(tmp_path / "s", [(b"a", b""), (b"a", b"")], replace=True)
    assert list(LmdbStore(tmp_path / "s")) == items(3)
    assert os.listdir(tmp_path) == ["s"]


def test_replace(tmp_path):
    write(tmp_path / "s", items(3))
    with pytest.raises(DataError, match="is there already"):
        write(tmp_path / "s", items(5))
    write(tmp_path / "s", items(5), replace=True)
    assert len(LmdbStore(tmp_path / "s")) == 5
    assert os.listdir(tmp_path) == ["s"]


@pytest.mark.parametrize("key", [b"", b"k" * 512])
def test_keys_that_lmdb_cannot_hold(tmp_path, key):
    with pytest.raises(DataError, match="a key has 1 to 511 bytes"):
        write(tmp_path / "s", [(key, b"")])


def test_lmdb_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(DataError, match="needs the package `lmdb`") as caught:
        write(tmp_path / "s", items(1))
    assert "pip install 'netdef-prototxt[data]'" in caught.value.help
    assert os.listdir(tmp_path) == []


def test_reading_needs_no_lmdb(tmp_path, monkeypatch):
    write(tmp_path / "s", items(1))
    monkeypatch.setitem(sys.modules, "lmdb", None)
    assert list(LmdbStore(tmp_path / "s")) == items(1)


def test_non_ascii_path(tmp_path):
    write(tmp_path / "données 数据", items(2))
    assert len(LmdbStore(tmp_path / "données 数据")) == 2


class TestBroken:
    def message(self, path):
        with pytest.raises(DataError) as caught:
            list(LmdbStore(path))
        return caught.value.message

    def test_missing(self, tmp_path):
        assert self.message(tmp_path / "s") == f"`{tmp_path}/s` does not exist"

    def test_a_file(self, tmp_path):
        (tmp_path / "s").write_text("hello")
        assert "it is a file, an LMDB is a folder" in self.message(tmp_path / "s")

    def test_its_data_file(self, tmp_path):
        write(tmp_path / "s", items(1))
        assert "is a file of an LMDB" in self.message(tmp_path / "s" / "data.mdb")

    def test_a_folder_of_something_else(self, tmp_path):
        assert "it has no data.mdb" in self.message(tmp_path)

    def test_empty_store(self, tmp_path):
        write(tmp_path / "s", [])
        assert "holds no records" in self.message(tmp_path / "s")

    def test_new_store_without_a_write(self, tmp_path):
        lmdb.open(str(tmp_path / "s")).close()
        assert "holds no records" in self.message(tmp_path / "s")

    def test_empty_file(self, tmp_path):
        (tmp_path / "data.mdb").write_bytes(b"")
        assert "its data.mdb is empty" in self.message(tmp_path)

    def test_another_kind_of_file(self, tmp_path):
        (tmp_path / "data.mdb").write_bytes(b"hello, world! " * 1000)
        assert "is another kind of file" in self.message(tmp_path)

    @pytest.mark.parametrize("magic", [(12, "little"), (16, "big")])
    def test_another_machine(self, tmp_path, magic):
        at, order = magic
        data = bytes(at) + (0xBEEFC0DE).to_bytes(4, order) + bytes(8000)
        (tmp_path / "data.mdb").write_bytes(data)
        assert "another kind of machine" in self.message(tmp_path)

    def test_another_format(self, tmp_path):
        write(tmp_path / "s", items(1))
        self.change(tmp_path / "s", 20, (2).to_bytes(4, "little"))
        assert "is in format 2 of LMDB" in self.message(tmp_path / "s")

    @pytest.mark.parametrize("keep", [100, 4096, 10_000, -1])
    def test_cut_short(self, tmp_path, keep):
        write(tmp_path / "s", items(100))
        data = (tmp_path / "s" / "data.mdb").read_bytes()
        (tmp_path / "s" / "data.mdb").write_bytes(data[:keep])
        assert "is cut short" in self.message(tmp_path / "s")

    def test_several_values_a_key(self, tmp_path):
        write(tmp_path / "s", items(1))
        for meta in (0, 4096):
            self.change(tmp_path / "s", meta + 92, b"\4")  # the tree's flag
        assert "holds several values for a key" in self.message(tmp_path / "s")

    def test_more_records_than_fit(self, tmp_path):
        write(tmp_path / "s", items(1))
        self.change(tmp_path / "s", 4096 + 126, b"\x77")  # a high byte of the newer meta's count
        assert "more than fit into it" in self.message(tmp_path / "s")

    def test_named_databases(self, tmp_path):
        with lmdb.open(str(tmp_path / "s"), max_dbs=2) as env:
            env.open_db(b"inner")
        assert "holds a record of no known kind" in self.message(tmp_path / "s")

    def test_written_to_while_it_is_read(self, tmp_path):
        write(tmp_path / "s", items(500))
        store = LmdbStore(tmp_path / "s")
        store.record(0)
        with lmdb.open(str(tmp_path / "s")) as env, env.begin(write=True) as txn:
            txn.put(b"zz", b"1")
        with pytest.raises(DataError, match="is being written to"):
            store.record(499)

    @pytest.mark.parametrize("seed", range(60))
    def test_random_bytes_never_crash(self, tmp_path, seed):
        """Damage anywhere gives an error of ours, or changes values only."""
        expected = items(300, big_values)
        write(tmp_path / "s", expected)
        rng = random.Random(seed)
        size = (tmp_path / "s" / "data.mdb").stat().st_size
        damage = rng.choice([1, 8, 500, 5000])
        # the first pages hold the structure
        at = rng.randrange(rng.choice([300, 8192, size]))
        self.change(tmp_path / "s", at, rng.randbytes(damage))
        with suppress(DataError):
            assert len(list(LmdbStore(tmp_path / "s"))) == 300

    def test_a_tree_that_bites_its_tail(self, tmp_path):
        write(tmp_path / "s", items(2000))
        data = (tmp_path / "s" / "data.mdb").read_bytes()
        for page in range(2, len(data) // 4096):
            header = data[page * 4096 : page * 4096 + 16]
            if header[10] == 1:  # a branch: let it point to itself
                node = page * 4096 + int.from_bytes(data[page * 4096 + 16 :][:2], "little")
                self.change(tmp_path / "s", node, page.to_bytes(4, "little"))
        assert "is out of place" in self.message(tmp_path / "s")

    def change(self, path, at, data):
        with open(path / "data.mdb", "r+b") as file:
            size = file.seek(0, 2)
            file.seek(at)
            file.write(data[: size - at])
