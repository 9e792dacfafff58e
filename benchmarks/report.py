"""The whole bench, written into BENCHMARKS.md: `make bench`, or `python -m benchmarks.report`.

Results are kept in benchmarks/results.json, net by net: a run of some nets renews their rows. On
another machine everything begins anew.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
from pathlib import Path

from benchmarks import inference, nets, tables, training
from benchmarks.turns import ROOT

RESULTS = ROOT / "benchmarks" / "results.json"
PAGE = ROOT / "BENCHMARKS.md"
BEGIN, END = "<!-- make bench: begin -->", "<!-- make bench: end -->"


def machine() -> dict[str, object]:
    """What the numbers hold for."""
    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        facts = dict(
            (part.strip() for part in line.split(":", 1))
            for line in info.read_text().splitlines()
            if ":" in line
        )
        family = f"family {facts.get('cpu family', '?')}, model {facts.get('model', '?')}"
        processor = f"{facts.get('model name', processor)} ({family})"
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": processor,
        "cores": len(os.sched_getaffinity(0)),
        "memory": f"{size:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
    }


def load_results() -> dict:
    """What earlier runs on this machine found."""
    found = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    if found.get("machine") != machine():
        return {"machine": machine(), "nets": {}}
    return found


def measure(name: str, rounds: int, threads: list[int], *, forward: bool = True) -> dict:
    """Everything about one net."""
    found: dict = {
        "when": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "load before": os.getloadavg()[0],
        "rounds": rounds,
        "agreement": training.agreement(name),
        "training": {str(n): training.measure_net(name, n, rounds) for n in threads},
    }
    if forward:
        found["inference"] = {
            str(images): {str(n): inference.measure_net(name, n, images, rounds) for n in threads}
            for images in (1, nets.NETS[name].batch)
        }
    return found


def _commit() -> str:
    """The commit measured, with a + where files differ from it."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def write_page(results: dict, page: Path = PAGE) -> None:
    """Put the tables between the page's marks.

    Raises:
        ValueError: the page does not have them.
    """
    text = page.read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name} has no `{BEGIN}` … `{END}`")
    page.write_text(f"{before}{begin}\n\n{tables.render(results)}\n{end}{after}", "utf-8")


def main() -> None:
    """Measure, keep, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--nets", nargs="*", choices=nets.NETS, help="all where none")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--training-only", action="store_true")
    parser.add_argument("--write-only", action="store_true", help="measure nothing")
    options = parser.parse_args()
    results = load_results()
    for name in () if options.write_only else options.nets or nets.NETS:
        found = measure(name, options.rounds, options.threads, forward=not options.training_only)
        results["nets"][name] = results["nets"].get(name, {}) | found
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    write_page(results)


if __name__ == "__main__":
    main()
