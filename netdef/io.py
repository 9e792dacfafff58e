"""Images, datums and blobs for programs: the way from a file to what a net takes.

Knows arrays and files. Has never heard of nets: what it must know of one is told to it.

    net = netdef.load("deploy.prototxt", "weights.caffemodel")
    prepare = netdef.io.Preprocess(net.blobs["data"].shape, mean=(104, 117, 123))
    scores = net.forward(data=prepare("cat.jpg"))["prob"][0]
    print(netdef.io.top_k(scores, 5))

Names that `caffe.io` has too mean what they mean there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netdef.data.datum import array_to_datum, datum_to_array, decode_image, encoded_datum
from netdef.data.errors import DataError
from netdef.data.image_list import read_image
from netdef.data.mean import read_mean, write_mean
from netdef.data.resize import resize, resize_floats
from netdef.diag import NetdefError

if TYPE_CHECKING:
    from netdef.schema import BlobProto

__all__ = [
    "Preprocess",
    "Transformer",
    "array_to_blobproto",
    "array_to_datum",
    "blobproto_to_array",
    "datum_to_array",
    "decode_image",
    "encoded_datum",
    "load_image",
    "load_mean",
    "oversample",
    "resize_image",
    "save_mean",
    "top_k",
]

StrPath = str | PathLike[str]
Image = NDArray[np.float32]


def load_image(path: StrPath, color: bool = True) -> Image:  # noqa: FBT001, FBT002  as caffe.io has it
    """An image file as Caffe's Python has it.

    Args:
        path: of the file.
        color: three channels, red, green and blue; else one.

    Returns:
        (H, W, 3 or 1) from 0 to 1.

    Raises:
        NetdefError: it is missing or broken.
    """
    pixels = _pixels(path, color=color)[::-1]
    return np.ascontiguousarray(pixels.transpose(1, 2, 0)).astype(np.float32) / np.float32(255)


def resize_image(image: NDArray[Any], size: tuple[int, int], interp_order: int = 1) -> Image:
    """An image of another size, by linear interpolation.

    Args:
        image: (H, W, K).
        size: height and width.
        interp_order: 1; 0 takes the nearest pixel.

    Returns:
        (height, width, K).
    """
    image = np.asarray(image, np.float32)
    if interp_order == 0:
        rows = np.minimum((np.arange(size[0]) + 0.5) * image.shape[0] / size[0], image.shape[0] - 1)
        cols = np.minimum((np.arange(size[1]) + 0.5) * image.shape[1] / size[1], image.shape[1] - 1)
        nearest: Image = image[rows.astype(int)][:, cols.astype(int)]
        return nearest
    return np.ascontiguousarray(resize_floats(image.transpose(2, 0, 1), *size).transpose(1, 2, 0))


def oversample(images: Iterable[NDArray[Any]], crop_dims: tuple[int, int]) -> Image:
    """The four corners and the centre of each image, then their mirror images.

    Args:
        images: each (H, W, K).
        crop_dims: height and width of the crops.

    Returns:
        (10 for each image, height, width, K).
    """
    h, w = crop_dims
    crops = []
    for image in images:
        down, across = image.shape[0] - h, image.shape[1] - w
        if down < 0 or across < 0:
            raise ValueError(f"an image of {image.shape[:2]} has no crops of {crop_dims}")
        corners = [(r, c) for r in (0, down) for c in (0, across)]
        corners.append((down // 2, across // 2))
        views = [image[r : r + h, c : c + w] for r, c in corners]
        crops += views + [view[:, ::-1] for view in views]
    return np.stack(crops).astype(np.float32)


def blobproto_to_array(blob: BlobProto, return_diff: bool = False) -> Image:  # noqa: FBT001, FBT002
    """The values of a BlobProto in its own shape; with `return_diff` its gradient."""
    single, double = (blob.diff, blob.double_diff) if return_diff else (blob.data, blob.double_data)
    values = np.array(single or double, np.float32)
    if blob.HasField("shape"):
        return values.reshape(tuple(blob.shape.dim))
    legacy = (
        blob.HasField("num")
        or blob.HasField("channels")
        or blob.HasField("height")
        or blob.HasField("width")
    )
    return values.reshape(blob.num, blob.channels, blob.height, blob.width) if legacy else values


def array_to_blobproto(array: NDArray[Any], diff: NDArray[Any] | None = None) -> BlobProto:
    """A BlobProto of values, and of their gradient."""
    from netdef.schema import BlobProto

    blob = BlobProto()
    blob.shape.dim.extend(array.shape)
    blob.data.extend(np.asarray(array, np.float32).ravel())
    if diff is not None:
        blob.diff.extend(np.asarray(diff, np.float32).ravel())
    return blob


def load_mean(path: StrPath) -> Image:
    """A mean image, (C, H, W), of a .binaryproto or .npy file.

    Raises:
        NetdefError: it is missing or broken.
    """
    path = Path(path)
    try:
        if path.suffix != ".npy":
            return read_mean(path)
        mean = np.load(path)
    except DataError as error:
        raise NetdefError(error.problem()) from error
    except (OSError, ValueError) as error:
        problem = DataError(f"`{path}` cannot be read: {error}").problem()
        raise NetdefError(problem) from error
    return np.asarray(mean, np.float32)


def save_mean(path: StrPath, mean: NDArray[Any]) -> None:
    """Write a mean image, (C, H, W): .npy by its ending, else the .binaryproto of Caffe.

    Raises:
        NetdefError: it cannot be written.
    """
    path = Path(path)
    try:
        if path.suffix == ".npy":
            np.save(path, np.asarray(mean, np.float32))
        else:
            write_mean(path, mean)
    except DataError as error:
        raise NetdefError(error.problem()) from error
    except OSError as error:
        problem = DataError(f"`{path}` cannot be written: {error.strerror}").problem()
        raise NetdefError(problem) from error


def top_k(scores: NDArray[Any], k: int = 5, labels: Sequence[str] = ()) -> list[tuple[str, float]]:
    """The best classes and their scores, the best first.

    Args:
        scores: of the classes.
        k: how many.
        labels: names of the classes; numbers where there are none.
    """
    flat = np.asarray(scores).ravel()
    order = np.argsort(-flat, kind="stable")[:k]
    return [(labels[i] if i < len(labels) else str(i), float(flat[i])) for i in order.tolist()]


class Preprocess:
    """From an image file, or its pixels, to what a net takes; as a Data layer in TEST phase does.

    The image is decoded (blue, green, red), resized, its centre cropped, the mean taken off, and
    scaled.

    Args:
        shape: of the input blob, (N, C, H, W).
        mean: a number, one for each channel, or a mean image (C, h, w); or the path of one.
        scale: factor, after the mean.
        resize_to: height and width before the crop; None for the mean image's size, or H and W.
        rgb: the net was trained on red, green, blue.
    """

    def __init__(
        self,
        shape: Sequence[int],
        *,
        mean: float | Sequence[float] | NDArray[Any] | StrPath | None = None,
        scale: float = 1.0,
        resize_to: tuple[int, int] | None = None,
        rgb: bool = False,
    ) -> None:
        self.channels, self.height, self.width = (int(size) for size in list(shape)[-3:])
        self.scale, self.rgb = scale, rgb
        self.mean = self._take_mean(mean)
        large = self.mean is not None and self.mean.shape[1:] != (1, 1)
        inherited = self.mean.shape[1:] if large and self.mean is not None else None
        self.size = resize_to or inherited or (self.height, self.width)
        if self.size[0] < self.height or self.size[1] < self.width:
            raise ValueError(f"{self.size} is smaller than the net's {self.height, self.width}")
        if large and self.mean is not None and self.mean.shape[1:] != tuple(self.size):
            raise ValueError(f"the mean is {self.mean.shape}, images are resized to {self.size}")

    def __call__(self, *images: StrPath | NDArray[Any]) -> Image:
        """A batch of images.

        Args:
            images: paths, or pixels (H, W, K) from 0 to 255, red, green, blue as Pillow has them.

        Returns:
            (N, C, H, W).

        Raises:
            NetdefError: a file is missing or broken.
        """
        return np.stack([self._one(image) for image in images])

    def _one(self, image: StrPath | NDArray[Any]) -> Image:
        if isinstance(image, (str, PathLike)):
            pixels = _pixels(image, color=self.channels != 1)
        else:
            rows = np.asarray(image)
            rows = rows[:, :, None] if rows.ndim == 2 else rows
            if rows.ndim != 3 or rows.shape[2] != self.channels:
                raise ValueError(
                    f"the net takes {self.channels} channels, the image is {rows.shape}"
                )
            pixels = rows[:, :, ::-1].transpose(2, 0, 1)
        if pixels.dtype == np.uint8:
            values = resize(np.ascontiguousarray(pixels), *self.size).astype(np.float32)
        else:
            values = resize_floats(np.asarray(pixels, np.float32), *self.size)
        if self.rgb:
            values = values[::-1]
        top, left = (self.size[0] - self.height) // 2, (self.size[1] - self.width) // 2
        crop = (slice(None), slice(top, top + self.height), slice(left, left + self.width))
        values = values[crop]
        if self.mean is not None:
            values = values - (self.mean if self.mean.shape[1:] == (1, 1) else self.mean[crop])
        return np.ascontiguousarray(values * np.float32(self.scale))

    def _take_mean(self, mean: Any) -> Image | None:
        if mean is None:
            return None
        if isinstance(mean, (str, PathLike)):
            mean = load_mean(mean)
        values = np.asarray(mean, np.float32)
        if values.ndim < 2:
            values = values.reshape(-1, 1, 1)
        if values.ndim == 4 and len(values) == 1:
            values = values[0]
        if values.ndim != 3 or len(values) not in (1, self.channels):
            raise ValueError(f"the mean is {values.shape}, the net takes {self.channels} channels")
        return values


class Transformer:
    """The preprocessing of caffe.io: settings by the name of an input blob.

    The order is Caffe's: resize, transpose, swap channels, scale raw values, take off the mean,
    scale.

    Args:
        inputs: shapes of the input blobs, by name.
    """

    def __init__(self, inputs: Mapping[str, Sequence[int]]) -> None:
        self.inputs = {name: tuple(shape) for name, shape in inputs.items()}
        self.transpose: dict[str, tuple[int, ...]] = {}
        self.channel_swap: dict[str, tuple[int, ...]] = {}
        self.raw_scale: dict[str, float] = {}
        self.mean: dict[str, NDArray[Any]] = {}
        self.input_scale: dict[str, float] = {}

    def preprocess(self, in_: str, data: NDArray[Any]) -> Image:
        """An image (H, W, K) as the blob takes it, (K, H, W)."""
        self._known(in_)
        values = np.asarray(data, np.float32)
        size = self.inputs[in_][2:]
        if values.shape[:2] != tuple(size):
            values = resize_image(values, (size[0], size[1]))
        if in_ in self.transpose:
            values = values.transpose(self.transpose[in_])
        if in_ in self.channel_swap:
            values = values[list(self.channel_swap[in_])]
        if in_ in self.raw_scale:
            values = values * np.float32(self.raw_scale[in_])
        if in_ in self.mean:
            values = values - self.mean[in_]
        if in_ in self.input_scale:
            values = values * np.float32(self.input_scale[in_])
        return np.asarray(values, np.float32)

    def deprocess(self, in_: str, data: NDArray[Any]) -> Image:
        """The image of what `preprocess` gave, but for its size."""
        self._known(in_)
        values = np.array(data, np.float32).squeeze()
        if in_ in self.input_scale:
            values /= np.float32(self.input_scale[in_])
        if in_ in self.mean:
            values += self.mean[in_]
        if in_ in self.raw_scale:
            values /= np.float32(self.raw_scale[in_])
        if in_ in self.channel_swap:
            values = values[np.argsort(self.channel_swap[in_])]
        if in_ in self.transpose:
            values = values.transpose(np.argsort(self.transpose[in_]))
        return values

    def set_transpose(self, in_: str, order: Sequence[int]) -> None:
        """Order of the axes, (2, 0, 1) for channels first."""
        self._known(in_)
        if len(order) != len(self.inputs[in_]) - 1:
            raise ValueError("the order has one axis for each of the input, without the batch")
        self.transpose[in_] = tuple(order)

    def set_channel_swap(self, in_: str, order: Sequence[int]) -> None:
        """Order of the channels, (2, 1, 0) from RGB to BGR."""
        self._known(in_)
        if len(order) != self.inputs[in_][1]:
            raise ValueError("the order has as many numbers as the input channels")
        self.channel_swap[in_] = tuple(order)

    def set_raw_scale(self, in_: str, scale: float) -> None:
        """Factor before the mean: 255 for images from 0 to 1."""
        self._known(in_)
        self.raw_scale[in_] = scale

    def set_mean(self, in_: str, mean: NDArray[Any]) -> None:
        """What is taken off: a number for each channel, or (K, H, W)."""
        self._known(in_)
        mean = np.asarray(mean)
        shape = self.inputs[in_][1:]
        if mean.ndim == 1:
            if len(mean) != shape[0]:
                raise ValueError("the mean has as many numbers as the input channels")
            mean = mean[:, None, None]
        else:
            if mean.ndim == 2:
                mean = mean[None]
            if mean.ndim != 3 or mean.shape != shape:
                raise ValueError(f"the mean is {mean.shape}, the input {shape}")
        self.mean[in_] = mean

    def set_input_scale(self, in_: str, scale: float) -> None:
        """Factor after the mean."""
        self._known(in_)
        self.input_scale[in_] = scale

    def _known(self, in_: str) -> None:
        if in_ not in self.inputs:
            raise ValueError(f"`{in_}` is no input, the inputs are {', '.join(self.inputs)}")


def _pixels(path: StrPath, *, color: bool) -> NDArray[np.uint8]:
    """(3 or 1, H, W); colour as blue, green, red."""
    try:
        return read_image(Path(path).expanduser(), color=color)
    except DataError as error:
        problem = DataError(f"`{Path(path)}` {error.message}", error.help).problem()
        raise NetdefError(problem) from error
