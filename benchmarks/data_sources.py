"""Images a second from every source, beside a plain loop with Pillow and torch's DataLoader.

`python -m benchmarks.data_sources [IMAGES]` draws some JPEGs of 256×256, makes the same set as
LMDB, LevelDB and HDF5, and takes batches of 64 crops of 227×227 with mirror and mean. The peers
read the same files: Pillow decodes, NumPy crops, mirrors and subtracts, one image after the
other; DataLoader does that in its worker processes. Every way takes its turn in each of a few
rounds; the best round counts.

Then a net that takes as long as its data: how much of a training step is spent waiting.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from netdef.api.datasets import dataset_images
from netdef.data.database import DatabaseBatches
from netdef.data.hdf5 import Hdf5Batches
from netdef.data.image_list import ImageListBatches
from netdef.data.prefetch import BatchReader
from netdef.data.reader import Context
from netdef.data.recipes import ImageRecipe
from netdef.data.store import open_store
from netdef.data.transform import Transform

SIDE, CROP, BATCH, ROUNDS = 256, 227, 64, 3
MEAN = (104.0, 117.0, 123.0)
TRANSFORM = Transform(crop_size=CROP, mirror=True, mean_value=MEAN)

Source = Callable[[], Iterator[int]]


def draw(folder: Path, count: int) -> Path:
    """JPEGs with edges and noise, about as large as photographs of that size; their list."""
    from PIL import Image, ImageFilter

    random = np.random.default_rng(1)
    lines = []
    for number in range(count):
        coarse = random.integers(0, 256, (24, 24, 3), np.uint8)
        image = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        noise = random.normal(0, 9, (SIDE, SIDE, 3))
        pixels = (np.asarray(image.filter(ImageFilter.SHARPEN)) + noise).clip(0, 255)
        path = folder / f"{number:05d}.jpg"
        Image.fromarray(pixels.astype(np.uint8)).save(path, quality=90)
        lines.append(f"{path} {number % 1000}\n")
    (folder / "list.txt").write_text("".join(lines), "utf-8")
    return folder / "list.txt"


def ours(batches: object, prefetch: int = 4) -> Iterator[int]:
    """Batches of ours, as the layer reads them."""
    reader = BatchReader(batches, prefetch)  # type: ignore[arg-type]
    out = [np.empty(shape, np.float32) for shape in reader.shapes]
    try:
        while True:
            reader.read(out)
            yield len(out[0])
    finally:
        reader.close()


def load(path: str, random: np.random.Generator) -> np.ndarray:
    """One image by Pillow and NumPy."""
    from PIL import Image

    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    row, column = random.integers(0, SIDE - CROP + 1, 2)
    crop = pixels[row : row + CROP, column : column + CROP, ::-1].astype(np.float32)
    if random.integers(2):
        crop = crop[:, ::-1]
    return np.ascontiguousarray((crop - np.float32(MEAN)).transpose(2, 0, 1))


def pillow(listing: Path) -> Iterator[int]:
    """The plain loop."""
    paths = [line.rpartition(" ")[0] for line in listing.read_text("utf-8").splitlines()]
    random, out = np.random.default_rng(1), np.empty((BATCH, 3, CROP, CROP), np.float32)
    place = 0
    while True:
        for item in range(BATCH):
            out[item] = load(paths[place % len(paths)], random)
            place += 1
        yield BATCH


class Files:
    """The list as a data set of torch's."""

    def __init__(self, listing: Path) -> None:
        lines = listing.read_text("utf-8").splitlines()
        self.items = [(p, int(label)) for p, _, label in (line.rpartition(" ") for line in lines)]
        self.random = np.random.default_rng(1)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        path, label = self.items[index]
        return load(path, self.random), label


