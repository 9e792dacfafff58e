from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netdef.diag import NetdefError
from netdef.schema import SolverState
from netdef.schema.weights import SolverStateData, read_state, write_state

FILES = Path(__file__).parent / "files"
SHAPES = [(4, 2, 3, 3), (4,), (48, 48), (3, 48), (3,)]
STATES = {
    "sgd_momentum_l2.solverstate": ("snap_iter_10.caffemodel", 2, SHAPES),
    "adadelta.solverstate": ("snap_iter_10.caffemodel", 0, SHAPES * 2),
    "adam.solverstate.h5": ("snap_iter_10.caffemodel.h5", 2, SHAPES * 2),
}


def same(a, b):
    assert (a.iteration, a.learned_net, a.current_step) == (
        b.iteration,
        b.learned_net,
        b.current_step,
    )
    for x, y in zip(a.history, b.history, strict=True):
        assert x.dtype == np.float32
        np.testing.assert_array_equal(x, y, strict=True)


@pytest.mark.parametrize("name", STATES)
def test_states_of_caffe(name):
    state = read_state(FILES / name)
    net, step, shapes = STATES[name]
    assert (state.iteration, state.learned_net, state.current_step) == (10, net, step)
    assert [slot.shape for slot in state.history] == shapes
    assert all(np.isfinite(slot).all() for slot in state.history)
    assert max(np.abs(slot).max() for slot in state.history) > 0


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("suffix", ["solverstate", "solverstate.h5"])
def test_round_trip(tmp_path, name, suffix):
    state = read_state(FILES / name)
    write_state(tmp_path / f"x.{suffix}", state)
    same(read_state(tmp_path / f"x.{suffix}"), state)


def test_protobuf_reads_what_we_write(tmp_path):
    path = tmp_path / "x.solverstate"
    state = SolverStateData(7, "x.caffemodel", [np.arange(6, dtype="f4").reshape(2, 3)], 3)
    write_state(path, state)
    read = SolverState.FromString(path.read_bytes())
    assert (read.iter, read.learned_net, read.current_step) == (7, "x.caffemodel", 3)
    assert (list(read.history[0].shape.dim), list(read.history[0].data)) == ([2, 3], [*range(6)])


def test_hdf5_is_laid_out_as_caffe_lays_it_out(tmp_path):
    h5py = pytest.importorskip("h5py")
    write_state(tmp_path / "x.h5", read_state(FILES / "adam.solverstate.h5"))

    def layout(path):
        found = {}
        with h5py.File(path) as file:
            file.visititems(
                lambda name, e: found.update(
                    {name: (e.shape, e.dtype)} if hasattr(e, "shape") else {}
                )
            )
            # Caffe reads the name as a C string, which must not be of variable length.
            assert not file["learned_net"].id.get_type().is_variable_str()
            assert bytes(file["learned_net"][()]) == b"snap_iter_10.caffemodel.h5"
        return found

    assert layout(tmp_path / "x.h5") == layout(FILES / "adam.solverstate.h5")


@pytest.mark.parametrize("suffix", ["solverstate", "solverstate.h5"])
def test_a_state_without_history(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    write_state(path, SolverStateData(5, "", []))
    assert read_state(path) == SolverStateData(5, "", [], 0)


@pytest.mark.parametrize("name", ["adadelta.caffemodel", "adam.caffemodel.h5"])
def test_a_model_is_no_state(name):
    with pytest.raises(NetdefError, match="where a solver state is needed") as error:
        read_state(FILES / name)
    assert error.value.report.problems[0].code == "N151"


def test_cut_short(tmp_path):
    whole = (FILES / "adadelta.solverstate").read_bytes()
    (tmp_path / "x").write_bytes(whole[:-100])
    with pytest.raises(NetdefError, match="is damaged at byte"):
        read_state(tmp_path / "x")


def test_a_slot_missing_in_hdf5(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "x.h5"
    path.write_bytes((FILES / "adam.solverstate.h5").read_bytes())
    with h5py.File(path, "a") as file:
        del file["history/3"]
    with pytest.raises(NetdefError, match="no slot 3"):
        read_state(path)
