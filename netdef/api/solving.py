"""What a solver does, told from its file: the update with its numbers, the rate, every field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from netdef.diag import NetdefError, Report
from netdef.run.solver_file import check_settings, solver_message, train_net
from netdef.schema.document import Document, read_net, read_solver
from netdef.schema.meanings import MEANINGS
from netdef.solvers.base import formula_in
from netdef.solvers.settings import OF_POLICIES, OF_RULES, OF_WATCHING, Settings, is_set, watches

if TYPE_CHECKING:
    from netdef.api.loading import StrPath
    from netdef.schema import SolverParameter

_SAMPLES = 64
_STEPS = (1, 2, 3, 10, 30, 100, 300, 1000, 3000)
_LONG = 10_000  # iterations that are looked at where no max_iter says how many
_BYTES = 4  # of a value in a slot

# Fields that netdef takes and does nothing about, and why.
_IGNORED = {
    "solver_mode": "no: netdef computes on the CPU",
    "device_id": "no: netdef computes on the CPU",
    "layer_wise_reduce": "no: it is about several GPUs",
    "snapshot_diff": "no: netdef saves no gradients in snapshots",
    "solver_type": "no: `type` says it",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the solver.

    Attributes:
        name: as in the prototxt.
        value: what counts, as text; "" for none.
        given: the file sets it.
        used: "yes", or "no: " and why.
        meaning: one or two sentences.
        number: the update rule or the policy reads it.
    """

    name: str
    value: str
    given: bool
    used: str
    meaning: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """An array that the rule keeps beside each param: its letter, and what it holds."""

    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Story:
    """What a solver does.

    Attributes:
        path: as given.
        type: of the update rule.
        summary: of the rule, one sentence.
        caffes: Caffe has the rule too.
        gradient: what happens to the gradient before the rule, a line a step.
        update: the rule, a line a step, with the numbers in it.
        rate: the learning rate's formula, with the numbers in it.
        warmup: how it begins; "" where nothing is special.
        iterations: that `rates` spans.
        rates: the learning rate over the iterations, as (iteration, rate).
        corrections: Adam's factor in the first steps, as (t, factor, factor times rate).
        slots: of the rule.
        params: values that the net learns; None where no net is known.
        fields: of the solver message, those of the file first.
    """

    path: str
    type: str
    summary: str
    caffes: bool
    gradient: tuple[str, ...]
    update: tuple[str, ...]
    rate: tuple[str, ...]
    warmup: str
    iterations: int
    rates: tuple[tuple[int, float], ...]
    corrections: tuple[tuple[int, float, float], ...]
    slots: tuple[Slot, ...]
    params: int | None
    fields: tuple[Field, ...]

    @property
    def bytes(self) -> int | None:
        """Memory of the slots; None where no net is known."""
        return None if self.params is None else self.params * len(self.slots) * _BYTES


def solver(path: StrPath, model: StrPath | None = None, *, report: Report | None = None) -> Story:
    """Tell what a solver does.

    Args:
        path: its prototxt.
        model: a net in place of the one that it names; only for the memory that it needs.
        report: takes the solver's warnings, such as settings that nothing reads.

    Raises:
        NetdefError: the file cannot be read, or a setting is one it cannot train with.
    """
    found = Report()
    document = read_solver(path, found)
    net = read_net(model, found) if model is not None else None
    found.raise_if_errors()
    assert document is not None
    settings = check_settings(document, found)
    if settings is None:
        raise NetdefError(found)
    if report is not None:
        report.extend(found)
    message = solver_message(document)
    rule = settings.rule
    span = message.max_iter if message.max_iter > 0 else _span(message)
    return Story(
        str(path),
        rule.type,
        (type(rule).__doc__ or "").partition("\n")[0],
        rule.caffes,
        tuple(_gradient(message, settings)),
        tuple(_update(message, settings)),
        tuple(_rate(settings)),
        _warmup(message, settings),
        span,
        tuple(_rates(settings, span)),
        tuple(_corrections(settings, span)),
        tuple(Slot(slot.name, slot.meaning) for slot in rule.slots),
        _count(document, net),
        tuple(_fields(message, settings)),
    )


def _gradient(message: SolverParameter, settings: Settings) -> list[str]:
    size, clip, most = message.iter_size, message.clip_gradients, message.clip_value
    steps = ["g = gradient of the loss" + (f", summed over {size} batches" if size > 1 else "")]
    if clip >= 0:
        steps.append(f"g = g * min(1, {_number(clip)} / |g|), |g| over all params together")
    if size > 1:
        steps.append(f"g = g / {size}")
    if is_set(message, "clip_value"):
        steps.append(f"g = min(max(g, -{_number(most)}), {_number(most)})")
    rule = settings.rule
    if message.weight_decay and not rule.decoupled and not rule.layerwise:
        pull = "sign(w)" if message.regularization_type == "L1" else "w"
        steps.append(f"g = g + {_number(message.weight_decay)} * decay_mult * {pull}")
    return steps


def _update(message: SolverParameter, settings: Settings) -> list[str]:
    rule = settings.rule
    text = rule.formula()
    if not message.weight_decay:
        text = text.replace("w = w - rate * decay * w\n", "")
        text = text.replace("(|g| + decay * |w|)", "|g|").replace("(g + decay * w)", "g")
    elif message.regularization_type == "L1":
        text = text.replace("decay * w\n", "decay * sign(w)\n")
        text = text.replace("decay * w)", "decay * sign(w))")
    decay = f"{_number(message.weight_decay)} * decay_mult"
    return _with_numbers(text, _values(rule) | {"decay": decay}).splitlines()


