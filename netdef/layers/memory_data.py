"""MemoryData: batches of arrays that a program gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from netdef.diag import FieldError
from netdef.layers import base

if TYPE_CHECKING:
    from netdef.data.memory import MemoryReader
    from netdef.data.reader import Context
    from netdef.schema import LayerParameter

_SIZES: tuple[Literal["batch_size", "channels", "height", "width"], ...] = (
    "batch_size",
    "channels",
    "height",
    "width",
)


@base.layer("MemoryData")
@dataclass(frozen=True, slots=True)
class MemoryData(base.DataLayer):
    """Batches of arrays in memory, from the start again at their end.

    Tops:
        data: (N, C, H, W)
        label: (N,)
    Cost:
        a copy
    Source:
        caffe/src/caffe/layers/memory_data_layer.cpp

    `net.set_input_arrays(data, labels)` gives the arrays, a multiple of N examples.

    As in Caffe, a transform_param changes nothing: arrays are taken as they are.

    Attributes:
        batch_size: N.
        channels: C.
        height: H.
        width: W.

    Example:
        >>> MemoryData(2, 3, 5, 7).known_shapes(("data", "label"))
        ((2, 3, 5, 7), (2,))
    """

    batch_size: int
    channels: int
    height: int
    width: int

    top_count = (2, 2)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `memory_data_param`.

        Raises:
            FieldError: a size is missing or 0.
        """
        del phase
        param = message.memory_data_param
        for name in _SIZES:
            if getattr(param, name) < 1:
                what = "must be at least 1, is 0" if param.HasField(name) else "is missing"
                raise FieldError(
                    f"memory_data_param.{name}", what, "write all of " + ", ".join(_SIZES)
                )
        return cls(param.batch_size, param.channels, param.height, param.width)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """As written."""
        del bottoms
        return ((self.batch_size, self.channels, self.height, self.width), (self.batch_size,))

    def known_shapes(self, tops: tuple[str, ...]) -> base.Shapes:
        """As written."""
        return self.shapes(())[: len(tops)]

    def settings(self) -> str:
        """Nothing that the shapes do not say."""
        return ""

    def open(self, context: Context, tops: tuple[str, ...]) -> MemoryReader:
        """A reader without arrays."""
        from netdef.data.memory import MemoryReader

        del context, tops
        return MemoryReader((self.batch_size, self.channels, self.height, self.width))
