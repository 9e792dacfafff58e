"""Silence: nothing forward, zeros backward."""

from __future__ import annotations

import numpy as np

from netdef.layers.base import CHWN
from netdef.layers.silence import Silence
from tests.layers.laws import Case, LayerLaws, Stand


class TestSilence(LayerLaws):
    cases = [Case(Silence(), ((2, 3),)), Case(Silence(), ((2, 3), (4,)), batch_of_one=False)]

    def reference(self, layer, bottoms, params):
        return ()


def test_gradients_are_0():
    stand = Stand(Case(Silence(), ((2, 3), (4,))), CHWN)
    stand.forward()
    dxs, _ = stand.backward([])
    assert [d.shape for d in dxs] == [(2, 3), (4,)]
    assert not any(np.any(d) for d in dxs)
