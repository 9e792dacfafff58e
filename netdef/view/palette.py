"""Styles: which colour a kind of layer has, and how a line of segments becomes text."""

from __future__ import annotations

from collections.abc import Iterable

from netdef.view.cells import Line

# ANSI codes of the eight colours that every terminal theme has chosen for itself.
_CODES = {
    "": "",
    "title": "1",
    "dim": "2",
    "rail": "2",
    "head": "2",
    "bad": "1;31",
    "warn": "33",
    "brace": "35",
    "added": "1;32",
    "removed": "9;31",
    "changed": "1;33",
    "data": "32",
    "conv": "34",
    "dense": "36",
    "shape": "",
    "loss": "31",
    "norm": "33",
    "join": "35",
    "act": "2",
    "unknown": "1;31",
}

CHANGES = {"+": "added", "-": "removed", "~": "changed"}

_FAMILIES = {
    "data": "Input Data DummyData ImageData HDF5Data MemoryData WindowData HDF5Output Python",
    "conv": "Convolution Deconvolution Pooling Im2col SPP Crop",
    "dense": "InnerProduct Embed Recurrent RNN LSTM",
    "norm": "BatchNorm Scale Bias LRN MVN",
    "act": "ReLU PReLU ELU Sigmoid TanH Swish BNLL Power Exp Log AbsVal Threshold Clip Dropout",
    "join": "Concat Slice Eltwise Split Filter BatchReindex Flatten Reshape Tile Reduction ArgMax "
    "Silence Parameter",
    "loss": "Softmax Accuracy",
}
_FAMILY_OF = {name: family for family, names in _FAMILIES.items() for name in names.split()}


def family(type_name: str) -> str:
    """The style of a layer type."""
    if type_name.endswith("Loss"):
        return "loss"
    return _FAMILY_OF.get(type_name, "")


def paint(line: Line, *, color: bool) -> str:
    """A line as text, without spaces at its end."""
    segments = list(line)
    while segments and not segments[-1][0].strip():
        segments.pop()
    if segments:
        segments[-1] = (segments[-1][0].rstrip(), segments[-1][1])
    if not color:
        return "".join(text for text, _ in segments)
    return "".join(
        f"\033[{_CODES[style]}m{text}\033[0m" if _CODES.get(style) and text.strip() else text
        for text, style in segments
    )


def join(lines: Iterable[Line], *, color: bool, unicode: bool = True) -> str:
    """Lines as one text that ends with a line break; `unicode` off leaves only ASCII."""
    text = "".join(paint(line, color=color) + "\n" for line in lines)
    return text if unicode else to_ascii(text)


# One character for one, so that columns stay where they are. `+` stands for every place where
# lines meet: a `|` between dashes is then always a line that passes.
_ASCII = str.maketrans(
    {
        **dict.fromkeys("├┤┬┴┼┌┐└┘", "+"),
        **dict.fromkeys("─", "-"),
        **dict.fromkeys("│", "|"),
        **dict.fromkeys("╭╯", "/"),
        **dict.fromkeys("╮╰", "\\"),
        **dict.fromkeys("╌", "."),
        "●": "*",
        "○": "o",
        "▣": "#",
        "▼": "v",
        "✗": "!",
        "▸": ">",
        "⎫": "\\",
        "⎪": "|",
        "⎬": "+",
        "⎭": "/",
        "×": "x",
        "·": "-",
        "→": ">",
        "←": "<",
        "…": "~",
        "≤": "<",
        "≥": ">",
    }
)


def to_ascii(text: str) -> str:
    """The text in ASCII, as wide as before where all its characters are narrow."""
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")
