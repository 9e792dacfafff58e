"""What happens in a training run, as events for whoever shows or records it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from netdef.layers.base import Array


@dataclass(frozen=True, slots=True)
class Output:
    """An output blob's values at some moment, or their mean over a test.

    Attributes:
        name: of the blob.
        values: a copy, flat.
        loss_weight: with which the blob is part of the loss; 0 where it is not.
    """

    name: str
    values: Array
    loss_weight: float


@dataclass(frozen=True, slots=True)
class Started:
    """Training begins or goes on.

    Attributes:
        iteration: updates made so far.
        max_iter: updates there will be.
    """

    iteration: int
    max_iter: int


@dataclass(frozen=True, slots=True)
class Iteration:
    """An update was made.

    Attributes:
        iteration: its number, from 0.
        loss: mean over its iter_size passes.
        smoothed: mean loss of the last average_loss iterations.
        lr: the rate it used.
        seconds: it took, tests and snapshots left out.
        shown: `display` asks to show this one.
        outputs: of the net's last pass; empty where it is not to be shown.
    """

    iteration: int
    loss: float
    smoothed: float
    lr: float
    seconds: float
    shown: bool
    outputs: tuple[Output, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One more pass was made after the last update, to show where training ended.

    Attributes:
        iteration: updates made.
        loss: of this pass.
        smoothed: as in `Iteration`.
    """

    iteration: int
    loss: float
    smoothed: float


@dataclass(frozen=True, slots=True)
class Testing:
    """A test begins.

    Attributes:
        iteration: updates made so far.
        net: index of the test net.
        batches: that the test will take.
    """

    iteration: int
    net: int
    batches: int


@dataclass(frozen=True, slots=True)
class Tested:
    """A test has ended.

    Attributes:
        iteration: updates made so far.
        net: index of the test net.
        outputs: mean over the batches.
        loss: mean weighted loss, where `test_compute_loss` asks for it.
        seconds: it took.
    """

    iteration: int
    net: int
    outputs: tuple[Output, ...]
    loss: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Snapshotted:
    """A snapshot was written.

    Attributes:
        iteration: updates made.
        model: the file with the weights.
        state: the file to resume from.
    """

    iteration: int
    model: Path
    state: Path


@dataclass(frozen=True, slots=True)
class Restored:
    """Training will go on from a snapshot.

    Attributes:
        iteration: updates made.
        model: the file with the weights.
        state: the file with the rest.
    """

    iteration: int
    model: Path
    state: Path


@dataclass(frozen=True, slots=True)
class Warned:
    """Something a user should know, that does not stop training.

    Attributes:
        iteration: at which it was seen.
        text: one sentence.
    """

    iteration: int
    text: str


@dataclass(frozen=True, slots=True)
class Detail:
    """A line that `debug_info` asks for.

    Attributes:
        iteration: that runs.
        place: where Caffe's own log says such a line comes from.
        text: the line.
    """

    iteration: int
    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """Training has ended.

    Attributes:
        iteration: updates made.
        early: it stopped before max_iter.
        reason: why it stopped by itself, a sentence; "" where it was asked to.
    """

    iteration: int
    early: bool
    reason: str = ""


Event = (
    Started
    | Iteration
    | Evaluated
    | Testing
    | Tested
    | Snapshotted
    | Restored
    | Detail
    | Warned
    | Finished
)
Listener = Callable[[Event], None]
