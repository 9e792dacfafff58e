"""Vector instructions written out, for what the compiler's own loops are slow at.

Before each run, a loop that numba makes of so many rows checks that none overlap, and it ends
each run value by value; where runs are short, that takes longer than the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import cgutils
from numba.core.cgutils import ir

_BYTES = 64
"""Of a vector; where the machine's are shorter, the compiler makes several of it."""

Value = Any
"""What an instruction gives, of llvmlite's untyped kinds."""


class Vectors:
    """Writes loops over runs of values into a function that is being compiled.

    Attributes:
        builder: of the function.
        kind: a vector's type.
        lanes: values of a vector.
    """

    def __init__(self, context: Any, builder: Any, dtype: Any, part: int = 1) -> None:
        """Vectors that are as long as the machine has, or a `part` of that."""
        self._context, self.builder = context, builder
        self._size = dtype.bitwidth // 8
        self.lanes = _BYTES // self._size // part
        self.kind = ir.VectorType(context.get_value_type(dtype), self.lanes)
        self._name = f"v{self.lanes}f{dtype.bitwidth}.p0"

    def address(self, kind: Any, array: Value, place: Value) -> Value:
        """Where a flat array's value lies.

        Args:
            kind: numba's type of the array.
            array: numba's array.
            place: index of the value.
        """
        data = self._context.make_array(kind)(self._context, self.builder, array).data
        return self.builder.gep(data, [place])

    def over(self, count: Value, body: Callable[[Value, Value], None]) -> None:
        """Write a loop over a run of `count` values.

        Args:
            count: values.
            body: writes what is done to a vector of them: given the first one's index, and which
                lanes there are; None for all.
        """
        zero, lanes = ir.Constant(count.type, 0), ir.Constant(count.type, self.lanes)
        whole = self.builder.and_(count, ir.Constant(count.type, -self.lanes))
        rest = self.builder.sub(count, whole)
        with cgutils.for_range_slice(self.builder, zero, whole, lanes) as (place, _):
            body(place, None)
        with self.builder.if_then(self.builder.icmp_signed(">", rest, zero)):
            body(whole, self._first(rest))

    def is_one(self, count: Value) -> Value:
        """Whether a run of `count` values is just one vector."""
        return self.builder.icmp_signed("==", count, ir.Constant(count.type, self.lanes))

    @contextmanager
    def loop(self, count: Value) -> Iterator[Value]:
        """Write a loop around the block; its index."""
        with cgutils.for_range(self.builder, count, intp=count.type) as found:
            yield found.index

    def load(self, address: Value, lanes: Value) -> Value:
        """A vector; 0 where lanes are left out."""
        pointer = self.builder.bitcast(address, self.kind.as_pointer())
        if lanes is None:
            return self.builder.load(pointer, align=self._size)
        taken = [pointer.type, ir.IntType(32), lanes.type, self.kind]
        function = self._intrinsic("load", ir.FunctionType(self.kind, taken))
        zeros = ir.Constant(self.kind, None)
        return self.builder.call(function, [pointer, self._align(), lanes, zeros])

    def store(self, value: Value, address: Value, lanes: Value) -> None:
        """Write a vector, or those of its lanes."""
        pointer = self.builder.bitcast(address, self.kind.as_pointer())
        if lanes is None:
            self.builder.store(value, pointer, align=self._size)
            return
        taken = [self.kind, pointer.type, ir.IntType(32), lanes.type]
        function = self._intrinsic("store", ir.FunctionType(ir.VoidType(), taken))
        self.builder.call(function, [value, pointer, self._align(), lanes])

    def same(self, value: Value) -> Value:
        """A vector of one value."""
        return self._splat(value, self.kind)

    def constant(self, value: float) -> Value:
        """A vector of a known value."""
        return ir.Constant(self.kind, [value] * self.lanes)

    def _first(self, count: Value) -> Value:
        """The lanes below `count`."""
        kind = ir.VectorType(ir.IntType(32), self.lanes)
        places = ir.Constant(kind, list(range(self.lanes)))
        limit = self.builder.trunc(count, ir.IntType(32))
        return self.builder.icmp_signed("<", places, self._splat(limit, kind))

    def _splat(self, value: Value, kind: Any) -> Value:
        number, nothing = ir.IntType(32), ir.Constant(kind, ir.Undefined)
        one = self.builder.insert_element(nothing, value, ir.Constant(number, 0))
        order = ir.Constant(ir.VectorType(number, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(one, nothing, order)

    def _intrinsic(self, what: str, kind: Any) -> Value:
        name = f"llvm.masked.{what}.{self._name}"
        return cgutils.get_or_insert_function(self.builder.module, kind, name)

    def _align(self) -> Value:
        return ir.Constant(ir.IntType(32), self._size)
