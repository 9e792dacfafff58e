"""Where scores lie, by an index that is looked up."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.kernels.classes import places


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_places_are_those_of_class_0(axis):
    x = np.random.default_rng(0).standard_normal((2, 3, 5))
    found = x.reshape(-1)[places(x.shape, axis) + 1 * np.prod(x.shape[axis + 1 :], dtype=int)]
    np.testing.assert_array_equal(found, np.take(x, 1, axis).reshape(-1))
