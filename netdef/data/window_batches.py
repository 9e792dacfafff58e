"""Batches of windows cut out of images: what a WindowData layer reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netdef.data.counter_random import Purpose, draw_one
from netdef.data.errors import DataError
from netdef.data.image_list import read_image
from netdef.data.reader import Context, find_path
from netdef.data.resize import resize
from netdef.data.windows import Window, read_windows
from netdef.data.workers import Workers

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Cut:
    """How windows are chosen and cut out.

    Attributes:
        crop_size: side of what comes out, in pixels.
        fg_threshold: a window of at least this overlap is an object.
        bg_threshold: one of less overlap than this is background.
        fg_fraction: share of objects in a batch.
        context_pad: pixels around the window that are taken in, measured in what comes out.
        square: take the tightest square around the window; else stretch it.
        mirror: flip left and right at random.
        scale: factor on every value, after the mean was taken off.
    """

    crop_size: int
    fg_threshold: float = 0.5
    bg_threshold: float = 0.5
    fg_fraction: float = 0.25
    context_pad: int = 0
    square: bool = False
    mirror: bool = False
    scale: float = 1.0


class WindowBatches:
    """Random windows: first background, then objects.

    Args:
        source: window file.
        batch_size: windows of a batch.
        cut: how they are chosen and cut out.
        context: seed and folders.
        mean: to take off, (C, crop_size, crop_size) or (1 or C, 1, 1); None for none.
        root_folder: put in front of every path, as it is.
        cache: keep all image files in memory.

    Attributes:
        shapes: (N, C, crop_size, crop_size) and (N,).
        seed: of windows and mirrors.
        objects: windows of at least `fg_threshold` overlap.
        background: windows of less than `bg_threshold`, their label 0.

    Raises:
        DataError: the file is missing or broken, or has no windows of a kind that is needed.
    """

    def __init__(
        self,
        source: Path,
        batch_size: int,
        cut: Cut,
        context: Context,
        *,
        mean: NDArray[np.float32] | None = None,
        root_folder: str = "",
        cache: bool = False,
    ) -> None:
        self._source, self._cut, self._mean = source, cut, mean
        self.seed = context.seed
        self._workers = Workers()
        file = read_windows(source)
        self._paths = [find_path(root_folder + path, context) for path in file.images]
        self._kept: dict[int, NDArray[np.uint8]] | None = {} if cache else None
        self.objects = [w for w in file.windows if w.overlap >= cut.fg_threshold]
        self.background = [
            w for w in file.windows if w.overlap < min(cut.bg_threshold, cut.fg_threshold)
        ]
        # Caffe's own arithmetic, in single precision
        self._objects = int(np.float32(batch_size) * np.float32(cut.fg_fraction))
        self._check(batch_size)
        size = cut.crop_size
        self.shapes = ((batch_size, file.channels, size, size), (batch_size,))

    def _check(self, batch_size: int) -> None:
        for window in self.objects:
            if window.label < 1:
                raise DataError(
                    f"line {window.line} of `{self._source}` has an object of class "
                    f"{window.label}, classes of objects count from 1"
                )
        if self._objects and not self.objects:
            least = self._cut.fg_threshold
            raise DataError(f"no window of `{self._source}` has an overlap of {least:g} or more")
        if self._objects < batch_size and not self.background:
            most = min(self._cut.bg_threshold, self._cut.fg_threshold)
            raise DataError(f"no window of `{self._source}` has an overlap below {most:g}")

    def reseed(self, seed: int) -> None:
        """Go on with another seed."""
        self.seed = seed

    def fill(self, first: int, out: Sequence[NDArray[np.float32]]) -> None:
        """Write the batch that starts with window `first` of the run."""
        data, labels = out
        data.fill(0)

        def cut(item: int) -> None:
            is_object = item >= len(data) - self._objects
            windows = self.objects if is_object else self.background
            window = windows[draw_one(self.seed, Purpose.WINDOW, first + item, len(windows))]
            mirror = self._cut.mirror and draw_one(self.seed, Purpose.MIRROR, first + item, 2) == 1
            self._cut_out(window, data[item], mirror=mirror)
            labels[item] = window.label if is_object else 0

        self._workers.map(cut, range(len(data)))

    def close(self) -> None:
        """Forget the images."""
        self._workers.close()
        if self._kept is not None:
            self._kept.clear()

    def _cut_out(self, window: Window, out: NDArray[np.float32], *, mirror: bool) -> None:
        image = self._image(window)
        _, height, width = image.shape
        spot = place(window.box, (height, width), self._cut, mirror=mirror)
        x1, y1, x2, y2 = spot.box
        if not (0 <= x1 <= x2 < width and 0 <= y1 <= y2 < height):
            raise DataError(
                f"line {window.line} of `{self._source}`: the window {window.box} does not lie in "
                f"`{self._paths[window.image]}`, which is {width} wide and {height} high"
            )
        if not spot.height or not spot.width:
            return
        patch = resize(image[:, y1 : y2 + 1, x1 : x2 + 1], spot.height, spot.width)
        rows = slice(spot.top, spot.top + spot.height)
        columns = slice(spot.left, spot.left + spot.width)
        target = out[:, rows, columns]
        target[...] = patch[:, :, ::-1] if mirror else patch
        if self._mean is not None:
            whole = self._mean.shape[1:] == (1, 1)
            target -= self._mean if whole else self._mean[:, rows, columns]
        target *= np.float32(self._cut.scale)

    def _image(self, window: Window) -> NDArray[np.uint8]:
        if self._kept is not None and window.image in self._kept:
            return self._kept[window.image]
        path = self._paths[window.image]
        try:
            image = read_image(path, color=True)
        except DataError as error:
            raise DataError(f"`{path}` {error.message}", error.help) from error
        if len(image) != self.shapes[0][1]:
            raise DataError(
                f"`{self._source}` says that `{path}` has {self.shapes[0][1]} channels, images "
                f"are read with {len(image)}"
            )
        if self._kept is not None:
            self._kept[window.image] = image
        return image


@dataclass(frozen=True, slots=True)
class Spot:
    """What is cut out of an image, and where it goes.

    Attributes:
        box: x1, y1, x2, y2 in the image; both ends are part of it.
        top: first row in what comes out.
        left: first column.
        height: rows it is brought to.
        width: columns.
    """

    box: Box
    top: int
    left: int
    height: int
    width: int


def place(box: Box, image: tuple[int, int], cut: Cut, *, mirror: bool) -> Spot:
    """Where a window lies with the context around it, and where that goes.

    What of it lies outside the image stays empty in what comes out.

    Args:
        box: the window.
        image: height and width.
        cut: crop_size, context_pad and square.
        mirror: what comes out is flipped, and the empty margin with it.
    """
    size = cut.crop_size
    if not cut.context_pad and not cut.square:
        return Spot(box, 0, 0, size, size)
    x1, y1, x2, y2 = box
    half = [(x2 - x1 + 1) / 2, (y2 - y1 + 1) / 2]
    centre = [x1 + half[0], y1 + half[1]]
    if cut.square:
        half = [max(half)] * 2
    grow = size / (size - 2 * cut.context_pad)
    ends, sides = [], []
    for axis, pixels in enumerate((image[1], image[0])):
        low = _round(centre[axis] - half[axis] * grow)
        high = _round(centre[axis] + half[axis] * grow)
        below, above = max(0, -low), max(0, high - pixels + 1)
        scale = size / (high - low + 1)
        ends.append((low + below, high - above))
        clipped = _round((high - above - low - below + 1) * scale)
        margins = _round(below * scale), _round(above * scale)
        margin = margins[1] if mirror and axis == 0 else margins[0]
        sides.append((margin, min(clipped, size - margin)))  # rounding may add up to too much
    (left, width), (top, height) = sides
    return Spot((ends[0][0], ends[1][0], ends[0][1], ends[1][1]), top, left, height, width)


def _round(value: float) -> int:
    """The nearest whole number, halves away from zero, as C rounds."""
    return floor(value + 0.5) if value >= 0 else -floor(0.5 - value)
