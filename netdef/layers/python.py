"""Python: a layer that the user wrote."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from netdef.diag import FieldError
from netdef.layers import base
from netdef.layers.filler import Filler
from netdef.layers.user_code import TEST, TRAIN, BlobList, UserBlob, find_class

if TYPE_CHECKING:
    from netdef.data.reader import Context
    from netdef.schema import LayerParameter


@dataclass(frozen=True, slots=True)
class Given(Filler):
    """The values that the user's `setup` left in a param."""

    type: str = "by setup"
    values: base.Array = field(default_factory=lambda: np.zeros(()), compare=False, repr=False)

    def fill(self, out: base.Array, random: np.random.Generator) -> None:
        """Copy them."""
        del random
        out[...] = self.values


@base.layer("Python")
@dataclass(frozen=True, slots=True)
class Python(base.OutsideLayer[None]):
    """Run a class of the user's as a layer.

    Formula:
        that of the class
    Bottoms:
        any number, as the class wants them
    Tops:
        any number, in the shapes that its `reshape` or `forward` gives them
    Params:
        those that its `setup` adds: self.blobs.add_blob(3, 5)
    Cost:
        that of the class; a net with such a layer is not cut into shards
    Source:
        caffe/include/caffe/layers/python_layer.hpp

    The class is made once in a net's life, has `param_str`, `phase` (0 TRAIN, 1 TEST) and `blobs`
    set, and is then called as by pycaffe: `setup(bottom, top)` and `reshape(bottom, top)` once,
    `reshape` and `forward(bottom, top)` in each pass, `backward(top, propagate_down, bottom)`.
    Blobs have `data`, `diff`, `reshape(*shape)`, `shape`, `count`, `num`, `channels`, `height`
    and `width`; arrays are N×C×H×W. `netdef.layers.user_code.Layer` can be its base, or
    `caffe.Layer`, which is there for the module where Caffe is not installed. What the class
    raises is not caught.

    Only nets that run import the module: `load` and `train`, not `check`, `draw` or `summary`.

    Differences from Caffe:
        Gradients of bottoms and params are 0 when `backward` is called, or what `forward` left in
        a bottom's `diff`. Blobs that grew in `forward` have new arrays. The module is looked for
        in the working directory and the prototxt's folder too. `share_in_parallel` is not used.

    Attributes:
        module: to import.
        layer: class of that module.
        param_str: text for the class.
        tops: how many.
        phase: of the net.
        hosted: the user's object at work; None where the net is only looked at.

    Example:
        >>> Python("pyloss", "EuclideanLossLayer").code()
        'class `EuclideanLossLayer` of module `pyloss`'
    """

    module: str
    layer: str
    param_str: str = ""
    tops: int = 1
    phase: base.Phase = base.Phase.TEST
    hosted: Hosted | None = field(default=None, compare=False, repr=False)

    bottom_count = (0, None)
    top_count = (0, None)
    resizes = True
    writes_params = True
    runs_code = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `python_param`; nothing is imported.

        Raises:
            FieldError: module or class is not named.
        """
        param = message.python_param
        for name, example in (("module", "my_layers"), ("layer", "MyLayer")):
            if not getattr(param, name):
                raise FieldError(
                    f"python_param.{name}", "is missing", f'write `{name}: "{example}"`'
                )
        if not message.bottom and not message.top:
            raise FieldError("top", "is missing, and so is a bottom", "nothing can come of it")
        return cls(param.module, param.layer, param.param_str, len(message.top), phase)

    @property
    def ready(self) -> bool:
        """Whether the user's class is at work; before that it cannot be asked for shapes."""
        return self.hosted is not None

    def code(self) -> str:
        """The class and its module."""
        return f"class `{self.layer}` of module `{self.module}`"

    def begin(self, context: Context, bottoms: base.Shapes) -> Self:
        """Import the module, make the object and let it set itself up.

        Raises:
            FieldError: there is no such module or class.
            Exception: whatever the user's code raises.
        """
        made = _make(find_class(self.module, self.layer, context), self)
        made.param_str = self.param_str
        made.phase = TRAIN if self.phase is base.Phase.TRAIN else TEST
        made.type = self.type
        made.blobs = BlobList()
        return replace(self, hosted=Hosted(made, bottoms, self.tops))

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """As the user's `reshape` gives them."""
        return () if self.hosted is None else self.hosted.shapes(bottoms)

    def params(self, bottoms: base.Shapes) -> tuple[base.Learned, ...]:
        """Those that `setup` added."""
        del bottoms
        blobs: Sequence[UserBlob] = () if self.hosted is None else self.hosted.user.blobs
        return tuple(
            base.Learned(f"blob {index}", blob.shape, Given(values=blob.data))
            for index, blob in enumerate(blobs)
        )

    def settings(self) -> str:
        """The class."""
        return f"{self.module}.{self.layer}"

    def forward(self, run: base.Forward[None]) -> None:
        """Call the user's `reshape` and `forward`.

        Raises:
            TopsReshaped: they gave a top another shape.
            Exception: whatever the user's code raises.
        """
        assert self.hosted is not None
        self.hosted.forward(run)

    def backward(self, run: base.Backward[None]) -> None:
        """Call the user's `backward`."""
        assert self.hosted is not None
        self.hosted.backward(run)


