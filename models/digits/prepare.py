"""Write the digits as two LMDBs of Datum records, as Caffe's Data layer reads them.

Run from anywhere: `python models/digits/prepare.py [FOLDER]`. FOLDER is where
`digits_train_lmdb` and `digits_test_lmdb` go, by default the folder of this file.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netdef.data import lmdb_store
from netdef.schema import Datum

HERE = Path(__file__).resolve().parent
SIZE = 8  # pixels a side, values 0 to 16

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


def read(path: Path = HERE / "digits.csv.gz") -> tuple[Images, Labels]:
    """Images (count, 8, 8) and labels (count,), in the order of the file."""
    with gzip.open(path, "rt", encoding="ascii") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.int64)
    return table[:, :-1].astype(np.uint8).reshape(-1, SIZE, SIZE), table[:, -1]


def split(images: Images, labels: Labels) -> dict[str, tuple[Images, Labels]]:
    """Every sixth row, from the first, tests; the others train, in a random order.

    The rows stand writer by writer, and a batch should not know one hand only.
    """
    rows = np.arange(len(images))
    testing = rows % 6 == 0
    training = np.random.default_rng(0).permutation(rows[~testing])
    return {
        "train": (images[training], labels[training]),
        "test": (images[testing], labels[testing]),
    }


def records(images: Images, labels: Labels) -> Iterator[tuple[bytes, bytes]]:
    """Keys that sort in the order given, and Datum messages."""
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        datum = Datum(channels=1, height=SIZE, width=SIZE, data=image.tobytes(), label=int(label))
        yield b"%08d" % index, datum.SerializeToString()


def main(folder: Path = HERE) -> None:
    """Write both databases, in place of old ones."""
    for name, (images, labels) in split(*read()).items():
        path = folder / f"digits_{name}_lmdb"
        lmdb_store.write(path, records(images, labels), replace=True)
        print(f"{path}: {len(images)} images")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
