"""The compiler's passes on files: each prototxt beside what it compiles to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netdef.diag import Report
from netdef.graph import Net, State, compile_net
from netdef.layers.base import Phase
from netdef.schema.document import net_from_text
from tests.graph.show import show

FOLDER = Path(__file__).parents[1] / "golden" / "graph"
CASES = sorted(FOLDER.glob("*/*.prototxt"))


def compiled(text: str, name: str = "net.prototxt", **choices: object) -> tuple[Net, Report]:
    report = Report()
    document = net_from_text(text, name, report)
    assert document is not None
    words = text.split("\n", 1)[0].split()
    phase = Phase.TRAIN if "TRAIN" in words else Phase.TEST
    level = int(words[words.index("level") + 1]) if "level" in words else 0
    stages = frozenset(words[words.index("stage") + 1].split(",") if "stage" in words else ())
    strict = "strict" in words
    state = State(phase, level, stages)
    return compile_net(document, state, report, strict=strict, **choices), report  # type: ignore[arg-type]


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_golden(path: Path) -> None:
    found = show(*compiled(path.read_text(), path.name))
    golden = path.with_suffix(".txt")
    if os.environ.get("NETDEF_GOLDEN"):
        golden.write_text(found)
    assert found == golden.read_text()


def test_there_are_cases_for_every_pass() -> None:
    from netdef.graph import PASSES

    assert {run_pass.__name__ for run_pass in PASSES} == {p.parent.name for p in CASES}


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_what_holds_after_compiling(path: Path) -> None:
    """Every index leads where it says, and every gradient has someone who computes it."""
    net, _ = compiled(path.read_text(), path.name)
    for index, node in enumerate(net.nodes):
        for position, top in enumerate(node.tops):
            assert (net.blobs[top].producer, net.blobs[top].top) == (index, position)
        for position, bottom in enumerate(node.bottoms):
            if bottom is not None:
                assert (index, position) in net.blobs[bottom].consumers
                assert net.blobs[bottom].producer < index
        for position, (wanted, bottom) in enumerate(zip(node.propagate, node.bottoms, strict=True)):
            assert not wanted or (bottom is not None and net.blobs[bottom].backward), position
        for position, param in enumerate(node.params):
            assert (index, position) in {(u.node, u.index) for u in net.params[param].uses}


def test_a_top_written_in_place_is_a_new_version() -> None:
    net, report = compiled(
        'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }\n'
        'layer { name: "a" type: "ReLU" bottom: "x" top: "x" }\n'
        'layer { name: "b" type: "Sigmoid" bottom: "x" top: "x" }\n'
    )
    assert not len(report)
    assert [b.version for b in net.blobs] == [0, 1, 2]
    assert net.nodes[2].bottoms == (1,)
    assert net.outputs == ("x",)


def test_five_thousand_layers_compile_quickly() -> None:
    from time import perf_counter

    layers = ['layer { name: "x" type: "Input" top: "b0" input_param { shape { dim: 2 dim: 3 } } }']
    layers += [
        f'layer {{ name: "l{i}" type: "ReLU" bottom: "b{i}" top: "b{i + 1}" }}' for i in range(5000)
    ]
    start = perf_counter()
    net, report = compiled("\n".join(layers))
    assert not len(report)
    assert net.outputs == ("b5000",)
    assert perf_counter() - start < 10  # 1 s where nothing else runs; 100 s where it is quadratic
