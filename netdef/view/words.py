"""How types, numbers and shapes are written in a drawing."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from netdef.graph import Node

_KINDS = {
    "Convolution": "Conv",
    "Deconvolution": "Deconv",
    "SoftmaxWithLoss": "SoftmaxLoss",
    "SigmoidCrossEntropyLoss": "SigmoidCELoss",
    "MultinomialLogisticLoss": "LogisticLoss",
}
_POOLS = ("MaxPool", "AvgPool", "StochasticPool")
_POOL_WORDS = ("max", "MAX", "ave", "AVE", "avg", "stochastic", "STOCHASTIC")
_LETTERS = {"→": "->", "α": "alpha ", "β": "beta ", "γ": "gamma ", "κ": "k "}
_FUSED = {"BatchNorm": "BN", "Scale": "Sc"}

# Bottoms that carry the truth a score is held against, by type: drawn as a note, not as a lane.
_TRUTH = {
    "Accuracy": (1,),
    "SoftmaxWithLoss": (1,),
    "MultinomialLogisticLoss": (1,),
    "InfogainLoss": (1, 2),
    "HingeLoss": (1,),
    "SigmoidCrossEntropyLoss": (1,),
    "EuclideanLoss": (1,),
    "ContrastiveLoss": (2,),
}


def kind(node: Node) -> str:
    """The type in a drawing's few letters; `?` behind one that netdef does not know."""
    if node.type == "Pooling":
        return _POOLS[node.message.pooling_param.pool]
    if node.layer is None:
        return f"{node.type or 'no type'} ?"
    return _KINDS.get(node.type, node.type)


def settings(node: Node) -> str:
    """The settings that matter, without what the kind says already."""
    words = node.layer.settings() if node.layer is not None else ""
    if node.type == "Pooling":
        words = " ".join(word for word in words.split() if word not in _POOL_WORDS)
    return words


def fused(node: Node) -> str:
    """A layer in place as it is hung onto its producer: `+ReLU`."""
    return "+" + short(node.type) + "?" * (node.layer is None)


def short(type_name: str) -> str:
    """A type hung onto another: `BN` for BatchNorm."""
    return _FUSED.get(type_name, type_name)


def ascii(text: str) -> str:
    """A text without other characters: `->` for →, e for é, the code of 層; × is left."""
    if text.isascii():
        return text
    letters = (
        char if char in "×…·←" else _LETTERS.get(char) or unicodedata.normalize("NFKD", char)
        for char in text
    )
    bare = "".join(c for part in letters for c in part if not unicodedata.combining(c))
    return "".join(
        c if c.isascii() or c in "×…·←" else c.encode("ascii", "backslashreplace").decode()
        for c in bare
    )


def truth_bottoms(type_name: str) -> tuple[int, ...]:
    """Which bottoms of a type are labels and the like."""
    return _TRUTH.get(type_name, ())


def shape(sizes: Sequence[int] | None) -> str:
    """`64×1×28×28`, `scalar`, `?`."""
    if sizes is None:
        return "?"
    return "×".join(map(str, sizes)) or "scalar"


def count(number: int) -> str:
    """Up to 999 as it is, then 9.5K, 118.0M, 3.9G."""
    return str(number) if number < 1000 else _scaled(number, 1000, ("K", "M", "G", "T"))


def size(count_of_bytes: int) -> str:
    """Bytes as 212 B, 9.8 KiB, 97.5 MiB."""
    if count_of_bytes < 1024:
        return f"{count_of_bytes} B"
    return _scaled(count_of_bytes, 1024, (" KiB", " MiB", " GiB", " TiB"))


def _scaled(number: int, step: int, units: Sequence[str]) -> str:
    amount, at = number / step, 0
    while amount >= step - 0.05 and at + 1 < len(units):
        amount, at = amount / step, at + 1
    return f"{amount:.1f}{units[at]}"


def plural(number: int, word: str) -> str:
    """`1 layer`, `2 layers`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
