"""What layers make of params and hold from pass to pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from netdef.layers.base import Forward, Layer
from netdef.plan import Program
from netdef.run.learned import LearnedParam
from netdef.run.threads import blas


class _Taker(NamedTuple):
    """A run that fills buffers for its step, and what it makes them of."""

    layer: Layer[Any]
    run: Forward[Any]
    params: tuple[LearnedParam, ...]


class Held:
    """Keeps what a program's layers hold in step with its params.

    Args:
        program: made with `Options.holds`, or nothing is held.
        learned: its params.
    """

    def __init__(self, program: Program, learned: Sequence[LearnedParam]) -> None:
        self._takers = [
            _Taker(
                step.layer_of(number),
                step.forward_runs[number],
                tuple(learned[param] for param in program.net.nodes[step.node].params),
            )
            for step in program.steps
            for number in step.takers
        ]
        self._versions: list[tuple[int, ...]] = [()] * len(self._takers)

    def renew(self) -> None:
        """Before a pass: let layers take those params that may have changed since the last one."""
        for index, (layer, run, params) in enumerate(self._takers):
            versions = tuple([param.values.version() for param in params])
            if versions != self._versions[index]:
                blas.use(1)  # the same bits however many threads run the rest
                with np.errstate(all="ignore"):  # as in the pass itself
                    layer.take_params(run)
                self._versions[index] = versions
