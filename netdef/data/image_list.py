"""Batches from image files that a list names: what an ImageData layer reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netdef.data.counter_random import Purpose, draw_one, shuffled
from netdef.data.datum import decode_image
from netdef.data.errors import DataError
from netdef.data.reader import Context, find_path
from netdef.data.resize import resize
from netdef.data.transform import Transform, Transformer
from netdef.data.workers import Workers, good_ones


@dataclass(frozen=True, slots=True)
class ListedImage:
    """A line of the list.

    Attributes:
        path: of the image file, as written.
        label: its class.
        line: number of the line, from 1.
    """

    path: str
    label: int
    line: int


class ImageListBatches:
    """Image files and their labels in the order of a list, over and over.

    Args:
        source: text file with a path and a label on each line.
        batch_size: images of a batch.
        transform: what happens to images after they are resized.
        context: phase, seed and folders.
        root_folder: put in front of every path, as it is.
        size: height and width that images are resized to; None for their own.
        color: three channels (blue, green, red); else one.
        shuffle: take the images in another random order each time round.
        rand_skip: leave out a random number of images at the start, less than this.

    Attributes:
        shapes: (N, C, H, W) and (N,). The first image decides the size.
        seed: of orders, crops, mirrors and the skip.
        images: lines of the list.

    Raises:
        DataError: the list or its first image is missing or broken.
        FieldError: the transform does not fit the first image.
    """

    def __init__(
        self,
        source: Path,
        batch_size: int,
        transform: Transform,
        context: Context,
        *,
        root_folder: str = "",
        size: tuple[int, int] | None = None,
        color: bool = True,
        shuffle: bool = False,
        rand_skip: int = 0,
    ) -> None:
        self._source, self._context, self._root = source, context, root_folder
        self._size, self._color = size, color
        self._shuffle, self._rand_skip = shuffle, rand_skip
        self.images = read_list(source)
        self._order = lru_cache(2)(self._plan_order)
        self.seed = context.seed
        self._skip = self._draw_skip()
        self._tolerance = context.tolerance
        self._workers = Workers()
        self._transformer = Transformer(transform, context, self._first_shape())
        self.shapes = ((batch_size, *self._transformer.shape), (batch_size,))

    def reseed(self, seed: int) -> None:
        """Go on with another seed."""
        self.seed = seed
        self._order.cache_clear()
        self._skip = self._draw_skip()

    def fill(self, first: int, out: Sequence[NDArray[np.float32]]) -> None:
        """Write the batch that starts with image `first` of the run."""
        listed = [self._listed(n) for n in range(first, first + self.shapes[0][0])]
        found = self._workers.map(self._fitting, listed)
        names = [f"line {item.line} of `{self._source}`" for item in listed]
        items = good_ones(found, names, self._tolerance)
        self._transformer.apply(
            [image for image, _ in items], out[0], self.seed, first, self._workers
        )
        out[1][...] = [label for _, label in items]

    def close(self) -> None:
        """End the threads that decode."""
        self._workers.close()

    def _fitting(self, item: ListedImage) -> tuple[NDArray[np.uint8], int] | DataError:
        """The image and its label, or what is wrong with it."""
        try:
            image = self._image(item)
        except DataError as error:
            return error
        try:
            self._transformer.check(image.shape)
        except DataError as error:
            hint = error.help or "write `new_height` and `new_width`"
            return self._at(item, error.message, hint)
        return image, item.label

    def _first_shape(self) -> tuple[int, ...]:
        """The shape of the first image that can be read."""
        number = 0
        while True:
            item = self._listed(number)
            try:
                return self._image(item).shape
            except DataError as error:
                self._tolerance.skip(f"line {item.line} of `{self._source}`", error)
                number += 1
                if number > self._tolerance.most:
                    raise

    def _listed(self, number: int) -> ListedImage:
        """The line that image `number` of the run is on."""
        epoch, place = divmod(number + self._skip, len(self.images))
        return self.images[int(self._order(epoch)[place]) if self._shuffle else place]

    def _plan_order(self, epoch: int) -> NDArray[np.int64]:
        return shuffled(self.seed, Purpose.LINES, (epoch,), len(self.images))

    def _image(self, item: ListedImage) -> NDArray[np.uint8]:
        """The untransformed image, (C, H, W)."""
        path = find_path(self._root + item.path, self._context)
        try:
            image = read_image(path, color=self._color)
        except DataError as error:
            raise self._at(item, error.message, error.help) from error
        return image if self._size is None else resize(image, *self._size)

    def _at(self, item: ListedImage, message: str, help: str) -> DataError:
        path = self._root + item.path
        return DataError(f"line {item.line} of `{self._source}`: `{path}` {message}", help)

    def _draw_skip(self) -> int:
        return draw_one(self.seed, Purpose.SKIP, 0, self._rand_skip) if self._rand_skip else 0


def read_list(source: Path) -> list[ListedImage]:
    """The lines of a list; what stands behind the last space is the label.

    Raises:
        DataError: the list is missing or empty, or a line has no label.
    """
    images = []
    for number, line in enumerate(read_lines(source), 1):
        if not line.strip():
            continue
        path, _, label = line.rstrip().replace("\t", " ").rpartition(" ")
        try:
            images.append(ListedImage(path.strip(), int(label), number))
        except ValueError as error:
            raise DataError(
                f"line {number} of `{source}` ends in `{label}`, which is no label",
                "write a path, a space and a whole number on each line",
            ) from error
        if not path.strip():
            raise DataError(
                f"line {number} of `{source}` has no path",
                "write a path, a space and a whole number on each line",
            )
    if not images:
        raise DataError(f"`{source}` lists no images")
    return images


def read_lines(source: Path) -> list[str]:
    """The lines of a text file.

    Raises:
        DataError: it is missing, or no text.
    """
    try:
        return source.read_text("utf-8").splitlines()
    except FileNotFoundError as error:
        raise DataError(f"`{source}` does not exist") from error
    except UnicodeDecodeError as error:
        raise DataError(f"`{source}` is not a text file") from error
    except OSError as error:
        raise DataError(f"`{source}` cannot be read: {error.strerror}") from error


def read_image(path: Path, *, color: bool) -> NDArray[np.uint8]:
    """Decode an image file.

    Args:
        path: of the file.
        color: give three channels (blue, green, red); else one.

    Returns:
        (C, H, W).

    Raises:
        DataError: it is missing or broken; to follow the file's name.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError("does not exist") from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}") from error
    return decode_image(data, force_color=color, force_gray=not color)
