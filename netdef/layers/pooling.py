"""Pooling: one value for each window of an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from netdef.diag import BottomError, FieldError
from netdef.kernels.pooling import AveragePool, DrawnPool, MaximumPool, Pool, WeightedPool, Window
from netdef.layers import base
from netdef.layers.axes import show
from netdef.layers.spatial import window_settings

if TYPE_CHECKING:
    from netdef.schema import LayerParameter
    from netdef.schema.netdef_pb2 import PoolingParameter

_PATH = "pooling_param"
_METHODS = ("MAX", "AVE", "STOCHASTIC")


@base.layer("Pooling")
@dataclass(frozen=True, slots=True)
class Pooling(base.Layer[Pool]):
    """Reduce each window of an image to one value.

    Formula:
        MAX: the largest value; of equal ones the first row's first takes the gradient
        AVE: sum / count, where the count includes padding but not what lies beyond it
        STOCHASTIC: TRAIN: one of the values, drawn with probability x / sum x;
        TEST: sum x² / sum x
        Output size: ceil((size + 2 * pad - kernel) / stride) + 1 (floor with round_mode FLOOR);
        with padding, a last window that starts beyond size + pad is dropped
    Bottoms:
        x: (n, c, h, w)
    Tops:
        y: (n, c, h', w')
        mask: MAX only, where asked for: h * width + w of each maximum, as (n, c, h', w')
    Cost:
        kernel_h + kernel_w operations a value
    Source:
        caffe/src/caffe/layers/pooling_layer.cpp; pooling_layer.cu for STOCHASTIC
    Differs from Caffe:
        STOCHASTIC in phase TEST has the gradient of its formula; Caffe uses indices left over
        from training, if any. A window of NaN and -inf alone gives the lowest float as in Caffe,
        and sends its gradient nowhere; Caffe writes outside of the array.

    Example:
        >>> Pooling(kernel_size=(3,), stride=(2,)).shapes(((1, 96, 55, 55),))
        ((1, 96, 27, 27),)
    """

    pool: str = "MAX"
    kernel_size: tuple[int, ...] = ()
    stride: tuple[int, ...] = (1,)
    pad: tuple[int, ...] = (0,)
    global_pooling: bool = False
    round_mode: str = "CEIL"
    mask: bool = False
    train: bool = False

    layout = base.CHWN
    channelwise = True
    top_count = (1, 2)
    accumulates = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read pooling_param, and whether the net names a second top."""
        p = message.pooling_param
        method = _METHODS[p.pool]
        mask = len(message.top) > 1
        if mask and method != "MAX":
            raise FieldError("top[1]", f"is a mask, which {method} pooling has not")
        kernel = _read_kernel(p)
        stride = _read_pair(p, "stride", least=1)
        pad = _read_pair(p, "pad", least=0)
        if p.global_pooling and (any(pad) or any(s != 1 for s in stride)):
            name = "pad" if any(pad) else "stride"
            raise FieldError(
                f"{_PATH}.{_written(p, name)}",
                "cannot be with `global_pooling`, whose window is the whole image",
                "leave it out",
            )
        if any(pad) and method == "STOCHASTIC":
            field = f"{_PATH}.{_written(p, 'pad')}"
            raise FieldError(field, "is only for MAX and AVE pooling", "leave it out")
        for i in range(2):
            reach = kernel[i % len(kernel)] if kernel else 0
            if pad[i % len(pad)] >= reach and any(pad):
                raise FieldError(
                    f"{_PATH}.{_written(p, 'pad', i)}",
                    f"must be less than the kernel, {reach}, is {pad[i % len(pad)]}",
                    "a window of padding alone has no values to pool",
                )
        return cls(
            pool=method,
            kernel_size=kernel,
            stride=stride,
            pad=pad,
            global_pooling=p.global_pooling,
            round_mode=("CEIL", "FLOOR")[p.round_mode],
            mask=mask,
            train=phase is base.Phase.TRAIN,
        )

    @property
    def reads_bottoms(self) -> bool:  # type: ignore[override]  # a mean needs no values
        """Backward reads the bottom, but for AVE and a drawn index."""
        return self.pool == "MAX" or (self.pool == "STOCHASTIC" and not self.train)

    @property
    def reads_tops(self) -> bool:  # type: ignore[override]  # as reads_bottoms
        """Backward reads the top, but for AVE and a drawn index."""
        return self.reads_bottoms

    @property
    def random(self) -> bool:  # type: ignore[override]  # one of the methods draws
        """Stochastic pooling draws in phase TRAIN."""
        return self.pool == "STOCHASTIC" and self.train

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The image shrinks by the stride, rounded up unless round_mode says FLOOR."""
        (bottom,) = bottoms
        if len(bottom) != 4:
            raise BottomError(0, f"is {show(bottom)}, and pooling needs 4 axes (n, c, h, w)")
        window = self._window(bottom)
        for axis, out in enumerate(window.out):
            if out < 1:
                field = f"{_PATH}.kernel_size"
                size = f"the bottom's {window.size[axis]} and {2 * window.pad[axis]} of padding"
                raise FieldError(
                    field,
                    f"is {window.kernel[axis]}, too large for {size}",
                    "write a smaller kernel, or `global_pooling: true` for one as large as the "
                    "image",
                )
        top = (bottom[0], bottom[1], *window.out)
        return (top, top) if self.mask else (top,)

    def settings(self) -> str:
        """As `max 3×3/2`."""
        if self.global_pooling:
            return f"{self.pool.lower()} global"
        return f"{self.pool.lower()} {window_settings(self.kernel_size, self.stride, self.pad)}"

    def algorithm(self, site: base.Site) -> str:
        """Whether a compiled kernel pools."""
        return self._pool(site).name

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """What the way to pool works in."""
        needs = self._pool(site).needs(backward=site.backward)
        return {name: base.Buffer(*need) for name, need in needs.items()}

    def prepare(self, run: base.Forward[Pool]) -> Pool:
        """Give the way to pool its arrays."""
        pool = self._pool(run.site)
        names = pool.needs(backward=run.site.backward)
        pool.bind({name: run.buffer(name) for name in names}, run.site.dtype)
        return pool

    def forward(self, run: base.Forward[Pool]) -> None:
        """Pool, and write the mask where it is asked for."""
        x, y = run.bottom(0), run.top(0)
        match run.work:
            case DrawnPool() as drawn:
                drawn.forward(x, y, run.random)
            case MaximumPool() as maximum:
                maximum.forward(x, y)
                if self.mask:
                    maximum.places(x, y, run.top(1))
            case AveragePool() | WeightedPool() as mean:
                mean.forward(x, y)

    def backward(self, run: base.Backward[Pool]) -> None:
        """A mask has no gradient."""
        dx = run.bottom_diff(0)
        if dx is not None:
            run.work.backward(run.bottom(0), run.top(0), run.top_diff(0), dx, add=run.adds(0))

    def _pool(self, site: base.Site) -> Pool:
        *image, batch = site.bottoms[0]
        window = self._window((batch, *image))
        if self.pool == "STOCHASTIC":
            return DrawnPool(window) if self.train else WeightedPool(window)
        ways: tuple[type[MaximumPool], type[AveragePool]] = MaximumPool, AveragePool
        if site.fast:
            from netdef.kernels.fast.pooling import choose_fast  # compiles, so only if asked

            ways = choose_fast(window, backward=site.backward)
        return ways[self.pool == "AVE"](window)

    def _window(self, bottom: base.Shape) -> Window:
        n, c, h, w = bottom
        kernel = (h, w) if self.global_pooling else _pair(self.kernel_size)
        stride, pad = _pair(self.stride), _pair(self.pad)
        out = []
        for size, k, s, p in zip((h, w), kernel, stride, pad, strict=True):
            span = size + 2 * p - k
            count = (-(-span // s) if self.round_mode == "CEIL" else span // s) + 1
            # Caffe looks at this only where there is padding on either axis
            if any(pad) and (count - 1) * s >= size + p:
                count -= 1
            out.append(count)
        return Window(c, (h, w), n, kernel, stride, pad, (out[0], out[1]))


def _pair(sizes: tuple[int, ...]) -> tuple[int, int]:
    return sizes[0], sizes[-1]


def _read_kernel(p: PoolingParameter) -> tuple[int, ...]:
    given = [name for name in ("kernel_size", "kernel_h", "kernel_w") if p.HasField(name)]
    if p.global_pooling:
        if given:
            raise FieldError(
                f"{_PATH}.{given[0]}",
                "cannot be with `global_pooling`, whose window is the whole image",
                "leave one of them out",
            )
        return ()
    if not given:
        raise FieldError(
            f"{_PATH}.kernel_size",
            "is missing",
            "write `kernel_size: 2`, or `global_pooling: true`",
        )
    return _read_pair(p, "kernel", least=1)


def _read_pair(p: PoolingParameter, stem: str, least: int) -> tuple[int, ...]:
    """One of kernel, stride and pad: a number for both axes, or one for each."""
    both = "kernel_size" if stem == "kernel" else stem
    fields = (f"{stem}_h", f"{stem}_w")
    given = [f for f in fields if p.HasField(f)]  # type: ignore[arg-type]
    if given and p.HasField(both):  # type: ignore[arg-type]
        raise FieldError(
            f"{_PATH}.{given[0]}",
            f"and `{both}` say the same thing",
            f"write `{both}`, or `{fields[0]}` and `{fields[1]}`",
        )
    if len(given) == 1:
        missing = fields[given[0] == fields[0]]
        value = getattr(p, given[0])
        raise FieldError(
            f"{_PATH}.{missing}", f"is missing beside `{given[0]}`", f"write `{missing}: {value}`"
        )
    names = tuple(given) or (both,)
    sizes = tuple(int(getattr(p, name)) for name in names)
    for name, size in zip(names, sizes, strict=True):
        if size < least:
            raise FieldError(f"{_PATH}.{name}", f"must be at least {least}, is {size}")
    return sizes


def _written(p: PoolingParameter, stem: str, axis: int = 0) -> str:
    """The name under which a setting was written."""
    by_axis = f"{stem}_{'hw'[axis]}"
    return by_axis if p.HasField(by_axis) else stem  # type: ignore[arg-type]