def _make(chosen: type[Any], settings: Python) -> Any:
    """An object of the class; its `__init__` may want nothing, or the layer as in Caffe."""
    try:
        inspect.signature(chosen).bind()
    except TypeError:
        return chosen(settings)
    return chosen()


class Hosted:
    """A user's object with its blobs, between the calls of the net.

    Args:
        user: the object.
        bottoms: shapes of the bottoms.
        tops: how many.
    """

    def __init__(self, user: Any, bottoms: base.Shapes, tops: int) -> None:
        self.user = user
        self._bottoms = [UserBlob(shape) for shape in bottoms]
        self._tops = [UserBlob() for _ in range(tops)]
        self._known: tuple[base.Shapes, base.Shapes] | None = None
        self._waiting: list[base.Array] | None = None
        if hasattr(user, "setup"):
            user.setup(self._bottoms, self._tops)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """Of the tops for bottoms of these shapes; asks the user only where they are others."""
        if self._known is None or self._known[0] != bottoms:
            for blob, shape in zip(self._bottoms, bottoms, strict=True):
                blob.reshape(*shape)
            self.user.reshape(self._bottoms, self._tops)
            self._known = bottoms, tuple(blob.shape for blob in self._tops)
        return self._known[1]

    def forward(self, run: base.Forward[None]) -> None:
        """Run, and hand the tops over; those of another shape wait until there is room."""
        waiting, self._waiting = self._waiting, None
        if waiting is None or tuple(a.shape for a in waiting) != run.site.tops:
            self._bind(run)
            self.user.reshape(self._bottoms, self._tops)
            self.user.forward(self._bottoms, self._tops)
            waiting = [blob.data for blob in self._tops]
            shapes = tuple(array.shape for array in waiting)
            self._known = run.site.bottoms, shapes
            if shapes != run.site.tops:
                self._waiting = waiting
                raise base.TopsReshaped(run, shapes)
        for array, y in zip(waiting, run.tops, strict=True):
            if array is not y:
                np.copyto(y, array)

    def backward(self, run: base.Backward[None]) -> None:
        """Run with the net's gradients."""
        for index, blob in enumerate(self._bottoms):
            dx, left = run.bottom_diff(index), blob.left
            if dx is not None and left is not None and left.shape == dx.shape:
                np.copyto(dx, left)
            elif dx is not None:
                dx.fill(0)
            blob.bind(run.bottom(index), dx)
        for blob, y, dy in zip(self._tops, run.tops, run.top_diffs, strict=True):
            blob.bind(y, dy)
        for blob, w, dw in zip(self.user.blobs, run.params, run.param_diffs, strict=True):
            if dw is not None:
                dw.fill(0)
            blob.bind(w, dw)
        self.user.backward(self._tops, list(run.site.wanted), self._bottoms)

    def _bind(self, run: base.Forward[None]) -> None:
        """Let the user see the net's arrays."""
        blobs = (*self._bottoms, *self._tops, *self.user.blobs)
        arrays = (*run.bottoms, *run.tops, *run.params)
        for blob, array in zip(blobs, arrays, strict=True):
            blob.bind(array)
