"""Nets with their data: digits of 8×8 pixels, as they are, raw, enlarged, and mixed up."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
_EXAMPLES = 1024


@pytest.fixture(scope="session")
def nets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The nets of `nets/`, beside HDF5 files that they read."""
    folder = tmp_path_factory.mktemp("doctor") / "nets"
    shutil.copytree(HERE / "nets", folder)
    shutil.copytree(ROOT / "models" / "signal", folder / "signal")
    with gzip.open(ROOT / "models" / "digits" / "digits.csv.gz", "rt") as file:
        table = np.loadtxt(file, delimiter=",", max_rows=_EXAMPLES)
    images = (table[:, :64] / 16).reshape(-1, 1, 8, 8).astype(np.float32)
    labels = table[:, 64].astype(np.float32)
    large = np.pad(images.repeat(3, axis=2).repeat(3, axis=3), ((0, 0), (0, 0), (2, 2), (2, 2)))
    mixed = np.random.default_rng(5).permutation(labels)
    for kind in ("broken", "healthy"):
        _write(folder / kind / "digits", images, labels)
        _write(folder / kind / "raw", 255 * images, labels)
        _write(folder / kind / "large", large, labels)
        _write(folder / kind / "shuffled", images, mixed)
    return folder


def _write(path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    with h5py.File(f"{path}.h5", "w") as file:
        file["data"], file["label"] = images, labels
    Path(f"{path}.txt").write_text(f"{path}.h5\n")
