"""Caffe's transformations of images on their way into a batch.

The order is Caffe's: decode, crop, take off the mean that lies under the crop, scale, mirror.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netdef.data.counter_random import Purpose, draw
from netdef.data.datum import datum_to_array
from netdef.data.errors import DataError
from netdef.data.mean import read_mean
from netdef.data.reader import Context, find_path
from netdef.data.workers import Workers
from netdef.diag import FieldError

if TYPE_CHECKING:
    from netdef.schema import Datum
    from netdef.schema.netdef_pb2 import TransformationParameter

Shape = tuple[int, ...]

_LARGE = 1 << 14  # values of an image from which on it is worth a task of its own


@dataclass(frozen=True, slots=True)
class Transform:
    """Checked settings of a transform_param.

    Attributes:
        scale: factor on every value, after the mean was taken off.
        mirror: flip left and right at random, in both phases.
        crop_size: side of the square cut out, anywhere in TRAIN, the middle in TEST; 0: none.
        mean_file: path of a mean image, a BlobProto; "" for none.
        mean_value: mean of all channels, or of each; () for none.
        force_color: decode image files as three channels.
        force_gray: decode image files as one channel.
    """

    scale: float = 1.0
    mirror: bool = False
    crop_size: int = 0
    mean_file: str = ""
    mean_value: tuple[float, ...] = ()
    force_color: bool = False
    force_gray: bool = False

    @classmethod
    def read(cls, message: TransformationParameter) -> Transform:
        """Read the transform_param of a layer.

        Raises:
            FieldError: two settings contradict each other.
        """
        if message.mean_file and message.mean_value:
            raise FieldError(
                "transform_param.mean_file",
                "and `mean_value` are both given",
                "leave one of them out",
            )
        if message.force_color and message.force_gray:
            raise FieldError(
                "transform_param.force_gray",
                "and `force_color` are both given",
                "leave one of them out",
            )
        return cls(
            message.scale,
            message.mirror,
            message.crop_size,
            message.mean_file,
            tuple(message.mean_value),
            message.force_color,
            message.force_gray,
        )

    def settings(self) -> tuple[str, ...]:
        """What is done, in a word each: `crop 227`, `mirror`."""
        words = (
            (f"crop {self.crop_size}", self.crop_size),
            ("mirror", self.mirror),
            ("-mean", self.mean_file or self.mean_value),
            (f"×{self.scale:g}", self.scale != 1),
        )
        return tuple(word for word, said in words if said)


class Transformer:
    """A transform ready to work on images of a kind.

    Args:
        transform: the settings.
        context: phase and folders; its seed is not used.
        shape: (C, H, W) of the first image, which decides.

    Attributes:
        shape: (C, H, W) of what comes out.

    Raises:
        FieldError: a setting does not fit the first image, or the mean file is missing or broken.
    """

    def __init__(self, transform: Transform, context: Context, shape: Shape) -> None:
        self.transform = transform
        self._train = context.train
        self._first = shape
        size = transform.crop_size
        if size > min(shape[1:]):
            raise FieldError(
                "transform_param.crop_size",
                f"is {size}, the images of {_by(shape)} are smaller",
                f"write at most `crop_size: {min(shape[1:])}`",
            )
        self.shape = (shape[0], size, size) if size else shape
        self._mean = self._read_mean(context)

    def array(self, datum: Datum) -> NDArray[Any]:
        """The values of a datum, (C, H, W), decoded and checked, not yet transformed.

        Raises:
            DataError: the datum is broken or of another size; to follow the record's name.
        """
        t = self.transform
        image = datum_to_array(datum, force_color=t.force_color, force_gray=t.force_gray)
        self.check(image.shape)
        return image

    def check(self, shape: Shape) -> None:
        """Refuse an image that cannot stand in one batch with the first.

        Raises:
            DataError: to follow the image's name: "is 3×30×32, ...".
        """
        if shape == self._first:
            return
        size = self.transform.crop_size
        if not size:
            hint = "write a `crop_size` for images of several sizes"
            fits, hint = False, hint if shape[0] == self._first[0] else _CHANNELS
        elif shape[0] != self._first[0]:
            fits, hint = False, _CHANNELS
        elif self.transform.mean_file:
            fits, hint = False, "write `mean_value` instead of `mean_file` for images of many sizes"
        else:
            fits, hint = min(shape[1:]) >= size, f"the `crop_size` is {size}"
        if not fits:
            raise DataError(f"is {_by(shape)}, the first is {_by(self._first)}", hint)

    def apply(
        self,
        images: Sequence[NDArray[Any]],
        out: NDArray[np.float32],
        seed: int,
        first: int,
        workers: Workers | None = None,
    ) -> None:
        """Write transformed images.

        Args:
            images: N arrays (C, H, W) that passed `check`.
            out: (N, C, H, W) of `shape`.
            seed: of the random numbers.
            first: number of the first image in the run; the others follow. The same numbers of
                the same seed always give the same crops and mirrors.
            workers: to share the work of large images.
        """
        t, count = self.transform, len(images)
        numbers = np.arange(first, first + count, dtype=np.uint64)
        rows, columns = self._corners(images, seed, numbers)
        size = t.crop_size
        if workers is not None and out[0].size >= _LARGE:
            flips = draw(seed, Purpose.MIRROR, numbers, 2) if t.mirror else np.zeros(count, int)
            self._each(images, out, (rows, columns, flips.tolist()), workers)
            return
        if size:
            images = [
                image[:, row : row + size, column : column + size]
                for image, row, column in zip(images, rows, columns, strict=True)
            ]
        for place, image in zip(out, images, strict=True):
            place[...] = image
        if self._mean is not None:
            out -= self._mean_under(rows, columns)
        if t.scale != 1:
            out *= np.float32(t.scale)
        if t.mirror:
            flipped = np.flatnonzero(draw(seed, Purpose.MIRROR, numbers, 2))
            out[flipped] = out[flipped, :, :, ::-1]

    def _each(
        self,
        images: Sequence[NDArray[Any]],
        out: NDArray[np.float32],
        how: tuple[list[int], list[int], list[int]],
        workers: Workers,
    ) -> None:
        """Transform image by image: each stays in the cache, and threads share them."""
        size, scale = self.transform.crop_size, np.float32(self.transform.scale)

        def one(item: int) -> None:
            image, place = images[item], out[item]
            row, column, flip = (numbers[item] for numbers in how)
            mean = self._mean
            if size:
                image = image[:, row : row + size, column : column + size]
                if mean is not None and mean.shape[1:] != (1, 1):
                    mean = mean[:, row : row + size, column : column + size]
            place[...] = image
            if mean is not None:
                place -= mean
            if scale != 1:
                place *= scale
            if flip:
                place[...] = place[:, :, ::-1].copy()

        workers.map(one, range(len(images)))

    def _corners(
        self, images: Sequence[NDArray[Any]], seed: int, numbers: NDArray[np.uint64]
    ) -> tuple[list[int], list[int]]:
        """Row and column where the crop of each image starts."""
        size = self.transform.crop_size
        if not size:
            return [0] * len(images), [0] * len(images)
        rest = [(image.shape[1] - size, image.shape[2] - size) for image in images]
        if not self._train:
            return [h // 2 for h, _ in rest], [w // 2 for _, w in rest]
        if len(set(rest)) == 1:
            (h, w), *_ = rest
            rows = draw(seed, Purpose.CROP_ROW, numbers, h + 1)
            columns = draw(seed, Purpose.CROP_COLUMN, numbers, w + 1)
            return rows.tolist(), columns.tolist()
        below = np.array(rest, np.uint64) + np.uint64(1)
        return (
            draw(seed, Purpose.CROP_ROW, numbers, below[:, 0]).tolist(),
            draw(seed, Purpose.CROP_COLUMN, numbers, below[:, 1]).tolist(),
        )

    def _mean_under(self, rows: list[int], columns: list[int]) -> NDArray[np.float32]:
        """The mean of each pixel of the crops, in a shape that goes with (N, C, H, W)."""
        assert self._mean is not None
        size = self.transform.crop_size
        if not size or self._mean.shape[1:] == (1, 1):
            return self._mean
        if len(set(rows)) == len(set(columns)) == 1:
            row, column = rows[0], columns[0]
            return self._mean[:, row : row + size, column : column + size]
        windows = np.lib.stride_tricks.sliding_window_view(self._mean, (size, size), axis=(1, 2))
        return windows[:, rows, columns].swapaxes(0, 1)

    def _read_mean(self, context: Context) -> NDArray[np.float32] | None:
        """The mean, (C, H, W) or (1 or C, 1, 1)."""
        t, shape = self.transform, self._first
        if t.mean_value:
            if len(t.mean_value) not in (1, shape[0]):
                raise FieldError(
                    "transform_param.mean_value",
                    f"is given {len(t.mean_value)} times, the images have {shape[0]} channels",
                    "give one for all channels or one for each",
                )
            return np.array(t.mean_value, np.float32).reshape(-1, 1, 1)
        if not t.mean_file:
            return None
        try:
            mean = read_mean(find_path(t.mean_file, context))
        except DataError as error:
            raise FieldError("transform_param.mean_file", error.message, error.help) from error
        if mean.shape != shape:
            raise FieldError(
                "transform_param.mean_file",
                f"`{t.mean_file}` is {_by(mean.shape)}, the images are {_by(shape)}",
                "make the mean of the same images, or write `mean_value`",
            )
        return mean


_CHANNELS = "write `force_color: true` or `force_gray: true` where image files are mixed"


def _by(shape: Shape) -> str:
    return "×".join(map(str, shape))
