"""Input: a blob that the user fills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from netdef.diag import FieldError
from netdef.layers import base

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("Input")
@dataclass(frozen=True, slots=True)
class Input(base.Layer[None]):
    """Give blobs a shape; their values come from outside.

    Formula:
        none: what is written into the blobs stays there
    Bottoms:
        none
    Tops:
        any number, each with its shape
    Cost:
        nothing
    Source:
        caffe/src/caffe/layers/input_layer.cpp

    Differences from Caffe:
        A shape must be written; Caffe would build the net around empty blobs.

    Attributes:
        shape: of the tops, one for all or one for each.
        tops: how many.

    Example:
        >>> Input(((2, 3),), tops=2).shapes(())
        ((2, 3), (2, 3))
    """

    shape: tuple[base.Shape, ...] = ()
    tops: int = 1

    bottom_count = (0, 0)
    top_count = (1, None)
    reads_bottoms = False
    reads_tops = False

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `input_param` and count the tops.

        Raises:
            FieldError: there is not one shape for all tops or for each, or a size is negative.
        """
        del phase
        shape, tops = tuple(tuple(s.dim) for s in message.input_param.shape), len(message.top)
        if not shape:
            raise FieldError(
                "input_param.shape",
                "is missing",
                "write `input_param { shape { dim: 1 dim: 3 dim: 224 dim: 224 } }`",
            )
        if len(shape) not in (1, tops):
            raise FieldError(
                f"input_param.shape[{min(len(shape), tops + 1) - 1}]",
                f"is one of {len(shape)}, the layer has {tops} tops",
                "write one shape for all tops, or one for each",
            )
        for index, sizes in enumerate(shape):
            for axis, size in enumerate(sizes):
                if size < 0:
                    raise FieldError(
                        f"input_param.shape[{index}].dim[{axis}]",
                        f"must be at least 0, is {size}",
                        "a net can be given batches of another size when it runs",
                    )
        return cls(shape, tops)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """As written."""
        del bottoms
        return self.shape if len(self.shape) == self.tops else self.shape * self.tops

    def forward(self, run: base.Forward[None]) -> None:
        """Leave the blobs to the user."""
