"""Which of the files on the command line is which, told by content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from netdef.schema.sniff import Kind

_MOST = 2


def kind_of(path: str) -> Kind | None:
    """A file's kind; None where it cannot be read, which whoever reads it will say."""
    from netdef.schema.sniff import sniff

    try:
        return sniff(path)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None


def model_and_solver(paths: tuple[str, ...], command: str) -> tuple[str | None, str]:
    """The net, None where only a solver is named, and the solver; in any order.

    Raises:
        click.UsageError: there are two nets, two solvers, no solver, or weights among them.
    """
    from netdef.schema.sniff import Kind

    if len(paths) > _MOST:
        raise click.UsageError(f"{len(paths)} files are too many: name a model and a solver")
    kinds = [kind_of(path) for path in paths]
    for path, kind in zip(paths, kinds, strict=True):
        if kind in (Kind.MODEL, Kind.MODEL_HDF5):
            raise click.UsageError(f"`{path}` holds weights: it goes after --weights")
        if kind in (Kind.STATE, Kind.STATE_HDF5):
            raise click.UsageError(f"`{path}` is a solver state: it goes after --resume")
    if len(paths) == 1:
        if kinds[0] is Kind.NET_TEXT:
            raise click.UsageError(
                f"`{paths[0]}` is a net, and a solver says how to train it: "
                f"netdef {command} {paths[0]} solver.prototxt"
            )
        return None, paths[0]
    if kinds[0] is kinds[1] and kinds[0] in (Kind.NET_TEXT, Kind.SOLVER_TEXT):
        what = "nets" if kinds[0] is Kind.NET_TEXT else "solvers"
        raise click.UsageError(
            f"`{paths[0]}` and `{paths[1]}` are both {what}: name a model and a solver"
        )
    first, second = paths
    swapped = kinds[0] is Kind.SOLVER_TEXT or (
        kinds[1] is Kind.NET_TEXT and kinds[0] is not Kind.NET_TEXT
    )
    return (second, first) if swapped else (first, second)
