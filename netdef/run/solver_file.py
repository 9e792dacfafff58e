"""A solver's prototxt, understood: settings of the update, and which nets to build how."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from netdef.diag import FieldError, Label, Problem, Report, Severity, Span, respelt
from netdef.graph import State
from netdef.layers.base import Phase
from netdef.schema import TEST, TRAIN, NetParameter, NetState, SolverParameter
from netdef.schema.document import Document, read_net
from netdef.schema.problems import BinaryForText, OtherMessage
from netdef.schema.upgrade import upgrade_net
from netdef.solvers.settings import (
    OF_RULES,
    Settings,
    doubts,
    is_set,
    read_settings,
    unused_fields,
)
from netdef.text import SpanMap


class BadSolverSetting(Problem):
    """A setting of the solver is missing, or has a value it cannot train with.

    Example:
        lr_policy: "step" gamma: 0.1
    Write:
        lr_policy: "step" gamma: 0.1 stepsize: 10000
    """

    code = "N401"


class WhichNet(Problem):
    """The solver names no net to train, or more than one.

    Exactly one of `net`, `net_param`, `train_net` and `train_net_param` says what is trained:

        net: "models/lenet/model.prototxt"

    `net` and `net_param` are also what is tested, `train_net` is for training only. On the
    command line the net may come first: `netdef train model.prototxt solver.prototxt`.
    """

    code = "N402"


class TestNetsMismatch(Problem):
    """The solver's tests do not fit its test nets.

    Each test net needs its own `test_iter`, the number of batches of one test, and all of them
    a `test_interval`. Test nets are, in this order, those of `test_net_param`, those of
    `test_net`, and then the `net` for every `test_iter` that is left:

        net: "model.prototxt"
        test_iter: 100
        test_interval: 500
    """

    code = "N403"


class UnusedSolverSetting(Problem):
    """A setting is given that nothing reads.

    Each solver type and each lr_policy reads some of the settings and not the others. It does
    no harm, but mostly something else was meant:

        type: "SGD" rms_decay: 0.98

    Leave it out, or choose the type or policy that reads it.
    """

    code = "N404"
    default_severity = Severity.WARNING


class RunsOnCpu(Problem):
    """The solver asks for a GPU, and netdef computes on the CPU.

    `solver_mode: GPU` is taken and changes nothing. Write `solver_mode: CPU`, or leave it.
    """

    code = "N405"
    default_severity = Severity.NOTE


class NotDone(Problem):
    """A setting asks for something that netdef does not do.

    Training goes on without it. Leave it out, or leave it for Caffe.
    """

    code = "N406"
    default_severity = Severity.WARNING


class DoubtfulSetting(Problem):
    """A setting is one that Caffe trains with, and that hardly anyone means.

    Caffe takes a missing number for 0. For `gamma` that makes the rate 0 from the first step on:

        lr_policy: "step" stepsize: 1000

    Write the number that is meant: `gamma: 0.1`.
    """

    code = "N407"
    default_severity = Severity.WARNING


@dataclass(frozen=True, slots=True)
class NetSource:
    """A net to build.

    Attributes:
        document: as read.
        state: phase, level and stages to build it in.
    """

    document: Document
    state: State


@dataclass(frozen=True, slots=True)
class SolverFile:
    """What a solver's prototxt says, checked.

    Attributes:
        document: as read.
        settings: of the update.
        train: the net to train.
        tests: the nets to test, in Caffe's order.
    """

    document: Document
    settings: Settings
    train: NetSource
    tests: tuple[NetSource, ...]

    @property
    def message(self) -> SolverParameter:
        """The solver as written."""
        return solver_message(self.document)


def solver_message(document: Document) -> SolverParameter:
    """The message of a solver's document."""
    assert isinstance(document.message, SolverParameter), "a net's document given as a solver's"
    return document.message


def understand(
    document: Document, report: Report, model: Document | None = None
) -> SolverFile | None:
    """Check a solver and find its nets.

    Args:
        document: the solver as read.
        report: where problems go.
        model: a net to use in place of the solver's own train net, and of `net` for tests.

    Returns:
        The solver; None where the report got an error.
    """
    before = len(report.errors)
    settings = check_settings(document, report)
    nets = _Nets(document, report, model)
    train, tests = nets.train(), nets.tests()
    if len(report.errors) > before or settings is None or train is None:
        return None
    return SolverFile(document, settings, train, tests)


