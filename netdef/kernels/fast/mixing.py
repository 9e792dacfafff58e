"""Rows of values moved, and small constant matrices times rows.

Both are called from compiled kernels only. A matrix is known when its kernel is compiled: there
is no instruction for its zeros, and rows or columns that differ only in signs share their sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from netdef.kernels.fast.vectors import Value, Vectors

Array = NDArray[Any]

_FUSED = ("contract", "nsz")
"""A product may be added without being rounded before."""


def spelled(matrix: Array) -> str:
    """A matrix as `mix` takes it: a text, which is constant in a compiled function."""
    return ";".join(" ".join(repr(float(value)) for value in row) for row in matrix)


def _mix(
    _: Any,
    matrix: Any,
    period: Any,
    source: Any,
    start: Any,
    step: Any,
    lap: Any,
    target: Any,
    to: Any,
    apart: Any,
    count: Any,
    shift: Any,
) -> Any:
    if not isinstance(matrix, types.StringLiteral) or not isinstance(period, types.IntegerLiteral):
        return None
    factors = np.array([row.split() for row in matrix.literal_value.split(";")], float)
    each = period.literal_value

    def generate(context: Any, builder: Any, signature: Any, args: Sequence[Any]) -> Any:
        _, _, source, start, step, lap, target, to, apart, count, shift = args
        _, _, sources, *_, targets, _, _, _, shifts = signature.args
        vectors = Vectors(context, builder, sources.dtype)

        def at(base: Value, *terms: tuple[int, Value]) -> Value:
            for times, value in terms:
                base = builder.add(base, builder.mul(value, value.type(times)))
            return base

        inputs = [
            vectors.address(sources, source, at(start, (k // each, lap), (k % each, step)))
            for k in range(factors.shape[1])
        ]
        outputs = [
            vectors.address(targets, target, at(to, (k, apart))) for k in range(factors.shape[0])
        ]
        more = None if isinstance(shifts, types.NoneType) else vectors.same(shift)

        def body(place: Value, lanes: Value) -> None:
            values = [vectors.load(builder.gep(p, [place]), lanes) for p in inputs]
            made = _times(vectors, factors, values)
            for pointer, value in zip(outputs, made, strict=True):
                shifted = value if more is None else builder.fadd(value, more)
                vectors.store(shifted, builder.gep(pointer, [place]), lanes)

        vectors.over(count, body)
        return context.get_dummy_value()

    n = types.intp
    added = shift if isinstance(shift, types.NoneType) else source.dtype
    return types.void(matrix, period, source, n, n, n, target, n, n, n, added), generate


mix: Callable[..., None] = intrinsic(prefer_literal=True)(_mix)
"""Write rows of values: a matrix times rows of another array.

Args:
    matrix: constant, as from `spelled`: (rows of the target, rows of the source).
    period: constant: rows of the source between which there are `step`s; then comes a `lap`.
    source: flat; its row k starts at start + k // period * lap + k % period * step.
    start: of its first row.
    step: from one row to the next.
    lap: from one period to the next.
    target: flat, apart from the source.
    to: where its first row starts.
    apart: from one row to the next.
    count: values of a row.
    shift: added to all; None for nothing.
