"""Modules of Python layers that are not there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

from netdef.diag import Problem, Severity
from netdef.graph import Net
from netdef.graph.problems import in_layer, place


class MissingModule(Problem):
    """The module that a Python layer names cannot be found.

    It is looked for where Python looks (PYTHONPATH, installed packages), in the folder netdef
    was started in, and in that of the prototxt. Nothing is imported to find out.

    Example:
        python_param { module: "rpn.proposal_layer" layer: "ProposalLayer" }
    Write, in the shell:
        PYTHONPATH=py-faster-rcnn/lib netdef train model.prototxt solver.prototxt
    """

    code = "N716"
    default_severity = Severity.WARNING


def missing_module(net: Net) -> Iterator[Problem]:
    """Find Python layers whose module, or the package it is in, is nowhere."""
    folder = [str(Path(net.document.path).parent)] if net.document.path else []
    where = ["", *folder, *sys.path]
    for node in net.nodes:
        name = node.message.python_param.module
        # only the outermost name: to look inside a package is to import it
        top = name.partition(".")[0]
        if node.type != "Python" or not top or top in sys.builtin_module_names:
            continue
        if top == "caffe" or PathFinder.find_spec(top, where) is not None:
            continue
        span = place(net, node, "python_param.module")
        yield MissingModule(
            f"there is no module `{name}`, which `{node.name}` runs",
            span,
            label="not found" if top == name else f"there is no package `{top}`",
            labels=in_layer(net, node, span),
            help="put the folder that holds it on PYTHONPATH",
        )
