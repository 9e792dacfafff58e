"""The second operand of Scale and Bias: a param, or another bottom, along axes of the first."""

from __future__ import annotations

from math import prod

from netdef.diag import BottomError, FieldError
from netdef.kernels.along import Along
from netdef.layers.axes import axis_of, show
from netdef.layers.base import ANY, CHWN, NCHW, Array, Layout, Shape, Shapes, Site


def operand(bottoms: Shapes, axis: int, num_axes: int, path: str) -> tuple[int, Shape]:
    """First axis of the first bottom that the operand lies along, and the operand's shape.

    Args:
        bottoms: one for a param, two for a bottom.
        axis: as written.
        num_axes: as written; of a param only.
        path: of the message, for errors.

    Raises:
        FieldError: the operand reaches beyond the first bottom.
        BottomError: the second bottom does not fit the first.

    Example:
        >>> operand(((2, 3, 5, 7),), 1, 2, "scale_param")
        (1, (3, 5))
    """
    bottom = bottoms[0]
    if len(bottoms) == 1:
        start = axis_of(axis, bottom, f"{path}.axis") if num_axes or bottom else 0
        if num_axes > len(bottom) - start:
            raise FieldError(
                f"{path}.num_axes",
                f"is {num_axes}, but from axis {start} on the bottom, {show(bottom)}, has "
                f"{len(bottom) - start}",
                "write -1 for all axes to the end",
            )
        return start, bottom[start:] if num_axes == -1 else bottom[start : start + num_axes]
    shape = bottoms[1]
    start = axis_of(axis, bottom, f"{path}.axis") if shape else 0
    if bottom[start : start + len(shape)] != shape:
        raise BottomError(
            1,
            f"is {show(shape)}, but from axis {start} on the first is {show(bottom[start:])}",
            f"the second bottom has the sizes of the first, from `axis: {start}` on",
        )
    return start, shape


def operand_layout(start: int, shape: Shape, bottoms: int, *, learned: bool) -> Layout:
    """Where a layer with this operand computes.

    Batch innermost, unless images of the batch share a bottom or have params of their own.

    Args:
        start: first axis of the first bottom that the operand lies along.
        shape: of the operand.
        bottoms: how many there are.
        learned: whether there are params of that shape.
    """
    if bottoms == 1:
        return CHWN if start and shape else NCHW if shape else ANY
    return CHWN if start == 0 and shape and not learned else NCHW


def operand_along(site: Site, axis: int, num_axes: int, path: str) -> Along:
    """How the operand lies in the first bottom, in the layout of a site.

    Args:
        site: shapes and layout.
        axis: as written.
        num_axes: as written.
        path: of the message.
    """
    inner = site.layout is CHWN
    start, shape = operand(
        tuple((*b[-1:], *b[:-1]) if inner else b for b in site.bottoms), axis, num_axes, path
    )
    large = site.bottoms[0]
    if inner and start == 0 and shape:
        *before, batch = site.bottoms[1]
        length = prod(large) // (prod(before) * batch)
        return Along((prod(before), length, batch), site.dtype, own=True)
    if inner and shape:
        start -= 1  # the batch axis is behind
    end = start + len(shape)
    seen = prod(large[:start]), prod(shape), prod(large[end:])
    way = Along
    if site.fast:
        from netdef.kernels.fast.along import choose_fast  # compiles, so only if asked

        way = choose_fast(seen)
    return way(seen, site.dtype)


def sum_into(along: Along, diff: Array | None, *, adds: bool = False) -> Array | None:
    """A view of the operand's gradient to add to: what it holds, or 0.

    Args:
        along: how the operand lies.
        diff: where the gradient is written; None for nowhere.
        adds: keep what it holds.
    """
    if diff is None:
        return None
    if not adds:
        diff.fill(0)
    return along.small(diff)


def check_num_axes(num_axes: int, path: str) -> None:
    """Refuse fewer axes than none.

    Raises:
        FieldError: num_axes is below -1.
    """
    if num_axes < -1:
        raise FieldError(
            f"{path}.num_axes",
            f"must be at least 0, or -1 for all axes to the end, is {num_axes}",
        )
