"""Arrays that begin where a cache line does, and those that forked processes share."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from netdef.kernels.memory import ALIGNMENT, aligned_zeros, is_shared, shared_zeros, zeros_beside
from tests.run.forked import in_fork, needs_processes

MAKERS = [aligned_zeros, shared_zeros]
SHAPES = [(), 0, 1, 7, (3,), (2, 3, 5), (4, 0, 3), (1 << 11, 601)]

Make = Callable[..., np.ndarray[Any, Any]]


@pytest.mark.parametrize("make", MAKERS)
class TestZeros:
    @pytest.mark.parametrize("shape", SHAPES, ids=str)
    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.bool_, np.int64, "int8"])
    def test_as_of_numpy(self, make: Make, shape: Any, dtype: Any) -> None:
        array, expected = make(shape, dtype), np.zeros(shape, dtype)
        assert (array.shape, array.dtype) == (expected.shape, expected.dtype)
        assert not array.any()
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.ctypes.data % ALIGNMENT == 0 or not array.size

    def test_float32_unless_told(self, make: Make) -> None:
        assert make((2, 3)).dtype == np.float32

    def test_a_list_is_a_shape(self, make: Make) -> None:
        assert make([2, 3]).shape == (2, 3)

    def test_arrays_are_apart(self, make: Make) -> None:
        first, second = make(5), make(5)
        first[:] = 1
        assert not second.any()

    def test_memory_outlives_the_name(self, make: Make) -> None:
        part = make((3, 4))[1:, ::2]
        gc.collect()
        part[...] = 2
        assert part.sum() == 8


class TestShared:
    @pytest.mark.parametrize("shape", SHAPES, ids=str)
    def test_told_from_others(self, shape: Any) -> None:
        assert is_shared(shared_zeros(shape))
        assert not is_shared(aligned_zeros(shape))
        assert not is_shared(np.zeros(shape))

    @pytest.mark.parametrize(("make", "expected"), [(shared_zeros, True), (aligned_zeros, False)])
    def test_views_are_as_what_they_show(self, make: Make, expected: bool) -> None:
        array = make((4, 6))
        views = [
            array[1:3, ::2],
            array.T,
            array.reshape(-1)[5:],
            array.view(np.int32),
            np.moveaxis(array, 0, -1)[None],
            np.broadcast_to(array, (2, 4, 6)),
        ]
        assert [is_shared(view) for view in views] == [expected] * len(views)

    def test_copies_are_not(self) -> None:
        array = shared_zeros(3)
        assert not is_shared(array.copy())
        assert not is_shared(array + 1)

    def test_other_memory_behind_a_buffer_is_not(self) -> None:
        assert not is_shared(np.frombuffer(b"abcd", np.uint8))
        assert not is_shared(np.frombuffer(bytearray(4), np.uint8))

    def test_beside(self) -> None:
        for make, expected in ((shared_zeros, True), (aligned_zeros, False), (np.zeros, False)):
            array = make((2, 3), np.int16)
            array[...] = 5
            other = zeros_beside(array[:, 1:])
            assert (other.shape, other.dtype) == ((2, 2), np.int16)
            assert not other.any()
            assert is_shared(other) is expected

    @needs_processes
    @pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
    def test_a_fork_and_this_process_see_the_same(self) -> None:
        # one of the largest has huge pages
        arrays = [shared_zeros(3), shared_zeros((2, 3), np.int64), shared_zeros(1 << 21)]
        own = aligned_zeros(3)
        for array in (*arrays, own):
            array[...] = 1

        def write() -> str:
            seen = [int(array.sum()) for array in arrays]
            for array in (*arrays, own):
                array += 2
            return str(seen)

        assert in_fork(write) == str([3, 6, 1 << 21])
        for array in arrays:
            assert (array == 3).all()
        assert (own == 1).all()
