"""Curves of a training, read from what it left: metrics, logs of netdef's and of Caffe's."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

from netdef.diag import NetdefError
from netdef.doctor.record.problems import NotRecorded

Point = tuple[int, float]
_SUFFIXES = (".jsonl", ".csv", ".log", ".txt")
_NUMBER = r"(-?(?:[\d.]+(?:[eE][-+]?\d+)?|nan|inf))"
_CAFFE_LOSS = re.compile(rf"\] Iteration (\d+)(?: \([^)]*\))?, loss = {_NUMBER}")
_CAFFE_RATE = re.compile(rf"\] Iteration (\d+), lr = {_NUMBER}")
_CAFFE_TESTING = re.compile(r"\] Iteration (\d+), Testing net \(#(\d+)\)")
_CAFFE_OUTPUT = re.compile(rf"(Train|Test) net output #\d+: (\S+) = {_NUMBER}")
_CAFFE_TEST_LOSS = re.compile(rf"\] Test loss: {_NUMBER}")
_PLAIN = re.compile(rf"iteration +([\d,]+)  loss {_NUMBER} *(?:lr {_NUMBER})?")
_PLAIN_TEST = re.compile(r"test +(?:at )?([\d,]+)  (.*)")
_PLAIN_VALUE = re.compile(rf"(\S+(?: loss)?) {_NUMBER}(?=  |$)")


@dataclass(frozen=True)
class Run:
    """A training's curves.

    Attributes:
        name: to tell it by.
        curves: by name, (iteration, value) in the order written: `train/loss`, `train/lr`,
            `test/accuracy`, `gradient/conv1/weight`.
    """

    name: str
    curves: dict[str, list[Point]]


def read_run(path: str | os.PathLike[str]) -> Run:
    """Read what a training left.

    Args:
        path: a file of metrics or a log, or a folder with one in it.

    Raises:
        NetdefError: it cannot be read, or nothing is in it.
    """
    file = _file(Path(path))
    try:
        text = file.read_text("utf-8", errors="replace")
    except OSError as error:
        problem = NotRecorded(f"`{file}` cannot be read: {error.strerror}")
        raise NetdefError(problem) from error
    curves: dict[str, list[Point]] = {}
    for name, step, value in _points(text):
        curves.setdefault(name, []).append((step, value))
    if not curves:
        raise NetdefError(
            NotRecorded(
                f"`{file}` has no curve of a training",
                help="name a file of `netdef train --metrics`, or a log",
            )
        )
    return Run(os.fspath(path), curves)


def _file(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = [p for p in path.iterdir() if p.suffix in _SUFFIXES or ".log." in p.name]
    if not found:
        raise NetdefError(
            NotRecorded(
                f"the folder `{path}` has no metrics and no log",
                help="name the file that `netdef train --metrics` wrote",
            )
        )
    return max(found, key=lambda p: (-_rank(p), p.stat().st_mtime))


def _rank(path: Path) -> int:
    return _SUFFIXES.index(path.suffix) if path.suffix in _SUFFIXES else len(_SUFFIXES)


def _points(text: str) -> Iterator[tuple[str, int, float]]:
    begin = text.lstrip()[:200]
    first = begin.partition("\n")[0]
    if begin.startswith("{"):
        yield from _of_objects(text.splitlines())
    elif first.startswith(("iteration,", "NumIters,")):
        yield from _of_table(text.splitlines())
    elif "] " in text and ("Iteration " in text or "Solving" in text):
        yield from _of_caffe(text.splitlines())
    else:
        yield from _of_lines(text.splitlines())


def _of_objects(lines: Iterable[str]) -> Iterator[tuple[str, int, float]]:
    """Of --metrics x.jsonl and of --log-format jsonl."""
    for line in lines:
        try:
            about = json.loads(line)
        except ValueError:  # the last line of a run that is being written
            continue
        if not isinstance(about, dict) or not isinstance(about.get("iteration"), int):
            continue
        step = about["iteration"]
        place = {"train": "train", "test": "test", None: ""}.get(about.get("event"))
        if place is None:
            continue
        if place == "test" and about.get("net"):
            place = f"test{about['net']}"
        yield from _of_object(about, step, place)


def _of_object(about: dict[str, Any], step: int, place: str) -> Iterator[tuple[str, int, float]]:
    for key, value in about.items():
        if key in ("iteration", "time", "event", "net", "seconds"):
            continue
        if key == "outputs" and isinstance(value, dict):
            for name, one in value.items():
                if isinstance(one, int | float) and name != "loss":
                    yield f"{place}/{name}", step, float(one)
                elif name == "loss" and place != "train" and isinstance(one, int | float):
                    yield f"{place}/loss", step, float(one)
        elif isinstance(value, int | float) or value is None:
            if place and value is None and (key != "loss" or place != "train"):
                continue  # the loss of a test is null where nobody asked for it
            number = nan if value is None else float(value)
            yield (f"{place}/{key}" if place else key), step, number


def _of_table(lines: list[str]) -> Iterator[tuple[str, int, float]]:
    """Of --metrics x.csv, and of Caffe's parse_log.py."""
    rows = csv.DictReader(lines)
    for row in rows:
        try:
            if "name" in row:
                yield row["name"], int(row["iteration"]), float(row["value"])
                continue
            step = int(float(row.pop("NumIters")))
            for key, value in row.items():
                if key != "Seconds" and value:
                    name = "lr" if key == "LearningRate" else key
                    yield f"train/{name}", step, float(value)
        except (ValueError, KeyError, TypeError):  # a line that is being written
            continue


def _of_caffe(lines: Iterable[str]) -> Iterator[tuple[str, int, float]]:
    """Of the log of Caffe, and of --log-format caffe."""
    train, test, place = 0, 0, "test"
    for line in lines:
        if match := _CAFFE_LOSS.search(line):
            train = int(match[1])
            yield "train/loss", train, float(match[2])
        elif match := _CAFFE_RATE.search(line):
            yield "train/lr", int(match[1]), float(match[2])
        elif match := _CAFFE_TESTING.search(line):
            test, place = int(match[1]), "test" if match[2] == "0" else f"test{match[2]}"
        elif match := _CAFFE_OUTPUT.search(line):
            if match[1] == "Test":
                yield f"{place}/{match[2]}", test, float(match[3])
            elif match[2] != "loss":
                yield f"train/{match[2]}", train, float(match[3])
        elif match := _CAFFE_TEST_LOSS.search(line):
            yield f"{place}/whole_loss", test, float(match[1])


def _of_lines(lines: Iterable[str]) -> Iterator[tuple[str, int, float]]:
    """Of the lines for people."""
    for line in lines:
        if match := _PLAIN.match(line):
            step = int(match[1].replace(",", ""))
            yield "train/loss", step, float(match[2])
            if match[3]:
                yield "train/lr", step, float(match[3])
        elif match := _PLAIN_TEST.match(line):
            step = int(match[1].replace(",", ""))
            for name, value in _PLAIN_VALUE.findall(match[2]):
                yield f"test/{name}", step, float(value)
