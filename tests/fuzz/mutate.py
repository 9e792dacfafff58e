"""New inputs from old ones: bytes, tokens of the text format, fields of the wire format."""

from __future__ import annotations

import random
import re
from functools import cache

_TOKEN = re.compile(rb"[A-Za-z_]\w*|\d[\w.]*|\"[^\"\n]*\"|'[^'\n]*'|#[^\n]*|\s+|.", re.DOTALL)
_NUMBERS = (
    b"0 1 -1 2 3 7 16 255 65536 2147483647 2147483648 -2147483648 4294967295 4294967296 "
    b"9223372036854775807 18446744073709551616 1e30 1e-45 1e400 -0 -0.0 nan inf -inf 0x1f 017 "
    b"08 .5 1. 1e 0.5f 99999999999999999999999 1_000 +1"
).split()
_ODD = (
    b"\xef\xbb\xbf",
    b"\xff",
    b"\x00",
    b"\r\n",
    b"\r",
    b"\xc2\xa0",
    b"\\",
    b'"\\x41\\101\\u00e9"',
    b"'",
    b'"',
    b"{",
    b"}",
    b"<",
    b">",
    b"[",
    b"]",
    b"[a.b/c]",
    b":",
    b",",
    b";",
    b"-",
    b"#",
    b"<<<<<<< HEAD\n",
    b"//",
    b"{" * 40,
    b"a{" * 300,
    b"[" * 300,
    b"\xf0\x9f\x98\x80",
    b"include { phase: TEST stage: 'x' }",
    b"layers { layer { type: 'conv' } }",
)
_VARINTS = (0, 1, 0x7F, 0x80, 0xFFFF, 2**31 - 1, 2**31, 2**32, 2**63, 2**64 - 1)


@cache
def _names() -> tuple[bytes, ...]:
    """Names of fields, enum members and layer types."""
    from netdef.schema import netdef_pb2

    names = {"Input", "Python"}
    for message in netdef_pb2.DESCRIPTOR.message_types_by_name.values():
        names.update(message.fields_by_name)
        for enum in message.enum_types:
            names.update(enum.values_by_name)
    names.update(netdef_pb2.V1LayerParameter.LayerType.keys())
    types = "Convolution ReLU Pooling InnerProduct Softmax SoftmaxWithLoss Accuracy BatchNorm Scale"
    return tuple(sorted(n.encode() for n in (*names, *(f'"{t}"' for t in types.split()))))


def mutate(rng: random.Random, data: bytes, other: bytes, *, binary: bool, most: int) -> bytes:
    """Change an input in a few places.

    Args:
        rng: decides.
        data: the input.
        other: another one, to take pieces from.
        binary: whether it is a binary file.
        most: bytes of the result.
    """
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        if binary and rng.random() < 0.6:
            data = _wire(rng, data)
        elif not binary and rng.random() < 0.75:
            data = _text(rng, data, other)
        else:
            data = _bytes(rng, data, other)
    return data[:most]


def _bytes(rng: random.Random, data: bytes, other: bytes) -> bytes:
    at = rng.randint(0, len(data))
    size = rng.choice((1, 1, 2, 4, 16, 64))
    match rng.randrange(6):
        case 0:
            return data[:at] + rng.randbytes(size) + data[at:]
        case 1:
            return data[:at] + data[at + size :]
        case 2:
            return data[:at] + rng.randbytes(size) + data[at + size :]
        case 3:
            return data[:at]
        case 4:
            begin = rng.randint(0, len(other))
            return data[:at] + other[begin : begin + size * 8] + data[at:]
        case _:
            if not data:
                return b"\0"
            at = min(at, len(data) - 1)
            return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _text(rng: random.Random, data: bytes, other: bytes) -> bytes:
    tokens = _TOKEN.findall(data) or [b""]
    at = rng.randrange(len(tokens))
    match rng.randrange(8):
        case 0:
            tokens[at] = rng.choice(_names())
        case 1:
            numbers = [i for i, t in enumerate(tokens) if t[:1].isdigit()]
            tokens[rng.choice(numbers) if numbers else at] = rng.choice(_NUMBERS)
        case 2:
            tokens.insert(at, rng.choice(_ODD))
        case 3:
            del tokens[at : at + rng.choice((1, 1, 2, 5))]
        case 4:
            size = rng.choice((1, 3, 10, 30))
            tokens[at:at] = tokens[at : at + size] * rng.choice((1, 1, 2, 20))
        case 5:
            more = _TOKEN.findall(other) or [b""]
            begin = rng.randrange(len(more))
            tokens[at:at] = more[begin : begin + rng.choice((1, 4, 20, 60))]
        case 6:
            names = [i for i, t in enumerate(tokens) if t[:1].isalpha() or t[:1] == b'"']
            if len(names) > 1:
                one, two = rng.sample(names, 2)
                tokens[one], tokens[two] = tokens[two], tokens[one]
        case _:
            words = rng.choice(_names()) + b": " + rng.choice((*_NUMBERS, *_names())) + b" "
            tokens.insert(at, words)
    return b"".join(tokens)


def _wire(rng: random.Random, data: bytes) -> bytes:
    """A tag, a length or a number of the wire format, in place of what is there or before it."""
    at = rng.randint(0, len(data))
    tag = _varint(rng.choice((1, 2, 3, 4, 5, 7, 8, 100, 20000, 2**29)) << 3 | rng.randrange(8))
    number = _varint(rng.choice(_VARINTS))
    new = rng.choice((tag, number, tag + number, tag + b"\x04" + rng.randbytes(4)))
    return data[:at] + new + data[at + rng.choice((0, 1, len(new))) :]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value & 0x7F])
