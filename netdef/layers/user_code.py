"""What a Python layer's own class works with: blobs as in pycaffe, and how its module is found.

Source: caffe/include/caffe/layers/python_layer.hpp, caffe/python/caffe/_caffe.cpp
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from netdef.diag import FieldError, nearest
from netdef.layers.base import Array, Shape
from netdef.layers.caffe_axes import CaffeAxes

if TYPE_CHECKING:
    from netdef.data.reader import Context

TRAIN, TEST = 0, 1


class UserBlob(CaffeAxes):
    """A blob as a Python layer sees it: `data` and `diff` in Caffe's order of axes.

    Its arrays are the net's own wherever its shape is the one the net has planned; after a
    `reshape` to another it has new ones, full of zeros, which the net takes over.

    Attributes:
        left: what was written to `diff` in forward, where the net has none; None where nothing
            was.
    """

    def __init__(self, shape: Shape = (), dtype: Any = np.float32) -> None:
        self._shape = shape
        self._dtype = dtype
        self._data: Array | None = None
        self._diff: Array | None = None
        self._net: Array | None = None
        self.left: Array | None = None

    def bind(self, data: Array, diff: Array | None = None) -> None:
        """Show the net's arrays from now on; without a diff, one of its own."""
        self._net, self._dtype = data, data.dtype
        self._shape, self._data, self._diff = data.shape, data, diff
        if diff is None:
            self.left = None

    @property
    def data(self) -> Array:
        """The values."""
        if self._data is None:
            self._data = np.zeros(self._shape, self._dtype)
        return self._data

    @property
    def diff(self) -> Array:
        """The gradient of the loss by the values."""
        if self._diff is None:
            self._diff = self.left = np.zeros(self._shape, self._dtype)
        return self._diff

    def reshape(self, *shape: int) -> None:
        """Give it another shape."""
        sizes = tuple(int(size) for size in shape)
        if any(size < 0 for size in sizes):
            raise ValueError(f"a blob cannot have the shape {sizes}")
        if sizes == self._shape:
            return
        if self._net is not None and self._net.shape == sizes:
            self.bind(self._net)
        else:
            self._shape, self._data, self._diff, self.left = sizes, None, None, None

    def __repr__(self) -> str:
        return f"<blob {'×'.join(map(str, self._shape)) or 'scalar'}>"


class BlobList(list[UserBlob]):
    """The params of a Python layer, which its `setup` adds."""

    def add_blob(self, *shape: int) -> None:
        """Add a param, full of zeros; `self.blobs[-1].data` can be filled at once."""
        self.append(UserBlob(tuple(int(size) for size in shape)))


class Layer:
    """Base for classes of Python layers, as `caffe.Layer`. Any class with its methods will do.

    Attributes:
        blobs: params; `self.blobs.add_blob(3, 5)` in `setup` adds one.
        param_str: of the prototxt.
        phase: 0 for TRAIN, 1 for TEST.
        type: Python.
    """

    blobs: BlobList
    param_str: str
    phase: int
    type: str

    def setup(self, bottom: list[UserBlob], top: list[UserBlob]) -> None:
        """Read `param_str`, check the bottoms, add params. Once in a net's life."""

    def reshape(self, bottom: list[UserBlob], top: list[UserBlob]) -> None:
        """Give the tops their shapes: `top[0].reshape(*bottom[0].shape)`. Before each forward."""
        raise NotImplementedError

    def forward(self, bottom: list[UserBlob], top: list[UserBlob]) -> None:
        """Write the tops: `top[0].data[...] = 2 * bottom[0].data`."""
        raise NotImplementedError

    def backward(
        self, top: list[UserBlob], propagate_down: list[bool], bottom: list[UserBlob]
    ) -> None:
        """Write the gradients that are wanted: `bottom[0].diff[...] = 2 * top[0].diff`.

        Those of params are added: `self.blobs[0].diff[...] += ...`.
        """
        raise NotImplementedError


def find_class(module: str, name: str, context: Context) -> type[Any]:
    """Import a module of the user's and give a class of it.

    The module is looked for as Python does, then in the working directory and the prototxt's
    folder. Where Caffe is not installed, `import caffe` in it gives a stand-in with `Layer`,
    `TRAIN` and `TEST`.

    Raises:
        FieldError: there is no such module, or no such class with the methods of a layer.
        Exception: whatever the module raises.
    """
    with _importing(context):
        try:
            found = import_module(module)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise  # the module is there, and what it imports is not
            raise FieldError(
                "python_param.module",
                f"is `{module}`, and Python finds no module of that name",
                "put its folder on PYTHONPATH, or the file beside the prototxt",
            ) from error
    chosen = getattr(found, name, None)
    if not isinstance(chosen, type):
        classes = [key for key, value in vars(found).items() if isinstance(value, type)]
        near = nearest(name, classes, most=1)
        raise FieldError(
            "python_param.layer",
            f"is `{name}`, and module `{module}` has no such class",
            f'write `layer: "{near[0]}"`' if near else "",
        )
    for method in ("reshape", "forward"):
        if not callable(getattr(chosen, method, None)):
            raise FieldError(
                "python_param.layer",
                f"is `{name}`, a class without `{method}`",
                "a layer has the methods setup, reshape, forward and backward",
            )
    return chosen


@contextmanager
def _importing(context: Context) -> Iterator[None]:
    """Let modules of the user's be found, and what they import of Caffe."""
    before = list(sys.path)
    sys.path += ["", *([str(context.folder)] if context.folder is not None else [])]
    stand_in = "caffe" not in sys.modules and not _has_caffe()
    if stand_in:
        sys.modules["caffe"] = _caffe()
    try:
        yield
    finally:
        if stand_in:
            sys.modules.pop("caffe", None)  # others must not take it for Caffe
        sys.path[:] = before


def _has_caffe() -> bool:
    """Whether Caffe is installed; a folder of that name, such as its sources, is no module."""
    spec = find_spec("caffe")
    return spec is not None and spec.origin is not None


def _caffe() -> ModuleType:
    """What modules of Python layers use of pycaffe."""
    module = ModuleType("caffe", "A stand-in by netdef: Layer, TRAIN and TEST.")
    vars(module).update(Layer=Layer, TRAIN=TRAIN, TEST=TEST)
    return module
