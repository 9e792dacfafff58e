"""What is written of a training is what happened, read by a decoder of its own."""

from __future__ import annotations

import csv
import json
import struct

import numpy as np
import pytest

import netdef
from netdef.api.attending import Extras, attended
from netdef.api.checks import plot
from netdef.doctor.record.event_file import EventFile, histogram_of, record
from netdef.doctor.record.runs import read_run
from netdef.run.progress import Iteration

CAFFE_LOG = """\
I0101 10:00:00.000000  99 solver.cpp:239] Iteration 0 (0 iter/s, 0s/9 iter), loss = 2.3
I0101 10:00:00.000000  99 solver.cpp:258]     Train net output #0: loss = 2.31 (* 1 = 2.31 loss)
I0101 10:00:00.000000  99 sgd_solver.cpp:112] Iteration 0, lr = 0.01
I0101 10:00:00.000000  99 solver.cpp:347] Iteration 0, Testing net (#0)
I0101 10:00:00.000000  99 solver.cpp:414]     Test net output #0: accuracy = 0.1
I0101 10:00:00.000000  99 solver.cpp:414]     Test net output #1: loss = 2.5 (* 1 = 2.5 loss)
I0101 10:00:00.000000  99 solver.cpp:218] Iteration 100, loss = 1.5e-01
I0101 10:00:00.000000  99 sgd_solver.cpp:112] Iteration 100, lr = 0.001
"""


def crc32c(data):
    """Bit by bit, as the polynomial is defined."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    """Data of each record of an event file."""
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        assert struct.unpack_from("<I", data, at + 8)[0] == masked(data[at : at + 8])
        body = data[at + 12 : at + 12 + length]
        assert struct.unpack_from("<I", data, at + 12 + length)[0] == masked(body)
        yield body
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 128:
            return value, at


def fields(data):
    """(number, value) of each field of a message."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        match key & 7:
            case 0:
                value, at = varint(data, at)
            case 1:
                value, at = struct.unpack_from("<d", data, at)[0], at + 8
            case 2:
                size, at = varint(data, at)
                value, at = data[at : at + size], at + size
            case 5:
                value, at = struct.unpack_from("<f", data, at)[0], at + 4
            case _:
                raise AssertionError(key)
        yield key >> 3, value


def events(path):
    for body in records(path.read_bytes()):
        event = dict(fields(body))
        value = dict(fields(dict(fields(event[5]))[1])) if 5 in event else {}
        yield event, value


def load(nets, name="healthy/mlp", *settings):
    model = nets / f"{name}.prototxt"
    return netdef.load_solver(nets / "solver.prototxt", model=model, settings=settings, threads=1)


def test_a_record_known_by_its_bytes():
    # RFC 3720, B.4: the CRC-32C of 32 zeros is 8A9136AA
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert list(records(record(b"x") + record(bytes(2000)))) == [b"x", bytes(2000)]


def test_scalars_and_histograms_of_a_training(nets, tmp_path):
    solver = load(nets)
    losses = []
    solver.add_listener(lambda e: losses.append(e.loss) if isinstance(e, Iteration) else None)
    start = solver.net.params["ip1"][0].data.copy()
    with attended(solver, Extras(tensorboard=tmp_path / "tb", watch=2)):
        solver.step(3)
    (path,) = (tmp_path / "tb").iterdir()
    found = list(events(path))

    assert found[0][0][3] == b"brain.Event:2"
    read = [(e.get(2), v[2]) for e, v in found if v.get(1) == b"train/loss"]
    assert [step for step, _ in read] == [0, 1, 2]
    np.testing.assert_allclose([value for _, value in read], losses, rtol=1e-6)
    histograms = [(e, dict(fields(v[5]))) for e, v in found if v.get(1) == b"ip1/weight"]
    assert [e.get(2) for e, _ in histograms] == [0, 2]
    first = histograms[0][1]
    assert first[3] == start.size
    assert sum(struct.unpack(f"<{len(first[7]) // 8}d", first[7])) == start.size
    assert len(first[6]) == len(first[7])
    assert any(v.get(1) == b"ip2/bias_grad" for _, v in found)


def test_histograms_of_equal_and_of_broken_values(tmp_path):
    found = histogram_of(np.array([0.5, 0.5, np.nan]))
    assert found.buckets == [2.0]
    assert found.limits[0] > 0.5
    assert histogram_of(np.array([np.inf])) is None
    file = EventFile(tmp_path)
    file.scalar("x", float("nan"), 3)
    file.close()
    assert np.isnan(list(events(file.path))[1][1][2])


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_metrics_are_read_back(nets, tmp_path, ending):
    solver = load(nets)
    losses = []
    solver.add_listener(lambda e: losses.append(e.loss) if isinstance(e, Iteration) else None)
    path = tmp_path / f"m.{ending}"
    with attended(solver, Extras(metrics=path, watch=2)):
        solver.step(3)

    run = read_run(path)
    assert [step for step, _ in run.curves["train/loss"]] == [0, 1, 2]
    np.testing.assert_allclose([v for _, v in run.curves["train/loss"]], losses)
    assert [step for step, _ in run.curves["gradient/ip1/weight"]] == [0, 2]
    assert run.curves["dead/relu1"]
    if ending == "csv":
        assert next(csv.reader(path.read_text().splitlines())) == [
            "iteration",
            "time",
            "name",
            "value",
        ]
    else:
        assert "train/loss" in json.loads(path.read_text().splitlines()[0])


def test_logs_of_caffe(tmp_path):
    path = tmp_path / "caffe.INFO.log"
    path.write_text(CAFFE_LOG)
    run = read_run(tmp_path)

    assert run.curves == {
        "train/loss": [(0, 2.3), (100, 0.15)],
        "train/lr": [(0, 0.01), (100, 0.001)],
        "test/accuracy": [(0, 0.1)],
        "test/loss": [(0, 2.5)],
    }


def test_what_caffes_own_parser_wrote(tmp_path):
    path = tmp_path / "log.train"
    path.write_text("NumIters,Seconds,LearningRate,loss\n0.0,0.1,0.01,2.3\n50.0,1.0,0.01,1.2\n")
    assert read_run(path).curves["train/loss"] == [(0, 2.3), (50, 1.2)]


def test_plots_of_two_runs_side_by_side(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.log").write_text(CAFFE_LOG)
    paths = [tmp_path / "a.log", tmp_path / "b.log"]
    text = plot(paths, columns=80)

    assert all(len(line) <= 80 for line in text.splitlines())
    line = next(line for line in text.splitlines() if line.startswith("train/loss"))
    assert line.count("train/loss") == 2
    assert "test/accuracy" in text


@pytest.mark.parametrize(("ending", "begin"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_plots_as_images(tmp_path, ending, begin):
    pytest.importorskip("matplotlib")
    (tmp_path / "a.log").write_text(CAFFE_LOG)
    plot([tmp_path / "a.log"], out=tmp_path / f"a.{ending}")

    assert (tmp_path / f"a.{ending}").read_bytes().startswith(begin)


@pytest.mark.parametrize("text", ["", "hello\n", "{}\n"])
def test_what_is_no_run(tmp_path, text):
    path = tmp_path / "x.log"
    path.write_text(text)
    with pytest.raises(netdef.NetdefError, match="no curve"):
        read_run(path)
