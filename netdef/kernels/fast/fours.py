"""Taps of a kernel's row times four outputs, whose weights or sums stay in registers.

In all of these `x` is flat, `at` says where the values of each tap start in it, and `k` holds a
row of weights for each output. `add…` change `count` values of `y` from `low` on; `sum…` change
`k`, and d0 to d3 are the outputs' gradients.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from netdef.kernels.fast.jit import compiled, summing

Array = NDArray[Any]


@summing
def add5(y: Array, low: int, count: int, x: Array, at: Array, k: Array) -> None:
    """Add five taps, times their weights, to four outputs."""
    y0, y1 = y[0, low : low + count], y[1, low : low + count]
    y2, y3 = y[2, low : low + count], y[3, low : low + count]
    x0, x1, x2, x3, x4 = x[at[0] :], x[at[1] :], x[at[2] :], x[at[3] :], x[at[4] :]
    a0, a1, a2, a3, a4 = k[0, 0], k[0, 1], k[0, 2], k[0, 3], k[0, 4]
    b0, b1, b2, b3, b4 = k[1, 0], k[1, 1], k[1, 2], k[1, 3], k[1, 4]
    c0, c1, c2, c3, c4 = k[2, 0], k[2, 1], k[2, 2], k[2, 3], k[2, 4]
    d0, d1, d2, d3, d4 = k[3, 0], k[3, 1], k[3, 2], k[3, 3], k[3, 4]
    for n in range(y0.size):
        v0, v1, v2, v3, v4 = x0[n], x1[n], x2[n], x3[n], x4[n]
        y0[n] = y0[n] + a0 * v0 + a1 * v1 + a2 * v2 + a3 * v3 + a4 * v4
        y1[n] = y1[n] + b0 * v0 + b1 * v1 + b2 * v2 + b3 * v3 + b4 * v4
        y2[n] = y2[n] + c0 * v0 + c1 * v1 + c2 * v2 + c3 * v3 + c4 * v4
        y3[n] = y3[n] + d0 * v0 + d1 * v1 + d2 * v2 + d3 * v3 + d4 * v4


@summing
def add4(y: Array, low: int, count: int, x: Array, at: Array, k: Array) -> None:
    """Add four taps, times their weights, to four outputs."""
    y0, y1 = y[0, low : low + count], y[1, low : low + count]
    y2, y3 = y[2, low : low + count], y[3, low : low + count]
    x0, x1, x2, x3 = x[at[0] :], x[at[1] :], x[at[2] :], x[at[3] :]
    a0, a1, a2, a3 = k[0, 0], k[0, 1], k[0, 2], k[0, 3]
    b0, b1, b2, b3 = k[1, 0], k[1, 1], k[1, 2], k[1, 3]
    c0, c1, c2, c3 = k[2, 0], k[2, 1], k[2, 2], k[2, 3]
    d0, d1, d2, d3 = k[3, 0], k[3, 1], k[3, 2], k[3, 3]
    for n in range(y0.size):
        v0, v1, v2, v3 = x0[n], x1[n], x2[n], x3[n]
        y0[n] = y0[n] + a0 * v0 + a1 * v1 + a2 * v2 + a3 * v3
        y1[n] = y1[n] + b0 * v0 + b1 * v1 + b2 * v2 + b3 * v3
        y2[n] = y2[n] + c0 * v0 + c1 * v1 + c2 * v2 + c3 * v3
        y3[n] = y3[n] + d0 * v0 + d1 * v1 + d2 * v2 + d3 * v3


@summing
def add3(y: Array, low: int, count: int, x: Array, at: Array, k: Array) -> None:
    """Add three taps, times their weights, to four outputs."""
    y0, y1 = y[0, low : low + count], y[1, low : low + count]
    y2, y3 = y[2, low : low + count], y[3, low : low + count]
    x0, x1, x2 = x[at[0] :], x[at[1] :], x[at[2] :]
    a0, a1, a2 = k[0, 0], k[0, 1], k[0, 2]
    b0, b1, b2 = k[1, 0], k[1, 1], k[1, 2]
    c0, c1, c2 = k[2, 0], k[2, 1], k[2, 2]
    d0, d1, d2 = k[3, 0], k[3, 1], k[3, 2]
    for n in range(y0.size):
        v0, v1, v2 = x0[n], x1[n], x2[n]
        y0[n] = y0[n] + a0 * v0 + a1 * v1 + a2 * v2
        y1[n] = y1[n] + b0 * v0 + b1 * v1 + b2 * v2
        y2[n] = y2[n] + c0 * v0 + c1 * v1 + c2 * v2
        y3[n] = y3[n] + d0 * v0 + d1 * v1 + d2 * v2


@summing
def add1(y: Array, low: int, count: int, x: Array, at: Array, k: Array) -> None:
    """Add one tap, times their weights, to four outputs."""
    y0, y1 = y[0, low : low + count], y[1, low : low + count]
    y2, y3 = y[2, low : low + count], y[3, low : low + count]
    x0, a0, b0, c0, d0 = x[at[0] :], k[0, 0], k[1, 0], k[2, 0], k[3, 0]
    for n in range(y0.size):
        v = x0[n]
        y0[n] = y0[n] + a0 * v
        y1[n] = y1[n] + b0 * v
        y2[n] = y2[n] + c0 * v
        y3[n] = y3[n] + d0 * v


@summing
def sum5(d0: Array, d1: Array, d2: Array, d3: Array, x: Array, at: Array, k: Array) -> None:
    """Add to the weights of five taps the sums of products with four outputs' gradients."""
    x0, x1, x2, x3, x4 = x[at[0] :], x[at[1] :], x[at[2] :], x[at[3] :], x[at[4] :]
    a0 = a1 = a2 = a3 = a4 = b0 = b1 = b2 = b3 = b4 = x.dtype.type(0)
    c0 = c1 = c2 = c3 = c4 = e0 = e1 = e2 = e3 = e4 = x.dtype.type(0)
    for n in range(d0.size):
        v0, v1, v2, v3, v4 = x0[n], x1[n], x2[n], x3[n], x4[n]
        a, b, c, e = d0[n], d1[n], d2[n], d3[n]
        a0 += a * v0
        a1 += a * v1
        a2 += a * v2
        a3 += a * v3
        a4 += a * v4
        b0 += b * v0
        b1 += b * v1
        b2 += b * v2
        b3 += b * v3
        b4 += b * v4
        c0 += c * v0
        c1 += c * v1
        c2 += c * v2
        c3 += c * v3
        c4 += c * v4
        e0 += e * v0
        e1 += e * v1
        e2 += e * v2
        e3 += e * v3
        e4 += e * v4
    _put5(k[0], a0, a1, a2, a3, a4)
    _put5(k[1], b0, b1, b2, b3, b4)
    _put5(k[2], c0, c1, c2, c3, c4)
    _put5(k[3], e0, e1, e2, e3, e4)


