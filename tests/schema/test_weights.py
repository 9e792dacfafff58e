"""Model files: those that Caffe wrote, those we write, those that are broken."""

from __future__ import annotations

import random
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from netdef.diag import NetdefError
from netdef.schema import BlobProto, NetParameter
from netdef.schema.problems import BlobDoesNotFill, DamagedFile, NotCaffeHdf5, WrongKind
from netdef.schema.weights import caffemodel, fit, read_weights, write_weights

FILES = Path(__file__).parent / "files"
SHAPES = {"conv": [(4, 2, 3, 3), (4,)], "ip1": [(48, 48)], "ip2": [(48, 48)]}
SHAPES["ip3"] = [(3, 48), (3,)]
CAFFE_MODELS = ["sgd_momentum_l2.caffemodel", "adadelta.caffemodel"]


def problem_of(error):
    (problem,) = error.value.report
    return problem


def same(a, b):
    assert list(a) == list(b)
    for name in a:
        assert len(a[name]) == len(b[name])
        for x, y in zip(a[name], b[name], strict=True):
            assert x.shape == y.shape
            assert x.dtype == y.dtype == np.float32
            np.testing.assert_array_equal(x, y)


def made():
    rng = np.random.default_rng(0)
    return {
        "conv1": [rng.standard_normal((4, 2, 3, 5)).astype("f4"), np.arange(4, dtype="f4")],
        "inception/1x1": [rng.standard_normal((2, 7)).astype("f4")],
        "scalar": [np.float32(3).reshape(())],
        "nothing": [np.zeros((0, 3), "f4")],
    }


def by_protobuf(path):
    net = NetParameter.FromString(path.read_bytes())
    return {
        layer.name: [np.array(b.data, "f4").reshape(tuple(b.shape.dim)) for b in layer.blobs]
        for layer in net.layer
        if layer.blobs
    }


@pytest.mark.parametrize("name", CAFFE_MODELS)
def test_caffes_models_read_as_protobuf_reads_them(name):
    weights = read_weights(FILES / name)
    assert {n: [b.shape for b in blobs] for n, blobs in weights.items()} == SHAPES
    same(weights, by_protobuf(FILES / name))
    np.testing.assert_array_equal(weights["ip1"][0], weights["ip2"][0])  # shared


def test_caffes_hdf5_model_has_owners_only():
    weights = read_weights(FILES / "adam.caffemodel.h5")
    assert list(weights) == ["conv", "ip1", "ip3"]
    assert [blob.shape for blob in weights["ip3"]] == SHAPES["ip3"]
    assert np.abs(weights["conv"][0]).max() > 0.01


@pytest.mark.parametrize("suffix", ["caffemodel", "caffemodel.h5"])
def test_caffes_model_survives_writing(tmp_path, suffix):
    weights = read_weights(FILES / CAFFE_MODELS[0])
    write_weights(tmp_path / f"x.{suffix}", weights)
    same(read_weights(tmp_path / f"x.{suffix}"), weights)


def test_read_arrays_are_aligned_and_writable():
    for blobs in read_weights(FILES / CAFFE_MODELS[0]).values():
        assert all(blob.flags.aligned and blob.flags.writeable for blob in blobs)


def test_protobuf_reads_what_we_write(tmp_path):
    path = tmp_path / "x.caffemodel"
    write_weights(path, made())
    same(read_weights(path), made())
    same(by_protobuf(path), made())


def test_hdf5_round_trip_sorts_by_name(tmp_path):
    path = tmp_path / "x.caffemodel.h5"
    write_weights(path, made())
    same(read_weights(path), dict(sorted(made().items())))


def test_hdf5_leaves_out_shared_blobs(tmp_path):
    path = tmp_path / "x.caffemodel.h5"
    write_weights(path, {"ip2": [None, np.ones(3, "f4")], "ip1": [np.ones((3, 2), "f4")]})
    weights = read_weights(path)
    assert weights["ip2"][0] is None
    assert weights["ip2"][1].shape == (3,)


def test_a_binary_model_needs_every_blob(tmp_path):
    with pytest.raises(ValueError, match="ip2"):
        write_weights(tmp_path / "x.caffemodel", {"ip2": [None]})


def test_the_net_and_its_gradients_are_written_too(tmp_path):
    net = NetParameter(name="n")
    net.layer.add(name="data", type="Input", top=["data"])
    net.layer.add(name="ip", type="InnerProduct", bottom=["data"]).blobs.add(data=[9])
    path = tmp_path / "x.caffemodel"
    w = np.arange(6, dtype="f4").reshape(2, 3)
    write_weights(path, {"ip": [w], "more": [w]}, diffs={"ip": [w * 2]}, net=net)
    read = NetParameter.FromString(path.read_bytes())
    assert (read.name, [la.name for la in read.layer]) == ("n", ["data", "ip", "more"])
    assert (read.layer[1].type, read.layer[1].bottom) == ("InnerProduct", ["data"])
    (blob,) = read.layer[1].blobs
    assert (list(blob.data), list(blob.diff)) == (list(range(6)), [0, 2, 4, 6, 8, 10])
    assert not read.layer[2].blobs[0].diff
    same(read_weights(path), {"ip": [w], "more": [w]})


