"""Rows moved, and small matrices times rows, by instructions that are written out."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="compiled kernels need numba")

from netdef.kernels.convolution.transforms import matrices
from netdef.kernels.fast.jit import compiled
from netdef.kernels.fast.mixing import mix, move, spelled

COUNTS = [0, 1, 3, 8, 15, 16, 17, 32, 45]
MATRICES = {
    "even and odd rows": matrices(4, 5).input,
    "even and odd columns": matrices(4, 3).output,
    "neither": matrices(5, 3).input,
    "both, and nothing": np.array([[1, 2, 1, 0], [1, -2, 1, 0], [0, 0, 0, 0], [2.5, 1, -2.5, -1]]),
    "one": np.array([[-1.0]]),
}


def mixed(matrix, period, shifts):
    text = spelled(matrix)
    if shifts:

        @compiled
        def run(source, target, count, lap, shift):
            mix(text, period, source, 2, 50, lap, target, 3, 60, count, shift)
    else:

        @compiled
        def run(source, target, count, lap, shift):
            mix(text, period, source, 2, 50, lap, target, 3, 60, count, None)

    return run


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", MATRICES)
def test_mix(name, dtype):
    matrix = MATRICES[name]
    run = mixed(matrix, 2, shifts=name == "neither")
    random = np.random.default_rng(1)
    columns = matrix.shape[1]
    source = random.standard_normal(500).astype(dtype)
    for count in COUNTS:
        target = np.full(500, 7, dtype)
        run(source, target, count, 110, dtype(0.5))
        starts = [2 + k // 2 * 110 + k % 2 * 50 for k in range(columns)]
        taken = np.array([source[at : at + count] for at in starts])
        expected = np.full(500, 7.0)
        for k, row in enumerate(matrix @ taken + 0.5 * (name == "neither")):
            expected[3 + 60 * k : 3 + 60 * k + count] = row
        np.testing.assert_allclose(target, expected, rtol=0, atol=1e3 * np.finfo(dtype).eps)


@compiled
def setting(source, target, runs, count):
    move("set", source, 1, 50, target, 4, 47, runs, count)


@compiled
def adding(source, target, runs, count):
    move("add", source, 1, 50, target, 4, 47, runs, count)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", sorted({*COUNTS, 2, 4, 5}))
def test_move(count, dtype):
    source = np.random.default_rng(1).standard_normal(300).astype(dtype)
    for run, before in ((setting, 0), (adding, 2)):
        target = np.full(300, 2, dtype)
        run(source, target, 5, count)
        expected = np.full(300, 2, dtype)
        for k in range(5):
            taken = source[1 + 50 * k : 1 + 50 * k + count]
            expected[4 + 47 * k : 4 + 47 * k + count] = taken + dtype(before)
        np.testing.assert_array_equal(target, expected)


def test_a_spelled_matrix_has_all_digits():
    matrix = np.random.default_rng(1).standard_normal((3, 2))
    rows = [[float(value) for value in row.split()] for row in spelled(matrix).split(";")]
    np.testing.assert_array_equal(rows, matrix)