"""


def _move(
    _: Any,
    how: Any,
    source: Any,
    at: Any,
    by: Any,
    target: Any,
    to: Any,
    step: Any,
    runs: Any,
    count: Any,
) -> Any:
    if not isinstance(how, types.StringLiteral):
        return None
    adds = {"set": False, "add": True}[how.literal_value]

    def generate(context: Any, builder: Any, signature: Any, args: Sequence[Any]) -> Any:
        _, source, at, by, target, to, step, runs, count = args
        _, sources, _, _, targets, *_ = signature.args
        whole = Vectors(context, builder, sources.dtype)
        start, goal = whole.address(sources, source, at), whole.address(targets, target, to)

        def one(vectors: Vectors, here: Value, there: Value, lanes: Value) -> None:
            value = vectors.load(here, lanes)
            if adds:
                value = builder.fadd(vectors.load(there, lanes), value)
            vectors.store(value, there, lanes)

        def each(body: Callable[[Value, Value], None]) -> None:
            with whole.loop(runs) as index:
                here = builder.gep(start, [builder.mul(index, by)])
                body(here, builder.gep(goal, [builder.mul(index, step)]))

        def long(here: Value, there: Value) -> None:
            def body(k: Value, lanes: Value) -> None:
                one(whole, builder.gep(here, [k]), builder.gep(there, [k]), lanes)

            whole.over(count, body)

        def choose(parts: Sequence[int]) -> None:
            if not parts:
                each(long)
                return
            some = Vectors(context, builder, sources.dtype, parts[0])
            with builder.if_else(some.is_one(count)) as (is_one, is_other):
                with is_one:
                    each(lambda here, there: one(some, here, there, None))
                with is_other:
                    choose(parts[1:])

        # the shortest runs, of small batches, are single instructions
        choose([part for part in (16, 8, 4, 2, 1) if part <= whole.lanes])
        return context.get_dummy_value()

    n = types.intp
    return types.void(how, source, n, n, target, n, n, n, n), generate


move: Callable[..., None] = intrinsic(prefer_literal=True)(_move)
"""Copy runs of values from one array to another, or add them.

Args:
    how: constant, "set" or "add".
    source: flat.
    at: where its first run starts.
    by: from one run to the next.
    target: flat; places that are apart from the source's.
    to: where its first run starts.
    step: from one run to the next.
    runs: how many.
    count: values of each.
"""


def _times(vectors: Vectors, matrix: Array, values: list[Value]) -> list[Value]:
    """A matrix times a column of vectors."""
    builder = vectors.builder
    twins = _twins(matrix.T)
    if not twins:
        return _by_rows(vectors, matrix, values)
    # a column and its twin count as their sum and their difference
    columns, some = list(matrix.T), list(values)
    for a, b in twins:
        same = matrix[:, a] == matrix[:, b]
        columns[a], columns[b] = np.where(same, matrix[:, a], 0), np.where(same, 0, matrix[:, a])
        some[a] = builder.fadd(values[a], values[b])
        some[b] = builder.fsub(values[a], values[b])
    return [_sum(vectors, row, some) for row in np.stack(columns, axis=1)]


def _by_rows(vectors: Vectors, matrix: Array, values: list[Value]) -> list[Value]:
    """The same, where rows may have twins."""
    builder = vectors.builder
    made: dict[int, Value] = {}
    for a, b in _twins(matrix):
        same = matrix[a] == matrix[b]
        kept = _sum(vectors, np.where(same, matrix[a], 0), values)
        turned = _sum(vectors, np.where(same, 0, matrix[a]), values)
        made[a], made[b] = builder.fadd(kept, turned), builder.fsub(kept, turned)
    return [made[k] if k in made else _sum(vectors, r, values) for k, r in enumerate(matrix)]


def _twins(matrix: Array) -> list[tuple[int, int]]:
    """Pairs of rows that are the same but for some signs."""
    found: list[tuple[int, int]] = []
    left = list(range(len(matrix)))
    while left:
        a = left.pop(0)
        for b in left:
            signs = np.sign(matrix[a]) == np.sign(matrix[b])
            if (np.abs(matrix[a]) == np.abs(matrix[b])).all() and not signs.all():
                found.append((a, b))
                left.remove(b)
                break
    return found


def _sum(vectors: Vectors, factors: Array, values: list[Value]) -> Value:
    """The sum of vectors times factors; what needs no product comes first."""
    builder = vectors.builder
    terms = [(float(f), v) for f, v in zip(factors, values, strict=True) if f]
    terms.sort(key=lambda term: abs(term[0]) != 1)
    total = None
    for factor, value in terms:
        part, plus = value, builder.fadd
        if factor == -1 and total is not None:
            plus = builder.fsub
        elif factor != 1:
            part = builder.fmul(value, vectors.constant(factor), flags=_FUSED)
        total = part if total is None else plus(total, part, flags=_FUSED)
    return vectors.constant(0) if total is None else total
