"""Which fork of Caffe a field or a layer type comes from, where Caffe itself has none.

The table is `forks.tsv`; a mistake is what first reads it.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

_MOST = 3


def about_field(message: str, field: str) -> str | None:
    """Whose field an unknown one is, as one sentence.

    Args:
        message: the name of the message it stands in: `LayerParameter`.
        field: its name.

    Returns:
        None for a field that no known fork has; one that another message of a fork has counts.

    Example:
        >>> about_field("LayerParameter", "bias_channel_param")
        '`bias_channel_param` belongs to a fork of Caffe: hszhao/PSPNet'
    """
    table = _table()
    # V1 layers take the params of their fork's new layers too.
    message = "LayerParameter" if message == "V1LayerParameter" else message
    forks = table.get((message, field))
    return None if forks is None else _belongs(field, forks)


def about_type(type_name: str) -> str | None:
    """Whose layer type an unknown one is, as one sentence; None where no known fork has it."""
    forks = _table().get(("type", type_name))
    return None if forks is None else _belongs(type_name, forks)


def _belongs(name: str, forks: list[str]) -> str:
    whose = "a fork" if len(forks) == 1 else "forks"
    return f"`{name}` belongs to {whose} of Caffe: {_listed(forks)}"


@cache
def _table() -> dict[tuple[str, str], list[str]]:
    text = files("netdef.schema").joinpath("forks.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return {(message, name): forks.split("; ") for message, name, forks in rows}


def _listed(forks: list[str]) -> str:
    shown = forks[:_MOST]
    if len(forks) > _MOST:
        return f"{', '.join(shown)} and {len(forks) - _MOST} more"
    *most, last = shown
    return f"{', '.join(most)} and {last}" if most else last
