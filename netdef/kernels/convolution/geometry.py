"""What one convolution is, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from netdef.kernels.taps import Tap, taps

Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Geometry:
    """Sizes of a convolution, without layout.

    Attributes:
        batch: images; for one shard of the batch.
        channels: of the input.
        outputs: channels of the output.
        size: input's spatial axes (height, width).
        kernel: taps along each spatial axis.
        stride: steps between outputs.
        pad: zeros on both sides.
        dilation: steps between taps.
        group: parts that channels and outputs are divided into.
    """

    batch: int
    channels: int
    outputs: int
    size: Sizes
    kernel: Sizes
    stride: Sizes
    pad: Sizes
    dilation: Sizes
    group: int = 1

    @property
    def out(self) -> Sizes:
        """The output's spatial axes; not above 0 where the kernel does not fit."""
        return tuple(
            (size + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
            for size, kernel, stride, pad, dilation in zip(
                self.size, self.kernel, self.stride, self.pad, self.dilation, strict=True
            )
        )

    @property
    def fan_in(self) -> int:
        """Values that one output is made of: channels of its group times taps."""
        return self.channels // self.group * prod(self.kernel)

    @property
    def columns_are_input(self) -> bool:
        """Whether the matrix of columns is the input as it lies: one GEMM does it all."""
        axes = zip(self.size, self.kernel, self.stride, self.pad, self.dilation, strict=True)
        if any(self.pad):
            return False
        if all(k == 1 and s == 1 for _, k, s, _, _ in axes):
            return True
        return self.kernel == self.size and all(d == 1 for d in self.dilation)

    def taps(self, axis: int) -> tuple[Tap, ...]:
        """For each tap along a spatial axis, the outputs for which it lies on the input."""
        size, out = self.size[axis], self.out[axis]
        stride, pad, dilation = self.stride[axis], self.pad[axis], self.dilation[axis]
        return taps(size, out, self.kernel[axis], stride, pad, dilation)
