"""The largest value of each window.

Where several are equally large the first row counts, and in it the first column, as a search
row by row finds them. A NaN is never larger, so a window of nothing else gives the lowest float.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netdef.kernels.pooling.window import Array, Axis, Need, Pool, Window

LOWEST = float(np.finfo(np.float32).min)
"""Where Caffe's search starts from."""


class MaximumPool(Pool):
    """Forward keeps nothing: backward makes the maxima of rows again, block by block."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._tall, self._wide = Axis(window, 0), Axis(window, 1)

    def needs(self, *, backward: bool) -> Mapping[str, Need]:
        """The maxima of rows; backward their gradient, and who is still searched for."""
        rows = self.window.rows
        needs = {"rows": Need(rows)}
        if backward:
            wide = (rows[0], max(rows[1], self.window.out[0]), *rows[2:])
            needs |= {
                "slopes": Need(rows),
                "open": Need(wide, np.bool_),
                "hit": Need(wide, np.bool_),
                "share": Need(wide),
            }
        return needs

    def forward(self, x: Array, y: Array) -> None:
        """Maxima of rows, then of those."""
        for some in self.window.blocks():
            rows = self._scratch["rows"][: some.stop - some.start]
            self._wide.reduce(np.fmax, x[some], rows, LOWEST)
            self._tall.reduce(np.fmax, rows, y[some], LOWEST)
            np.fmax(y[some], LOWEST, out=y[some])

    def backward(self, x: Array, y: Array, dy: Array, dx: Array, *, add: bool) -> None:
        """Each output's gradient goes to the row, and there to the value, that it came from."""
        scratch = [self._scratch[name] for name in ("open", "hit", "share")]
        for some in self.window.blocks():
            count = some.stop - some.start
            rows, slopes = self._scratch["rows"][:count], self._scratch["slopes"][:count]
            self._wide.reduce(np.fmax, x[some], rows, LOWEST)
            self._tall.route(rows, y[some], dy[some], slopes, scratch, add=False, found=False)
            self._wide.route(x[some], rows, slopes, dx[some], scratch, add=add, found=True)

    def places(self, x: Array, y: Array, places: Array) -> None:
        """Where in its image each maximum stands: h * width + w, or -1 where there is none.

        Args:
            x: input.
            y: what `forward` made of it.
            places: as y; written.
        """
        width = self.window.size[1]
        places.fill(-1)
        tall, wide = (self.window.taps(axis) for axis in (0, 1))
        # backwards, so that the first in reading order is written last
        for i in reversed(range(len(tall))):
            for j in reversed(range(len(wide))):
                if not (self._tall.covers[i] and self._wide.covers[j]):
                    continue
                at = (
                    slice(None),
                    slice(tall[i].low, tall[i].high),
                    slice(wide[j].low, wide[j].high),
                )
                values = x[self._tall.inputs[i]][self._wide.inputs[j]]
                hs = tall[i].start + np.arange(values.shape[1]) * self.window.stride[0]
                ws = wide[j].start + np.arange(values.shape[2]) * self.window.stride[1]
                here = (hs[:, None] * width + ws)[None, :, :, None]
                np.copyto(places[at], here, where=values == y[at], casting="unsafe")
