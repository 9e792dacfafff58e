"""A factor, an offset and a maximum with 0 in one pass: bits as of three passes of NumPy."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="compiled kernels need numba")

from netdef.kernels.fast.affine import finish
from netdef.layers.affine import Affine, Rectify

BLOCKS = {
    "whole": lambda x: x,
    "rows-with-gaps": lambda x: x[:, 5:82],
    "two-groups": lambda x: x.reshape(2, 4, 90),
    "groups-with-gaps": lambda x: x.reshape(2, 4, 90)[:, :, :50],
    "one-row": lambda x: x[3:4],
}


@pytest.mark.parametrize("cut", BLOCKS.values(), ids=list(BLOCKS))
@pytest.mark.parametrize("rectifies", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_as_numpy(cut, rectifies, dtype):
    random = np.random.default_rng(2)
    x = random.standard_normal((8, 90)).astype(dtype)
    x[3, 7:10] = np.nan, np.inf, -np.inf
    ours, theirs = x.copy(), x.copy()
    block, other = cut(ours), cut(theirs)
    factor, offset = random.standard_normal((2, block.shape[-2])).astype(dtype)
    finish(block, factor, offset, rectifies=rectifies)
    other *= factor[:, None]
    other += offset[:, None]
    if rectifies:
        np.maximum(other, 0, out=other)
    np.testing.assert_array_equal(ours, theirs)  # what lies in gaps is left alone


def epilogue(*parts):
    """All in as few as can be, as the executor has them."""
    found = [parts[0]]
    for part in parts[1:]:
        both = found[-1].merged(part)
        found[-1:] = [found[-1], part] if both is None else [both]
    return found


def applied(found, block, first):
    for part in found:
        part.start()
        part.apply(block, first)
    return block


@pytest.mark.parametrize("terms", ["both", "factor", "offset", "none"])
def test_epilogues_are_merged_into_one_pass(terms):
    random = np.random.default_rng(5)
    factor, offset, more = random.standard_normal((3, 9)).astype(np.float32)
    given = (
        factor if terms in ("both", "factor") else None,
        offset if terms in ("both", "offset") else None,
    )
    x = random.standard_normal((4, 20)).astype(np.float32)
    results = []
    for fast in (False, True):
        second = () if terms == "none" else (Affine(lambda: (more, None), fast=fast),)
        found = epilogue(Affine(lambda: given, fast=fast), *second, Rectify(np.float32))
        assert len(found) == (1 if fast else 2)
        results.append(applied(found, x.copy(), 3))
    np.testing.assert_array_equal(*results)


def test_nothing_is_merged_behind_a_maximum():
    after = Affine(lambda: (np.ones(3), None), fast=True)
    first = Affine(lambda: (np.ones(3), None), fast=True).merged(Rectify(np.float64))
    assert first is not None
    assert first.merged(after) is None
