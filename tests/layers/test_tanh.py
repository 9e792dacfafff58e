"""TanH against exponentials."""

from __future__ import annotations

import numpy as np

from netdef import layers
from netdef.layers.tanh import TanH
from tests.layers.laws import Case, LayerLaws


class TestTanH(LayerLaws):
    cases = [Case(TanH(), ((2, 3, 7, 5),)), Case(TanH(), ((3,),))]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        return (1 - 2 / (np.exp(2 * x) + 1),)


def test_the_type_is_found_by_its_own_spelling_only():
    assert layers.find("TanH") is TanH
    assert layers.find("Tanh") is None
