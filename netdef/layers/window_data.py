"""WindowData: windows cut out of images, as R-CNN trains on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from netdef.data.errors import DataError
from netdef.data.transform import Transform
from netdef.diag import FieldError, nearest, surely
from netdef.layers import base

if TYPE_CHECKING:
    from netdef.data.reader import Context, Reader
    from netdef.schema import LayerParameter

_MODES = ("warp", "square")


@base.layer("WindowData")
@dataclass(frozen=True, slots=True)
class WindowData(base.DataLayer):
    """Windows of images, background and objects in a fixed proportion, drawn at random.

    Tops:
        data: (N, C, crop_size, crop_size); colour in the order blue, green, red
        label: (N,), 0 for background
    Cost:
        none in the net: a thread reads, cuts and transforms `prefetch` batches ahead
    Source:
        caffe/src/caffe/layers/window_data_layer.cpp

    Each batch has int(N * fg_fraction) windows of objects, and before them the background. A
    window is brought to `crop_size` by linear interpolation, with `context_pad` pixels of what
    lies around it on each side; what lies outside of the image is 0. The format of the file is
    described in `netdef/data/windows.py`.

    Differences from Caffe:
        The numbers behind # are not read: an image is the windows' own. A window that lies
        outside of its image stops the run with its line.

    Attributes:
        source: path of the window file.
        batch_size: windows of a batch.
        fg_threshold: a window of at least this overlap is an object.
        bg_threshold: one of less overlap than this is background.
        fg_fraction: share of objects in a batch.
        context_pad: pixels around the window, measured in what comes out.
        crop_mode: warp, or square for the tightest square around the window.
        cache_images: keep all images in memory.
        root_folder: put in front of every path, as it is: end it with a slash.
        prefetch: batches made ahead.
        transform: crop_size, mean, scale and mirror.

    Example:
        >>> WindowData("w.txt", 2, transform=Transform(crop_size=7)).settings()
        'w.txt ×2 crop 7'
    """

    source: str
    batch_size: int
    fg_threshold: float = 0.5
    bg_threshold: float = 0.5
    fg_fraction: float = 0.25
    context_pad: int = 0
    crop_mode: str = "warp"
    cache_images: bool = False
    root_folder: str = ""
    prefetch: int = 4
    transform: Transform = field(default_factory=Transform)

    top_count = (2, 2)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `window_data_param` and `transform_param`.

        Raises:
            FieldError: a setting is missing or has no sense.
        """
        del phase
        param, transform = message.window_data_param, Transform.read(message.transform_param)
        if not param.source:
            raise FieldError("window_data_param.source", "is missing", "name a window file")
        if param.batch_size < 1:
            what = "must be at least 1, is 0" if param.HasField("batch_size") else "is missing"
            raise FieldError("window_data_param.batch_size", what)
        if not transform.crop_size:
            raise FieldError(
                "transform_param.crop_size",
                "is missing",
                "write the side that windows are brought to: `crop_size: 227`",
            )
        if 2 * param.context_pad >= transform.crop_size:
            raise FieldError(
                "window_data_param.context_pad",
                f"is {param.context_pad} on each side, which leaves nothing of a crop_size of "
                f"{transform.crop_size}",
                f"write at most {(transform.crop_size - 1) // 2}",
            )
        if not 0 <= param.fg_fraction <= 1:
            raise FieldError(
                "window_data_param.fg_fraction", f"must be from 0 to 1, is {param.fg_fraction:g}"
            )
        if param.crop_mode not in _MODES:
            sure = surely(param.crop_mode, _MODES, ends_kept=True)
            near = [sure] if sure else nearest(param.crop_mode, _MODES, most=1)
            raise FieldError(
                "window_data_param.crop_mode",
                f"is no mode: `{param.crop_mode}`",
                f'write `crop_mode: "{near[0]}"`' if near else "the modes are warp and square",
                sure,
            )
        return cls(
            param.source,
            param.batch_size,
            param.fg_threshold,
            param.bg_threshold,
            param.fg_fraction,
            param.context_pad,
            param.crop_mode,
            param.cache_images,
            param.root_folder,
            message.data_param.prefetch,  # Caffe reads it there for every layer of images
            transform,
        )

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """Not known before the file is open: see `open` and `known_shapes`."""
        del bottoms
        return ()

    def known_shapes(self, tops: tuple[str, ...]) -> base.Shapes:
        """As Caffe reads images: in colour."""
        size = self.transform.crop_size
        return ((self.batch_size, 3, size, size), (self.batch_size,))[: len(tops)]

    def settings(self) -> str:
        """`window_file.txt ×128 square pad 16 crop 227 mirror`."""
        words = [self.source.rpartition("/")[2], f"×{self.batch_size}"]
        words += ["square"] if self.crop_mode == "square" else []
        words += [f"pad {self.context_pad}"] if self.context_pad else []
        return " ".join((*words, *self.transform.settings()))

    def open(self, context: Context, tops: tuple[str, ...]) -> Reader:
        """Read the window file.

        Args:
            context: seed and folders.
            tops: names of the tops.

        Raises:
            FieldError: the file is missing or broken, or has no windows of a kind that is
                needed; or the mean is.
        """
        from netdef.data.prefetch import BatchReader
        from netdef.data.reader import find_path
        from netdef.data.window_batches import Cut, WindowBatches

        del tops
        t = self.transform
        cut = Cut(
            t.crop_size,
            self.fg_threshold,
            self.bg_threshold,
            self.fg_fraction,
            self.context_pad,
            self.crop_mode == "square",
            t.mirror,
            t.scale,
        )
        try:
            batches = WindowBatches(
                find_path(self.source, context),
                self.batch_size,
                cut,
                context,
                mean=self._mean(context),
                root_folder=self.root_folder,
                cache=self.cache_images,
            )
        except DataError as error:
            raise FieldError("window_data_param.source", error.message, error.help) from error
        return BatchReader(batches, self.prefetch)

    def _mean(self, context: Context) -> Any:
        """What to take off: (C, crop_size, crop_size), the middle of the file's, or (…, 1, 1)."""
        from netdef.data.mean import read_mean
        from netdef.data.reader import find_path

        t = self.transform
        if t.mean_value:
            if len(t.mean_value) not in (1, 3):
                raise FieldError(
                    "transform_param.mean_value",
                    f"is given {len(t.mean_value)} times, the images have 3 channels",
                    "give one for all channels or one for each",
                )
            return np.array(t.mean_value, np.float32).reshape(-1, 1, 1)
        if not t.mean_file:
            return None
        try:
            mean = read_mean(find_path(t.mean_file, context))
        except DataError as error:
            raise FieldError("transform_param.mean_file", error.message, error.help) from error
        channels, height, width = mean.shape
        off = (width - t.crop_size) // 2  # Caffe takes it for rows too
        if channels != 3 or off < 0 or off + t.crop_size > height:
            raise FieldError(
                "transform_param.mean_file",
                f"`{t.mean_file}` is {channels}×{height}×{width}, windows are "
                f"3×{t.crop_size}×{t.crop_size}",
                "make the mean of colour images at least that large, or write `mean_value`",
            )
        return mean[:, off : off + t.crop_size, off : off + t.crop_size]
