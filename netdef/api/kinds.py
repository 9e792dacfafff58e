"""Kinds of problems and types of layers, and what there is to read about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from inspect import cleandoc
from typing import Any

from netdef.diag import Problem, known_codes
from netdef.text.rules import rules_of

# Every module that defines a kind of problem; a test compares this with the sources.
_PROBLEM_MODULES = (
    "netdef.text.problems",
    "netdef.schema.problems",
    "netdef.graph.problems",
    "netdef.graph.deploy_problems",
    "netdef.data.errors",
    "netdef.run.solver_file",
    "netdef.run.copy_weights",
    "netdef.run.snapshot",
    "netdef.lint",
    "netdef.doctor.findings",
    "netdef.doctor.record.problems",
    "netdef.api.problems",
)

_ENUM, _STRING, _BOOL, _MESSAGE = 14, 9, 8, 11  # types of descriptor.proto
_TYPE_WORDS = {1: "number", 2: "number", 3: "integer", 4: "count", 5: "integer", 13: "count"}

# Types whose settings are in other messages than the one of their own name.
_MESSAGES = {
    "Data": ("data_param", "transform_param"),
    "Deconvolution": ("convolution_param",),
    "Im2col": ("convolution_param",),
    "ImageData": ("image_data_param", "transform_param"),
    "InfogainLoss": ("infogain_loss_param", "loss_param"),
    "LSTM": ("recurrent_param",),
    "MemoryData": ("memory_data_param", "transform_param"),
    "MultinomialLogisticLoss": (),
    "RNN": ("recurrent_param",),
    "SigmoidCrossEntropyLoss": ("loss_param",),
    "SoftmaxWithLoss": ("softmax_param", "loss_param"),
    "WindowData": ("window_data_param", "transform_param"),
}


def problem_kinds() -> Mapping[str, type[Problem]]:
    """Every kind of problem, by code, in the order of the codes."""
    for module in _PROBLEM_MODULES:
        import_module(module)
    return {code: kind for code, kind in sorted(known_codes().items()) if code}


def explain(code: str) -> str:
    """The long story of a problem's code.

    Args:
        code: in any case, `N` and leading zeros can be left out: N0201, n201, 201.

    Raises:
        KeyError: there is no such code.
    """
    kind = find_kind(code)
    if kind is None:
        raise KeyError(code)
    severity = kind.default_severity.value
    return f"{severity}[{kind.code}]: {kind.__name__}\n\n{cleandoc(kind.__doc__ or '')}\n"


def find_kind(code: str) -> type[Problem] | None:
    """The kind of problem that goes by a code, or by a name; None where there is none."""
    kinds = problem_kinds()
    word = code.strip().strip("[]").upper()
    digits = word.removeprefix("N")
    if digits.isdigit():
        return kinds.get(f"N{int(digits):03d}")
    return next((kind for kind in kinds.values() if kind.__name__.upper() == word), None)


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A field that a layer type reads.

    Attributes:
        message: that it is in, `pooling_param`.
        name: of the field.
        type: what it takes: `count`, `text`, `MAX | AVE | STOCHASTIC`, name of a message.
        default: as a prototxt would have it; "" for none.
        repeated: it may be given many times.
    """

    message: str
    name: str
    type: str
    default: str
    repeated: bool


@dataclass(frozen=True, slots=True)
class LayerType:
    """What there is to read about a type of layers.

    Attributes:
        name: Caffe's.
        line: what it does, in one sentence.
        text: its whole documentation.
        settings: fields of its messages.
        bottoms: fewest and most; None for no limit.
        tops: the same.
    """

    name: str
    line: str
    text: str
    settings: tuple[SettingRow, ...]
    bottoms: tuple[int, int | None]
    tops: tuple[int, int | None]

    @property
    def prototxt(self) -> str:
        """A layer of this type, as one begins to write it."""
        lines = [f'layer {{ name: "{self.name.lower()}" type: "{self.name}"']
        bottom, top = self.bottoms[0], self.tops[0]
        ends = [f'bottom: "x{i + 1 if bottom > 1 else ""}"' for i in range(bottom)]
        ends += [f'top: "y{i + 1 if top > 1 else ""}"' for i in range(top)]
        lines.append("  " + " ".join(ends) if ends else "")
        for message in dict.fromkeys(row.message for row in self.settings):
            lines.append(f"  {message} {{ ... }}")
        return "\n".join(line for line in lines if line) + "\n}"


def layer_types() -> list[LayerType]:
    """All types of layers, in alphabetical order."""
    from netdef import layers

    return [_describe(name) for name in layers.types()]


def find_layer_type(name: str) -> LayerType | None:
    """A type of layers by its name, whatever its case and underscores."""
    from netdef import layers

    folded = name.replace("_", "").lower()
    return next((_describe(t) for t in layers.types() if t.lower() == folded), None)


def _describe(name: str) -> LayerType:
    from netdef import layers

    found = layers.find(name)
    assert found is not None, f"{name} is listed and cannot be found"
    text = cleandoc(found.__doc__ or "")
    return LayerType(
        name,
        text.partition("\n")[0],
        text,
        tuple(_settings(name)),
        found.bottom_count,
        found.top_count,
    )


def _settings(type_name: str) -> list[SettingRow]:
    from netdef.schema import LayerParameter

    descriptor: Any = LayerParameter.DESCRIPTOR
    rows = []
    for message in _MESSAGES.get(type_name, (_own_message(type_name),)):
        field = descriptor.fields_by_name.get(message)
        if field is None:
            continue
        rules = rules_of(field.message_type)
        for name in rules.names():
            rule = rules[name]
            assert rule is not None
            rows.append(
                SettingRow(message, name, _words(rule.field), _default(rule.field), rule.repeated)
            )
    return rows


def _own_message(type_name: str) -> str:
    """`InnerProduct` is `inner_product_param`; capitals in a row are one word."""
    import re

    from netdef.schema import LayerParameter

    folded = type_name.lower() + "param"
    for field in LayerParameter.DESCRIPTOR.fields:
        if re.sub("_", "", field.name) == folded:
            return str(field.name)
    return ""


def _words(field: Any) -> str:
    if field.type == _ENUM:
        return " | ".join(value.name for value in field.enum_type.values)
    if field.type == _MESSAGE:
        return f"{field.message_type.name} {{ ... }}"
    if field.type in (_STRING, _BOOL):
        return "text" if field.type == _STRING else "true | false"
    return _TYPE_WORDS.get(field.type, "number")


def _default(field: Any) -> str:
    if not field.has_default_value:
        return ""
    if field.type == _ENUM:
        return str(field.enum_type.values_by_number[field.default_value].name)
    if field.type == _BOOL:
        return str(field.default_value).lower()
    if field.type == _STRING:
        return f'"{field.default_value}"'
    return f"{field.default_value:g}"
