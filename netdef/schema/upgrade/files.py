"""A file in an old syntax as the same file in the current one, text or binary."""

from __future__ import annotations

from typing import Any

from netdef.diag import Report, Source, Span
from netdef.schema.netdef_pb2 import NetParameter, SolverParameter
from netdef.schema.problems import DamagedFile, NothingToUpgrade, UnknownFieldsLost
from netdef.schema.rewrite import rewrite
from netdef.schema.sniff import Kind, kind_of_text
from netdef.schema.upgrade import upgrade_net, upgrade_solver
from netdef.text import Path, SpanMap, fill

_ONE = ("net_param", "train_net_param")
_MANY = "test_net_param"


def upgrade_text(source: Source, report: Report) -> str | None:
    """Bring the text of a net or a solver to the current syntax, nets inside a solver too.

    Args:
        source: the text.
        report: where problems go; a note where there is nothing to do.

    Returns:
        The text, in canonical layout and with its comments where anything changed; as it was
        where nothing did; None where it has mistakes.
    """
    solver = kind_of_text(source.text) is Kind.SOLVER_TEXT
    message = SolverParameter() if solver else NetParameter()
    found = Report()
    places: _Joined | SpanMap = fill(source, message, found)
    before = message.SerializePartialToString(deterministic=True)
    assert isinstance(places, SpanMap)
    if isinstance(message, SolverParameter):
        places = upgrade_with_nets(message, places, found)
    else:
        places = upgrade_net(message, places, found)
    report.extend(found)
    if not found.ok:
        return None
    if message.SerializePartialToString(deterministic=True) == before:
        report.add(NothingToUpgrade(f"`{source.name}` is in the current syntax already"))
        return source.text
    return rewrite(source, message, places, report)


class _Joined:
    """The places of a solver, and of the nets in it, which are upgraded one by one."""

    def __init__(self, solver: SpanMap, nets: dict[Path, SpanMap]) -> None:
        self._solver = solver
        self._nets = nets

    def field(self, path: Path) -> Span | None:
        """From a field's name to the end of its value."""
        places, rest = self._of(path)
        return places.field(rest)

    def value(self, path: Path) -> Span | None:
        """A field's value."""
        places, rest = self._of(path)
        return places.value(rest)

    def _of(self, path: Path) -> tuple[SpanMap, Path]:
        for prefix, places in self._nets.items():
            if len(path) > len(prefix) and path[: len(prefix)] == prefix:
                return places, path[len(prefix) :]
        return self._solver, path


def upgrade_with_nets(solver: SolverParameter, spans: SpanMap, report: Report) -> _Joined:
    """Bring a solver and the nets inside it to the current syntax, in place.

    Returns:
        The places, by the paths of the upgraded solver.
    """
    nets: dict[Path, SpanMap] = {}

    def upgrade(net: NetParameter, path: Path) -> None:
        nets[path] = upgrade_net(net, spans.with_aliases({(): path}), report)

    for name in _ONE:
        if solver.HasField(name):  # type: ignore[arg-type]
            upgrade(getattr(solver, name), (name,))
    for index, net in enumerate(getattr(solver, _MANY)):
        upgrade(net, (_MANY, index))
    return _Joined(upgrade_solver(solver, spans, report), nets)


def upgrade_binary(data: bytes, name: str, report: Report) -> bytes | None:
    """Bring a binary model to the current syntax, with its learned values.

    Args:
        data: a .caffemodel; what an older one holds as V0 or V1 layers becomes `layer`.
        name: of the file, for problems.
        report: where problems go; a note where there is nothing to do.

    Returns:
        The model; the same bytes where nothing had to change; None where it is damaged.
    """
    from google.protobuf.message import DecodeError

    net = NetParameter()
    try:
        net.ParseFromString(data)
    except DecodeError:
        report.add(DamagedFile(f"`{name}` is damaged", help="fetch or copy the file again"))
        return None
    lost = [layer.name or layer.layer.name for layer in net.layers if _unknown(layer)]
    before = NetParameter()
    before.CopyFrom(net)
    found = Report()
    upgrade_net(net, SpanMap(Source(name, "")), found)
    for problem in found:
        report.add(_without_place(problem))
    if not found.ok:
        return None
    if net == before or net.SerializePartialToString() == before.SerializePartialToString():
        report.add(NothingToUpgrade(f"`{name}` is in the current syntax already"))
        return data
    if lost:
        report.add(
            UnknownFieldsLost(
                f"fields of a fork are left out in {len(lost)} "
                f"layer{'s' if len(lost) > 1 else ''}: `{'`, `'.join(lost[:5])}`"
            )
        )
    return net.SerializePartialToString()


def _unknown(layer: Any) -> bool:
    from google.protobuf.unknown_fields import UnknownFieldSet

    return any(len(UnknownFieldSet(one)) for one in (layer, layer.layer))


def _without_place(problem: Any) -> Any:
    """A binary file has no lines to show."""
    from dataclasses import replace

    return replace(problem, span=None, labels=())
