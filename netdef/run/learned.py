"""A learned parameter of a running net: its values and its gradient."""

from __future__ import annotations

from threading import RLock
from weakref import ReferenceType, ref

import numpy as np

from netdef.graph import Param
from netdef.kernels.memory import zeros_beside
from netdef.layers.base import Array, Shape

_LOCK = RLock()  # one for all, as nets in different threads may share values


class Values:
    """The values of a param, which knows when somebody may write to them.

    Whoever asks for them is lent an array that others are made of, so that it lives as long as
    the last of these: slices, reshapes, memoryviews. As long as it lives, and once after its
    end, the values count as changed.

    Args:
        array: the values; nobody else has it but a program's layers.
        open: whether these write to it.
    """

    def __init__(self, array: Array, *, open: bool = False) -> None:
        self.array = array
        self.open = open
        self._version = 0
        self._lent: ReferenceType[Array] | None = None

    def lend(self) -> Array:
        """The values, to read and to write."""
        with _LOCK:
            lent = None if self._lent is None else self._lent()
            if lent is None:
                # what is sliced from an array holds that one, unless it is itself a mere slice of
                # another array: a memoryview in between (`data`) makes it none
                lent = np.asarray(self.array.data)
                self._lent = ref(lent)
            return lent

    def version(self) -> int:
        """A number that is another one each time if values may have changed in between."""
        with _LOCK:
            if self.open or self._lent is not None:
                self._version += 1
            if self._lent is not None and self._lent() is None:
                self._lent = None
            return self._version

    def __reduce__(self) -> tuple[object, ...]:
        return Values, (self.array,), {"open": self.open}


class LearnedParam:
    """A param with its arrays; layers that share it hold the same one.

    Attributes:
        name: of the `param` block, "" for none.
        layer: name of the layer that owns it.
        index: which of that layer's params it is.
        role: "weight", "bias", ….
        lr_mult: multiplies the solver's rate.
        decay_mult: multiplies the solver's weight decay.
        learns: whether a solver changes it.
    """

    def __init__(self, param: Param, layer: str, values: Values) -> None:
        self.name = param.name
        self.layer = layer
        self.index = param.owner.index
        self.role = param.role
        self.lr_mult = param.lr_mult
        self.decay_mult = param.decay_mult
        self.learns = param.learns
        self.values = values
        self.gradient: Array | None = None
        self.fresh = True

    @property
    def data(self) -> Array:
        """The values, float32, in Caffe's shape; what is written there holds from the next pass on.

        While the array is held, or one that is made of its memory, every pass takes the values
        anew; otherwise a net that only runs forward keeps what it makes of them.
        """
        return self.values.lend()

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
            self.gradient = zeros_beside(self.values.array)
        return self.gradient

    def clear_diff(self) -> None:
        """Make the gradient zero; the next backward pass sets it and spares the filling."""
        self.fresh = True

    @property
    def shape(self) -> Shape:
        """Caffe's shape."""
        return self.values.array.shape

    @property
    def count(self) -> int:
        """How many values it holds."""
        return self.values.array.size

    def __repr__(self) -> str:
        shape = "×".join(map(str, self.shape)) or "scalar"
        return f"<{self.layer}[{self.index}] {self.role} {shape}>"
