"""Programs take turns, and what they say ends up between the page's marks."""

from __future__ import annotations

import pytest

from benchmarks import nets, report, tables
from benchmarks.training import NETDEF, STRONG, TORCH
from benchmarks.turns import Program, measure


def record(milliseconds):
    return {
        "min": milliseconds,
        "median": 2 * milliseconds,
        "steps": 3,
        "start": 1.0,
        "parts": {"import": 100.0, "build": 20.0},
        "first": 5.0,
        "peak_mib": 77.0,
        "plan": 3.0,
        "versions": {"NumPy": "2.0"},
    }


def results():
    at = {NETDEF: record(10.0), TORCH: record(25.0), STRONG: {"failure": "no"}, "others": 0.1}
    lenet = {
        "when": "today",
        "commit": "abc",
        "load before": 0.5,
        "rounds": 1,
        "agreement": {NETDEF: [1.0, 0.5], TORCH: "no"},
        "training": {"1": at, "2": at},
        "inference": {"64": {"1": {NETDEF: record(1.0), TORCH: record(2.0), "others": 0.0}}},
    }
    machine = {"processor": "P", "cores": 2, "memory": "8 GiB", "system": "S"}
    return {"machine": machine, "nets": {"lenet": lenet}}


@pytest.mark.skipif(not hasattr(report.os, "sysconf"), reason="the bench wants a Unix")
def test_a_program_takes_turns_and_says_its_peak(tmp_path):
    nets.write("lenet", tmp_path)
    ours = Program("netdef", "benchmarks.ours", ("train", "lenet", str(tmp_path), "1"), peer=False)
    broken = Program("broken", "benchmarks.no_such_module", peer=False)

    found, others = measure([ours, broken], threads=1, rounds=2, turn_seconds=0.01)

    assert len(found["netdef"].seconds) >= 2
    assert found["netdef"].peak_mib > 20
    assert "plan" in found["netdef"].facts
    assert "no_such_module" in found["broken"].failure
    assert others >= 0


def test_tables_divide_the_peers_medians_by_ours():
    text = tables.render(results())
    assert (
        "| LeNet (64) | 1 | 25.0, 50.0 | failed | 10.0, 20.0 | **2.50**, 2.50 | 2.4 | – |" in text
    )
    assert "LeNet 1.00." in text


def test_ratios_under_load_are_marked():
    found = results()
    found["nets"]["lenet"]["training"]["1"]["others"] = 0.9
    assert "~**2.50**" in tables.render(found)
    assert "~" not in tables.render(results()).replace("; ~ where", "")


def test_page_changes_between_its_marks_only(tmp_path):
    page = tmp_path / "PAGE.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", "utf-8")

    report.write_page(results(), page)

    text = page.read_text("utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "**2.50**" in text


def test_page_without_marks_is_refused(tmp_path):
    page = tmp_path / "PAGE.md"
    page.write_text("nothing\n", "utf-8")
    with pytest.raises(ValueError, match="make bench"):
        report.write_page(results(), page)


def test_results_of_another_machine_are_not_kept(tmp_path, monkeypatch):
    kept = tmp_path / "results.json"
    monkeypatch.setattr(report, "RESULTS", kept)
    found = results()

    kept.write_text(report.json.dumps(found), "utf-8")
    assert report.load_results() == {"machine": report.machine(), "nets": {}}
    found["machine"] = report.machine()
    kept.write_text(report.json.dumps(found), "utf-8")
    assert report.load_results() == found
