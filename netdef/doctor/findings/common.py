"""What several findings need: names, places, numbers, and changes of the text."""

from __future__ import annotations

from collections.abc import Iterable
from math import log10, prod, sqrt

from netdef.diag import Fix, Span
from netdef.doctor.figures import BlobFigures, Figures, ParamFigures
from netdef.graph import Net, Node
from netdef.text import SpanMap

RESTORES = ("BatchNorm", "MVN", "LRN", "Softmax")
"""Types behind which values have a size of their own."""

_FIELDS = {
    "InnerProduct": "inner_product_param",
    "Convolution": "convolution_param",
    "Deconvolution": "convolution_param",
    "RNN": "recurrent_param",
    "LSTM": "recurrent_param",
    "Embed": "embed_param",
    "Scale": "scale_param",
}


def number(value: float) -> str:
    """Three digits that count; large ones with commas."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.3g}"


def rounded(value: float) -> str:
    """The largest of 1, 2, 5 times a power of ten that is not above a value."""
    power = int(log10(value) // 1)
    digit = max(d for d in (1, 2, 5) if d <= value / 10**power * (1 + 1e-9))
    return f"{digit * 10.0**power:.10g}"


def names(words: Iterable[str]) -> str:
    """`a`, `b` and `c`."""
    found = list(words)
    return found[0] if len(found) == 1 else ", ".join(found[:-1]) + " and " + found[-1]


def filler_field(node: Node, role: str) -> str:
    """The path of a filler's message from the layer: "" for a type that has none."""
    field = _FIELDS.get(node.type, "")
    return f"{field}.{'bias' if role == 'bias' else 'weight'}_filler" if field else ""


def at(net: Net, node: Node, dotted: str) -> Span | None:
    """Where a field of a layer stands, or the nearest around it."""
    return net.span((*node.path, *SpanMap.parse(dotted)) if dotted else node.path)


def filler_place(net: Net, node: Node, role: str) -> Span | None:
    """Where a filler stands; the layer's type where none is written."""
    field = filler_field(node, role)
    if field:
        span = net.document.spans.value((*node.path, *SpanMap.parse(field)))
        if span is not None:
            return span
    return at(net, node, "type")


def filler_fix(net: Net, node: Node, role: str, text: str) -> Fix | None:
    """The change that gives a param another filler; None where it cannot be made in the text.

    Args:
        net: whose text is changed.
        node: the layer.
        role: "bias", or anything else for the weights.
        text: the filler's fields: `type: "xavier"`.
    """
    field = filler_field(node, role)
    if not field:
        return None
    spans = net.document.spans
    path = (*node.path, *SpanMap.parse(field))
    span = spans.value(path)
    if span is not None:
        return Fix(span, _braced(span, text), safe=False)
    message = spans.value(path[:-1])
    return None if message is None else insert(message, f"{path[-1]} {{ {text} }}")


def insert(message: Span, line: str) -> Fix:
    """Put a field at the end of a message.

    Args:
        message: from its opener to its closer.
        line: the field.
    """
    text, source = message.text, message.source
    close = message.end - 1
    if "\n" not in text:
        space = "" if source.text[close - 1].isspace() else " "
        return Fix(Span(source, close, close), f"{space}{line} ", safe=False)
    start = source.text.rfind("\n", 0, close) + 1
    indent = source.text[start:close]
    if indent.strip():
        return Fix(Span(source, close, close), f" {line} ", safe=False)
    return Fix(Span(source, start, start), f"{indent}  {line}\n", safe=False)


def _braced(span: Span, text: str) -> str:
    opener, closer = span.text[:1], span.text[-1:]
    return f"{opener} {text} {closer}"


def fixes(found: Iterable[Fix | None]) -> tuple[Fix, ...]:
    """Those that can be made."""
    return tuple(fix for fix in found if fix is not None)


def gain(net: Net, figures: ParamFigures) -> float:
    """How the spread of a layer's values compares with that of what it reads, at the start."""
    shape = net.params[figures.param].shape
    return sqrt(prod(shape[1:])) * figures.data.rms


def inputs_of(figures: Figures, node: Node) -> BlobFigures | None:
    """The measures of a layer's first bottom."""
    if not node.bottoms or node.bottoms[0] is None:
        return None
    blob = figures.net.blobs[node.bottoms[0]]
    return next(
        (
            b
            for b in figures.blobs
            if b.node == blob.producer
            and figures.net.nodes[b.node].tops.index(node.bottoms[0])
            == [x.blob for x in figures.blobs if x.node == b.node].index(b.blob)
        ),
        None,
    )


def before(net: Net, node: int) -> set[int]:
    """Every node that what a node reads comes from."""
    found: set[int] = set()
    waiting = [node]
    while waiting:
        for bottom in net.nodes[waiting.pop()].bottoms:
            if bottom is None:
                continue
            producer = net.blobs[bottom].producer
            if producer not in found:
                found.add(producer)
                waiting.append(producer)
    return found
