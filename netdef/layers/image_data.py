"""ImageData: image files and labels of a list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from netdef.data.errors import DataError
from netdef.data.transform import Transform
from netdef.diag import FieldError
from netdef.layers import base

if TYPE_CHECKING:
    from netdef.data.reader import Context, Reader
    from netdef.schema import LayerParameter


@base.layer("ImageData")
@dataclass(frozen=True, slots=True)
class ImageData(base.DataLayer):
    """Image files and labels of a list, line after line, from the start again at its end.

    Tops:
        data: (N, C, H, W), transformed; colour in the order blue, green, red
        label: (N,)
    Cost:
        none in the net: a thread reads, resizes and transforms `prefetch` batches ahead
    Source:
        caffe/src/caffe/layers/image_data_layer.cpp, data_transformer.cpp

    Each line of the list has the path of an image, a space, and a whole number. The first image
    decides H and W where neither `new_height` and `new_width` nor `crop_size` do. Images are
    resized by linear interpolation, as OpenCV does. Orders, crops and mirrors depend only on the
    seed and on how many images came before.

    Differences from Caffe:
        Paths are looked for in the prototxt's folder too. An image that cannot be read stops
        the run with its line; Caffe's message has no line.

    Attributes:
        source: path of the list.
        batch_size: images of a batch.
        root_folder: put in front of every path, as it is: end it with a slash.
        size: height and width to resize to; None for the files' own.
        is_color: three channels; else one.
        shuffle: take the images in another random order each time round.
        rand_skip: leave out a random number of images at the start, less than this.
        prefetch: batches made ahead.
        transform: what happens to images.

    Example:
        >>> ImageData("train.txt", 2, size=(5, 7)).known_shapes(("data", "label"))
        ((2, 3, 5, 7), (2,))
    """

    source: str
    batch_size: int = 1
    root_folder: str = ""
    size: tuple[int, int] | None = None
    is_color: bool = True
    shuffle: bool = False
    rand_skip: int = 0
    prefetch: int = 4
    transform: Transform = field(default_factory=Transform)

    top_count = (2, 2)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `image_data_param` and `transform_param`.

        Raises:
            FieldError: there is no source, or only one side to resize to.
        """
        del phase  # crops follow the phase of the run, which `open` is told
        param = message.image_data_param
        if not param.source:
            raise FieldError(
                "image_data_param.source",
                "is missing",
                "name a text file with a path and a label on each line",
            )
        if param.batch_size < 1:
            raise FieldError("image_data_param.batch_size", "must be at least 1, is 0")
        height, width = param.new_height, param.new_width
        if bool(height) != bool(width):
            given, lacks = ("new_height", "new_width") if height else ("new_width", "new_height")
            raise FieldError(
                f"image_data_param.{given}",
                f"is {height or width}, and `{lacks}` is missing",
                "write both, or none to keep the files' sizes",
            )
        return cls(
            param.source,
            param.batch_size,
            param.root_folder,
            (height, width) if height else None,
            param.is_color,
            param.shuffle,
            param.rand_skip,
            message.data_param.prefetch,  # Caffe reads it there for every layer of images
            Transform.read(message.transform_param),
        )

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """Not known before the list is open: see `open` and `known_shapes`."""
        del bottoms
        return ()

    def known_shapes(self, tops: tuple[str, ...]) -> base.Shapes | None:
        """Shapes where crop_size or the size to resize to tell them."""
        crop = self.transform.crop_size
        size = (crop, crop) if crop else self.size
        if size is None:
            return None
        data = (self.batch_size, 3 if self.is_color else 1, *size)
        return (data, (self.batch_size,))[: len(tops)]

    def settings(self) -> str:
        """`train.txt ×64 256×256 crop 227 mirror`."""
        words = [self.source.rpartition("/")[2], f"×{self.batch_size}"]
        words += [] if self.size is None else ["{}×{}".format(*self.size)]
        words += ["shuffle"] if self.shuffle else []
        return " ".join((*words, *self.transform.settings()))

    def open(self, context: Context, tops: tuple[str, ...]) -> Reader:
        """Open the list and its first image.

        Args:
            context: phase, seed and folders.
            tops: names of the tops.

        Raises:
            FieldError: the list or its first image is missing or broken, or does not fit the
                settings.
        """
        from netdef.data.image_list import ImageListBatches
        from netdef.data.prefetch import BatchReader
        from netdef.data.reader import find_path

        del tops
        try:
            batches = ImageListBatches(
                find_path(self.source, context),
                self.batch_size,
                self.transform,
                context,
                root_folder=self.root_folder,
                size=self.size,
                color=self.is_color,
                shuffle=self.shuffle,
                rand_skip=self.rand_skip,
            )
        except DataError as error:
            raise FieldError("image_data_param.source", error.message, error.help) from error
        return BatchReader(batches, self.prefetch)
