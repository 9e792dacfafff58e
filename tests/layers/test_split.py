"""Split: copies forward, sums backward."""

from __future__ import annotations

import numpy as np

from netdef.layers.base import NCHW, Phase
from netdef.layers.split import Split
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


class TestSplit(LayerLaws):
    cases = [Case(Split(n), ((2, 3, 5),)) for n in (1, 2, 4)]

    def reference(self, layer, bottoms, params):
        return tuple(bottoms * layer.tops)


def test_gradients_are_summed():
    stand = Stand(Case(Split(3), ((2, 3),)), NCHW)
    stand.forward()
    (dx,), _ = stand.backward([np.full((2, 3), k) for k in (1.0, 10.0, 100.0)])
    assert np.all(dx == 111)


def test_read_counts_the_tops():
    assert Split.read(LayerParameter(top=["a", "b", "c"]), Phase.TEST) == Split(3)
    assert Split(3).is_view(((2, 3),))
