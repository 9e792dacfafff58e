"""Reads drawings back into edges, from the characters alone; and makes nets to draw."""

from __future__ import annotations

import random
import re
from pathlib import Path

from netdef.diag import Report
from netdef.graph import Net, State, compile_net
from netdef.layers.base import Phase
from netdef.schema.document import net_from_text

GOLDEN = Path(__file__).parents[1] / "golden" / "view"
MODELS = sorted(GOLDEN.glob("*.prototxt"))

Edges = set[tuple[str, str]]


def compiled(text: str, phase: Phase = Phase.TRAIN) -> tuple[Net, Report]:
    report = Report()
    document = net_from_text(text, "net.prototxt", report)
    assert document is not None
    return compile_net(document, State(phase), report, looking=True), report


def golden(path: Path) -> tuple[Net, Report]:
    return compiled(path.read_text())


def random_net(seed: int, count: int | None = None) -> Net:
    """Layers of no known type, wired at random: chains, forks, joins, skips, several tops."""
    rng = random.Random(seed)
    count = count or rng.randint(1, 16)
    local = rng.random()
    blobs: list[str] = []
    layers = []
    for index in range(count):
        near = blobs[-4:] if rng.random() < local else blobs
        most = min(len(near), rng.choice([1, 1, 1, 2, 2, 3, 5]))
        few = rng.sample(near, rng.randint(0 if rng.random() < 0.15 else min(1, most), most))
        name = f"n{index}" + "x" * rng.choice([0, 0, 0, 6, 17])
        tops = [f"{name}t{k}" for k in range(rng.choice([1, 1, 1, 1, 2, 3, 0]))]
        blobs += tops
        fields = [f'bottom: "{b}"' for b in few] + [f'top: "{t}"' for t in tops]
        layers.append(f'layer {{ name: "{name}" type: "T" {" ".join(fields)} }}')
    return compiled("\n".join(layers))[0]


def edges_of(chart) -> Edges:
    names = [item.name for item in chart.items]
    return {(names[a], names[b]) for a, b in chart.edges}


