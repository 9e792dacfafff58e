"""What data sets are made of: folders and lists of images, idx, CIFAR and CSV files."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netdef.data.datum import decode_image
from netdef.data.errors import DataError, missing_package
from netdef.data.image_list import ListedImage, read_list
from netdef.data.resize import resize
from netdef.data.sinks import Item

IMAGE_ENDINGS = frozenset(
    (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
)
_LONGEST_KEY = 511  # bytes, LMDB's own limit
_CIFAR_SIDE = 32
_CIFAR_PIXELS = 3 * _CIFAR_SIDE * _CIFAR_SIDE


@dataclass(frozen=True, slots=True)
class ImageRecipe:
    """How image files become records.

    Attributes:
        root: put in front of every path.
        size: height and width to resize to; None to leave that.
        short_side: side to bring the shorter one to; 0 to leave that.
        gray: one channel.
        encode: how records hold images: `keep` for the file as it is where nothing changes it,
            else PNG; `png`, `jpg`; `raw` for pixels.
        quality: of JPEG.
        check: decode files that are kept, to see that they can be.
    """

    root: str = ""
    size: tuple[int, int] | None = None
    short_side: int = 0
    gray: bool = False
    encode: str = "keep"
    quality: int = 95
    check: bool = True

    def make(self, number: int, image: ListedImage) -> Item:
        """The record of an image.

        Raises:
            DataError: the file is missing or broken.
        """
        path = self.root + image.path
        key = b"%08d_%s" % (number, image.path.encode("utf-8", "surrogateescape"))
        try:
            data = Path(path).expanduser().read_bytes()
        except FileNotFoundError as error:
            raise DataError(f"`{path}` does not exist") from error
        except OSError as error:
            raise DataError(f"`{path}` cannot be read: {error.strerror}") from error
        try:
            return Item(key[:_LONGEST_KEY], self._values(data), image.label)
        except DataError as error:
            raise DataError(f"`{path}` {error.message}", error.help) from error

    def _values(self, data: bytes) -> NDArray[np.uint8] | bytes:
        changes = self.size is not None or self.short_side or self.gray
        if self.encode == "keep" and not changes:
            if self.check:
                decode_image(data)
            return data
        pixels = decode_image(data, force_color=not self.gray, force_gray=self.gray)
        if self.size is not None:
            pixels = resize(pixels, *self.size)
        elif self.short_side:
            _, h, w = pixels.shape
            ratio = self.short_side / min(h, w)
            pixels = resize(pixels, max(1, round(h * ratio)), max(1, round(w * ratio)))
        if self.encode == "raw":
            return pixels
        return encode_image(pixels, "jpg" if self.encode == "jpg" else "png", self.quality)


def encode_image(pixels: NDArray[np.uint8], kind: str, quality: int = 95) -> bytes:
    """An image file of pixels.

    Args:
        pixels: (1 or 3, H, W); colour as blue, green, red.
        kind: png or jpg.
        quality: of JPEG.

    Raises:
        DataError: Pillow is missing.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise missing_package("Pillow", "writing an image file") from error
    image = pixels[0] if len(pixels) == 1 else pixels[::-1].transpose(1, 2, 0)
    out = BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(image))
    if kind == "jpg":
        picture.save(out, "JPEG", quality=quality)
    else:
        picture.save(out, "PNG", compress_level=3)
    return out.getvalue()


def images_in(source: Path) -> tuple[list[ListedImage], list[str]]:
    """Images and the names of their classes, of a folder or a list.

    Each folder in a folder is a class, in alphabetical order, with the images in it however
    deep. A folder with images and no folders is one class. A list has a path and a label on each
    line, and no names.

    Raises:
        DataError: there are no images.
    """
    if not source.is_dir():
        return read_list(source), []
    classes = sorted(p.name for p in source.iterdir() if p.is_dir() and not p.name.startswith("."))
    images: list[ListedImage] = []
    for label, name in enumerate(classes or ["."]):
        for path in sorted((source / name).rglob("*")):
            if path.suffix.lower() in IMAGE_ENDINGS and path.is_file():
                place = path.relative_to(source).as_posix()
                images.append(ListedImage(place, label, len(images) + 1))
    if not images:
        raise DataError(
            f"`{source}` holds no images",
            "put the images of each class into a folder of its own, or write a list with a path "
            "and a label on each line",
        )
    return images, classes


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array of an idx file, as MNIST's are; a .gz is unpacked.

    Raises:
        DataError: it is missing, or no idx file of bytes.
    """
    data = _bytes(path)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != 8 or len(data) < 4 + 4 * data[3]:
        raise DataError(
            f"`{path}` is not an idx file of bytes", "MNIST's files are train-images-idx3-ubyte ..."
        )
    shape = tuple(np.frombuffer(data, ">u4", data[3], 4).tolist())
    start = 4 + 4 * data[3]
    size = int(np.prod(shape, dtype=object))
    if len(data) - start != size:
        by = "×".join(map(str, shape))
        raise DataError(f"`{path}` holds {len(data) - start:,} values, its sizes {by} say {size:,}")
    return np.frombuffer(data, np.uint8, size, start).reshape(shape)


def read_mnist(images: Path, labels: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (N, 1, H, W) and labels (N,) of two idx files.

    Raises:
        DataError: they do not belong together.
    """
    pixels, classes = read_idx(images), read_idx(labels)
    if pixels.ndim == 1 and classes.ndim == 3:
        pixels, classes = classes, pixels
    if pixels.ndim != 3 or classes.ndim != 1:
        raise DataError(f"`{images}` and `{labels}` are not one file of images and one of labels")
    if len(pixels) != len(classes):
        raise DataError(
            f"`{images}` holds {len(pixels):,} images, `{labels}` {len(classes):,} labels"
        )
    return pixels[:, None], classes


def read_cifar(
    paths: Sequence[Path], *, coarse: bool = False
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (N, 3, 32, 32), red, green, blue as in the files, and labels (N,).

    Args:
        paths: .bin files of CIFAR-10 or CIFAR-100, told apart by their size.
        coarse: of CIFAR-100, the 20 classes rather than the 100.

    Raises:
        DataError: a file is missing, or of another size.
    """
    images: list[NDArray[np.uint8]] = []
    labels: list[NDArray[np.uint8]] = []
    for path in paths:
        data = _bytes(path)
        heads = [h for h in (1, 2) if data and len(data) % (h + _CIFAR_PIXELS) == 0]
        if not heads:
            raise DataError(
                f"`{path}` has {len(data):,} bytes, no multiple of CIFAR-10's {_CIFAR_PIXELS + 1:,}"
                f" nor of CIFAR-100's {_CIFAR_PIXELS + 2:,}",
                "take the binary version of the files",
            )
        rows = np.frombuffer(data, np.uint8).reshape(-1, heads[0] + _CIFAR_PIXELS)
        labels.append(rows[:, 0 if coarse else heads[0] - 1])
        images.append(rows[:, heads[0] :].reshape(-1, 3, _CIFAR_SIDE, _CIFAR_SIDE))
    return np.concatenate(images), np.concatenate(labels)


def _bytes(path: Path) -> bytes:
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            data: bytes = file.read()
            return data
    except FileNotFoundError as error:
        raise DataError(f"`{path}` does not exist") from error
    except (OSError, EOFError) as error:
        raise DataError(f"`{path}` cannot be read: {error}") from error
