"""Our reader of LevelDB beside the library itself."""

from __future__ import annotations

import random
import shutil

import numpy as np
import pytest

from netdef.api.datasets import dataset_arrays, dataset_info
from netdef.data.crc32c import crc32c
from netdef.data.errors import DataError
from netdef.data.leveldb_store import LevelDbStore
from netdef.data.snappy import SnappyError, _unpack, unpack

plyvel = pytest.importorskip("plyvel")


def fill(path, count=3000, **options):
    """A store with deleted, replaced and overlapping records; what it holds."""
    rng, held = random.Random(1), {}
    database = plyvel.DB(str(path), create_if_missing=True, **options)
    for number in range(count):
        key = b"%08d" % rng.randrange(2000)
        value = rng.randbytes(300) * 4 if number % 2 else rng.randbytes(rng.randrange(3000))
        database.put(key, value)
        held[key] = value
        if number % 10 == 0:
            key = b"%08d" % rng.randrange(2000)
            database.delete(key)
            held.pop(key, None)
    database.close()
    return sorted(held.items())


SMALL = {"write_buffer_size": 1 << 17, "max_file_size": 1 << 20}


@pytest.mark.parametrize(
    ("count", "options"),
    [
        (50, {}),  # all of it in the log
        (3000, SMALL),
        (3000, {**SMALL, "compression": None}),
        (2000, {"block_size": 1 << 16, "block_restart_interval": 2}),
    ],
)
@pytest.mark.parametrize("checked", [False, True])
def test_reads_what_leveldb_reads(tmp_path, count, options, checked):
    expected = fill(tmp_path / "s", count, **options)
    store = LevelDbStore(tmp_path / "s", checked=checked)
    assert list(store) == expected
    assert len(store) == len(expected)
    for index in random.Random(3).choices(range(len(expected)), k=5):
        assert store.record(index) == expected[index]
    with pytest.raises(IndexError):
        store.record(len(expected))


def test_goes_round_without_counting_first(tmp_path):
    expected = fill(tmp_path / "s", 40)
    store = LevelDbStore(tmp_path / "s")
    for number in range(2 * len(expected) + 3):
        assert store.at(number) == expected[number % len(expected)]
    again = LevelDbStore(tmp_path / "s")
    assert again.at(7 * len(expected) + 2) == expected[2]


def test_reading_changes_nothing_and_needs_no_lock(tmp_path):
    expected = fill(tmp_path / "s", 100)
    database = plyvel.DB(str(tmp_path / "s"))  # another program has it open
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "s").iterdir()}
    one, two = LevelDbStore(tmp_path / "s"), LevelDbStore(tmp_path / "s")
    assert list(one) == list(two) == expected
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "s").iterdir()} == before
    database.close()


def test_written_to_while_it_is_read(tmp_path):
    expected = fill(tmp_path / "s", 3000, **SMALL)
    store = LevelDbStore(tmp_path / "s")
    store.record(0)
    database = plyvel.DB(str(tmp_path / "s"))
    for key, _ in expected:
        database.put(key, b"new")
    database.compact_range()
    database.close()
    with pytest.raises(DataError, match="is being written to"):
        list(store)


def test_a_flipped_bit_is_found(tmp_path):
    fill(tmp_path / "s", 2000, compression=None, **SMALL)
    for table in (tmp_path / "s").glob("*.ldb"):
        data = bytearray(table.read_bytes())
        if not data:  # a compaction that was broken off
            continue
        data[len(data) // 3] ^= 1
        table.write_bytes(data)
    with pytest.raises(DataError, match=r"the checksum of a block of `\d+.ldb` is wrong"):
        list(LevelDbStore(tmp_path / "s", checked=True))


def test_looking_through_a_damaged_store_says_how_far_it_is_good(tmp_path):
    images = np.random.default_rng(1).integers(0, 256, (400, 1, 20, 20), np.uint8)
    dataset_arrays(images, np.arange(400), tmp_path / "s", backend="leveldb")
    plyvel.DB(str(tmp_path / "s")).close()  # brings the log into a table
    (table,) = (tmp_path / "s").glob("*.ldb")
    data = bytearray(table.read_bytes())
    data[len(data) // 2] ^= 1
    table.write_bytes(data)
    found = dataset_info(tmp_path / "s", checked=True)
    ((name, problem),) = found.broken
    assert name == f"what follows {found.records - 2:08d}"
    assert "the checksum of a block" in problem.message
    assert 100 < found.records < 250


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_a_table_cut_short(tmp_path, keep):
    fill(tmp_path / "s", 2000, **SMALL)
    for table in (tmp_path / "s").glob("*.ldb"):
        table.write_bytes(table.read_bytes()[: int(table.stat().st_size * keep)])
    with pytest.raises(DataError, match=r"is corrupt: `.*ldb` is cut short"):
        list(LevelDbStore(tmp_path / "s"))


def test_random_damage_never_ends_in_anything_else(tmp_path):
    fill(tmp_path / "s", 600, **SMALL)
    rng = random.Random(2)
    files = [p for p in (tmp_path / "s").iterdir() if p.stat().st_size]
    for number in range(60):
        copy = tmp_path / f"c{number}"
        shutil.copytree(tmp_path / "s", copy)
        path = copy / rng.choice(files).name
        data = bytearray(path.read_bytes())
        for _ in range(3):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data[: rng.randrange(1, len(data) + 1)] if number % 2 else data)
        try:
            list(LevelDbStore(copy))
        except DataError as error:
            assert str(copy) in error.message  # noqa: PT017


def test_what_is_no_leveldb(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        LevelDbStore(tmp_path / "no")
    with pytest.raises(DataError, match="has no CURRENT"):
        LevelDbStore(tmp_path)
    plyvel.DB(str(tmp_path / "empty"), create_if_missing=True).close()
    with pytest.raises(DataError, match="holds no records"):
        LevelDbStore(tmp_path / "empty")


def test_crc32c():
    assert crc32c(b"123456789") == 0xE3069283  # the check value of the polynomial
    data = random.Random(1).randbytes(5000)
    slow = 0xFFFFFFFF
    for byte in data:
        slow ^= byte
        for _ in range(8):
            slow = slow >> 1 ^ (0x82F63B78 if slow & 1 else 0)
    assert crc32c(data) == slow ^ 0xFFFFFFFF


def test_snappy():
    # a literal, a copy with a 1-byte offset that runs into itself, one with a 2-byte offset
    packed = (
        bytes([14, 3 << 2]) + b"abcd" + bytes([(6 - 4) << 2 | 1, 2]) + bytes([3 << 2 | 2, 9, 0])
    )
    assert _unpack(packed) == b"abcdcdcdcdbcdc"
    for broken in (b"", b"\x05\x00a", b"\x04\x01\x09", bytes([14, 3 << 2]) + b"ab"):
        with pytest.raises(SnappyError):
            unpack(broken)