def dataloader(listing: Path, workers: int) -> Iterator[int]:
    """PyTorch's DataLoader, round after round with the same workers."""
    from torch.utils.data import DataLoader

    loader = DataLoader(
        Files(listing),  # type: ignore[arg-type]
        batch_size=BATCH,
        num_workers=workers,
        drop_last=True,
        persistent_workers=workers > 0,
    )
    while True:
        for data, _ in loader:
            yield len(data)


def rate(source: Iterator[int], images: int) -> float:
    """Images a second, after a first batch that is not counted."""
    next(source)
    start, done = time.perf_counter(), 0
    while done < images:
        done += next(source)
    return done / (time.perf_counter() - start)


def sources(folder: Path, listing: Path) -> dict[str, Source]:
    """Every way there is."""
    from os import sched_getaffinity

    context = Context(train=True, seed=1)
    jpeg, raw = ImageRecipe(), ImageRecipe(encode="raw")
    ways: dict[str, Source] = {}

    def database(name: str, backend: str, recipe: ImageRecipe) -> Source:
        dataset_images(listing, folder / name, recipe=recipe, backend=backend)
        return lambda: ours(DatabaseBatches(open_store(folder / name), BATCH, TRANSFORM, context))

    ways["Pillow, a plain loop"] = lambda: pillow(listing)
    try:
        import torch  # noqa: F401  DataLoader is a peer where it is installed

        cores = len(sched_getaffinity(0))
        ways[f"DataLoader, {cores} workers"] = lambda: dataloader(listing, cores)
    except ImportError:
        pass
    ways["ImageData, JPEG files"] = lambda: ours(
        ImageListBatches(listing, BATCH, TRANSFORM, context)
    )
    ways["Data, LMDB of JPEG"] = database("lmdb_jpeg", "lmdb", jpeg)
    ways["Data, LevelDB of JPEG"] = database("leveldb_jpeg", "leveldb", jpeg)
    ways["Data, LMDB of pixels"] = database("lmdb_raw", "lmdb", raw)
    ways["Data, LevelDB of pixels"] = database("leveldb_raw", "leveldb", raw)
    dataset_images(listing, folder / "rows.h5", recipe=raw)
    ways["HDF5Data, pixels, no crop"] = lambda: ours(
        Hdf5Batches(folder / "rows.txt", ["data", "label"], BATCH, context), 1
    )
    return ways


def waiting(folder: Path) -> tuple[float, float]:
    """Milliseconds of a step 1.5 times as long as its data takes, and of waiting in it."""
    context = Context(train=True, seed=1)
    batches = DatabaseBatches(open_store(folder / "lmdb_jpeg"), BATCH, TRANSFORM, context)
    reader = BatchReader(batches)
    out = [np.empty(shape, np.float32) for shape in reader.shapes]
    start = time.perf_counter()
    for _ in range(6):
        reader.read(out)
    pause = 1.5 * (time.perf_counter() - start) / 6
    waited, steps = 0.0, 12
    for _ in range(steps):
        time.sleep(pause)  # the processor is the decoder's: what is left is waiting alone
        start = time.perf_counter()
        reader.read(out)
        waited += time.perf_counter() - start
    reader.close()
    return 1000 * pause, 1000 * waited / steps


def main(count: int = 512) -> None:
    """Measure, and print a table for BENCHMARKS.md."""
    folder = Path(tempfile.mkdtemp(prefix="netdef-bench-"))
    try:
        listing = draw(folder, count)
        ways = sources(folder, listing)
        best = dict.fromkeys(ways, 0.0)
        for _ in range(ROUNDS):
            for name, way in ways.items():
                source = way()
                best[name] = max(best[name], rate(source, count))
                source.close()  # type: ignore[attr-defined]  # a generator
        print("| source | images/s | beside Pillow |\n|---|---:|---:|")
        plain = best["Pillow, a plain loop"]
        for name, found in best.items():
            print(f"| {name} | {found:,.0f} | {found / plain:.1f}× |")
        step, waited = waiting(folder)
        print(f"\nA step of {step:.0f} ms waits {waited:.1f} ms for its batch: the copy of it.")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