def _rate(settings: Settings) -> list[str]:
    policy = settings.policy
    text = _with_numbers(formula_in(type(policy).__doc__), _values(policy))
    steps = getattr(policy, "stepvalues", None)
    lines = text.splitlines()
    if steps:
        lines.append("stepvalues: " + ", ".join(map(str, steps)))
    return lines


def _warmup(message: SolverParameter, settings: Settings) -> str:
    warmup = settings.warmup
    if not warmup.iterations:
        return ""
    start = _number(warmup.start)
    return f"the first {message.warmup_iter} iterations rise to it in a line from {start}"


def _values(settings: Any) -> dict[str, str]:
    """The numbers of a rule or a policy by name."""
    pairs = {field.name: getattr(settings, field.name) for field in fields(settings)}
    return {
        name: _number(value)
        for name, value in pairs.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _with_numbers(text: str, values: Mapping[str, str]) -> str:
    """A formula with numbers in place of names; 1 minus a number is worked out."""
    for name, value in values.items():
        text = re.sub(rf"\b{name}\b", value, text)
    return re.sub(r"\(1 ([-+]) ([0-9.e-]+)\)", _sum, text)


def _sum(match: re.Match[str]) -> str:
    value = float(match[2])
    return _number(1 - value if match[1] == "-" else 1 + value)


def _number(value: float) -> str:
    """As people write it: fields are float32, so seven digits are all there are."""
    return f"{value:.7g}"


def _span(message: SolverParameter) -> int:
    return max([*message.stepvalue, message.stepsize * 4, message.warmup_iter * 4, 0]) or _LONG


def _rates(settings: Settings, span: int) -> list[tuple[int, float]]:
    count = min(_SAMPLES, span)
    found, steps = [], 0
    for sample in range(count):
        iteration = sample * (span - 1) // max(count - 1, 1)
        while (further := settings.policy.advance(iteration, steps)) != steps:
            steps = further
        found.append((iteration, settings.rate(iteration, steps)))
    return found


def _corrections(settings: Settings, span: int) -> list[tuple[int, float, float]]:
    found = []
    for t in _STEPS:
        scalars = settings.rule.scalars(t - 1)
        if not scalars or t > span:
            break
        factor = scalars[-1].value
        steps = settings.policy.advance(t - 1, 0)
        found.append((t, factor, factor * settings.rate(t - 1, steps)))
    return found


def _count(document: Document, model: Document | None) -> int | None:
    """Values that the net learns; None where there is no net to look at."""
    from netdef.graph import compile_net

    source = train_net(document, Report(), model)
    if source is None:
        return None
    graph = compile_net(source.document, source.state, Report(), looking=True)
    if graph is None or any(None in param.shape for param in graph.params):
        return None
    total = 0
    for param in graph.params:
        size = 1
        for n in param.shape:
            size *= n
        total += size
    return total


def _fields(message: SolverParameter, settings: Settings) -> list[Field]:
    meanings = MEANINGS["SolverParameter"]
    found = []
    for descriptor in message.DESCRIPTOR.fields:
        name = descriptor.name
        given = is_set(message, name)
        shown = given or descriptor.has_default_value
        value = _shown(descriptor, getattr(message, name)) if shown else ""
        used = _used(name, message, settings)
        own = getattr(settings.rule, name, None)
        if not given and name in OF_RULES and name in settings.rule.uses and own is not None:
            value = _number(own)  # the rule's own default
        number = name in settings.rule.uses or name in settings.policy.uses
        found.append(Field(name, value, given, used, meanings.get(name, ""), number))
    return sorted(found, key=lambda field: (not field.given, field.used != "yes"))


def _shown(descriptor: Any, value: Any) -> str:
    if descriptor.message_type is not None:
        return "{…}"
    if hasattr(value, "append"):
        return ", ".join(_shown_one(descriptor, one) for one in value)
    return _shown_one(descriptor, value)


def _shown_one(descriptor: Any, value: Any) -> str:
    if descriptor.enum_type is not None:
        return str(descriptor.enum_type.values_by_number[value].name)
    if isinstance(value, bool):
        return str(value).lower()
    return _number(value) if isinstance(value, float) else str(value)


def _used(name: str, message: SolverParameter, settings: Settings) -> str:
    if name in _IGNORED:
        return _IGNORED[name]
    if name in settings.rule.uses or name in settings.policy.uses:
        if name == "momentum" and settings.rule.type in ("AdaGrad", "RMSProp"):
            return f"no: {settings.rule.type} refuses any but 0, as in Caffe"
        return "yes"
    if name in OF_RULES:
        return f"no: {settings.rule.type} has no use for it"
    if name in OF_WATCHING:
        return "yes" if watches(message) else "no: nothing asks how good the net is"
    if name in OF_POLICIES:
        return f"no: the policy {settings.policy.type} has no use for it"
    if name == "warmup_start_lr" and not message.warmup_iter:
        return "no: there is no warmup_iter"
    if name == "regularization_type" and not message.weight_decay:
        return "no: there is no weight_decay"
    return "yes"
