"""`input`, `input_shape` and `input_dim` become an Input layer."""

from __future__ import annotations

from netdef.diag import Report
from netdef.schema.netdef_pb2 import LayerParameter, NetParameter
from netdef.schema.problems import InputWithoutShape, OldInput
from netdef.text import Path, SpanMap

_AXES = 4  # input_dim always meant batch, channels, height, width


def inputs_to_layer(net: NetParameter, spans: SpanMap, report: Report) -> SpanMap:
    """Put one Input layer called `input` in front, with a top for each `input`, as Caffe does.

    Inputs without any shape are dropped: all-in-one nets name them for deploying only.
    """
    if not net.input:
        return spans
    shapes = _shapes(net, spans, report)
    aliases: dict[Path, Path] = {}
    if shapes:
        layer = LayerParameter(name="input", type="Input")
        _shift(net, layer, aliases)
        aliases["layer", 0] = ("input", 0)
        for index, ((dims, place, dim_places), name) in enumerate(
            zip(shapes, net.input, strict=False)
        ):
            layer.top.append(name)
            layer.input_param.shape.add().dim.extend(dims)
            aliases["layer", 0, "top", index] = ("input", index)
            shape: Path = ("layer", 0, "input_param", "shape", index)
            aliases[shape] = place
            aliases.update({(*shape, "dim", i): p for i, p in enumerate(dim_places)})
        aliases["layer", 0, "input_param"] = shapes[0][1]
        net.layer.insert(0, layer)
    net.ClearField("input")
    net.ClearField("input_shape")
    net.ClearField("input_dim")
    return spans.with_aliases(aliases)


def _shift(net: NetParameter, first: LayerParameter, aliases: dict[Path, Path]) -> None:
    for index in range(len(net.layer)):
        aliases["layer", index + 1] = ("layer", index)


# Sizes of one input, the place of its shape, and the places of the sizes.
_Shape = tuple[list[int], Path, list[Path]]


def _shapes(net: NetParameter, spans: SpanMap, report: Report) -> list[_Shape]:
    inputs = len(net.input)
    if net.input_shape:
        if len(net.input_shape) < inputs:
            _complain(
                spans,
                report,
                len(net.input_shape),
                f"{inputs} inputs have {len(net.input_shape)} input_shape",
            )
        return [
            (
                list(shape.dim),
                ("input_shape", i),
                [("input_shape", i, "dim", k) for k in range(len(shape.dim))],
            )
            for i, shape in enumerate(net.input_shape)
        ]
    if not net.input_dim:
        report.add(
            InputWithoutShape(
                f"input `{net.input[0]}` has no shape and is dropped",
                spans.field(("input", 0)),
                help="add input_shape { dim: ... }, or write an Input layer",
            )
        )
        return []
    if len(net.input_dim) < inputs * _AXES:
        whole = len(net.input_dim) // _AXES
        _complain(
            spans,
            report,
            whole,
            f"{inputs} inputs need {inputs * _AXES} input_dim, and there are {len(net.input_dim)}",
        )
    groups = range(min(inputs, len(net.input_dim) // _AXES))
    return [
        (
            list(net.input_dim[i * _AXES : (i + 1) * _AXES]),
            ("input_dim", i * _AXES),
            [("input_dim", i * _AXES + k) for k in range(_AXES)],
        )
        for i in groups
    ]


def _complain(spans: SpanMap, report: Report, first: int, message: str) -> None:
    report.add(
        OldInput(
            message,
            spans.field(("input", first)),
            label="no shape for this one",
            help="write an Input layer, or one input_shape { dim: ... } for each input",
        )
    )
