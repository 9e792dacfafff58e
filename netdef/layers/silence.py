"""Silence: read blobs that nobody else wants to read."""

from __future__ import annotations

from dataclasses import dataclass

from netdef.layers import base


@base.layer("Silence")
@dataclass(frozen=True, slots=True)
class Silence(base.Layer[None]):
    """Take bottoms and do nothing, so that they are not outputs of the net.

    Formula:
        nothing; the gradient is 0
    Bottoms:
        any number, of any shape
    Tops:
        none
    Cost:
        nothing
    Source:
        caffe/src/caffe/layers/silence_layer.cpp

    Example:
        >>> Silence().shapes(((2, 3),))
        ()
    """

    layout = base.ANY
    bottom_count = (1, None)
    top_count = (0, 0)
    reads_bottoms = False
    reads_tops = False
    accumulates = True

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """No tops."""
        del bottoms
        return ()

    def forward(self, run: base.Forward[None]) -> None:
        """Do nothing."""

    def backward(self, run: base.Backward[None]) -> None:
        """Set dx = 0."""
        for index, dx in enumerate(run.bottom_diffs):
            if dx is not None and not run.adds(index):
                dx.fill(0)