def train_net(
    document: Document, report: Report, model: Document | None = None
) -> NetSource | None:
    """The net to train; None where the report got an error."""
    return _Nets(document, report, model).train()


def check_settings(document: Document, report: Report) -> Settings | None:
    """Check all of a solver that is not about nets; None where the report got an error."""
    message = solver_message(document)

    def complain(error: FieldError) -> None:
        report.add(bad_setting(document, error))

    settings = read_settings(message, complain)
    if settings is not None:
        for field, reader in unused_fields(message, settings):
            report.add(
                UnusedSolverSetting(
                    f"`{field}` is not used by {reader}",
                    document.spans.find(SpanMap.parse(field)),
                    label="set here",
                )
            )
        for doubt in doubts(message, settings):
            report.add(_doubtful(document, doubt))
    _notes(document, report)
    return settings


def bad_setting(document: Document, error: FieldError) -> BadSolverSetting:
    """A complaint about a field as a problem with a place."""
    path = SpanMap.parse(error.field)
    span = document.spans.find(path)
    return BadSolverSetting(
        f"`{path[0]}` {error.message}", span, help=error.help, fixes=respelt(span, error.meant)
    )


def _doubtful(document: Document, doubt: FieldError) -> DoubtfulSetting:
    path = SpanMap.parse(doubt.field)
    # What is missing has no place: show who asks for it.
    asking = "type" if path[0] in OF_RULES else "lr_policy"
    given = is_set(solver_message(document), str(path[0]))
    span = document.spans.find(path if given else (asking,))
    return DoubtfulSetting(f"`{path[0]}` {doubt.message}", span, help=doubt.help)


def find_file(name: str, document: Document) -> Path:
    """Where a name in a solver's file leads: from the working directory, as in Caffe.

    Where there is nothing, from the folder of the solver's file.
    """
    path = Path(name).expanduser()
    if document.path is not None and not os.path.exists(path):
        beside = document.path.parent / path
        if os.path.exists(beside):
            return beside
    return path


def initial_weights(document: Document) -> list[Path]:
    """The model files to start from; a comma also separates names."""
    return [
        find_file(name.strip(), document)
        for names in solver_message(document).weights
        for name in names.split(",")
        if name.strip()
    ]


def snapshot_prefix(document: Document) -> Path:
    """What the names of snapshots begin with.

    Without `snapshot_prefix` it is the solver's file without its extension; where it is a
    folder, the solver's file name in it.
    """
    message = solver_message(document)
    own = document.path if document.path is not None else Path("solver.prototxt")
    if not message.snapshot_prefix:
        return own.with_suffix("")
    prefix = Path(message.snapshot_prefix).expanduser()
    if message.snapshot_prefix.endswith("/") or os.path.isdir(prefix):
        return prefix / own.stem
    return prefix


def _named_at(problem: Problem, place: Span) -> Problem:
    """A file of the wrong kind, shown where the solver names it."""
    if problem.span is None:
        return replace(problem, span=place, label="named here")
    return replace(problem, labels=(*problem.labels, Label(place, "named here")))


def _notes(document: Document, report: Report) -> None:
    message = solver_message(document)
    if message.HasField("solver_mode") and message.solver_mode == SolverParameter.GPU:
        report.add(
            RunsOnCpu(
                "netdef runs on the CPU",
                document.spans.find(("solver_mode",)),
                help="write `solver_mode: CPU`, or leave it out",
            )
        )
    if message.snapshot_diff:
        report.add(
            NotDone(
                "netdef saves no gradients in snapshots", document.spans.find(("snapshot_diff",))
            )
        )


