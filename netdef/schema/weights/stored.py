"""Arrays in files, known before their values are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Stored:
    """An array in a file.

    Attributes:
        name: as the file has it.
        layer: it belongs to; "" where the file does not say.
        type: of the layer; "" where the file does not say.
        index: which of the layer's blobs, or which array of the file.
        shape: of the array.
        dtype: of its values in the file, in NumPy's words where NumPy has one.
        read: opens the file again and gives the values, float16 to float64 or whole numbers.
    """

    name: str
    layer: str
    type: str
    index: int
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], NDArray[Any]]

    @property
    def count(self) -> int:
        """How many values it has."""
        return prod(self.shape)


# How the last word of a name tells which of a layer's blobs it is, in files of other tools.
_WORDS = {
    **dict.fromkeys(("weight", "weights", "kernel", "w", "gamma"), 0),
    **dict.fromkeys(("bias", "biases", "b", "beta"), 1),
}


def layer_of(name: str) -> tuple[str, int]:
    """Layer and index that a name of an archive stands for.

    `conv1/0`, which netdef writes, `conv1.0`, `conv1[0]` and `conv1.weight` are the first blob of
    conv1. Any other name is a layer with one blob.

    Example:
        >>> layer_of("inception/3x3/1"), layer_of("fc.bias"), layer_of("mean")
        (('inception/3x3', 1), ('fc', 1), ('mean', 0))
    """
    if name.endswith("]") and name[:-1].rpartition("[")[2].isdecimal():
        layer, _, number = name[:-1].rpartition("[")
        return layer, int(number)
    layer, mark, word = max(name.rpartition("/"), name.rpartition("."), key=lambda p: len(p[0]))
    if layer and mark and word.isdecimal() and len(word) < _MOST_DIGITS:
        return layer, int(word)
    if layer and mark and word.lower() in _WORDS:
        return layer, _WORDS[word.lower()]
    return name, 0


_MOST_DIGITS = 5  # of a layer's blobs; a longer number is part of the name


def name_of(layer: str, index: int) -> str:
    """The name under which an archive has a layer's blob."""
    return f"{layer}/{index}"
