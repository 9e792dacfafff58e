"""What layers say about axes and shapes: counting from the end, and words for errors."""

from __future__ import annotations

from netdef.diag import BottomError, FieldError
from netdef.layers.base import CHWN, Layout, Shape, Shapes


def axis_of(axis: int, shape: Shape, field: str) -> int:
    """The axis counted from 0; a negative one counts from the end.

    Args:
        axis: as written.
        shape: of the bottom.
        field: where it was written, for the error.

    Raises:
        FieldError: the bottom has no such axis.

    Example:
        >>> axis_of(-1, (2, 3, 5), "softmax_param.axis")
        2
    """
    count = len(shape)
    if -count <= axis < count:
        return axis % count
    has = f"is {axis}, but the bottom is {show(shape)}"
    raise FieldError(field, has, f"write an axis from {-count} to {count - 1}" if count else "")


def axis_in(layout: Layout, axis: int) -> int:
    """Where an axis other than the batch's, counted from 0 in Caffe's order, lies in a layout."""
    return axis - 1 if layout is CHWN else axis


def show(shape: Shape) -> str:
    """A shape for people: `64×1×28×28`, `scalar`."""
    return "×".join(map(str, shape)) or "scalar"


def must_equal(bottoms: Shapes, what: str) -> None:
    """Refuse bottoms that differ from the first in shape.

    Args:
        bottoms: shapes.
        what: the layer does with values at the same place: "adds".

    Raises:
        BottomError: one differs.
    """
    for index, shape in enumerate(bottoms[1:], 1):
        if shape != bottoms[0]:
            raise BottomError(
                index,
                f"is {show(shape)} and the first is {show(bottoms[0])}",
                f"a layer that {what} its bottoms needs them of one shape",
            )
