"""DummyData: blobs of numbers from fillers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from netdef.diag import FieldError
from netdef.layers import base
from netdef.layers.filler import Filler

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

_OLD = ("num", "channels", "height", "width")


@base.layer("DummyData")
@dataclass(frozen=True, slots=True)
class DummyData(base.Layer[None]):
    """Fill blobs with constants once, or with random numbers again in each pass.

    Formula:
        y_i = its filler's numbers
    Bottoms:
        none
    Tops:
        any number, each with its shape
    Cost:
        that of the random numbers
    Source:
        caffe/src/caffe/layers/dummy_data_layer.cpp

    As in Caffe, a constant top is filled when the net is made and never again: what a user writes
    into it stays.

    Attributes:
        shape: of the tops, one for all or one for each.
        data_filler: of the tops, one for all or one for each; zeros where there is none.
        tops: how many.

    Example:
        >>> DummyData(((2, 3),), tops=2).shapes(())
        ((2, 3), (2, 3))
    """

    shape: tuple[base.Shape, ...] = ()
    data_filler: tuple[Filler, ...] = ()
    tops: int = 1

    bottom_count = (0, 0)
    top_count = (1, None)
    reads_bottoms = False
    reads_tops = False
    random = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `dummy_data_param` and count the tops.

        Raises:
            FieldError: there is not one shape or filler for all tops or for each, or a filler is
                wrong.
        """
        del phase
        param, tops = message.dummy_data_param, len(message.top)
        _one_or_each(len(param.data_filler), tops, "data_filler", "filler")
        fillers = tuple(
            Filler.read(f, f"dummy_data_param.data_filler[{i}]")
            for i, f in enumerate(param.data_filler)
        )
        return cls(_read_shapes(message), fillers, tops)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """As written.

        Raises:
            FieldError: a filler cannot fill its shape.
        """
        del bottoms
        shapes = self.shape if len(self.shape) == self.tops else self.shape * self.tops
        for index, (shape, filler) in enumerate(zip(shapes, self._fillers(), strict=True)):
            field = f"dummy_data_param.data_filler[{min(index, len(self.data_filler) - 1)}]"
            if not shape and filler.type not in ("constant", "uniform"):
                raise FieldError(f"{field}.type", f"{filler.type} cannot fill a scalar")
            filler.check(shape, field)
        return shapes

    def _fillers(self) -> tuple[Filler, ...]:
        """One for each top."""
        fillers = self.data_filler or (Filler(),)
        return fillers if len(fillers) == self.tops else fillers * self.tops

    def settings(self) -> str:
        """The fillers."""
        return " ".join(filler.type for filler in self.data_filler)

    def prepare(self, run: base.Forward[None]) -> None:
        """Fill constant tops."""
        for y, filler in zip(run.tops, self._fillers(), strict=True):
            if filler.type == "constant":
                y.fill(filler.value)

    def forward(self, run: base.Forward[None]) -> None:
        """Fill the other tops again."""
        tops = [p for p in zip(run.tops, self._fillers(), strict=True) if p[1].type != "constant"]
        if tops:
            random = run.random
            for y, filler in tops:
                filler.fill(y, random)


def _read_shapes(message: LayerParameter) -> tuple[base.Shape, ...]:
    """The shapes, from `shape` or the four old fields."""
    param, tops = message.dummy_data_param, len(message.top)
    old = {name: tuple(getattr(param, name)) for name in _OLD}
    if not any(old.values()):
        if not param.shape:
            raise FieldError(
                "dummy_data_param.shape", "is missing", "write `shape { dim: 10 dim: 3 }`"
            )
        _one_or_each(len(param.shape), tops, "shape", "shape")
        shapes = tuple(tuple(s.dim) for s in param.shape)
        for index, sizes in enumerate(shapes):
            for axis, size in enumerate(sizes):
                if size < 0:
                    raise FieldError(
                        f"dummy_data_param.shape[{index}].dim[{axis}]",
                        f"must be at least 0, is {size}",
                    )
        return shapes
    first = next(name for name, sizes in old.items() if sizes)
    if param.shape:
        raise FieldError(
            f"dummy_data_param.{first}[0]",
            "is part of the old way to write the shape, and there is a `shape` too",
            "leave `num`, `channels`, `height` and `width` out",
        )
    for name, sizes in old.items():
        if not sizes:
            raise FieldError(
                f"dummy_data_param.{name}",
                f"is missing beside `{first}`",
                "write `shape { dim: … }` in place of the old four fields",
            )
        _one_or_each(len(sizes), tops, name, f"`{name}`")
    each = [sizes if len(sizes) == tops else sizes * tops for sizes in old.values()]
    return tuple(zip(*each, strict=True))


def _one_or_each(count: int, tops: int, field: str, what: str) -> None:
    """Refuse a number of entries that is neither 0, 1 nor that of tops."""
    if count not in (0, 1, tops):
        raise FieldError(
            f"dummy_data_param.{field}[{min(count, tops + 1) - 1}]",
            f"is one of {count}, the layer has {tops} tops",
            f"write one {what} for all tops, or one for each",
        )
