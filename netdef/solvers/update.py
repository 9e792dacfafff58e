"""From accumulated gradients to new parameters: Caffe's order of steps, in stretches of memory.

The order is clip_gradients over all parameters together, then for each parameter: divide by
iter_size, clip_value, decay, the rule's formula, subtract. A rule with decoupled decay has it
taken off the parameter in place of the gradient; a layerwise one has its rate scaled by norms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import fsum, sqrt
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from netdef.solvers.base import Rule

Array = NDArray[Any]

# Runs tasks side by side and waits for all of them.
RunAll = Callable[[Sequence[Callable[[], None]]], None]

STRETCH = 1 << 15  # values: w, g, one slot and two scratch arrays of float32 stay in a 1 MB cache
_WORTH_THREADS = 1 << 19  # below this many values the pool costs more than it gives


class Trained(Protocol):
    """What an update must know of a parameter."""

    @property
    def data(self) -> Array:
        """The values, to be changed in place."""

    @property
    def diff(self) -> Array:
        """Their gradient; read only."""

    @property
    def lr_mult(self) -> float:
        """The parameter's rate is the solver's times this."""

    @property
    def decay_mult(self) -> float:
        """The same for weight_decay."""

    @property
    def learns(self) -> bool:
        """Whether the solver changes it at all."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """What happens to a gradient before the rule sees it.

    Attributes:
        iter_size: passes that the gradient was summed over.
        clip_gradients: largest L2 norm of all gradients together, before the division by
            iter_size; 0 makes every gradient 0, negative is no limit.
        clip_value: largest size of a single value, after the division; None is no limit.
        weight_decay: share of the parameter that is added.
        regularization: "L2" adds the parameter, "L1" its sign.
    """

    iter_size: int = 1
    clip_gradients: float = -1.0
    clip_value: float | None = None
    weight_decay: float = 0.0
    regularization: str = "L2"


class Updater:
    """Applies a rule to the parameters of a net; owns the rule's slots.

    Attributes:
        rule: the formula.
        history: for each slot of the rule the arrays of all parameters, those that do not learn
            included, as Caffe's snapshots hold them.

    Args:
        rule: the formula.
        preparation: what comes before it.
        params: all learned parameters of a net, in its order.
        threads: most to use; the result does not depend on it.
        run_all: runs that many tasks side by side.
    """

    def __init__(
        self,
        rule: Rule,
        preparation: Preparation,
        params: Sequence[Trained],
        threads: int = 1,
        run_all: RunAll | None = None,
    ) -> None:
        self.rule = rule
        self.history: tuple[tuple[Array, ...], ...] = tuple(
            tuple(np.zeros_like(p.data, order="C") for p in params) for _ in rule.slots
        )
        self._preparation = preparation
        self._params = tuple(params)
        self._learning = [n for n, p in enumerate(params) if p.learns]
        count = sum(params[n].data.size for n in self._learning)
        self._run_all = run_all if threads > 1 and count >= _WORTH_THREADS else None
        workers = 1 if self._run_all is None else threads
        dtype = np.result_type(*(p.data.dtype for p in params)) if params else np.dtype("f4")
        longest = min(STRETCH, max((p.data.size for p in params), default=0))
        self._scratch = [tuple(np.empty(longest, dtype) for _ in range(3)) for _ in range(workers)]

    def norm(self) -> float:
        """L2 norm of the gradients of all parameters that learn, as accumulated."""
        squares = []
        for n in self._learning:
            diff = _flat(self._params[n].diff)
            for start in range(0, diff.size, STRETCH):
                part = diff[start : start + STRETCH]
                squares.append(float(np.dot(part, part)))
        return sqrt(fsum(squares))

    def apply(self, rate: float, step: int) -> None:
        """Make one update; the gradients stay as they are.

        Args:
            rate: the learning rate.
            step: updates made before this one.
        """
        rate = float(self._scratch[0][0].dtype.type(rate))  # Caffe's rate has the blobs' precision
        clip = self._preparation.clip_gradients
        scale = 1.0
        if clip >= 0:
            norm = self.norm()
            scale = clip / norm if norm > clip else 1.0
        rates = {n: rate * self._params[n].lr_mult for n in self._learning}
        if self.rule.layerwise:
            for n in self._learning:
                rates[n] *= self.rule.scale(*self._norms(n, scale), self._decay(n))
        stretches = list(self._stretches())
        if self._run_all is None:
            self._run(stretches, rates, step, scale, self._scratch[0])
            return
        count = len(self._scratch)
        bounds = [len(stretches) * k // count for k in range(count + 1)]
        self._run_all(
            [
                partial(self._run, stretches[first:last], rates, step, scale, scratch)
                for (first, last), scratch in zip(pairwise(bounds), self._scratch, strict=True)
            ]
        )

    def _stretches(self) -> Iterator[tuple[int, int, Array]]:
        """(param, first value, gradient) of every stretch."""
        for n in self._learning:
            diff = _flat(self._params[n].diff)
            for start in range(0, diff.size, STRETCH):
                yield n, start, diff[start : start + STRETCH]

    def _norms(self, n: int, scale: float) -> tuple[float, float]:
        """L2 norms of a param and of its gradient, clipped and not decayed."""
        w, diff = _flat(self._params[n].data), _flat(self._params[n].diff)
        squares: tuple[list[float], list[float]] = ([], [])
        for start in range(0, diff.size, STRETCH):
            part = diff[start : start + STRETCH]
            g, term = (array[: part.size] for array in self._scratch[0][:2])
            own = w[start : start + part.size]
            self._prepare(g, part, own, scale, 0.0, term)
            squares[0].append(float(np.dot(own, own)))
            squares[1].append(float(np.dot(g, g)))
        return sqrt(fsum(squares[0])), sqrt(fsum(squares[1]))

    def _decay(self, n: int) -> float:
        return self._preparation.weight_decay * self._params[n].decay_mult

    def _run(
        self,
        stretches: Sequence[tuple[int, int, Array]],
        rates: Mapping[int, float],
        step: int,
        scale: float,
        scratch: tuple[Array, ...],
    ) -> None:
        decoupled = self.rule.decoupled
        for n, start, diff in stretches:
            param, end = self._params[n], start + diff.size
            w = _flat(param.data)[start:end]
            history = tuple(_flat(slot[n])[start:end] for slot in self.history)
            g, first, second = (array[: diff.size] for array in scratch)
            decay = self._decay(n)
            self._prepare(g, diff, w, scale, 0.0 if decoupled else decay, first)
            if decoupled and decay != 0:
                w -= self._pull(w, rates[n] * decay, first)
            w -= self.rule.update(rates[n], g, history, step, (first, second))

    def _pull(self, w: Array, decay: float, term: Array) -> Array:
        """Write into term what decay takes off the param, or adds to its gradient."""
        if self._preparation.regularization == "L1":
            np.sign(w, out=term)
            term *= decay
        else:
            np.multiply(w, decay, out=term)
        return term

    def _prepare(
        self, g: Array, diff: Array, w: Array, scale: float, decay: float, term: Array
    ) -> None:
        """Write into g what the rule shall see."""
        preparation = self._preparation
        if scale == 1:
            np.copyto(g, diff)
        else:
            np.multiply(diff, scale, out=g)
        if preparation.iter_size != 1:
            g *= 1 / preparation.iter_size
        limit = preparation.clip_value
        if limit is not None:
            np.clip(g, -limit, limit, out=g)
        if decay != 0:
            g += self._pull(w, decay, term)


def _flat(array: Array) -> Array:
    """A contiguous array as one axis, sharing memory."""
    assert array.flags.c_contiguous, "params are contiguous, an update in place would be lost"
    return array.reshape(-1)
