"""A command whose help keeps its examples as they are written."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

import click

# Before a paragraph, click's sign that its lines are not to be filled.
_AS_IT_IS = "\b\n"


class Command(click.Command):
    """A command; an indented paragraph of its docstring is an example, shown line by line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help = with_examples(self.help)


def with_examples(text: str | None) -> str | None:
    """A help text with its indented paragraphs marked to be left as they are."""
    if text is None:
        return None
    paragraphs = cleandoc(text).split("\n\n")
    return "\n\n".join(_AS_IT_IS + p if p.startswith("  ") else p for p in paragraphs)
