"""A learned parameter of a running net: its values and its gradient."""

from __future__ import annotations

from netdef.graph import Param
from netdef.kernels.memory import aligned_zeros
from netdef.layers.base import Array, Shape


class LearnedParam:
    """A param with its arrays; layers that share it hold the same one.

    Attributes:
        name: of the `param` block, "" for none.
        layer: name of the layer that owns it.
        index: which of that layer's params it is.
        role: "weight", "bias", ….
        data: the values, float32, in Caffe's shape.
        lr_mult: multiplies the solver's rate.
        decay_mult: multiplies the solver's weight decay.
        learns: whether a solver changes it.
    """

    def __init__(self, param: Param, layer: str, data: Array) -> None:
        self.name = param.name
        self.layer = layer
        self.index = param.owner.index
        self.role = param.role
        self.lr_mult = param.lr_mult
        self.decay_mult = param.decay_mult
        self.learns = param.learns
        self.data = data
        self.gradient: Array | None = None
        self.fresh = True

    @property
    def diff(self) -> Array:
        """The gradient of the loss by the values, summed since it was last cleared."""
        if self.fresh:
            self.array().fill(0)
            self.fresh = False
        return self.array()

    def array(self) -> Array:
        """The gradient's array, whatever is in it."""
        if self.gradient is None:
            self.gradient = aligned_zeros(self.data.shape)
        return self.gradient

    def clear_diff(self) -> None:
        """Make the gradient zero; the next backward pass sets it and spares the filling."""
        self.fresh = True

    @property
    def shape(self) -> Shape:
        """Caffe's shape."""
        return self.data.shape

    @property
    def count(self) -> int:
        """How many values it holds."""
        return self.data.size

    def __repr__(self) -> str:
        shape = "×".join(map(str, self.shape)) or "scalar"
        return f"<{self.layer}[{self.index}] {self.role} {shape}>"