def test_hdf5_gradients(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "x.caffemodel.h5"
    write_weights(path, {"a": [np.ones(2, "f4")]}, diffs={"a": [np.full(2, 5, "f4")]})
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["diff/a/0"], [5, 5])


def test_arrays_that_do_not_lie_in_order(tmp_path):
    turned = np.arange(12.0).reshape(3, 4).T
    write_weights(tmp_path / "x.caffemodel", {"a": [turned]})
    np.testing.assert_array_equal(read_weights(tmp_path / "x.caffemodel")["a"][0], turned)


def save(path, net):
    path.write_bytes(net.SerializeToString())
    return path


def legacy(blob):
    blob.num, blob.channels, blob.height, blob.width = 1, 1, 2, 3
    blob.data.extend(range(6))


def test_v1_model_with_shapes_of_2014(tmp_path):
    net = NetParameter()
    legacy(net.layers.add(name="ip", bottom=["x"]).blobs.add())
    weights = read_weights(save(tmp_path / "x", net))
    assert weights["ip"][0].shape == (1, 1, 2, 3)
    np.testing.assert_array_equal(fit(weights["ip"][0], (2, 3)), np.arange(6).reshape(2, 3))


def test_v0_model(tmp_path):
    net = NetParameter()
    layer = net.layers.add(bottom=["x"]).layer
    layer.name = "ip"
    legacy(layer.blobs.add())
    assert read_weights(save(tmp_path / "x", net))["ip"][0].shape == (1, 1, 2, 3)


@pytest.mark.parametrize(
    ("shape", "wanted", "fits"),
    [
        ((2, 3), (2, 3), True),
        ((1, 1, 2, 3), (2, 3), True),
        ((1, 1, 1, 6), (6,), True),
        ((1, 1, 1, 1), (), True),
        ((1, 2, 1, 3), (2, 3), False),
        ((6, 1, 1, 1), (6,), False),
        ((3, 2), (2, 3), False),
        ((6,), (2, 3), False),
        ((2, 3), (1, 1, 2, 3), False),
    ],
)
def test_shapes_that_caffe_takes_for_the_same(shape, wanted, fits):
    assert (fit(np.zeros(shape, "f4"), wanted) is not None) == fits


def test_double_precision(tmp_path):
    net = NetParameter()
    blob = net.layer.add(name="a").blobs.add(double_data=[1.5, 2.5])
    blob.shape.dim.append(2)
    (values,) = read_weights(save(tmp_path / "x", net))["a"]
    assert (values.dtype, values.tolist()) == (np.float32, [1.5, 2.5])


def blob_file(path, blob):
    """A model whose one blob consists of these bytes."""
    layer = b"\x0a\x01a" + b"\x3a" + bytes([len(blob)]) + blob
    path.write_bytes(b"\xa2\x06" + bytes([len(layer)]) + layer)
    return path


SHAPE_2 = b"\x3a\x03\x0a\x01\x02"
ONE, TWO = np.float32(1.5).tobytes(), np.float32(2.5).tobytes()


@pytest.mark.parametrize(
    "blob",
    [
        SHAPE_2 + b"\x2d" + ONE + b"\x2d" + TWO,  # one by one
        SHAPE_2 + b"\x2a\x04" + ONE + b"\x2a\x04" + TWO,  # in pieces
        SHAPE_2 + b"\x2a\x08" + ONE + TWO + b"\x9a\x06\x01z",  # a field of a later version
        SHAPE_2 + b"\x50\x02\x62\x04" + np.array([1.5, 2.5], "<f2").tobytes(),  # NVIDIA's halves
        b"\x3a\x02\x08\x02" + b"\x2a\x08" + ONE + TWO,  # the shape not packed
    ],
)
def test_other_ways_to_write_a_blob(tmp_path, blob):
    (values,) = read_weights(blob_file(tmp_path / "x", blob))["a"]
    assert values.tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("blob", "kind"),
    [
        (SHAPE_2 + b"\x2a\x04" + ONE, BlobDoesNotFill),
        (SHAPE_2, BlobDoesNotFill),
        (b"\x2a\x08" + ONE + TWO, BlobDoesNotFill),
        (b"\x08\x02" + b"\x2a\x08" + ONE + TWO, BlobDoesNotFill),
        (b"\x3a\x0b\x0a\x09" + b"\xff" * 8 + b"\x7f" + b"\x2a\x04" + ONE, BlobDoesNotFill),
        (SHAPE_2 + b"\x2a\x07" + ONE + TWO[:3], DamagedFile),
        (SHAPE_2 + b"\x2b", DamagedFile),
        (SHAPE_2 + b"\x50\x07\x62\x04" + ONE, DamagedFile),
        (b"\x3a\x03\x0a\x05\x02", DamagedFile),
        (b"\x00\x00", DamagedFile),
    ],
)
def test_blobs_that_make_no_sense(tmp_path, blob, kind):
    with pytest.raises(NetdefError) as error:
        read_weights(blob_file(tmp_path / "x.caffemodel", blob))
    assert isinstance(problem_of(error), kind)


