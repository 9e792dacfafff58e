"""Tests that see a part of the test data, or a part of it twice."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from pathlib import Path

from netdef.data.errors import DataError
from netdef.data.reader import Context, find_path
from netdef.diag import FieldError, Label, Problem, Severity
from netdef.graph import Net, Node
from netdef.graph.problems import name_span
from netdef.lint.look import SolverLook


class PartialTest(Problem):
    """A test does not go through the test data once.

    A test reads `test_iter` batches. Fewer than the data has leave records out, and the next
    test goes on where this one ended, so that two tests cannot be compared; more count some
    records twice.

    Example, for 10,000 records in batches of 100:
        test_iter: 10
    Write:
        test_iter: 100
    """

    code = "N723"
    default_severity = Severity.WARNING


def partial_test(look: SolverLook) -> Iterator[Problem]:
    """Hold test_iter × batch against the number of records."""
    for index, (net, count) in enumerate(zip(look.tests, look.message.test_iter, strict=False)):
        for node in net.nodes:
            shapes = net.top_shapes(node)
            size = data_size(net, node) if shapes else None
            if not size or not shapes or not shapes[0]:
                continue
            batch = shapes[0][0]
            seen = count * batch
            if size <= seen < size + batch:
                continue
            at = name_span(net, node)
            said = f"sees {seen} of {size}" if seen < size else f"reads {seen}, there are {size}"
            yield PartialTest(
                f"a test {said} records",
                look.place(f"test_iter[{index}]"),
                label=f"{count} batches of {batch}",
                labels=(Label(at, f"{size} records"),) if at else (),
                help=f"write `test_iter: {ceil(size / batch)}`",
            )


def data_size(net: Net, node: Node) -> int | None:
    """How many records a data layer's source has; None where that is not to be known."""
    folder = Path(net.document.path).parent if net.document.path else None
    context = Context(folder=folder)
    try:
        if node.type == "Data":
            return _records(find_path(node.message.data_param.source, context))
        if node.type == "ImageData":
            from netdef.data.image_list import read_list

            return len(read_list(find_path(node.message.image_data_param.source, context)))
    except (DataError, FieldError, OSError):
        return None
    return None


def _records(path: Path) -> int:
    from netdef.data.store import open_store

    store = open_store(path)
    try:
        return len(store)
    finally:
        store.close()
