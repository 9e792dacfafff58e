"""TensorBoard's event files: a record for each event, with checksums.

A record is the length of its data as uint64, the masked CRC-32C of these eight bytes, the data,
and the masked CRC-32C of the data, all little endian.
"""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path
from time import time

import numpy as np

from netdef.data.crc32c import crc32c
from netdef.diag import NetdefError
from netdef.doctor.record import wire
from netdef.doctor.record.problems import NotRecorded
from netdef.layers.base import Array

_BUCKETS = 30
_ALL = 0xFFFFFFFF


def masked(data: bytes) -> int:
    """The checksum as event files store it: turned by 15 bits, and a constant added."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & _ALL


def record(data: bytes) -> bytes:
    """One record."""
    length = struct.pack("<Q", len(data))
    return b"".join(
        (length, struct.pack("<I", masked(length)), data, struct.pack("<I", masked(data)))
    )


class EventFile:
    """Writes scalars and histograms for TensorBoard.

    Args:
        folder: made where it is not there; each run adds a file.

    Raises:
        NetdefError: the folder cannot be written to.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        now = time()
        name = f"events.out.tfevents.{int(now):010}.{socket.gethostname()}.{os.getpid()}.netdef"
        self.path = Path(folder) / name
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self._file = open(self.path, "ab")  # noqa: SIM115  open as long as the run lasts
        except OSError as error:
            raise NetdefError(
                NotRecorded(f"`{folder}` cannot be written to: {error.strerror}")
            ) from error
        self._write(wire.event(now, 0, version="brain.Event:2"))
        self.flush()

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Note a number."""
        self._write(wire.event(time(), step, wire.scalar(tag, value)))

    def histogram(self, tag: str, values: Array, step: int) -> None:
        """Note how some values are spread; those that are not finite are left out."""
        found = histogram_of(values)
        if found is not None:
            self._write(wire.event(time(), step, wire.histogram(tag, found)))

    def flush(self) -> None:
        """Let readers see what was written."""
        self._file.flush()

    def close(self) -> None:
        """Write no more."""
        self._file.close()

    def _write(self, data: bytes) -> None:
        self._file.write(record(data))


def histogram_of(values: Array, buckets: int = _BUCKETS) -> wire.Histogram | None:
    """How values are spread, in buckets of equal width; None where none is finite."""
    flat = values.reshape(-1).astype(np.float64)
    flat = flat[np.isfinite(flat)]
    if not flat.size:
        return None
    least, most = float(flat.min()), float(flat.max())
    span = most - least
    if not span > 1e-12 * max(abs(least), abs(most)):
        width = max(abs(most), 1e-12) * 1e-6
        limits, counts = [most + width], [float(flat.size)]
    else:
        counted, edges = np.histogram(flat, buckets, (least, most))
        limits, counts = edges[1:].tolist(), counted.astype(float).tolist()
    return wire.Histogram(
        least,
        most,
        float(flat.size),
        float(flat.sum()),
        float(np.dot(flat, flat)),
        limits,
        counts,
    )
