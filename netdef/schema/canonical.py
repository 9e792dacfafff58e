"""A prototxt in the canonical layout, and the proof that it means what it meant."""

from __future__ import annotations

from netdef.diag import Report, Source
from netdef.schema.field_order import ORDER, TALL
from netdef.schema.netdef_pb2 import NetParameter, SolverParameter
from netdef.schema.problems import LayoutChangesMeaning
from netdef.schema.sniff import Kind, kind_of_text
from netdef.text import fill, parse_tree
from netdef.text.layout import read_layout
from netdef.text.same import same_meaning
from netdef.text.write import write


def canonical(source: Source, report: Report) -> str | None:
    """Lay a text out anew, its comments and single blank lines kept.

    Unknown fields and wrong values are laid out like all others: only the syntax must be right.

    Args:
        source: the text of a net or a solver.
        report: where mistakes of its syntax go.

    Returns:
        The text in canonical layout; None where the syntax has mistakes.
    """
    found = Report()
    tree = parse_tree(source, found)
    if not found.ok:
        report.extend(found)
        return None
    text = write(read_layout(source, tree), ORDER, TALL)
    after = Source(source.name, text)
    again = Report()
    tree_after = parse_tree(after, again)
    if not again.ok or not same_meaning(tree, tree_after) or _bytes(source) != _bytes(after):
        report.add(
            LayoutChangesMeaning(
                f"the layout of `{source.name}` would change what it means, and it is left alone"
            )
        )
        return None
    return text


def _bytes(source: Source) -> bytes:
    """The message that a text makes, as far as the schema knows its fields."""
    solver = kind_of_text(source.text) is Kind.SOLVER_TEXT
    message = SolverParameter() if solver else NetParameter()
    fill(source, message, Report())
    return message.SerializePartialToString(deterministic=True)
