"""The bench's results as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.inference import ONNX, OPENCV
from benchmarks.nets import NETS
from benchmarks.training import FAST, NETDEF, STRONG, TORCH

# The ratios of medians that are aimed at, each at 1 and 2 threads: torch / netdef,
# torch strong / netdef, torch strong / netdef with compiled kernels.
GOALS = {
    "lenet": ((2.4, 2.0), (1.5, 1.3), (2.2, 2.0)),
    "cifar_quick": ((1.5, 1.3), (0.9, 0.9), (1.3, 1.3)),
    "cifar_full": ((1.5, 1.3), (1.0, 1.0), (1.4, 1.4)),
    "caffenet": ((1.75, 1.6), (1.5, 1.5), (1.7, 1.6)),
    "googlenet": ((1.8, 1.8), (1.7, 1.5), (2.0, 1.8)),
    "resnet50": ((1.4, 1.2), (1.1, 1.0), (1.3, 1.2)),
    "mobilenet": ((1.2, 1.0), (0.8, 0.8), (1.3, 1.3)),
}

_LOADED = 0.25  # processors that others may keep busy


def render(results: dict) -> str:
    """All tables."""
    found = {name: results["nets"][name] for name in NETS if name in results["nets"]}
    parts = [
        _machine(results["machine"], found),
        "### Training step\n\n"
        "Milliseconds, minimum and median. Ratios are of medians, then of minima, above 1 where "
        "netdef is faster; ~ where other processes worked too, and the ratio says little. "
        "`aim` is what netdef aims at; `fast` is with compiled kernels. Memory is the "
        "peak while stepping. `others` is how many processors others kept busy meanwhile.\n\n"
        + _training(found),
        "Two threads over one, medians: " + _speedups(found) + ".",
        "### TEST forward\n\n"
        "Milliseconds, minimum and median. `apart` is the largest difference of a probability from "
        "netdef's, over all programs.\n\n" + _inference(found),
        "### Start-up\n\n"
        "Milliseconds with 2 threads, training: imports, reading and building the net (for netdef "
        "with parsing, compiling, filling and planning), planning alone, and the first step.\n\n"
        + _start(found),
        "### Agreement\n\n"
        "The losses of the first three training steps from equal weights and data, without "
        "Dropout.\n\n" + _agreement(found),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """A table; columns after the first `words` are numbers."""
    rule = ["---"] * words + ["--:"] * (len(head) - words)
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def _machine(machine: dict, found: dict) -> str:
    versions: dict[str, str] = {}
    for net in found.values():
        for record in _records(net):
            versions |= record.get("versions", {})
    said = ", ".join(f"{name} {version}" for name, version in versions.items())
    rows = [
        (
            NETS[name].title,
            net["when"],
            net["commit"],
            str(net["rounds"]),
            _number(net["load before"]),
        )
        for name, net in found.items()
    ]
    where = f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}"
    head = ("net", "measured", "commit", "rounds", "load before")
    return f"{where}, {machine['system']}.\n{said}.\n\n" + _table(head, rows, 3)


def _records(net: dict) -> Iterable[dict]:
    """All programs' records of a net, wherever they stand."""
    for value in net.values():
        if isinstance(value, dict):
            if "versions" in value:
                yield value
            else:
                yield from _records(value)


def _number(value: float) -> str:
    """Three digits, more before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _times(record: dict | None) -> str:
    if not record:
        return "–"
    return f"{_number(record['min'])}, {_number(record['median'])}" if "min" in record else "failed"


def _ratio(theirs: dict | None, ours: dict | None, others: float) -> str:
    """Of medians, then of minima; with ~ where the machine was not ours alone."""
    if not theirs or not ours or "median" not in theirs or "median" not in ours:
        return "–"
    medians, minima = (theirs[key] / ours[key] for key in ("median", "min"))
    sign = "~" if others > _LOADED else ""
    return f"{sign}**{medians:.2f}**, {minima:.2f}"


def _training(found: dict) -> str:
    head = (
        "net (batch)", "threads", "torch", "torch strong", "netdef", "torch / netdef", "aim",
        "strong / netdef", "aim", "netdef fast", "strong / fast", "aim",
        "MiB netdef, torch, strong", "others",
    )  # fmt: skip
    rows = []
    for name, net in found.items():
        for threads, at in net["training"].items():
            ours, fast = at.get(NETDEF, {}), at.get(FAST, {})
            torch, strong = at.get(TORCH, {}), at.get(STRONG, {})
            others = at["others"]
            aims = [str(aim[int(threads) - 1]) if int(threads) < 3 else "–" for aim in GOALS[name]]
            memory = [f"{r['peak_mib']:.0f}" if "min" in r else "–" for r in (ours, torch, strong)]
            rows.append((
                f"{NETS[name].title} ({NETS[name].batch})", threads,
                _times(torch), _times(strong), _times(ours), _ratio(torch, ours, others), aims[0],
                _ratio(strong, ours, others), aims[1],
                _times(fast), _ratio(strong, fast, others), aims[2],
                ", ".join(memory), _number(others),
            ))  # fmt: skip
    return _table(head, rows)


def _speedups(found: dict) -> str:
    words = []
    for name, net in found.items():
        one, two = (net["training"].get(n, {}).get(NETDEF, {}) for n in ("1", "2"))
        if "median" in one and "median" in two:
            words.append(f"{NETS[name].title} {one['median'] / two['median']:.2f}")
    return ", ".join(words)


def _inference(found: dict) -> str:
    peers = (STRONG, OPENCV, ONNX)
    head = ["net", "images", "threads", "netdef", "netdef fast", *peers]
    head += [f"{peer} / netdef" for peer in peers] + ["apart", "others"]
    rows = []
    for name, net in found.items():
        for images, by_threads in net.get("inference", {}).items():
            for threads, at in by_threads.items():
                records = [at.get(peer) for peer in peers]
                ours, others = at.get(NETDEF), at["others"]
                errors = [r["error"] for r in records if r and "error" in r]
                rows.append([
                    NETS[name].title, images, threads,
                    *map(_times, (ours, at.get(FAST), *records)),
                    *(_ratio(record, ours, others) for record in records),
                    f"{max(errors):.0e}" if errors else "–", _number(others),
                ])  # fmt: skip
    return _table(head, rows)


def _start(found: dict) -> str:
    head = ("net", "netdef: import", "build", "plan", "first step", "torch: import", "build",
            "first step")  # fmt: skip
    rows = []
    for name, net in found.items():
        at = net["training"].get("2") or next(iter(net["training"].values()))
        ours, torch = at.get(NETDEF, {}), at.get(TORCH, {})
        cells = [*_parts(ours)[:2], ours.get("plan"), ours.get("first"), *_parts(torch)[:2],
                 torch.get("first")]  # fmt: skip
        rows.append([NETS[name].title, *("–" if c is None else _number(c) for c in cells)])
    return _table(head, rows)


def _parts(record: dict) -> tuple[float | None, float | None]:
    parts = record.get("parts", {})
    return parts.get("import"), parts.get("build")


def _agreement(found: dict) -> str:
    rows = []
    for name, net in found.items():
        for program, losses in net["agreement"].items():
            words = [f"{loss:.7g}" for loss in losses] if isinstance(losses, list) else ["failed"]
            rows.append((NETS[name].title, program, ", ".join(words)))
    return _table(("net", "program", "losses"), rows, 2)
