"""A solver state, read into what `contents` says of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from netdef.api.contents import Inspection, Shape
from netdef.api.readers import entry_of
from netdef.api.roles import roles
from netdef.diag import NetdefError
from netdef.schema.weights import Stored, scan_state, scan_weights

if TYPE_CHECKING:
    from netdef.api.loading import StrPath
    from netdef.schema import SolverParameter
    from netdef.solvers.base import Rule


@dataclass(frozen=True, slots=True)
class _Param:
    """A param that a state has slots of, as far as something names it."""

    layer: str
    index: int
    role: str
    shape: Shape

    @property
    def name(self) -> str:
        return f"{self.layer}[{self.index}]"


def read_state_file(
    path: StrPath,
    stat: bool,  # noqa: FBT001  passed along
    net: StrPath | None,
    solver: StrPath | None,
) -> Inspection:
    """A solver state, binary or HDF5; arguments as `contents.inspect`."""
    state, history = scan_state(path)
    settings = _read_solver(solver) if solver is not None else state.solver
    rule = _rule_of(settings)
    facts: dict[str, str | int] = {
        "iteration": state.iteration,
        "learned_net": state.learned_net or "(not recorded)",
        "current_step": state.current_step,
    }
    if rule is not None:
        facts["solver"] = ", ".join([rule.type, *_settings_of(rule)])
    facts |= {k: v for k, v in state.extra.items() if not k.startswith("watch/")}
    shapes = [stored.shape for stored in history]
    slots, note = _slots(shapes, rule)
    count = len(shapes) // slots if slots else 0
    params, size = _params(Path(path), state.learned_net, shapes[:count], net)
    named = rule.slots if rule is not None and len(rule.slots) == slots else ()
    entries = []
    for number, stored in enumerate(history):
        slot, index = divmod(number, count)
        param = params[index] if params else None
        entries.append(
            entry_of(
                stored,
                stat,
                name=param.name if param else stored.name,
                layer=param.layer if param else "",
                role=param.role if param else "",
                slot=named[slot].name if named else f"{slot + 1} of {slots}",
                note=named[slot].meaning if named else "",
            )
        )
    notes = (note, _share(sum(entry.bytes for entry in entries), size))
    scalars = rule.scalars(state.iteration) if rule else ()
    return Inspection(
        "",
        "",
        0,
        facts,
        tuple(entries),
        tuple(text for text in notes if text),
        tuple((s.name, s.value, s.meaning) for s in scalars),
    )


def _read_solver(path: StrPath) -> SolverParameter:
    from netdef.diag import Report
    from netdef.run.solver_file import solver_message
    from netdef.schema.document import read_solver

    report = Report()
    document = read_solver(path, report)
    report.raise_if_errors()
    assert document is not None
    return solver_message(document)


def _rule_of(settings: SolverParameter | None) -> Rule | None:
    from netdef import solvers
    from netdef.diag import FieldError

    if settings is None:
        return None
    found = solvers.find(settings.type)
    try:
        return found.read(settings) if found else None
    except FieldError:  # a state can be looked at without
        return None


def _settings_of(rule: Rule) -> list[str]:
    pairs = [(field.name, getattr(rule, field.name)) for field in fields(rule)]
    return [f"{name} {value:g}" for name, value in pairs if not isinstance(value, bool)]


def _slots(shapes: list[Shape], rule: Rule | None) -> tuple[int, str]:
    """How many arrays a param has in the history, and what they are."""
    if not shapes:
        return 0, "no history: nothing has been learned yet, or nothing learns"
    if rule is not None and len(shapes) % len(rule.slots) == 0:
        params = len(shapes) // len(rule.slots)
        letters = " and ".join(slot.name for slot in rule.slots)
        kept = "array" if len(rule.slots) == 1 else "arrays"
        return len(rule.slots), (
            f"{params} params; beside each, {rule.type} keeps {len(rule.slots)} {kept} of the "
            f"param's shape: {letters}. A weight file needs none of them: they are for going on "
            "with the training"
        )
    for count in (3, 2):
        params, odd = divmod(len(shapes), count)
        rounds = [shapes[n * params : (n + 1) * params] for n in range(count)]
        if not odd and all(each == rounds[0] for each in rounds):
            return count, _GUESSES[count].format(params=params, whole=len(shapes))
    return 1, _GUESSES[1].format(params=len(shapes))


_GUESSES = {
    1: "{params} params with one slot each: SGD and Nesterov keep the last step (momentum), "
    "AdaGrad and RMSProp means or sums of squared gradients; `--solver` tells which",
    2: "{params} params with two slots each: Adam keeps the mean of the gradients, then the mean "
    "of their squares; AdaDelta the squares of the gradients, then of the updates (or {whole} "
    "params with one slot, where two halves of the net are alike); `--solver` tells which",
    3: "{params} params with three slots each, as AMSGrad has (or more with fewer, where parts of "
    "the net are alike); `--solver` tells which",
}


def _share(total: int, model: int) -> str:
    from netdef.view.words import size

    if not total:
        return ""
    beside = f", {total / model:.1f} times its model's {size(model)}" if model else ""
    return f"optimizer state: {size(total)}{beside}"


def _params(
    state: Path, learned_net: str, shapes: list[Shape], net: StrPath | None
) -> tuple[list[_Param], int]:
    """The params by name, from a net or the model beside the state; and the model's bytes."""
    own = state.name.replace(".solverstate", ".caffemodel")
    places = [Path(learned_net)] if learned_net else []
    places += [state.with_name(n) for n in (Path(learned_net).name, own) if n]
    model = next((p for p in places if p.is_file() and p != state), None)
    found: list[Stored] = []
    if model is not None:
        try:
            found = scan_weights(model)
        except NetdefError:  # the state can be looked at without
            found = []
    size = sum(4 * stored.count for stored in found)
    if net is not None:
        return _net_params(net, shapes), size
    return _model_params(found, shapes), size


