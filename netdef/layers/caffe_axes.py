"""The names that Caffe's blobs have for their sizes."""

from __future__ import annotations

from math import prod


class CaffeAxes:
    """Shape, count, and the legacy names of the first four axes, 1 where there are fewer."""

    _shape: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Caffe's shape."""
        return self._shape

    @property
    def count(self) -> int:
        """How many values it holds."""
        return prod(self._shape)

    @property
    def num(self) -> int:
        """Legacy name of the first axis."""
        return self._legacy(0)

    @property
    def channels(self) -> int:
        """Legacy name of the second axis."""
        return self._legacy(1)

    @property
    def height(self) -> int:
        """Legacy name of the third axis."""
        return self._legacy(2)

    @property
    def width(self) -> int:
        """Legacy name of the fourth axis."""
        return self._legacy(3)

    def _legacy(self, axis: int) -> int:
        return self._shape[axis] if axis < len(self._shape) else 1
