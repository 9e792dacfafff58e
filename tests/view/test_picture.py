"""SVG: all wires, no line through a box, no box over another, well-formed."""

from __future__ import annotations

import importlib.util
import random
import re
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from netdef import view
from netdef.view import picture
from netdef.view.chart import chart

_spec = importlib.util.spec_from_file_location(
    "view_reading", Path(__file__).with_name("reading.py")
)
assert _spec is not None
assert _spec.loader is not None
reading = sys.modules.setdefault("view_reading", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(reading)


def corners(laid):
    rows = picture.heights(laid)
    for box in laid.boxes:
        top = rows[box.rank][0]
        left = box.x - box.width // 2
        yield left, top, left + box.width, top + box.height


def points(way):
    """Points on a path of M, V and C, the curves cut into short pieces."""
    x = y = 0.0
    for letter, rest in re.findall(r"([MVC])([^MVC]*)", way):
        numbers = [float(n) for n in rest.split()]
        if letter == "M":
            x, y = numbers
        elif letter == "V":
            for step in range(1, 9):
                yield x, y + (numbers[0] - y) * step / 8
            y = numbers[0]
        else:
            (a, b, c, d, e, f), (x0, y0) = numbers, (x, y)
            for n in range(1, 21):
                t, u = n / 20, 1 - n / 20
                yield (
                    u**3 * x0 + 3 * u * u * t * a + 3 * u * t * t * c + t**3 * e,
                    u**3 * y0 + 3 * u * u * t * b + 3 * u * t * t * d + t**3 * f,
                )
            x, y = e, f


def check(whole):
    laid = picture.lay(whole)
    assert {(line.source, line.target) for line in laid.lines} == whole.edges
    found = list(corners(laid))
    for number, (a, b, c, d) in enumerate(found):
        for e, f, g, h in found[:number]:
            assert a >= g or c <= e or b >= h or d <= f, "boxes cover each other"
    rows = picture.heights(laid)
    for line in laid.lines:
        for x, y in points(picture.path(laid, line, rows)):
            for left, top, right, bottom in found:
                inside = left < x < right and top < y < bottom
                assert not inside, (line, x, y)
    ends = [(line.target, line.entry) for line in laid.lines]
    assert len(ends) == len(set(ends)), "two lines end in one point"


@pytest.mark.parametrize("start", range(0, 60, 20))
def test_random_nets(start):
    for seed in range(start, start + 20):
        check(chart(reading.random_net(seed)))


@pytest.mark.parametrize("path", reading.MODELS, ids=lambda p: p.stem)
def test_models(path):
    net, report = reading.golden(path)
    check(chart(net, report))
    root = ElementTree.fromstring(view.draw(net, format="svg", report=report))
    assert root.tag.endswith("svg")


def test_what_stands_alone_is_on_one_line():
    net, report = reading.golden(reading.GOLDEN / "googlenet.prototxt")
    boxes = picture.lay(chart(net, report)).boxes
    ranks = [box.rank for box in boxes]
    assert len({box.x for box in boxes if ranks.count(box.rank) == 1}) == 1


def test_names_are_escaped():
    text = 'layer { name: "<a&b>" type: "Input" top: "x" }'
    found = view.draw(reading.compiled(text)[0], format="svg")
    assert "&lt;a&amp;b&gt;" in found
    ElementTree.fromstring(found)


def test_large_nets():
    rng = random.Random(2)
    layers, blobs = [], ["b0"]
    for index in range(3000):
        read = [blobs[-1], *rng.sample(blobs[-5:], rng.choice([0, 0, 0, 1]))]
        bottoms = " ".join(f'bottom: "{name}"' for name in dict.fromkeys(read) if index)
        blobs.append(f"b{index + 1}")
        layers.append(f'layer {{ name: "n{index}" type: "T" {bottoms} top: "b{index + 1}" }}')
    net = reading.compiled("\n".join(layers))[0]
    start = time.process_time()
    text = view.draw(net, format="html")
    assert time.process_time() - start < 5
    assert text.count('"rank"') == 3000