def _net_params(net: StrPath, shapes: list[Shape]) -> list[_Param]:
    from netdef.api.loading import compile_file
    from netdef.diag import Report

    graph = compile_file(net, Report())
    if graph is None or len(graph.params) != len(shapes):
        return []  # what does not fit is told by `check_against`
    return [
        _Param(graph.nodes[param.owner.node].name, param.owner.index, param.role, param.shape)
        for param in graph.params
    ]


def _model_params(found: list[Stored], shapes: list[Shape]) -> list[_Param]:
    """A model's blobs where these are the shapes; shared ones count once."""
    params: list[_Param] = []
    for _, group in groupby(found, key=lambda stored: stored.layer):
        blobs = list(group)
        words = roles(blobs[0].type, [stored.shape for stored in blobs])
        params += [
            _Param(stored.layer, stored.index, role, stored.shape)
            for stored, role in zip(blobs, words, strict=True)
        ]
    if _alike(params, shapes):
        return params
    # A binary model repeats a shared blob with each layer that has it, the history does not.
    single = [params[n] for n in _first_of_each(found)]
    return single if _alike(single, shapes) else []


def _alike(params: list[_Param], shapes: list[Shape]) -> bool:
    return len(params) == len(shapes) and all(
        _same(param.shape, shape) for param, shape in zip(params, shapes, strict=True)
    )


def _same(model: Shape, state: Shape) -> bool:
    """Whether shapes agree; old models say (1, 1, 10, 500) for (10, 500)."""
    extra = len(model) - len(state)
    return extra >= 0 and model == (1,) * extra + state


def _first_of_each(found: list[Stored]) -> list[int]:
    """Indices of the blobs whose values no earlier one has."""
    kept: list[int] = []
    for n, stored in enumerate(found):
        like = [k for k in kept if found[k].shape == stored.shape]
        if not any(np.array_equal(found[k].read(), stored.read(), equal_nan=True) for k in like):
            kept.append(n)
    return kept
