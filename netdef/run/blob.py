"""What users see of a net's arrays: blobs in Caffe's shape, whatever the plan does inside."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from netdef.layers.base import Array, Shape
from netdef.layers.caffe_axes import CaffeAxes
from netdef.plan import Program, Value

# References to a mirror that nobody else holds: the attribute, and getrefcount's argument.
_OWN_REFERENCES = 2


class Mirror:
    """An array in Caffe's shape that shows what the plan holds in its own layout.

    Where the plan's array has Caffe's layout, it is that array itself. Elsewhere it is a copy,
    brought up to date when it is looked at, and after a run where somebody still holds it; what
    a user writes there goes back to the plan before the next run that reads it.
    """

    def __init__(self, program: Program, value: Value, arrays: list[Array]) -> None:
        self._program = program
        self._value = value
        self._arrays = arrays
        whole = value.layout.value == "NCHW"
        self._array: Array | None = arrays[0] if whole else None
        self._direct = whole
        self._stale = True
        self._shown = False

    def array(self) -> Array:
        """The array, up to date."""
        if self._array is None:
            self._array = np.empty(self._value.shape, self._program.options.dtype)
        if not self._direct and self._stale:
            for shard in range(self._program.shards):
                low, high = self._program.bounds(self._value)[shard]
                np.copyto(np.moveaxis(self._array[low:high], 0, -1), self._arrays[shard])
            self._stale = False
        self._shown = True
        return self._array

    def push(self) -> None:
        """Take over what a user may have written."""
        if self._direct or not self._shown or self._stale:
            return
        assert self._array is not None
        for shard in range(self._program.shards):
            low, high = self._program.bounds(self._value)[shard]
            np.copyto(self._arrays[shard], np.moveaxis(self._array[low:high], 0, -1))

    def ran(self) -> None:
        """The plan's arrays have changed; refresh the copy where somebody holds it."""
        self._stale = True
        if self._direct or self._array is None or not self._shown:
            return
        if sys.getrefcount(self._array) > _OWN_REFERENCES:
            self.array()
        else:
            self._shown = False


class Blob(CaffeAxes):
    """A blob of a net, as pycaffe shows it.

    Attributes:
        data: float32, shape as in Caffe; writable, and what forward will read.
        diff: its gradient after backward, the same shape.
    """

    def __init__(self, name: str, shape: Shape) -> None:
        self.name = name
        self._shape = shape
        self._data: Mirror | None = None
        self._diff: Mirror | None = None
        self._zeros: Array | None = None
        self._kept = self._diff_kept = True
        self.wanted_shape: Shape | None = None

    def bind(self, program: Program, value: Value) -> None:
        """Show another plan's value from now on."""
        self._shape = value.shape
        self._kept, self._diff_kept = value.kept, value.diff_kept
        self._data = Mirror(program, value, value.arrays)
        self._diff = Mirror(program, value, value.diffs) if value.diffs else None
        self._zeros = None
        self.wanted_shape = None

    @property
    def data(self) -> Array:
        """The values, float32, in Caffe's shape.

        Raises:
            ValueError: the net was told not to keep them.
        """
        assert self._data is not None
        self._check(kept=self._kept, what="blob", way="forward")
        return self._data.array()

    def _check(self, *, kept: bool, what: str, way: str) -> None:
        if not kept:
            raise ValueError(
                f"{what} `{self.name}` is not kept after {way}: its memory is used again; "
                f'load the net with keep="all", or with keep=["{self.name}"]'
            )

    @property
    def diff(self) -> Array:
        """The gradient of the loss by the values; zeros where none is computed.

        Raises:
            ValueError: the net was told not to keep it.
        """
        if self._diff is not None:
            self._check(kept=self._diff_kept, what="the gradient of blob", way="backward")
            return self._diff.array()
        if self._zeros is None:
            self._zeros = np.zeros(self._shape, np.float32)
        return self._zeros

    @property
    def has_diff(self) -> bool:
        """Whether backward computes a gradient for it."""
        return self._diff is not None

    @property
    def keeps_diff(self) -> bool:
        """Whether that gradient is there after backward."""
        return self.has_diff and self._diff_kept

    def reshape(self, *shape: int) -> None:
        """Ask for another shape of an input; the net's next run brings the rest into line."""
        self.wanted_shape = tuple(shape)

    def mirrors(self) -> Sequence[Mirror]:
        """Its mirrors, data first."""
        return [m for m in (self._data, self._diff) if m is not None]

    def __repr__(self) -> str:
        return f"<Blob {self.name} {'×'.join(map(str, self._shape)) or 'scalar'}>"