def test_a_model_cut_short_anywhere_is_a_problem_or_ends_between_layers(tmp_path):
    whole = (FILES / CAFFE_MODELS[0]).read_bytes()
    complete = by_protobuf(FILES / CAFFE_MODELS[0])
    path = tmp_path / "x.caffemodel"
    for size in {*range(0, 700), *range(700, len(whole), 97), len(whole) - 1}:
        path.write_bytes(whole[:size])
        try:
            weights = read_weights(path)
        except NetdefError:
            continue
        same(weights, {name: complete[name] for name in weights})


def test_no_mutation_escapes_as_another_error(tmp_path):
    rng = random.Random(7)
    whole = (FILES / CAFFE_MODELS[0]).read_bytes()
    path = tmp_path / "x.caffemodel"
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(rng.choice([1200, len(data)]))] = rng.randrange(256)
        path.write_bytes(data)
        codes = []
        try:
            read_weights(path)
        except NetdefError as error:
            codes = [problem.code for problem in error.report]
        assert all(code.startswith("N15") for code in codes)


def test_a_length_beyond_the_file_asks_for_no_memory(tmp_path):
    path = tmp_path / "x.caffemodel"
    net = NetParameter()
    net.layer.add(name="a", type="InnerProduct").blobs.add(shape={"dim": [1 << 28]})
    path.write_bytes(net.SerializeToString())
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(NetdefError):
        read_weights(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20
    assert time.perf_counter() - start < 1


def test_a_file_of_nothing_but_fields_ends_soon(tmp_path):
    path = tmp_path / "x.caffemodel"
    path.write_bytes(b"\xa2\x06\x00" * 1_500_000)
    with pytest.raises(NetdefError) as error:
        read_weights(path)
    assert "more than" in problem_of(error).message


def test_an_hdf5_shape_without_data_asks_for_no_memory(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "x.caffemodel.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data/a/0", shape=(1 << 40,), dtype="<f4", chunks=(1 << 10,))
    with pytest.raises(NetdefError) as error:
        read_weights(path)
    assert isinstance(problem_of(error), DamagedFile)


def test_compressed_hdf5(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "x.caffemodel.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data/a/0", data=np.zeros(1 << 18, "f4"), compression="gzip")
    assert not read_weights(path)["a"][0].any()


def test_broken_hdf5(tmp_path):
    path = tmp_path / "x.caffemodel.h5"
    whole = (FILES / "adam.caffemodel.h5").read_bytes()
    for size in (9, 100, 2000, len(whole) - 5000):
        path.write_bytes(whole[:size])
        with pytest.raises(NetdefError) as error:
            read_weights(path)
        assert isinstance(problem_of(error), DamagedFile)


def test_hdf5_data_is_no_model(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["data"] = np.zeros((3, 2), "f4")
    with pytest.raises(NetdefError) as error:
        read_weights(tmp_path / "x.h5")
    assert isinstance(problem_of(error), NotCaffeHdf5)


def test_without_h5py_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(NetdefError, match=r"pip install \"netdef-prototxt\[data\]\"") as error:
        read_weights(FILES / "adam.caffemodel.h5")
    assert problem_of(error).code == "N153"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda p: p.write_text('layer { name: "a" }'), "is the text of a net"),
        (lambda p: p.write_bytes((FILES / "adadelta.solverstate").read_bytes()), "--resume"),
        (lambda p: p.write_bytes((FILES / "adam.solverstate.h5").read_bytes()), "--resume"),
        (lambda p: p.write_bytes(b"\x7fELF\x00\x01\x02" * 9), "of an unknown kind"),
        (lambda p: p.write_bytes(b"PK\x03\x04\x14" + bytes(21) + b"a.txt"), "of an unknown kind"),
    ],
)
def test_files_of_another_kind(tmp_path, make, said):
    path = tmp_path / "x"
    make(path)
    with pytest.raises(NetdefError, match=said) as error:
        read_weights(path)
    assert isinstance(problem_of(error), WrongKind)


def test_missing_empty_and_folder(tmp_path):
    (tmp_path / "empty").touch()
    for name, code in {"no": "N101", "": "N102", "empty": "N150"}.items():
        with pytest.raises(NetdefError) as error:
            read_weights(tmp_path / name)
        assert problem_of(error).code == code


def test_a_model_of_two_gigabytes_must_be_hdf5(tmp_path, monkeypatch):
    path = tmp_path / "x.caffemodel"
    monkeypatch.setattr(caffemodel, "_MOST_BYTES", 100)
    with pytest.raises(NetdefError, match=r"caffemodel\.h5") as error:
        write_weights(path, {"a": [np.zeros(30, "f4")]})
    assert problem_of(error).code == "N155"
    assert not path.exists()


def test_blob_protos_are_written_in_number_order(tmp_path):
    from netdef.schema.weights.values import blob_parts

    values = np.arange(6, dtype="f4").reshape(2, 3)
    blob = BlobProto(data=values.ravel(), shape={"dim": [2, 3]})
    assert b"".join(blob_parts(values)) == blob.SerializeToString(deterministic=True)
