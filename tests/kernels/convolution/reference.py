"""A convolution and its gradients, tap by tap in float64, and a stand that drives an algorithm."""

from __future__ import annotations

from itertools import product

import numpy as np

from netdef.kernels.convolution import Geometry


def geometry(batch, channels, outputs, size, kernel, stride=1, pad=0, dilation=1, group=1):
    def two(value):
        return value if isinstance(value, tuple) else (value, value)

    sizes = map(two, (size, kernel, stride, pad, dilation))
    return Geometry(batch, channels, outputs, *sizes, group)


def taps(g, x):
    """For each group and tap: its indices, and the padded inputs that it meets."""
    (sh, sw), (dh, dw), (oh, ow) = g.stride, g.dilation, g.out
    inputs = g.channels // g.group
    for k, i, j in product(range(g.group), range(g.kernel[0]), range(g.kernel[1])):
        rows = slice(i * dh, i * dh + (oh - 1) * sh + 1, sh)
        cols = slice(j * dw, j * dw + (ow - 1) * sw + 1, sw)
        yield k, i, j, x[k * inputs : (k + 1) * inputs, rows, cols]


def padded(g, x):
    (ph, pw) = g.pad
    return np.pad(x, [(0, 0), (ph, ph), (pw, pw), (0, 0)])


def forward(g, x, w, b):
    y = np.zeros((g.outputs, *g.out, g.batch))
    of_group = np.split(y, g.group)
    weights = np.split(w.astype(np.float64), g.group)
    for k, i, j, seen in taps(g, padded(g, x.astype(np.float64))):
        of_group[k] += np.tensordot(weights[k][:, :, i, j], seen, 1)
    return y + b.astype(np.float64).reshape(-1, 1, 1, 1)


def backward(g, x, w, dy):
    x, w, dy = (a.astype(np.float64) for a in (x, w, dy))
    dxs, dw = padded(g, np.zeros_like(x)), np.zeros_like(w)
    dws, weights, dys = np.split(dw, g.group), np.split(w, g.group), np.split(dy, g.group)
    for (k, i, j, seen), (_, _, _, dseen) in zip(taps(g, padded(g, x)), taps(g, dxs), strict=True):
        dws[k][:, :, i, j] = np.tensordot(dys[k], seen, ([1, 2, 3], [1, 2, 3]))
        dseen += np.tensordot(weights[k][:, :, i, j].T, dys[k], 1)
    (ph, pw), (h, wide) = g.pad, g.size
    return dxs[:, ph : ph + h, pw : pw + wide], dw, dy.sum((1, 2, 3))


class Stand:
    """An algorithm with its arrays; scratch is poisoned before each call."""

    def __init__(self, algorithm, g, dtype=np.float64, *, dx=True, dw=True, seed=0):
        self.g, self.algorithm = g, algorithm(g)
        random = np.random.default_rng(seed)

        def normal(*shape):
            return random.standard_normal(shape).astype(dtype)

        needs = self.algorithm.scratch(dx=dx, dw=dw)
        self.scratch = {name: np.empty(shape, dtype) for name, shape in needs.items()}
        self.algorithm.bind(self.scratch, dtype)
        self.x = normal(g.channels, *g.size, g.batch)
        self.w = normal(g.outputs, g.channels // g.group, *g.kernel)
        self.b = normal(g.outputs)
        self.dy = normal(g.outputs, *g.out, g.batch)
        self.y = np.full_like(self.dy, np.nan)
        self.grads = [np.full_like(a, np.nan) for a in (self.x, self.w, self.b)]

    def poison(self):
        for array in self.scratch.values():
            array.fill(np.nan)

    def forward(self):
        self.poison()
        self.algorithm.forward(self.x, self.w, self.b, self.y)
        return self.y

    def backward(self, *, dx=True, dw=True, add_dx=False, add_params=False):
        self.poison()
        x, w, b = self.grads
        self.algorithm.backward(
            self.x,
            self.w,
            self.dy,
            x if dx else None,
            w if dw else None,
            b if dw else None,
            add_dx=add_dx,
            add_params=add_params,
        )
        return self.grads

    def expected(self):
        return forward(self.g, self.x, self.w, self.b)

    def expected_grads(self):
        return backward(self.g, self.x, self.w, self.dy)


def apart(got, expected):
    """Relative L2 distance."""
    return np.linalg.norm(got - expected) / np.linalg.norm(expected)
