"""Write pairs of digits as two LMDBs: one image of two channels a pair, label 1 for equal digits.

Run from anywhere: `python models/siamese/prepare.py [FOLDER]`. FOLDER is where
`pairs_train_lmdb` and `pairs_test_lmdb` go, by default the folder of this file. The images are
those of models/digits, with the same split.
"""

from __future__ import annotations

import random
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netdef.data import lmdb_store
from netdef.schema import Datum

HERE = Path(__file__).resolve().parent
COUNTS = {"train": 12000, "test": 1000}


def records(
    images: NDArray[np.uint8], labels: NDArray[np.int64], count: int, seed: int
) -> Iterator[tuple[bytes, bytes]]:
    """Pairs drawn at random, every second one of equal digits."""
    draw = random.Random(seed)
    of_digit = [np.flatnonzero(labels == digit).tolist() for digit in range(10)]
    for index in range(count):
        same = index % 2
        digit = draw.randrange(10)
        other = digit if same else (digit + draw.randrange(1, 10)) % 10
        pair = images[[draw.choice(of_digit[digit]), draw.choice(of_digit[other])]]
        channels, height, width = pair.shape
        datum = Datum(
            channels=channels, height=height, width=width, data=pair.tobytes(), label=same
        )
        yield b"%08d" % index, datum.SerializeToString()


def main(folder: Path = HERE) -> None:
    """Write both databases, in place of old ones."""
    digits = runpy.run_path(str(HERE.parent / "digits" / "prepare.py"))
    for seed, (name, (images, labels)) in enumerate(digits["split"](*digits["read"]()).items()):
        path = folder / f"pairs_{name}_lmdb"
        lmdb_store.write(path, records(images, labels, COUNTS[name], seed), replace=True)
        print(f"{path}: {COUNTS[name]} pairs")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
