"""Drawings and tables of whole nets, as files. `NETDEF_GOLDEN=1` writes them anew: look at them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netdef import view
from netdef.diag import Report
from netdef.graph import State, compile_net
from netdef.layers.base import Phase
from netdef.schema.document import net_from_text

FILES = sorted((Path(__file__).parents[1] / "golden" / "view").glob("*.prototxt"))
FORMS = {
    "rails": lambda net, report: view.draw(net, format="rails", width=110, report=report),
    "narrow": lambda net, report: view.draw(net, format="rails", width=48, report=report),
    "boxes": lambda net, report: view.draw(net, format="boxes", width=120, report=report),
    "ascii": lambda net, report: view.draw(net, format="ascii", width=100, report=report),
    "svg": lambda net, report: view.draw(net, format="svg", report=report),
    "depth": lambda net, report: view.draw(net, width=100, depth=1, report=report),
    "mermaid": lambda net, report: view.draw(net, format="mermaid", report=report),
    "dot": lambda net, report: view.draw(net, format="dot", report=report),
    "json": lambda net, report: view.draw(net, format="json", report=report),
    "summary": lambda net, report: view.summary(net, width=100),
    "receptive": lambda net, report: view.summary(net, width=110, receptive=True),
    "csv": lambda net, report: view.summary_csv(net),
    "params": lambda net, report: view.params(net, width=120, solver=0.01),
}
# The forms that show something of their own; all of all nets would only be long.
WANTED = {
    "siamese": ("rails", "boxes", "ascii", "mermaid", "dot", "json", "svg", "summary", "params"),
    "lenet": ("rails", "boxes", "svg", "summary", "params", "receptive", "csv"),
    "googlenet": ("rails", "narrow", "ascii", "depth", "svg", "receptive"),
    "resnet50": ("rails", "narrow", "svg"),
    "lstm": ("rails", "boxes", "mermaid", "summary", "params"),
    "inception": ("rails", "narrow"),
    "module": ("rails", "boxes"),
    "residual": ("rails", "summary"),
    "encoder_decoder": ("rails", "boxes", "ascii", "receptive"),
    "towers": ("rails", "boxes", "narrow"),
    "mistakes": ("rails", "boxes", "narrow", "summary"),
}
CASES = [(file, form) for file in FILES for form in WANTED[file.stem]]


@pytest.mark.parametrize(("file", "form"), CASES, ids=lambda v: getattr(v, "stem", v))
def test_golden(file, form):
    report = Report()
    document = net_from_text(file.read_text(), file.name, report)
    assert document is not None
    net = compile_net(document, State(Phase.TRAIN), report, looking=True)
    text = FORMS[form](net, report)
    expected = file.with_name(f"{file.stem}.{form}.txt")
    if os.environ.get("NETDEF_GOLDEN"):
        expected.write_text(text)
    assert text == expected.read_text()
