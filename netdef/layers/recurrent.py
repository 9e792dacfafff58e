"""What RNN and LSTM have in common: settings, shapes, the part of the input, the carried state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self, TypeVar

import numpy as np

from netdef.diag import BottomError, FieldError
from netdef.layers import base
from netdef.layers.axes import show
from netdef.layers.filler import ZEROS, Filler

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

_PATH = "recurrent_param"

W = TypeVar("W")


class Sizes(NamedTuple):
    """Sizes of a recurrent layer.

    Attributes:
        steps: time steps in a pass.
        streams: sequences side by side.
        inputs: values of x at a step.
        static: values of x_static; 0 where there is none.
    """

    steps: int
    streams: int
    inputs: int
    static: int


@dataclass(frozen=True, slots=True)
class Recurrent(base.Layer[W]):
    """Base of layers that run over time; see LSTM.

    A subclass says which states it carries and how many sums each output needs.

    Attributes:
        num_output: size of the hidden state.
        expose_hidden: states are bottoms and tops, not carried from pass to pass.
        weight_filler: of all weights.
        bias_filler: of all biases.
    """

    num_output: int
    expose_hidden: bool = False
    weight_filler: Filler = ZEROS
    bias_filler: Filler = ZEROS

    states: ClassVar[tuple[str, ...]] = ()
    sums: ClassVar[int] = 1
    no_gradient = (1,)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `recurrent_param`, and count bottoms and tops.

        Raises:
            FieldError: the size is missing, a filler is wrong, or the states are exposed and
                not all named.
        """
        del phase
        p = message.recurrent_param
        if not p.num_output:
            said = "must be at least 1, is 0" if p.HasField("num_output") else "is missing"
            raise FieldError(f"{_PATH}.num_output", said, "write the size of the hidden state")
        layer = cls(
            p.num_output,
            p.expose_hidden,
            Filler.read(p.weight_filler, f"{_PATH}.weight_filler"),
            Filler.read(p.bias_filler, f"{_PATH}.bias_filler"),
        )
        layer._check_counts(len(message.bottom), len(message.top))
        return layer

    def _check_counts(self, bottoms: int, tops: int) -> None:
        names = self.states if self.expose_hidden else ()
        least, given = 2 + len(names), " and ".join(f"{name}0" for name in self.states)
        if self.expose_hidden:
            for what, count, low, high, which in (
                ("bottoms", bottoms, least, least + 1, f"x, cont, perhaps x_static, then {given}"),
                (
                    "tops",
                    tops,
                    1 + len(names),
                    1 + len(names),
                    f"the outputs, then the last {' and '.join(names)}",
                ),
            ):
                if not low <= count <= high:
                    wants = f"{low}" if low == high else f"{low} or {high}"
                    raise FieldError(
                        f"{_PATH}.expose_hidden",
                        f"is true, which makes it {wants} {what}, and the layer has {count}",
                        f"the {what} are {which}",
                    )
            return
        for what, count, high in (("bottom", bottoms, least + 1), ("top", tops, 1)):
            if count > high:
                raise FieldError(
                    f"{what}[{high}]",
                    f"is one too many: the layer takes {high} {what}{'s' * (high > 1)} at most",
                    "write `expose_hidden: true` to see the hidden state",
                )

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """An output for each step and stream; the last states where they are exposed.

        Raises:
            BottomError: a bottom has too few axes, or other steps or streams than the first.
        """
        x, cont = bottoms[:2]
        if len(x) < 3:
            raise BottomError(
                0,
                f"is {show(x)}, needs at least 3 axes: time steps, streams, values",
                "a Reshape layer with `shape { dim: 0 dim: 0 dim: 1 }` makes single values a blob",
            )
        if not x[0]:
            raise BottomError(0, f"is {show(x)}, without a time step", "time is the first axis")
        if cont != x[:2]:
            raise BottomError(
                1,
                f"is {show(cont)}, needs to be {show(x[:2])}: a mark for each time step and stream "
                f"of the first ({show(x)})",
                "0 marks where a sequence begins, 1 where it goes on",
            )
        if self._has_static(len(bottoms)):
            static = bottoms[2]
            if len(static) < 2 or static[0] != x[1]:
                raise BottomError(
                    2,
                    f"is {show(static)}, needs at least 2 axes, the first {x[1]}: values for each "
                    f"stream of the first ({show(x)})",
                    "it has no axis of time",
                )
        state = (1, x[1], self.num_output)
        exposed = range(self._first_state(len(bottoms)), len(bottoms))
        for index, name in zip(exposed, self.states, strict=False):
            if bottoms[index] != state:
                raise BottomError(
                    index,
                    f"is {show(bottoms[index])}, needs to be {show(state)}: {name} of each stream "
                    "before the first step",
                )
        for learned in self.params(bottoms):
            kind = "bias_filler" if "bias" in learned.role else "weight_filler"
            learned.filler.check(learned.shape, f"{_PATH}.{kind}")
        outputs = (*x[:2], self.num_output)
        return (outputs, *((state,) * len(self.states) if self.expose_hidden else ()))

    def params(self, bottoms: base.Shapes) -> tuple[base.Learned, ...]:
        """Weights of x and their bias, of x_static where it is there, of the hidden state."""
        sizes = self._sizes(bottoms)
        sums = self.sums * self.num_output
        shapes = [("weight", (sums, sizes.inputs)), ("bias", (sums,))]
        shapes += [("static weight", (sums, sizes.static))] if sizes.static else []
        shapes += [("hidden weight", (sums, self.num_output)), *self._output_params()]
        return tuple(
            base.Learned(role, shape, self.bias_filler if "bias" in role else self.weight_filler)
            for role, shape in shapes
        )

    def _output_params(self) -> list[tuple[str, base.Shape]]:
        """Roles and shapes of what stands behind the weights of the hidden state."""
        return []

    def macs(self, bottoms: base.Shapes, tops: base.Shapes) -> int:
        """Every weight at each step of each stream; those of x_static once a stream."""
        del tops
        sizes = self._sizes(bottoms)
        count = 0
        for learned in self.params(bottoms):
            if "weight" in learned.role:
                steps = 1 if learned.role == "static weight" else sizes.steps
                count += prod(learned.shape) * steps * sizes.streams
        return count

    def settings(self) -> str:
        """As `→256`."""
        return f"→{self.num_output}" + (" exposed" if self.expose_hidden else "")

    def _has_static(self, bottoms: int) -> bool:
        return bottoms > 2 + len(self.states) * self.expose_hidden

    def _first_state(self, bottoms: int) -> int:
        """The bottom behind the inputs."""
        return 2 + self._has_static(bottoms)

    def _sizes(self, bottoms: base.Shapes) -> Sizes:
        steps, streams, *values = bottoms[0]
        static = prod(bottoms[2][1:]) if self._has_static(len(bottoms)) else 0
        return Sizes(steps, streams, prod(values), static)

    def _hidden_weight(self, run: base.Forward[W]) -> int:
        """Which param weighs the hidden state."""
        return 2 + self._has_static(len(run.bottoms))

    def _common_buffers(self, site: base.Site) -> dict[str, base.Buffer]:
        """The carried states, the sums of x_static, and which streams begin anew."""
        sizes = self._sizes(site.bottoms)
        state = (sizes.streams, self.num_output)
        needs = {"begins": base.Buffer((sizes.streams, 1), np.bool_)}
        if not self.expose_hidden:
            # zero at first, and never touched by anyone else between two passes
            needs |= {f"state {s}": base.Buffer(state, lasting=True) for s in self.states}
        if sizes.static:
            needs["static"] = base.Buffer((sizes.streams, self.sums * self.num_output))
        return needs

    def _begin(self, run: base.Forward[W], before: Sequence[base.Array]) -> None:
        """Write the states before the first step; zero where a sequence begins there."""
        begins = np.equal(run.bottom(1)[0][:, None], 0, out=run.buffer("begins"))
        first = self._first_state(len(run.bottoms))
        for index, (name, target) in enumerate(zip(self.states, before, strict=True)):
            exposed = self.expose_hidden
            source = run.bottom(first + index)[0] if exposed else run.buffer(f"state {name}")
            np.copyto(target, source)
            # what is left of an old sequence may be NaN, which times 0 would stay
            np.copyto(target, 0, where=begins)

    def _end(self, run: base.Forward[W], after: Sequence[base.Array]) -> None:
        """Keep the states after the last step, for the next pass or as tops."""
        for index, (name, source) in enumerate(zip(self.states, after, strict=True), 1):
            kept = run.top(index)[0] if self.expose_hidden else run.buffer(f"state {name}")
            np.copyto(kept, source)

    def _weigh_inputs(self, run: base.Forward[W], sums: base.Array) -> None:
        """Write W @ x + b (+ W_static @ x_static) of all steps: one product.

        Args:
            run: of the layer.
            sums: (steps, streams, sums).
        """
        flat = merged(sums)
        np.matmul(merged(run.bottom(0)), run.param(0).T, out=flat)
        if not self._has_static(len(run.bottoms)):
            np.add(flat, run.param(1), out=flat)
            return
        static = run.buffer("static")
        np.matmul(merged(run.bottom(2), 1), run.param(2).T, out=static)
        np.add(static, run.param(1), out=static)
        np.add(sums, static, out=sums)

    def _gradients(self, run: base.Backward[W], dsums: base.Array, hidden: base.Array) -> None:
        """Write the gradients of the bottoms and of the weights of x and the hidden state.

        Args:
            run: of the layer.
            dsums: gradients by the sums, (steps, streams, sums).
            hidden: the state before each step, cut by cont, (steps, streams, num_output).
        """
        flat = merged(dsums)
        if (dx := run.bottom_diff(0)) is not None:
            np.matmul(flat, run.param(0), out=merged(dx))
        if (dw := run.param_diff(0)) is not None:
            np.matmul(flat.T, merged(run.bottom(0)), out=dw)
        if (db := run.param_diff(1)) is not None:
            np.add.reduce(flat, axis=0, out=db)
        if (dw := run.param_diff(self._hidden_weight(run))) is not None:
            np.matmul(flat.T, merged(hidden), out=dw)
        if self._has_static(len(run.bottoms)):
            static = np.add.reduce(dsums, axis=0, out=run.buffer("static"))
            if (dx := run.bottom_diff(2)) is not None:
                np.matmul(static, run.param(2), out=merged(dx, 1))
            if (dw := run.param_diff(2)) is not None:
                np.matmul(static.T, merged(run.bottom(2), 1), out=dw)
        for index in range(self._first_state(len(run.bottoms)), len(run.bottoms)):
            if (dx := run.bottom_diff(index)) is not None:
                dx.fill(0)


def merged(array: base.Array, leading: int = 2) -> base.Array:
    """An array as a matrix: its leading axes are rows, all others columns.

    Args:
        array: without gaps.
        leading: axes that are rows: of time steps and streams, or of streams alone.
    """
    assert array.flags.c_contiguous, "a copy would lose what is written to it"
    return array.reshape(prod(array.shape[:leading]), prod(array.shape[leading:]))


def per_step(array: base.Array, steps: int) -> list[base.Array]:
    """The part of each step; an array of one step serves all of them in turn."""
    return [array[t % len(array)] for t in range(steps)]


def step_buffer(shape: base.Shape, site: base.Site) -> base.Buffer:
    """A buffer whose every step backward reads; forward alone needs one.

    Args:
        shape: with the steps as its first axis.
        site: of the layer.
    """
    return base.Buffer(shape if site.backward else (1, *shape[1:]), saved=site.backward)
