"""Weights as .npz and .safetensors: ours, other tools', and broken ones."""

import io
import json
import struct
import time
import zipfile

import numpy as np
import pytest

from netdef.diag import NetdefError
from netdef.schema.weights import read_weights, scan_weights, write_weights
from netdef.schema.weights.stored import layer_of, name_of

WEIGHTS = {
    "conv1": [np.arange(24, dtype="f4").reshape(2, 3, 1, 4), np.array([7, -8], "f4")],
    "inception/3x3": [np.zeros((0, 5), "f4")],
    "factor": [np.float32(3).reshape(())],
}
SUFFIXES = ("caffemodel", "caffemodel.h5", "npz", "safetensors")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    write_weights(path, WEIGHTS)
    found = read_weights(path)
    assert set(found) == set(WEIGHTS)
    for layer, arrays in WEIGHTS.items():
        for a, b in zip(found[layer], arrays, strict=True):
            assert a.dtype == np.float32
            assert a.shape == b.shape
            np.testing.assert_array_equal(a, b)
    again = tmp_path / f"again.{suffix}"
    write_weights(again, WEIGHTS)
    if suffix != "caffemodel.h5":  # which has the time in it
        assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_scan_tells_the_same_without_the_values(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    write_weights(path, WEIGHTS)
    found = {(s.layer, s.index): s for s in scan_weights(path)}
    for layer, arrays in WEIGHTS.items():
        for index, array in enumerate(arrays):
            stored = found.pop((layer, index))
            assert (stored.shape, stored.dtype) == (array.shape, "float32")
            np.testing.assert_array_equal(stored.read(), array)
    assert not found


def test_numpy_reads_ours(tmp_path):
    write_weights(tmp_path / "x.npz", WEIGHTS)
    with np.load(tmp_path / "x.npz") as archive:
        assert archive.files[:2] == ["conv1/0", "conv1/1"]
        np.testing.assert_array_equal(archive["conv1/0"], WEIGHTS["conv1"][0])


def test_others_names_and_types(tmp_path):
    path = tmp_path / "x.npz"
    a = np.arange(6).reshape(2, 3)
    np.savez_compressed(
        path, **{"fc.weight": a.T.astype(">f8").T, "fc.bias": a[0] > 1, "bn[2]": a, "mean": a}
    )
    found = read_weights(path)
    assert list(found) == ["fc", "bn", "mean"]
    np.testing.assert_array_equal(found["fc"][0], a)
    np.testing.assert_array_equal(found["fc"][1], [0, 0, 1])
    assert found["bn"][:2] == [None, None]
    assert all(x.dtype == np.float32 for x in (*found["fc"], found["mean"][0]))


def safetensors(table, data=b"", cut=0):
    head = json.dumps(table).encode() if not isinstance(table, bytes) else table
    whole = len(head).to_bytes(8, "little") + head + data
    return whole[: len(whole) - cut]


def test_small_types_of_safetensors(tmp_path):
    values = np.array([1, -2.5, 0.15625], "f4")
    half, brain = values.astype("<f2").tobytes(), (values.view("<u4") >> 16).astype("<u2").tobytes()
    table = {
        "a.weight": {"dtype": "F16", "shape": [3], "data_offsets": [0, 6]},
        "a.bias": {"dtype": "BF16", "shape": [3], "data_offsets": [6, 12]},
    }
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors(table, half + brain))
    for array in read_weights(path)["a"]:
        np.testing.assert_array_equal(array, values)
    assert [s.dtype for s in scan_weights(path)] == ["float16", "bf16"]


def test_safetensors_by_the_letter_of_the_format(tmp_path):
    path = tmp_path / "x.safetensors"
    write_weights(path, WEIGHTS)
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    table = json.loads(data[8 : 8 + length])
    assert length % 8 == 0
    ends = 0
    for about in table.values():
        begin, end = about["data_offsets"]
        assert begin == ends
        ends = end
    assert 8 + length + ends == len(data)
    assert table["conv1/1"] == {"dtype": "F32", "shape": [2], "data_offsets": [96, 104]}


F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
BROKEN = {
    "cut": safetensors({"a": F32}, bytes(8), cut=1),
    "no JSON": safetensors(b"{nothing}"),
    "deep": safetensors(b'{"a":' + b"[" * 100_000),
    "no table": safetensors({"a": [1, 2]}),
    "shape": safetensors({"a": F32 | {"shape": [3]}}, bytes(8)),
    "negative": safetensors({"a": F32 | {"shape": [-2]}}, bytes(8)),
    "huge": safetensors({"a": F32 | {"shape": [2**62, 4]}}, bytes(8)),
    "far": safetensors({"a": F32 | {"data_offsets": [2**60, 2**60 + 8]}}, bytes(8)),
    "words": safetensors({"a": F32 | {"data_offsets": "ab"}}, bytes(8)),
    "type": safetensors({"a": F32 | {"dtype": "F4"}}, bytes(8)),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_safetensors(tmp_path, case):
    path = tmp_path / "x.safetensors"
    path.write_bytes(BROKEN[case])
    with pytest.raises(NetdefError, match="is damaged"):
        read_weights(path)


def npz(*members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def npy(shape, data, descr="<f4"):
    head = str({"descr": descr, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data


GOOD = npz(("a.npy", npy((2,), bytes(8))))
BROKEN_ARCHIVES = {
    "cut": GOOD[:-7],
    "no array": npz(("a.npy", npy((2,), bytes(8)).replace(b"NUMPY", b"NUMPI"))),
    "huge": npz(("a.npy", npy((2**40,), bytes(8)))),
    "overflow": npz(("a.npy", npy((2**62, 8), bytes(0)))),
    "pickle": npz(("a.npy", npy((2,), bytes(8), "|O"))),
    "words": npz(("a.npy", b"\x93NUMPY\x01\x00\x05\x00{'a':")),
    "other": npz(("a.npy", npy((2,), bytes(8))), ("evil.py", b"1")),
}


@pytest.mark.parametrize("case", BROKEN_ARCHIVES)
def test_broken_archives(tmp_path, case):
    path = tmp_path / "x.npz"
    path.write_bytes(BROKEN_ARCHIVES[case])
    with pytest.raises(NetdefError, match="is damaged"):
        read_weights(path)


def test_a_good_archive_for_comparison(tmp_path):
    (tmp_path / "x.npz").write_bytes(GOOD)
    np.testing.assert_array_equal(read_weights(tmp_path / "x.npz")["a"][0], [0, 0])


def test_names():
    assert layer_of("a/b/12") == ("a/b", 12)
    assert layer_of("a.b.weight") == ("a.b", 0)
    assert layer_of("a.b/1") == ("a.b", 1)
    assert layer_of("a/b.bias") == ("a/b", 1)
    assert layer_of("conv[3]") == ("conv", 3)
    assert layer_of("x/123456789") == ("x/123456789", 0)
    assert layer_of("running_mean") == ("running_mean", 0)
    assert layer_of(name_of("a/1", 2)) == ("a/1", 2)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_250_megabytes_load_in_two_seconds(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    write_weights(path, {"fc": [np.ones((4096, 15259), "f4")]})
    begin = time.perf_counter()
    assert read_weights(path)["fc"][0][-1, -1] == 1
    assert time.perf_counter() - begin < 2