@compiled
def _put5(k: Array, a: float, b: float, c: float, d: float, e: float) -> None:
    k[0] += a
    k[1] += b
    k[2] += c
    k[3] += d
    k[4] += e


@summing
def sum4(d0: Array, d1: Array, d2: Array, d3: Array, x: Array, at: Array, k: Array) -> None:
    """Add to the weights of four taps the sums of products with four outputs' gradients."""
    x0, x1, x2, x3 = x[at[0] :], x[at[1] :], x[at[2] :], x[at[3] :]
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = x.dtype.type(0)
    c0 = c1 = c2 = c3 = e0 = e1 = e2 = e3 = x.dtype.type(0)
    for n in range(d0.size):
        v0, v1, v2, v3 = x0[n], x1[n], x2[n], x3[n]
        a, b, c, e = d0[n], d1[n], d2[n], d3[n]
        a0 += a * v0
        a1 += a * v1
        a2 += a * v2
        a3 += a * v3
        b0 += b * v0
        b1 += b * v1
        b2 += b * v2
        b3 += b * v3
        c0 += c * v0
        c1 += c * v1
        c2 += c * v2
        c3 += c * v3
        e0 += e * v0
        e1 += e * v1
        e2 += e * v2
        e3 += e * v3
    _put4(k[0], a0, a1, a2, a3)
    _put4(k[1], b0, b1, b2, b3)
    _put4(k[2], c0, c1, c2, c3)
    _put4(k[3], e0, e1, e2, e3)


@compiled
def _put4(k: Array, a: float, b: float, c: float, d: float) -> None:
    k[0] += a
    k[1] += b
    k[2] += c
    k[3] += d


@summing
def sum3(d0: Array, d1: Array, d2: Array, d3: Array, x: Array, at: Array, k: Array) -> None:
    """Add to the weights of three taps the sums of products with four outputs' gradients."""
    x0, x1, x2 = x[at[0] :], x[at[1] :], x[at[2] :]
    a0 = a1 = a2 = b0 = b1 = b2 = c0 = c1 = c2 = e0 = e1 = e2 = x.dtype.type(0)
    for n in range(d0.size):
        v0, v1, v2 = x0[n], x1[n], x2[n]
        a, b, c, e = d0[n], d1[n], d2[n], d3[n]
        a0 += a * v0
        a1 += a * v1
        a2 += a * v2
        b0 += b * v0
        b1 += b * v1
        b2 += b * v2
        c0 += c * v0
        c1 += c * v1
        c2 += c * v2
        e0 += e * v0
        e1 += e * v1
        e2 += e * v2
    _put3(k[0], a0, a1, a2)
    _put3(k[1], b0, b1, b2)
    _put3(k[2], c0, c1, c2)
    _put3(k[3], e0, e1, e2)


@compiled
def _put3(k: Array, a: float, b: float, c: float) -> None:
    k[0] += a
    k[1] += b
    k[2] += c


@summing
def sum1(d0: Array, d1: Array, d2: Array, d3: Array, x: Array, at: Array, k: Array) -> None:
    """Add to the weights of one tap the sums of products with four outputs' gradients."""
    x0 = x[at[0] :]
    a = b = c = e = x.dtype.type(0)
    for n in range(d0.size):
        v = x0[n]
        a += d0[n] * v
        b += d1[n] * v
        c += d2[n] * v
        e += d3[n] * v
    k[0, 0] += a
    k[1, 0] += b
    k[2, 0] += c
    k[3, 0] += e
