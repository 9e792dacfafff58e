"""What a data set holds: counts, shapes, labels, means, samples, and what is broken in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdef.data.errors import DataError
from netdef.data.records import Record, Records

Shape = tuple[int, ...]


@dataclass(slots=True)
class Survey:
    """What was found.

    Attributes:
        kind: of the set.
        records: looked at, the broken ones too.
        encoded: how many are image files.
        shapes: how many records have each shape.
        types: how many records have each NumPy type.
        labels: how many records have each label.
        least: of all values.
        most: of all values.
        broken: name of each broken record, and what is wrong with it.
        samples: some good records, drawn at random.
    """

    kind: str
    records: int = 0
    encoded: int = 0
    shapes: Counter[Shape] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    labels: Counter[float] = field(default_factory=Counter)
    least: float = float("inf")
    most: float = float("-inf")
    broken: list[tuple[str, DataError]] = field(default_factory=list)
    samples: list[Record] = field(default_factory=list)
    _sums: dict[int, tuple[NDArray[Any], NDArray[Any], int]] = field(default_factory=dict)

    def channels(self) -> tuple[list[float], list[float]] | None:
        """Mean and standard deviation of each channel, where all records have as many."""
        if len(self._sums) != 1:
            return None
        ((total, squares, count),) = self._sums.values()
        if not count:
            return None
        mean = total / count
        return mean.tolist(), np.sqrt(np.maximum(squares / count - mean**2, 0)).tolist()

    def add(self, values: NDArray[Any]) -> None:
        """Count the values of a record in."""
        flat = values.reshape(len(values), -1) if values.ndim > 1 else values.reshape(1, -1)
        self.shapes[values.shape] += 1
        self.types[str(values.dtype)] += 1
        if not flat.size:
            return
        self.least = min(self.least, float(flat.min()))
        self.most = max(self.most, float(flat.max()))
        wide = flat.astype(np.float64)
        total, squares, count = self._sums.get(len(flat), (0.0, 0.0, 0))
        self._sums[len(flat)] = (
            total + wide.sum(axis=1),
            squares + (wide * wide).sum(axis=1),
            count + flat.shape[1],
        )


def survey(
    records: Records,
    *,
    samples: int = 0,
    limit: int | None = None,
    classes: int | None = None,
    same_size: bool = False,
    progress: Callable[[int, int | None], None] | None = None,
) -> Survey:
    """Go through a set.

    Args:
        records: the set.
        samples: how many records to keep, drawn at random, the same each time.
        limit: look at the first few only.
        classes: labels must be whole numbers from 0 to below this.
        same_size: records must have the shape of the first.
        progress: told now and then how many records of how many were looked at.

    Raises:
        DataError: the set itself is damaged.
    """
    found, random = Survey(records.kind), Random(1)
    first: Shape | None = None
    for record in records.items:
        if limit is not None and found.records >= limit:
            break
        found.records += 1
        if progress is not None and found.records % 100 == 0:
            progress(found.records, records.count)
        problem = record.problem or _wrong(record, classes)
        if record.values is not None:
            first = first or record.values.shape
            if same_size and record.values.shape != first and problem is None:
                problem = DataError(f"is {_by(record.values.shape)}, the first is {_by(first)}")
        if problem is not None:
            found.broken.append((record.name, problem))
        if record.values is None:
            continue
        found.encoded += record.encoded
        if record.label is not None:
            found.labels[record.label] += 1
        found.add(record.values)
        if len(found.samples) < samples:
            found.samples.append(record)
        elif samples:  # each record is kept with the same chance
            place = random.randrange(found.records)
            if place < samples:
                found.samples[place] = record
    return found


def mean_image(
    records: Records, progress: Callable[[int, int | None], None] | None = None
) -> NDArray[np.float32]:
    """The mean of all records.

    Returns:
        (C, H, W).

    Raises:
        DataError: a record is broken, or of another size than the first.
    """
    total: NDArray[np.float64] | None = None
    count = 0
    for record in records.items:
        if record.values is None:
            assert record.problem is not None
            message = f"`{record.name}` {record.problem.message}"
            raise DataError(message, record.problem.help)
        if record.values.ndim != 3:
            raise DataError(f"`{record.name}` is {_by(record.values.shape)}, an image has 3 axes")
        if total is None:
            total = np.zeros(record.values.shape)
        if record.values.shape != total.shape:
            raise DataError(
                f"`{record.name}` is {_by(record.values.shape)}, the first is {_by(total.shape)}",
                "a mean image needs images of one size: make the set with --resize",
            )
        total += record.values
        count += 1
        if progress is not None and count % 100 == 0:
            progress(count, records.count)
    if total is None:
        raise DataError("there are no images to take the mean of")
    return (total / count).astype(np.float32)


def _wrong(record: Record, classes: int | None) -> DataError | None:
    """What is wrong with the values or the label of a record that could be read."""
    values = record.values
    if values is not None and values.dtype.kind == "f" and not np.isfinite(values).all():
        return DataError("holds values that are not finite")
    if record.label is None or classes is None:
        return None
    if record.label != int(record.label) or not 0 <= record.label < classes:
        return DataError(f"has the label {record.label:g}, labels are from 0 to {classes - 1}")
    return None


def _by(shape: Shape) -> str:
    return "×".join(map(str, shape))
