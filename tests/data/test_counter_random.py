from __future__ import annotations

import numpy as np
import pytest

from netdef.data.counter_random import Purpose, draw, draw_one, shuffled

N = np.arange(20_000, dtype=np.uint64)
MIRRORS = [8, 1, 6, 8, 0, 4, 6, 2, 8, 5, 0, 8]
ROWS = [7, 5, 2, 3, 4, 0, 1, 6]


@pytest.mark.parametrize("below", [1, 2, 7, 30])
@pytest.mark.parametrize("seed", [0, 1, -1, 2**63])
def test_even(seed, below):
    got = np.bincount(draw(seed, Purpose.MIRROR, N, below), minlength=below)
    assert len(got) == below
    expected = len(N) / below
    assert np.abs(got - expected).max() <= 5 * np.sqrt(expected)


def test_depends_on_the_counter_alone():
    whole = draw(3, Purpose.CROP_ROW, N, 100)
    np.testing.assert_array_equal(draw(3, Purpose.CROP_ROW, N[500:600], 100), whole[500:600])
    assert draw_one(3, Purpose.CROP_ROW, 777, 100) == whole[777]


def test_a_bound_for_each():
    bounds = N % np.uint64(9) + np.uint64(1)
    got = draw(3, Purpose.CROP_ROW, N, bounds)
    assert got[4] == draw_one(3, Purpose.CROP_ROW, 4, 5)
    assert (got < bounds).all()


def test_seeds_and_purposes_differ():
    base = draw(1, Purpose.CROP_ROW, N, 2)
    others = (
        draw(2, Purpose.CROP_ROW, N, 2),
        draw(1, Purpose.CROP_COLUMN, N, 2),
        draw(1, Purpose.CROP_ROW, N + np.uint64(1), 2),
    )
    for other in others:
        assert abs((base == other).mean() - 0.5) < 0.02


def test_the_numbers_stay_as_they_are():
    """A run that goes on from an old snapshot must find its numbers again."""
    assert draw(42, Purpose.MIRROR, N[:12], 10).tolist() == MIRRORS
    assert shuffled(42, Purpose.ROWS, (0, 1), 8).tolist() == ROWS


def test_shuffled():
    got = shuffled(1, Purpose.FILES, (0,), 50)
    assert sorted(got) == list(range(50))
    assert got.tolist() != shuffled(1, Purpose.FILES, (1,), 50).tolist()
    assert got.tolist() == shuffled(1, Purpose.FILES, (0,), 50).tolist()
