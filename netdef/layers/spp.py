"""SPP: spatial pyramid pooling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from netdef.diag import BottomError, FieldError
from netdef.kernels.pooling import AveragePool, DrawnPool, MaximumPool, Pool, WeightedPool, Window
from netdef.layers import base
from netdef.layers.axes import show

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

_PATH = "spp_param"
_METHODS = ("MAX", "AVE", "STOCHASTIC")


@base.layer("SPP")
@dataclass(frozen=True, slots=True)
class SPP(base.Layer[tuple[Pool, ...]]):
    """Pool images of any size into equally many values, over grids that get finer and finer.

    Formula:
        level i divides the image into 2^i × 2^i bins and pools each as Pooling does;
        y[n] = the bins of all levels, coarsest first, each level as (c, row, column)
        Kernel and stride: ceil(size / 2^i); padding: half of what the bins exceed the size by,
        rounded up
    Bottoms:
        x: (n, c, h, w)
    Tops:
        y: (n, c * (4^pyramid_height - 1) / 3), but (n, c, 1, 1) where pyramid_height is 1
    Cost:
        that of one Pooling a level
    Source:
        caffe/src/caffe/layers/spp_layer.cpp; He, Zhang, Ren and Sun, Spatial Pyramid Pooling in
        Deep Convolutional Networks for Visual Recognition, 2014
    Differs from Caffe:
        STOCHASTIC runs on a CPU too. `engine` is accepted and changes nothing.

    Attributes:
        pyramid_height: how many levels.
        pool: MAX, AVE or STOCHASTIC.
        train: STOCHASTIC draws; otherwise it weighs.

    Example:
        >>> SPP(pyramid_height=3).shapes(((2, 256, 13, 13),))
        ((2, 5376),)
    """

    pyramid_height: int
    pool: str = "MAX"
    train: bool = False

    layout = base.CHWN
    accumulates = True

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `spp_param`.

        Raises:
            FieldError: there is no level.
        """
        p = message.spp_param
        if not p.pyramid_height:
            said = "must be at least 1, is 0" if p.HasField("pyramid_height") else "is missing"
            raise FieldError(
                f"{_PATH}.pyramid_height", said, "write the number of levels: 3 has 1, 4, 16 bins"
            )
        return cls(p.pyramid_height, _METHODS[p.pool], phase is base.Phase.TRAIN)

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
        """One value for each bin and channel, whatever the size of the image.

        Raises:
            BottomError: it is no image.
            FieldError: a level has more bins than fit the image.
        """
        (bottom,) = bottoms
        if len(bottom) != 4:
            raise BottomError(0, f"is {show(bottom)}, and SPP needs 4 axes (n, c, h, w)")
        n, c, h, w = bottom
        if not (h and w):
            raise BottomError(0, f"is {show(bottom)}, an image without values")
        for level in range(self.pyramid_height):
            self._check(level, (h, w))
        if self.pyramid_height == 1:
            return ((n, c, 1, 1),)
        return ((n, c * sum(4**level for level in range(self.pyramid_height))),)

    def _check(self, level: int, image: tuple[int, int]) -> None:
        """Refuse what Caffe's Pooling would refuse on this level."""
        bins, (kernel, pad) = 2**level, _fit(level, image)
        if any(p >= k for k, p in zip(kernel, pad, strict=True)):
            raise FieldError(
                f"{_PATH}.pyramid_height",
                f"is {self.pyramid_height}, whose level {level} cannot lay {bins}×{bins} bins "
                f"over {show(image)}: some would hold padding alone",
                f"it can be at most {level} here",
            )
        if self.pool == "STOCHASTIC" and any(pad):
            raise FieldError(
                f"{_PATH}.pool",
                f"STOCHASTIC cannot pad, and level {level} must, to lay {bins}×{bins} bins over "
                f"{show(image)}",
                "write MAX or AVE, or bring sizes that the bins divide",
            )

    def settings(self) -> str:
        """As `max 3 levels`."""
        return f"{self.pool.lower()} {self.pyramid_height} level{'s' * (self.pyramid_height > 1)}"

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """What the pools work in; each level has its own, named after it."""
        return {
            f"{level} {name}": base.Buffer(*need)
            for level, pool in enumerate(self._pools(site))
            for name, need in pool.needs(backward=site.backward).items()
        }

    def prepare(self, run: base.Forward[tuple[Pool, ...]]) -> tuple[Pool, ...]:
        """Give the pools their arrays."""
        pools = tuple(self._pools(run.site))
        for level, pool in enumerate(pools):
            names = pool.needs(backward=run.site.backward)
            pool.bind({name: run.buffer(f"{level} {name}") for name in names}, run.site.dtype)
        return pools

    def forward(self, run: base.Forward[tuple[Pool, ...]]) -> None:
        """Pool each level into its part of the top."""
        x = run.bottom(0)
        random = run.random if self.random else None
        for pool, y in _parts(run.work, run.top(0)):
            match pool:
                case DrawnPool():
                    assert random is not None
                    pool.forward(x, y, random)
                case MaximumPool() | AveragePool() | WeightedPool():
                    pool.forward(x, y)

    def backward(self, run: base.Backward[tuple[Pool, ...]]) -> None:
        """Add the levels' gradients up."""
        dx = run.bottom_diff(0)
        if dx is None:
            return
        levels = zip(_parts(run.work, run.top(0)), _parts(run.work, run.top_diff(0)), strict=True)
        for level, ((pool, y), (_, dy)) in enumerate(levels):
            pool.backward(run.bottom(0), y, dy, dx, add=run.adds(0) or level > 0)

    def _pools(self, site: base.Site) -> Iterator[Pool]:
        channels, h, w, batch = site.bottoms[0]
        for level in range(self.pyramid_height):
            kernel, pad = _fit(level, (h, w))
            bins = (2**level, 2**level)
            window = Window(channels, (h, w), batch, kernel, kernel, pad, bins)
            if self.pool == "STOCHASTIC":
                yield DrawnPool(window) if self.train else WeightedPool(window)
            else:
                yield MaximumPool(window) if self.pool == "MAX" else AveragePool(window)


def _fit(level: int, image: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Kernel, which is the stride too, and padding of a level."""
    bins = 2**level
    kernel = (-(-image[0] // bins), -(-image[1] // bins))
    over = [k * bins - size for k, size in zip(kernel, image, strict=True)]
    return kernel, ((over[0] + 1) // 2, (over[1] + 1) // 2)


def _parts(pools: tuple[Pool, ...], top: base.Array) -> Iterator[tuple[Pool, base.Array]]:
    """Each level's pool, and its part of the top as (c, row, column, n)."""
    rows, start = top.reshape(-1, top.shape[-1]), 0
    for pool in pools:
        shape = pool.window.top
        count = shape[0] * shape[1] * shape[2]
        yield pool, rows[start : start + count].reshape(shape)
        start += count
