"""Settings of windows that move over spatial axes: read, spread over the axes, written short."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netdef.diag import FieldError
from netdef.layers.axes import show

if TYPE_CHECKING:
    from netdef.schema.netdef_pb2 import ConvolutionParameter

Sizes = tuple[int, ...]


def read_sizes(
    message: ConvolutionParameter, path: str, name: str, stem: str, least: int, default: int | None
) -> Sizes:
    """Read one setting of a convolution, given as a list or as *_h and *_w.

    Args:
        message: that holds the fields.
        path: of the message, for errors.
        name: of the list field: `kernel_size`.
        stem: of the fields by axis: `kernel` for `kernel_h` and `kernel_w`.
        least: smallest value allowed.
        default: value where none is given; None where one must be.

    Returns:
        One size for all axes, or one for each.

    Raises:
        FieldError: given both ways, by half, too small, or missing.
    """
    listed: Sequence[int] = getattr(message, name)
    fields = [f"{stem}_{axis}" for axis in "hw"]
    given: list[str] = [f for f in fields if message.HasField(f)]  # type: ignore[arg-type]
    if given and listed:
        raise FieldError(
            f"{path}.{given[0]}",
            f"and `{name}` say the same thing",
            f"write `{name}`, or `{fields[0]}` and `{fields[1]}`",
        )
    if given:
        for missing in fields if least > 0 else ():
            if missing not in given:
                raise FieldError(
                    f"{path}.{missing}",
                    f"is missing beside `{given[0]}`",
                    f"write `{missing}: {getattr(message, given[0])}` as well",
                )
        sizes = tuple(int(getattr(message, f)) for f in fields)
    elif listed:
        sizes = tuple(int(size) for size in listed)
        fields = [f"{name}[{i}]" for i in range(len(sizes))] if len(sizes) > 1 else [name]
    elif default is None:
        raise FieldError(f"{path}.{name}", "is missing", f"write, for example, `{name}: 3`")
    else:
        return (default,)
    for field, size in zip(fields, sizes, strict=True):
        if size < least:
            raise FieldError(f"{path}.{field}", f"must be at least {least}, is {size}")
    return sizes


def spread(sizes: Sizes, axes: int, field: str) -> Sizes:
    """One size for each spatial axis.

    Args:
        sizes: as read: one for all axes, or one for each.
        axes: how many there are.
        field: for errors.

    Raises:
        FieldError: neither one nor as many as there are axes.
    """
    if len(sizes) == axes:
        return sizes
    if len(sizes) == 1:
        return sizes * axes
    raise FieldError(
        field,
        f"has {len(sizes)} values, and there are {axes} spatial axes",
        "give one value for all axes, or one for each",
    )


def window_settings(kernel: Sizes, stride: Sizes, pad: Sizes) -> str:
    """Kernel, stride and padding in a few characters; what changes nothing is left out.

    Example:
        >>> window_settings((7,), (2,), (3,))
        '7×7/2 p3'
        >>> window_settings((1, 7), (1,), (0, 3))
        '1×7 p0×3'
    """
    text = show(kernel * 2 if len(kernel) == 1 else kernel)
    if any(s != 1 for s in stride):
        text += f"/{once(stride)}"
    if any(pad):
        text += f" p{once(pad)}"
    return text


def once(sizes: Sizes) -> str:
    """`3` where all sizes are 3, else as `3×5`."""
    return str(sizes[0]) if len(set(sizes)) == 1 else show(sizes)


def read_dilation(listed: list[int], path: str) -> Sizes:
    """Read the dilation of a convolution: one size for all axes, or one for each.

    Args:
        listed: as written.
        path: of the message, for errors.

    Raises:
        FieldError: a size below 1.
    """
    for index, size in enumerate(listed):
        if size < 1:
            place = f"dilation[{index}]" if len(listed) > 1 else "dilation"
            raise FieldError(
                f"{path}.{place}", f"must be at least 1, is {size}", "1 leaves no gaps"
            )
    return tuple(listed) or (1,)
