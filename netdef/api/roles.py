"""What a learned blob is for, told by its layer's type, or by its shape where that is not known."""

from __future__ import annotations

from collections.abc import Sequence

Shape = tuple[int, ...]

_BY_TYPE = {
    "BatchNorm": ("running mean", "running variance", "scale factor"),
    "Scale": ("scale", "bias"),
    "Bias": ("bias",),
    "PReLU": ("slope",),
    "Parameter": ("value",),
    "RNN": ("weight", "bias", "hidden weight", "output weight", "output bias"),
    "LSTM": ("weight", "bias", "hidden weight"),
}
_USUAL = ("weight", "bias")
_STATISTICS = 3  # blobs of a BatchNorm


def roles(type_name: str, shapes: Sequence[Shape]) -> tuple[str, ...]:
    """A word for each blob of a layer; "" where nothing tells.

    Args:
        type_name: of the layer; "" where the file does not say.
        shapes: of all its blobs, in order.
    """
    words = _BY_TYPE.get(type_name)
    if words is not None:
        if type_name in ("RNN", "LSTM") and len(shapes) > len(words):
            words = (*words[:2], "static weight", *words[2:])
        return _fill(words, len(shapes))
    if type_name:
        return _fill(_USUAL, len(shapes))
    return _fill(_guess(shapes), len(shapes))


def _guess(shapes: Sequence[Shape]) -> tuple[str, ...]:
    flat = [tuple(n for n in shape if n != 1) for shape in shapes]
    if len(shapes) == _STATISTICS and flat[0] == flat[1] and len(flat[0]) <= 1 and not flat[2]:
        return _BY_TYPE["BatchNorm"]
    if len(shapes) == len(_USUAL) and flat[0] == flat[1] and len(flat[0]) == 1:
        return _BY_TYPE["Scale"]
    if shapes and len(shapes[0]) > 1:
        return _USUAL
    return ()


def _fill(words: tuple[str, ...], count: int) -> tuple[str, ...]:
    return (*words, *("",) * count)[:count]
