"""Making a data set from whatever it is made of: in one go, or in several.

Records are written to an unfinished place beside the final one, which appears when it is whole.
A run that was interrupted leaves the unfinished place and a note of how far it came; the same
command goes on from there.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from netdef.data.errors import DataError
from netdef.data.sinks import BACKENDS, Item, open_sink
from netdef.data.tolerance import Tolerance
from netdef.data.workers import Workers

J = TypeVar("J")
Progress = Callable[[int, int], None]

_CHUNK = 1000  # records of one write
_CHUNK_BYTES = 1 << 25


@dataclass(frozen=True, slots=True)
class Built:
    """What was made.

    Attributes:
        files: of the set; for HDF5 the list file is the last.
        records: in it.
        resumed: records of an interrupted run that were there already.
        skipped: what is wrong with each broken item that was left out, by its name.
    """

    files: tuple[Path, ...]
    records: int
    resumed: int
    skipped: dict[str, str]


def backend_of(path: Path, backend: str | None) -> str:
    """The backend that is asked for, or that the name says: HDF5 by .h5 or .hdf5, else LMDB.

    Raises:
        DataError: there is no such backend.
    """
    if backend is None:
        return "hdf5" if path.suffix in (".h5", ".hdf5") else "lmdb"
    if backend.lower() not in BACKENDS:
        raise DataError(f"`{backend}` is no backend", f"write one of {', '.join(BACKENDS)}")
    return backend.lower()


def build(
    path: Path,
    backend: str,
    jobs: Sequence[J],
    make: Callable[[J], Item],
    *,
    recipe: dict[str, object],
    name: Callable[[J], str] = str,
    replace: bool = False,
    skip_bad: int = 0,
    progress: Progress | None = None,
) -> Built:
    """Make a data set.

    Args:
        path: of the folder or HDF5 file.
        backend: one of `BACKENDS`.
        jobs: what each record is made of, in the order of the records.
        make: makes a record; called in several threads.
        recipe: all that decides what is written, for JSON. An unfinished place is gone on with
            only where its recipe is the same.
        name: of a job, for errors.
        replace: whether the set may be there already.
        skip_bad: how many jobs may fail with a `DataError`, and are left out.
        progress: told after each write how many jobs of how many are done.

    Raises:
        DataError: a job is broken, the set is there already, the disk is full, ...
    """
    if path.exists() and not replace:
        raise DataError(
            f"`{path}` is there already", "remove it, write to another place, or say --replace"
        )
    if not jobs:
        raise DataError(f"there is nothing to put into `{path}`")
    part = path.with_name(f".{path.name}.part")
    note = _Note(path.with_name(f".{path.name}.part.json"), {"backend": backend, **recipe})
    tolerance, workers = Tolerance(skip_bad), Workers()
    try:
        done, written = note.start(part)
        tolerance.skipped.update(note.skipped)
        resumed = written
        part.mkdir(parents=True, exist_ok=True)
        sink = open_sink(backend, part, path.name)
        try:
            chunk: list[Item] = []
            size = 0

            def put() -> None:
                nonlocal chunk, size, written
                sink.put(chunk, written)
                written += len(chunk)
                chunk, size = [], 0
                note.write(done, written, tolerance.skipped)
                if progress is not None:
                    progress(done, len(jobs))

            rest = jobs[done:] if done else jobs
            for job, made in zip(rest, workers.stream(_catching(make), rest), strict=True):
                done += 1
                if isinstance(made, DataError):
                    tolerance.skip(name(job), made)
                    continue
                chunk.append(made)
                size += made.size
                if len(chunk) >= _CHUNK or size >= _CHUNK_BYTES:
                    put()
            put()
        finally:
            sink.close()
        if not written:
            raise DataError(f"nothing good is left for `{path}`")
        files = _finish(part, path, backend)
        note.remove()
    except OSError as error:
        raise DataError(f"`{path}` cannot be written: {error.strerror or error}") from error
    finally:
        workers.close()
    return Built(files, written, resumed, dict(tolerance.skipped))


def shuffled_order(count: int, seed: int) -> list[int]:
    """A random order of `count` things."""
    return [int(i) for i in np.random.default_rng(seed).permutation(count)]


class _Note:
    """How far an unfinished set is."""

    def __init__(self, path: Path, recipe: dict[str, object]) -> None:
        self._path = path
        self._recipe: object = json.loads(json.dumps(recipe))
        self.skipped: dict[str, str] = {}

    def start(self, part: Path) -> tuple[int, int]:
        """Jobs done and records written by an earlier run of the same recipe; else a clean start.

        Raises:
            DataError: another process is at work there.
        """
        try:
            found = json.loads(self._path.read_text("utf-8"))
            pid = int(found["pid"])
            done, written = int(found["done"]), int(found["written"])
            skipped = {str(key): str(value) for key, value in found["skipped"].items()}
            same = found["recipe"] == self._recipe
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            shutil.rmtree(part, ignore_errors=True)
            return 0, 0
        if pid != os.getpid() and _alive(pid):
            raise DataError(
                f"process {pid} is writing `{part.name[1:].removesuffix('.part')}` now",
                f"wait for it; where it is some other program, remove `{self._path}`",
            )
        if not same or not part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
            return 0, 0
        self.skipped = skipped
        return done, written

    def write(self, done: int, written: int, skipped: dict[str, str]) -> None:
        text = json.dumps(
            {
                "pid": os.getpid(),
                "done": done,
                "written": written,
                "skipped": skipped,
                "recipe": self._recipe,
            }
        )
        new = self._path.with_suffix(".new")
        new.write_text(text, "utf-8")
        new.replace(self._path)

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


def _catching(make: Callable[[J], Item]) -> Callable[[J], Item | DataError]:
    def catch(job: J) -> Item | DataError:
        try:
            return make(job)
        except DataError as error:
            return error

    return catch


def _finish(part: Path, path: Path, backend: str) -> tuple[Path, ...]:
    """Move what was made to its place."""
    if backend != "hdf5":
        old = path.with_name(f".{path.name}.old")
        if path.exists():
            path.rename(old)
        part.rename(path)
        if old.is_dir():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.unlink(missing_ok=True)
        return (path,)
    files = []
    # the file without a number is the first
    for file in sorted(part.iterdir(), key=lambda f: (len(f.name), f.name)):
        place = path.with_name(file.name)
        file.replace(place)
        files.append(place)
    part.rmdir()
    listing = path.with_suffix(".txt")
    listing.write_text("".join(f"{file}\n" for file in files), "utf-8")
    return (*files, listing)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