def rails_edges(text: str, names: list[str], side: int = 0) -> set[tuple[int, int]]:
    """Edges of a drawing on rails, by the number of the row that an item stands on.

    Every sign must have a meaning, and every lane that ends must have been read.

    Args:
        text: the drawing.
        names: what stands on the rows of items, in order.
        side: cells between lanes and names that brackets take.
    """
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines) if re.match(r"[ │]*[●○▣▼✗]", line))
    left = re.match(r"[ ●○▣▼✗│├┤┼┬┴╭╮╰╯─]*", lines[first])
    assert left is not None
    zone = left.end() - side
    held: dict[int, set[int]] = {}
    edges: set[tuple[int, int]] = set()
    row = -1
    for number, line in enumerate(lines[first:], first):
        signs = line[1:zone].ljust(zone)
        if not set(signs) <= set(" ●○▣▼✗│├┤┼┬┴╭╮╰╯─"):
            break  # the totals
        lanes = {k // 2: c for k, c in enumerate(signs) if k % 2 == 0 and c != " "}
        dots = [k for k, c in lanes.items() if c in "●○▣▼✗"]
        joints = [k for k, c in lanes.items() if c in "├┤┼┬┴╭╮╰╯"]
        through = {k for k, c in lanes.items() if c == "│"}
        assert len(dots) <= 1
        if dots:
            (lane,) = dots
            row += 1
            assert not joints
            assert set(held) - {lane} == through, f"line {number}: a lane breaks off"
            assert names[row] in line
            edges |= {(source, row) for source in held.pop(lane, ())}
            if signs[2 * lane] in "●▣✗":
                held[lane] = {row}
        elif joints:
            (main,) = [k for k in joints if lanes[k] in "├┤┼"]
            others = [k for k in joints if k != main]
            low, high = min(joints), max(joints)
            assert all(signs[c] in "─│├┤┼┬┴╭╮╰╯" for c in range(2 * low, 2 * high + 1))
            assert all(signs[c] == "─" for c in range(2 * low + 1, 2 * high, 2))
            assert lanes[main] == ("├" if main == low else "┤" if main == high else "┼")
            if {lanes[k] for k in others} <= set("╭┬╮"):
                assert through | {main} == set(held), f"line {number}: a lane breaks off"
                for k in others:
                    held[k] = set(held[main])
            else:
                assert {lanes[k] for k in others} <= set("╰┴╯")
                assert through | set(joints) == set(held)
                for k in others:
                    held[main] |= held.pop(k)
        else:
            assert through == set(held), f"line {number}: a lane breaks off"
        edges |= {(names.index(source), row) for source in re.findall(r"← (\S+)", line)}
    assert row + 1 == len(names)
    assert not held, "a lane has no end"
    return edges


_ARMS = {
    "│": "ud",
    "─": "lr",
    "┌": "dr",
    "┐": "dl",
    "└": "ur",
    "┘": "ul",
    "├": "udr",
    "┤": "udl",
    "┬": "dlr",
    "┴": "ulr",
    "┼": "udlr",
}
_STEP = {"u": (0, -1), "d": (0, 1), "l": (-1, 0), "r": (1, 0)}
_BACK = {"u": "d", "d": "u", "l": "r", "r": "l"}


def boxes_edges(text: str) -> tuple[Edges, set[str], dict[str, list[str]]]:
    """Edges of a drawing of boxes, the outputs it names, and what stands beside its ports."""
    grid = [list(line) for line in text.splitlines()]
    wide = max(map(len, grid))
    for line in grid:
        line += [" "] * (wide - len(line))
    boxes = _boxes(grid)
    inside = {cell: name for name, cells, _ in boxes for cell in cells}
    edges: Edges = set()
    outputs: set[str] = set()
    labels: dict[str, list[str]] = {}
    for name, _, ports in boxes:
        for x, y in ports:
            row = y + 1
            while grid[row][x + 2] == " ":  # a lower box beside this one puts it further down
                assert grid[row][x] == "│"
                row += 1
            labels.setdefault(name, []).append("".join(grid[row][x + 2 :]).split("  ")[0])
            ends = _follow(grid, (x, y))
            assert ends, "a line leads nowhere"
            for end in ends:
                below = (end[0], end[1] + 1)
                if below in inside:
                    edges.add((name, inside[below]))
                else:
                    assert "   output" in "".join(grid[end[1] + 1])
                    outputs.add(name)
    arrows = sum(row.count("▼") for row in grid)
    assert arrows == len({e for _, _, ports in boxes for p in ports for e in _follow(grid, p)})
    return edges, outputs, labels


def _boxes(grid: list[list[str]]) -> list[tuple[str, set[tuple[int, int]], list[tuple[int, int]]]]:
    found = []
    for y, row in enumerate(grid):
        for x, char in enumerate(row):
            if char != "┌" or y + 1 >= len(grid) or grid[y + 1][x] != "│":
                continue
            right = x + 1
            while right < len(row) and row[right] == "─":
                right += 1
            if right == len(row) or row[right] != "┐" or grid[y + 1][x + 1] != " ":
                continue
            bottom = y + 1
            while grid[bottom][x] == "│":
                assert grid[bottom][right] == "│", "a box is open"
                bottom += 1
            edge = "".join(grid[bottom][x : right + 1])
            if not re.fullmatch(r"└[─┬]*┘", edge):
                continue
            text = "".join(grid[y + 1][x + 1 : right]).split()
            cells = {(a, b) for a in range(x, right + 1) for b in range(y, bottom + 1)}
            ports = [(x + i, bottom) for i, c in enumerate(edge) if c == "┬"]
            found.append((text[0], cells, ports))
    return found


def _follow(grid, port):
    """The arrows that lines from a port lead to, going down and sideways, never up."""
    ends = set()
    queue = [(port[0], port[1] + 1, "d")]
    seen = set()
    while queue:
        x, y, heading = queue.pop()
        if (x, y, heading) in seen:
            continue
        seen.add((x, y, heading))
        char = grid[y][x]
        if char == "▼":
            assert heading == "d", "an arrow is met from the side"
            ends.add((x, y))
            continue
        if heading in "lr" and char == "│":  # passes under
            queue.append((x + _STEP[heading][0], y, heading))
            continue
        assert char in _ARMS, f"a line runs into {char!r} at {x}, {y}"
        assert _BACK[heading] in _ARMS[char], f"a line breaks off at {x}, {y}"
        for arm in _ARMS[char]:
            if arm not in ("u", _BACK[heading]):
                dx, dy = _STEP[arm]
                queue.append((x + dx, y + dy, arm))
    return ends
