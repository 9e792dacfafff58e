"""Whether a net still gets better: what plateau, early_stopping and keep_best go by."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING

from netdef.diag import FieldError, nearest
from netdef.run.net import Net
from netdef.schema import SolverParameter
from netdef.solvers.settings import watches

if TYPE_CHECKING:
    from netdef.run.progress import Tested


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from one value.

    Attributes:
        best: it is the best so far.
        fall: the rate is to fall.
        stop: training is to end; why, in a sentence, or "".
    """

    best: bool = False
    fall: bool = False
    stop: str = ""


class Watch:
    """Follows one value of a training.

    Attributes:
        what: the value's name for people.
        best: the best so far.

    Args:
        message: the solver.
        tests: its test nets.

    Raises:
        FieldError: `monitor` names no output, or one of several values.
    """

    def __init__(self, message: SolverParameter, tests: Sequence[Net]) -> None:
        self.active = watches(message)
        self._message = message
        self._tested = bool(tests)
        self._index = 0
        self._larger = message.monitor_mode == SolverParameter.MAX
        self.what = "the loss of the test net" if tests else "the training loss"
        if self.active and message.monitor:
            self._index = self._find(tests)
            self.what = f"`{message.monitor}`"
            if not message.HasField("monitor_mode"):
                self._larger = _scored(tests[0], message.monitor)
        self.best = -inf if self._larger else inf
        self._worse = 0  # values since the best
        self._waited = 0  # the same, or since the rate fell
        self._sum, self._count = 0.0, 0

    def _find(self, tests: Sequence[Net]) -> int:
        message = self._message
        if not tests:
            raise FieldError(
                "monitor", "needs a test net", "write `test_iter` and `test_interval`, or leave it"
            )
        outputs = tests[0].outputs
        if message.monitor not in outputs:
            near = nearest(message.monitor, outputs, 1) or outputs
            raise FieldError(
                "monitor",
                f"is no output of the test net: `{message.monitor}`",
                f'write `monitor: "{near[0]}"`' if near else "",
            )
        size = tests[0].blobs[message.monitor].data.size
        if size != 1:
            raise FieldError("monitor", f"must be one number, `{message.monitor}` has {size}")
        return outputs.index(message.monitor)

    def trained(self, loss: float) -> float | None:
        """Take the loss of an iteration; gives a value to look at when one is due."""
        if not self.active or self._tested:
            return None
        self._sum += loss
        self._count += 1
        if self._count < self._message.monitor_interval:
            return None
        value = self._sum / self._count
        self._sum, self._count = 0.0, 0
        return value

    def tested(self, tested: Tested, loss: float) -> float | None:
        """The value to look at in a test of the first net; None in that of another."""
        if not self.active or tested.net != 0:
            return None
        return float(tested.outputs[self._index].values[0]) if self._message.monitor else loss

    def look(self, value: float) -> Verdict:
        """Judge the next value."""
        if self._better(value):
            self.best = value
            self._worse = self._waited = 0
            return Verdict(best=True)
        self._worse += 1
        self._waited += 1
        message = self._message
        fall = message.lr_policy == "plateau" and self._waited >= message.patience
        if fall:
            self._waited = 0
        limit = message.early_stopping
        stop = ""
        if limit and self._worse >= limit:
            stop = f"{self.what} got no better than {self.best:.6g} in {limit} looks"
        return Verdict(fall=fall, stop=stop)

    def _better(self, value: float) -> bool:
        if not isfinite(value):
            return False
        if not isfinite(self.best):
            return True
        gain = value - self.best if self._larger else self.best - value
        return gain > self._message.min_delta

    # for resuming

    def numbers(self) -> dict[str, int]:
        """Where it stands, as whole numbers."""
        if not self.active:
            return {}
        return {
            "watch/best": _bits(self.best),
            "watch/worse": self._worse,
            "watch/waited": self._waited,
            "watch/sum": _bits(self._sum),
            "watch/count": self._count,
        }

    def take(self, numbers: Mapping[str, int]) -> None:
        """Go on from where the numbers say."""
        if self.active and "watch/best" in numbers:
            self.best = _float(numbers["watch/best"])
            self._worse = numbers.get("watch/worse", 0)
            self._waited = numbers.get("watch/waited", 0)
            self._sum = _float(numbers.get("watch/sum", 0))
            self._count = numbers.get("watch/count", 0)


def _scored(net: Net, blob: str) -> bool:
    """Whether an Accuracy layer makes the blob."""
    return any(layer.type == "Accuracy" and blob in layer.tops for layer in net.layers)


def _bits(value: float) -> int:
    """The float64 as the whole number of the same bits."""
    (bits,) = struct.unpack("<q", struct.pack("<d", value))
    return int(bits)


def _float(bits: int) -> float:
    (value,) = struct.unpack("<d", struct.pack("<q", bits))
    return float(value)
