"""The table of a plan says what runs: checked on nets where everything the plan does occurs."""

from __future__ import annotations

import pytest

from netdef.view.steps import plan, plan_rows
from tests.plan.nets import NETS
from tests.plan.test_meaning import build


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("width", [40, 80, 140])
def test_fits_any_width(name: str, width: int) -> None:
    text = plan(build(NETS[name], threads=2).program, width=width)
    assert max(map(len, text.splitlines())) <= width


def test_every_layer_has_a_row() -> None:
    net = build(NETS["residual"], threads=2)
    rows = plan_rows(net.program)
    assert [r.layer for r in rows if not r.what.startswith("to ")] == [x.name for x in net.layers]
    assert [r.number for r in rows if r.number is not None] == list(
        range(sum(not r.skipped for r in rows))
    )


def test_says_what_is_fused_placed_shared_and_added() -> None:
    rows = {}
    for name in ("in_place_chain", "slices_and_loose_ends", "views", "branches_and_concat"):
        program = build(NETS[name], threads=2).program
        rows |= {f"{name} {r.layer}": r for r in plan_rows(program)}
    assert rows["slices_and_loose_ends Slice_s1"].forward == "nothing to do: parts lie in the whole"
    assert rows["views Flatten_flat"].forward == "view of a"
    assert rows["in_place_chain r4"].forward == "in place"
    assert "a +=" in rows["branches_and_concat b"].backward.replace("a' +=", "a +=") or (
        "a +=" in rows["branches_and_concat c"].backward
    )
    assert rows["branches_and_concat b"].bytes == 0  # its top lies in the Concat's
    assert rows["in_place_chain conv"].layout == "CHWN ×2"
    assert rows["in_place_chain loss"].layout == "NCHW"


def test_totals_count_each_byte_once() -> None:
    net = build(NETS["branches_and_concat"], threads=1)
    rows = plan_rows(net.program)
    assert sum(r.bytes for r in rows) == net.program.bytes["blobs"]
