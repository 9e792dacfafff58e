"""Tile against concatenation."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import FieldError
from netdef.layers.base import ANY, NCHW, Phase
from netdef.layers.tile import Tile
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


class TestTile(LayerLaws):
    cases = [
        Case(Tile(3), ((4, 2),)),
        Case(Tile(2), ((4, 3, 5, 7),)),
        Case(Tile(3, -1), ((4, 2, 5),)),
        Case(Tile(2, 2), ((4, 3, 5, 7),)),
        Case(Tile(3, 0), ((4, 2, 5),)),
        Case(Tile(1), ((4, 2, 5),)),
    ]

    def reference(self, layer, bottoms, params):
        (x,) = bottoms
        return (np.concatenate([x] * layer.tiles, layer.axis),)


def test_an_empty_batch():
    stand = Stand(Case(Tile(2), ((0, 3, 5),)), NCHW)
    assert stand.forward()[0].shape == (0, 6, 5)
    assert stand.backward([np.zeros((0, 6, 5))])[0][0].shape == (0, 3, 5)


def test_layouts_and_views():
    assert Tile(2).layout_at(((4, 3),)) is ANY
    assert Tile(2, -2).layout_at(((4, 3),)) is NCHW
    assert Tile(1).is_view(((4, 3),))
    assert not Tile(2).is_view(((4, 3),))


def test_there_must_be_such_an_axis():
    with pytest.raises(FieldError, match=r"tile_param.axis is 1, but the bottom is 4"):
        Tile(2).shapes(((4,),))


@pytest.mark.parametrize(
    ("param", "expected"),
    [({}, "is missing"), ({"tiles": 0}, "must be at least 1, is 0"), ({"tiles": -2}, "is -2")],
)
def test_read_refuses(param, expected):
    with pytest.raises(FieldError, match=f"tile_param.tiles .*{expected}"):
        Tile.read(LayerParameter(tile_param=param), Phase.TEST)


def test_read():
    layer = Tile.read(LayerParameter(tile_param={"tiles": 3, "axis": 2}), Phase.TEST)
    assert layer == Tile(3, 2)
    assert layer.settings() == "×3 axis 2"
