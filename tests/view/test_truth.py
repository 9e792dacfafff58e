"""A drawing shows every edge of the net and no other, at any width."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from netdef import view
from netdef.view import boxes, chart, fold, palette, rails

_spec = importlib.util.spec_from_file_location(
    "view_reading", Path(__file__).with_name("reading.py")
)
assert _spec is not None
assert _spec.loader is not None
reading = sys.modules.setdefault("view_reading", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(reading)

WIDTHS = (40, 57, 80, 160)


def draw_rails(shown, width):
    lines = rails.draw(shown, width, batch=True)
    return palette.join(lines, color=False)


@pytest.mark.parametrize("start", range(0, 200, 20))
def test_rails_of_random_nets(start):
    for seed in range(start, start + 20):
        whole = chart.chart(reading.random_net(seed))
        for width in WIDTHS:
            text = draw_rails(whole, width)
            names = _as_shown(text, [item.name for item in whole.items])
            assert reading.rails_edges(text, names) == whole.edges, (seed, width, text)


def _as_shown(text, names):
    """Each name as its row shows it: shortened in the middle where it had to be."""
    rows = [line for line in text.splitlines()[1:] if any(c in "●○▣▼✗" for c in line)]
    shown = []
    for name, row in zip(names, rows, strict=True):
        words = row.replace("│", " ").split()
        shown.append(next(w for w in words if w[0] not in "●○▣▼✗├┼╮╯─"))
        assert shown[-1] == name or ("…" in shown[-1] and name.startswith(shown[-1].split("…")[0]))
    return shown


@pytest.mark.parametrize("start", range(0, 200, 20))
def test_boxes_of_random_nets(start):
    drawn = missing = 0
    for seed in range(start, start + 20):
        net = reading.random_net(seed, count=1 + seed % 11)
        whole = chart.chart(net)
        for width in (*WIDTHS, 600):
            lines = boxes.draw(whole, width)
            missing += lines is None and width == 600
            if lines is None:
                continue
            drawn += 1
            text = palette.join(lines, color=False)
            edges, outputs, _ = reading.boxes_edges(text)
            back = {n.split()[0]: n for n in (item.name for item in whole.items)}
            short = {s: n for n, s in view.cells.shorten_all(back.values(), 14).items()}
            back = short | back
            found = {(back[a], back[b]) for a, b in edges}
            assert found == reading.edges_of(whole), (seed, width, text)
            assert {back[o] for o in outputs} == {i.name for i in whole.items if i.outputs}
    assert drawn > 20
    assert missing <= 1  # two lines may want one column; then `auto` draws rails


@pytest.mark.parametrize("path", reading.MODELS, ids=lambda p: p.stem)
@pytest.mark.parametrize("width", [100, 200])
def test_models_on_rails(path, width):
    net, report = reading.golden(path)
    whole = chart.chart(net, report)
    for shown in (whole, fold.bracket(whole), fold.fold(whole)):
        names = [item.name for item in shown.items]
        for block in shown.brackets:
            for index in range(block.first, block.last + 1):
                names[index] = names[index].removeprefix(block.prefix)
        side = 3 if shown.brackets else 0
        text = draw_rails(shown, width)
        assert reading.rails_edges(text, names, side) == shown.edges, text


@pytest.mark.parametrize("path", reading.MODELS, ids=lambda p: p.stem)
def test_models_in_boxes(path):
    net, report = reading.golden(path)
    whole = chart.chart(net, report)
    lines = boxes.draw(whole, 240)
    if lines is None:
        assert len(whole.items) > 120
        return
    edges, outputs, labels = reading.boxes_edges(palette.join(lines, color=False))
    assert edges == reading.edges_of(whole)
    assert outputs == {item.name for item in whole.items if item.outputs}
    for item in whole.items:
        for text in labels.get(item.name, ()):
            shapes = {
                "×".join(map(str, t.shape)) or "scalar" for t in item.tops if t.shape is not None
            }
            assert text.split()[-1] in shapes | {"?"}


@pytest.mark.parametrize("path", reading.MODELS, ids=lambda p: p.stem)
@pytest.mark.parametrize("width", [40, 41, 52, 66, 80, 120, 200])
@pytest.mark.parametrize("format", ["rails", "boxes", "ascii", "auto"])
def test_no_line_is_wider_than_asked(path, width, format):
    net, report = reading.golden(path)
    text = view.draw(net, format=format, width=width, report=report)
    assert max(view.cells.width(line) for line in text.splitlines()) <= width
    if format == "ascii":
        assert text.isascii()
    assert all(line == line.rstrip() for line in text.splitlines())
