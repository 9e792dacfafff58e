"""How parameters start: Caffe's fillers.

Source: caffe/include/caffe/filler.hpp, the formulas only.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netdef.diag import FieldError, nearest, surely

if TYPE_CHECKING:
    from netdef.schema import FillerParameter

TYPES = ("constant", "uniform", "gaussian", "positive_unitball", "xavier", "msra", "bilinear")
_NORMS = ("FAN_IN", "FAN_OUT", "AVERAGE")


@dataclass(frozen=True, slots=True)
class Filler:
    """Fills an array before training.

    Attributes:
        type: one of `TYPES`.
        value: of a constant.
        min: least value of a uniform.
        max: greatest value of a uniform.
        mean: of a gaussian.
        std: of a gaussian.
        sparse: inputs of each output that a gaussian leaves non-zero on average; -1: all.
        variance_norm: which fan xavier and msra divide by.
    """

    type: str = "constant"
    value: float = 0.0
    min: float = 0.0
    max: float = 1.0
    mean: float = 0.0
    std: float = 1.0
    sparse: int = -1
    variance_norm: str = "FAN_IN"

    @classmethod
    def read(cls, message: FillerParameter, field: str) -> Filler:
        """Read a filler message; `field` is its path from the layer, for errors."""
        if message.type not in TYPES:
            sure = surely(message.type, TYPES, ends_kept=True)
            near = [sure] if sure else nearest(message.type, TYPES, most=1)
            hint = f'write `type: "{near[0]}"`' if near else f"the fillers are {', '.join(TYPES)}"
            raise FieldError(f"{field}.type", f"is no filler: `{message.type}`", hint, sure)
        if message.sparse != -1 and message.type != "gaussian":
            raise FieldError(
                f"{field}.sparse",
                f"is only for gaussian, not for {message.type}",
                'write `type: "gaussian"`, or leave `sparse` out',
            )
        if message.sparse < -1:
            raise FieldError(f"{field}.sparse", f"must be at least 0, is {message.sparse}")
        return cls(
            message.type,
            message.value,
            message.min,
            message.max,
            message.mean,
            message.std,
            message.sparse,
            _NORMS[message.variance_norm],
        )

    def check(self, shape: tuple[int, ...], field: str) -> None:
        """Refuse a shape that this filler cannot fill.

        Raises:
            FieldError: bilinear wants 4 axes and square kernels.
        """
        if self.type == "bilinear" and (len(shape) != 4 or shape[2] != shape[3]):
            raise FieldError(
                f"{field}.type",
                f"bilinear fills square kernels of 4 axes, here the shape is {shape}",
            )

    def fill(self, out: NDArray[Any], random: np.random.Generator) -> None:
        """Fill an array of Caffe's shape."""
        match self.type:
            case "constant":
                out.fill(self.value)
            case "uniform":
                out[...] = random.uniform(self.min, self.max, out.shape)
            case "gaussian":
                out[...] = random.normal(self.mean, self.std, out.shape)
                if self.sparse >= 0:
                    # Caffe counts the inputs of an output as shape[0]
                    keep = min(1.0, self.sparse / out.shape[0])
                    out *= random.random(out.shape) < keep
            case "positive_unitball":
                rows = random.uniform(0, 1, (out.shape[0], prod(out.shape[1:])))
                out[...] = (rows / rows.sum(axis=1, keepdims=True)).reshape(out.shape)
            case "xavier":
                limit = sqrt(3.0 / self.fan(out.shape))
                out[...] = random.uniform(-limit, limit, out.shape)
            case "msra":
                out[...] = random.normal(0.0, sqrt(2.0 / self.fan(out.shape)), out.shape)
            case "bilinear":
                out[...] = _bilinear(out.shape[-1])

    def fan(self, shape: tuple[int, ...]) -> float:
        """Inputs (FAN_IN), outputs (FAN_OUT) or their mean (AVERAGE) of one unit."""
        count = prod(shape)
        fan_in, fan_out = count / shape[0], count / shape[1] if len(shape) > 1 else count
        return {"FAN_IN": fan_in, "FAN_OUT": fan_out, "AVERAGE": (fan_in + fan_out) / 2}[
            self.variance_norm
        ]

    def spread(self, shape: tuple[int, ...]) -> float:
        """Standard deviation of the values this filler gives an array of that shape."""
        match self.type:
            case "uniform":
                return (self.max - self.min) / sqrt(12)
            case "gaussian":
                return self.std
            case "xavier":
                return sqrt(1.0 / self.fan(shape))
            case "msra":
                return sqrt(2.0 / self.fan(shape))
            case _:
                return 0.0


ZEROS = Filler()
"""What Caffe fills with where no filler is written."""


def _bilinear(size: int) -> NDArray[np.float64]:
    """A kernel that upsamples by bilinear interpolation."""
    factor = -(-size // 2)
    centre = (2 * factor - 1 - factor % 2) / (2.0 * factor)
    ramp = 1 - np.abs(np.arange(size) / factor - centre)
    return np.outer(ramp, ramp)
