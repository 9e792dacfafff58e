"""Prototxt text: grammar, syntax tree with places, and filling any message from it.

Knows characters, and the field names and value types that a message's descriptor declares. Has
never heard of layers, shapes or arrays, nor of which message it fills.

`lexer` cuts the text into coarse tokens, `grammar` hands them to lark, whose callbacks build the
`tree`; `recover` reads a text again that has mistakes in its syntax; `fill` writes the tree into
a message and returns the `places` of its fields.
"""

from __future__ import annotations

from netdef.diag import Report, Source
from netdef.text.fill import Message, UnknownField, fill
from netdef.text.parse import parse_tree
from netdef.text.places import Path, SpanMap

__all__ = ["Message", "Path", "SpanMap", "UnknownField", "fill", "parse_into", "parse_tree"]


def parse_into(text: str, message: Message, source: str = "<string>") -> SpanMap:
    """Fill a protobuf message from its text format.

    Args:
        text: the message as text, what a `.prototxt` holds.
        message: any generated message; what it holds already stays, as for repeated fields.
        source: the name to show in mistakes, usually the file's path.

    Returns:
        Where each field was written.

    Raises:
        NetdefError: with all mistakes of the text; what could be read is in the message.

    Example:
        >>> from google.protobuf.timestamp_pb2 import Timestamp
        >>> moment = Timestamp()
        >>> places = parse_into("seconds: 0x10", moment)
        >>> moment.seconds, str(places.value(("seconds",)))
        (16, '<string>:1:10')
    """
    report = Report()
    places = fill(Source(source, text), message, report)
    report.raise_if_errors()
    return places
