"""Writing fails in every way a disk knows; the old file stays and nothing else does."""

from __future__ import annotations

import errno
import os
import stat

import numpy as np
import pytest

from netdef.diag import NetdefError
from netdef.schema.weights import SolverStateData, read_weights, write_state, write_weights
from netdef.schema.weights.atomic import replacing

WEIGHTS = {"a": [np.zeros(1 << 20, "f4")]}  # 4 MB
SUFFIXES = ["caffemodel", "caffemodel.h5"]


WRITERS = [
    lambda path: write_weights(path, WEIGHTS),
    lambda path: write_state(path, SolverStateData(1, "x", WEIGHTS["a"])),
]


@pytest.fixture
def small_files():
    """No file may grow beyond 1 MB, which the system says in the middle of a write."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("write", WRITERS, ids=["model", "state"])
def test_a_write_that_fails_half_way(tmp_path, small_files, suffix, write):
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(NetdefError, match="cannot be written") as error:
        write(path)
    assert error.value.report.problems[0].code == "N154"
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_is_named(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(b"old")

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(NetdefError, match="no space left on device") as error:
        write_weights(path, WEIGHTS)
    assert "free some space" in error.value.report.problems[0].help
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_such_folder(tmp_path, suffix):
    with pytest.raises(NetdefError, match="make the folder first"):
        write_weights(tmp_path / "no" / f"x.{suffix}", WEIGHTS)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_folder_that_is_read_only(tmp_path, suffix):
    tmp_path.chmod(0o500)
    with pytest.raises(NetdefError, match="permission denied"):
        write_weights(tmp_path / f"x.{suffix}", WEIGHTS)


def test_a_folder_in_the_way(tmp_path):
    (tmp_path / "x.caffemodel").mkdir()
    with pytest.raises(NetdefError, match="is a directory"):
        write_weights(tmp_path / "x.caffemodel", WEIGHTS)
    assert os.listdir(tmp_path) == ["x.caffemodel"]


def test_an_interrupt_leaves_the_old_file(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def write():
        with replacing(path) as temporary:
            temporary.write_bytes(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_rights_are_those_of_the_old_file_or_the_umask(tmp_path):
    old, new = tmp_path / "old.caffemodel", tmp_path / "new.caffemodel"
    old.touch()
    old.chmod(0o640)
    before = os.umask(0o027)
    try:
        write_weights(old, WEIGHTS)
        write_weights(new, WEIGHTS)
    finally:
        os.umask(before)
    assert [stat.S_IMODE(p.stat().st_mode) for p in (old, new)] == [0o640, 0o640]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_goes_on_pointing(tmp_path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "latest.caffemodel"
    link.symlink_to("real/x.caffemodel")
    write_weights(link, WEIGHTS)
    assert link.is_symlink()
    assert list(read_weights(tmp_path / "real/x.caffemodel")) == ["a"]
