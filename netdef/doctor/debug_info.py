"""What `debug_info: true` prints in Caffe: the mean size of every blob, param and gradient.

The numbers are means of absolute values, one closing line has norms of all params together.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum

import numpy as np

from netdef.doctor.spread import Spread, norm
from netdef.doctor.together import leave, observe
from netdef.layers.base import Array
from netdef.plan import Step
from netdef.run.progress import Detail
from netdef.run.solver import Solver

_FORWARD, _BACKWARD, _ALL, _UPDATE = "net.cpp:591", "net.cpp:619", "net.cpp:636", "net.cpp:645"


class DebugInfo:
    """Emits a line for each blob and param of the iterations that `display` asks for.

    Args:
        solver: whose iterations are told of; its listeners get `Detail` events.
    """

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._on = False
        solver.add_callback(self._on_start, self._on_gradients)

    def _on_start(self) -> None:
        display = self._solver.param.display
        self._on = display > 0 and self._solver.iter % display == 0
        if self._on:
            observe(self._solver.net, self)

    def ran_forward(self, step: Step) -> None:
        """Tell of the tops and of what the layer learned."""
        if step.layer is None:
            return
        program = self._solver.net.program
        net = program.net
        node = net.nodes[step.node]
        for index in step.tops:
            value = program.values[index]
            self._say(
                _FORWARD,
                f"    [Forward] Layer {node.name}, top blob {value.name} "
                f"data: {_size(*value.arrays)}",
            )
        for position, index in enumerate(node.params):
            name = net.params[index].name or str(position)
            self._say(
                _FORWARD,
                f"    [Forward] Layer {node.name}, param blob {name} "
                f"data: {_size(program.params[index])}",
            )

    def before_backward(self, step: Step) -> None:
        """Nothing: Caffe tells of what a layer gave its bottoms."""

    def ran_backward(self, step: Step) -> None:
        """Tell of the gradients of the bottoms and params."""
        if step.layer is None:
            return
        program = self._solver.net.program
        node = program.net.nodes[step.node]
        for index, wanted in zip(step.bottoms, step.propagate, strict=False):
            if wanted:
                value = program.values[index]
                self._say(
                    _BACKWARD,
                    f"    [Backward] Layer {node.name}, bottom blob {value.name} "
                    f"diff: {_size(*value.diffs)}",
                )
        for position, index in enumerate(node.params):
            if not program.net.params[index].learns:
                continue
            written = list(self._written(step, position))
            if written:
                self._say(
                    _BACKWARD,
                    f"    [Backward] Layer {node.name}, param blob {position} "
                    f"diff: {_number(float(np.abs(sum(written)).mean()))}",
                )

    def _written(self, step: Step, position: int) -> Iterator[Array]:
        """What the step has written as the gradient of one of its params, once each."""
        seen: set[int] = set()
        for run in step.backward_runs:
            array = run.param_diffs[position]
            if array is not None and id(array) not in seen:
                seen.add(id(array))
                yield array

    def _on_gradients(self) -> None:
        if not self._on:
            return
        net = self._solver.net
        leave(net, self)
        learns = [p for p in net.learned if p.learns]
        data = fsum(float(np.abs(p.data).sum(dtype=np.float64)) for p in learns)
        diff = fsum(float(np.abs(p.diff).sum(dtype=np.float64)) for p in learns)
        squares = [
            fsum(norm(a) ** 2 for a in arrays) ** 0.5
            for arrays in (
                [p.data for p in learns],
                [p.diff for p in learns],
            )
        ]
        self._say(
            _ALL,
            f"    [Backward] All net params (data, diff): L1 norm = ({_number(data)}, "
            f"{_number(diff)}); L2 norm = ({_number(squares[0])}, {_number(squares[1])})",
        )
        for param in learns:
            name = param.name or str(param.index)
            self._say(
                _UPDATE,
                f"    [Update] Layer {param.layer}, param {name} "
                f"data: {_size(param.data)}; diff: {_size(param.diff)}",
            )

    def _say(self, place: str, text: str) -> None:
        self._solver.tell(Detail(self._solver.iter, place, text))


def _size(*arrays: Array) -> str:
    spread = Spread()
    for array in arrays:
        spread.take(array)
    return "nan" if spread.broken else _number(spread.size)


def _number(value: float) -> str:
    """As C++ prints it."""
    return f"{value:.6g}"