class _Nets:
    """Finds the nets that a solver names."""

    def __init__(self, document: Document, report: Report, model: Document | None) -> None:
        self._document = document
        self._message = solver_message(document)
        self._report = report
        self._model = model
        self._generic: Document | None = None

    def train(self) -> NetSource | None:
        """The net to train, None where there is a mistake."""
        message = self._message
        if self._model is not None:
            self._generic = self._model
            return self._source(self._model, TRAIN, self._train_state())
        fields = ("net", "net_param", "train_net", "train_net_param")
        given = [f for f in fields if message.HasField(f)]  # type: ignore[arg-type]
        if len(given) != 1:
            words = " and ".join(f"`{f}`" for f in given)
            self._report.add(
                WhichNet(
                    f"the solver names several nets to train: {words}"
                    if given
                    else "the solver names no net to train",
                    self._document.spans.find((given[1],) if given else ()),
                    help="keep one of them" if given else 'write `net: "model.prototxt"`',
                )
            )
            return None
        (field,) = given
        document = self._read((field,))
        if not field.startswith("train"):
            self._generic = document
        return None if document is None else self._source(document, TRAIN, self._train_state())

    def tests(self) -> tuple[NetSource, ...]:
        """The nets to test, as far as they can be found; `train` comes first."""
        message = self._message
        documents = [self._read(path) for path in self._test_paths()]
        generic = any(
            (self._model is not None, message.HasField("net"), message.HasField("net_param"))
        )
        extra = len(message.test_iter) - len(documents)
        if extra < 0 or (extra > 0 and not generic):
            self._mismatch(
                ("test_iter",),
                f"there are {len(documents)} test nets and {len(message.test_iter)} test_iter",
                "write one `test_iter` for each test net",
            )
            return ()
        documents += [self._generic] * extra
        states = message.test_state
        if states and len(states) != len(documents):
            self._mismatch(
                ("test_state",),
                f"there are {len(documents)} test nets and {len(states)} test_state",
                "write one `test_state` for each test net, or none",
            )
            return ()
        if documents and message.test_interval == 0:
            self._mismatch(
                ("test_iter",),
                "there are test nets, and `test_interval` is missing",
                "write after how many iterations to test: `test_interval: 500`",
            )
        return tuple(
            self._source(document, TEST, states[n] if states else None)
            for n, document in enumerate(documents)
            if document is not None
        )

    def _test_paths(self) -> Iterator[tuple[str | int, ...]]:
        for field in ("test_net_param", "test_net"):
            for index in range(len(getattr(self._message, field))):
                yield field, index

    def _mismatch(self, path: tuple[str, ...], message: str, help: str) -> None:
        self._report.add(TestNetsMismatch(message, self._document.spans.find(path), help=help))

    def _train_state(self) -> NetState | None:
        return self._message.train_state if self._message.HasField("train_state") else None

    def _read(self, path: tuple[str | int, ...]) -> Document | None:
        """The net that a field names or holds."""
        value = getattr(self._message, str(path[0]))
        if len(path) > 1:
            value = value[path[1]]
        if isinstance(value, str):
            return self._read_file(value, path)
        net = NetParameter()
        net.CopyFrom(value)
        places = self._document.spans.with_aliases({(): path})
        places = upgrade_net(net, places, self._report)
        return Document(net, places, self._document.source, self._document.path)

    def _read_file(self, name: str, path: tuple[str | int, ...]) -> Document | None:
        file = find_file(name, self._document)
        if os.path.isfile(file):
            found = Report()
            document = read_net(file, found)
            for problem in found:
                if isinstance(problem, BinaryForText | OtherMessage):
                    problem = _named_at(problem, self._document.spans.find(path))
                self._report.add(problem)
            return document
        self._report.add(
            BadSolverSetting(
                f"there is no net `{name}`" if not os.path.exists(file) else f"`{name}` is no file",
                self._document.spans.find(path),
                notes=(f"looked for `{name}` from here and from the solver's folder",),
                help="name the net first: `netdef train model.prototxt solver.prototxt`",
            )
        )
        return None

    def _source(self, document: Document, phase: int, state: NetState | None) -> NetSource:
        """A net in Caffe's state: the phase, under the net's own state, under the solver's."""
        assert isinstance(document.message, NetParameter)
        merged = NetState(phase=phase)  # type: ignore[arg-type]
        merged.MergeFrom(document.message.state)
        if state is not None:
            merged.MergeFrom(state)
        return NetSource(
            document,
            State(
                Phase.TRAIN if merged.phase == TRAIN else Phase.TEST,
                merged.level,
                frozenset(merged.stage),
            ),
        )
