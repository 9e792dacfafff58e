"""The checksum CRC-32C (Castagnoli), of LevelDB's blocks and log records.

Plain Python takes a byte at a time. Here the bytes lie in rows of equal length whose checksums
NumPy takes side by side; as a CRC is linear, that of the whole follows from those of the rows.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78  # reflected
_ROW = 256  # bytes
_ALL = 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """The checksum of some bytes."""
    table = _table()
    crc = _ALL
    rows = len(data) // _ROW
    if rows > 4:
        grid = np.frombuffer(data, np.uint8, rows * _ROW).reshape(rows, _ROW)
        columns = np.ascontiguousarray(grid.T)
        side = np.zeros(rows, np.uint32)
        for column in columns:
            side = table[(side ^ column) & np.uint32(255)] ^ (side >> np.uint32(8))
        skip = _skip_row()
        for one in side.tolist():
            crc = (
                skip[0][crc & 255]
                ^ skip[1][crc >> 8 & 255]
                ^ skip[2][crc >> 16 & 255]
                ^ skip[3][crc >> 24]
                ^ one
            )
        data = data[rows * _ROW :]
    words = _words()
    for byte in data:
        crc = words[(crc ^ byte) & 255] ^ (crc >> 8)
    return crc ^ _ALL


def unmask(stored: int) -> int:
    """The checksum that LevelDB stores turned and shifted, as it is."""
    turned = (stored - 0xA282EAD8) & _ALL
    return (turned >> 17 | turned << 15) & _ALL


@cache
def _table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> np.uint32(1)) ^ np.where(table & np.uint32(1), _POLYNOMIAL, 0).astype(
            np.uint32
        )
    return table


@cache
def _words() -> list[int]:
    return [int(word) for word in _table()]


@cache
def _skip_row() -> list[list[int]]:
    """What each byte of a checksum becomes after a row of zeros."""
    words, tables = _words(), []
    for place in range(4):
        table = []
        for byte in range(256):
            crc = byte << (8 * place)
            for _ in range(_ROW):
                crc = words[crc & 255] ^ (crc >> 8)
            table.append(crc)
        tables.append(table)
    return tables
