"""Weight files that a solver names and that are not there, or are no weights."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from netdef.diag import Problem, Severity
from netdef.lint.look import SolverLook
from netdef.schema.sniff import Kind, sniff

_WEIGHTS = (Kind.MODEL, Kind.MODEL_HDF5)


class MissingWeights(Problem):
    """A weight file that the solver names is not there, or holds something else.

    Names are taken from the folder netdef was started in, and from that of the solver where
    there is nothing. A solver state (`.solverstate`) is no weight file: it belongs to
    `netdef train --resume`.

    Example:
        weights: "bvlc_reference_caffenet.caffemodel"
    Write a path that leads to the file:
        weights: "models/bvlc_reference_caffenet.caffemodel"
    """

    code = "N724"
    default_severity = Severity.WARNING


def missing_weights(look: SolverLook) -> Iterator[Problem]:
    """Find names in `weights` that lead to nothing, or to another kind of file."""
    folder = look.document.path.parent if look.document.path else Path()
    for index, names in enumerate(look.message.weights):
        for name in filter(None, map(str.strip, names.split(","))):
            path = Path(name).expanduser()
            path = path if os.path.exists(path) or path.is_absolute() else folder / path
            span = look.place(f"weights[{index}]")
            if not os.path.exists(path):
                yield MissingWeights(
                    f"there is no weight file `{name}`", span, label="leads to nothing"
                )
                continue
            kind = sniff(path)
            if kind in _WEIGHTS:
                continue
            state = kind in (Kind.STATE, Kind.STATE_HDF5)
            yield MissingWeights(
                f"`{name}` is {kind.value}, where weights are needed",
                span,
                help=f"resume from it with `netdef train --resume {name}`" if state else "",
            )
