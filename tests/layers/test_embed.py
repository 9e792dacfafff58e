"""Embed against one-hot products."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError, FieldError
from netdef.layers.base import NCHW, Phase
from netdef.layers.embed import Embed
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


def words(generator, shape):
    return generator.integers(0, 4, shape)


class TestEmbed(LayerLaws):
    cases = [
        Case(Embed(3, 4), ((2, 5),), bottoms={0: words}, name="sentences"),
        Case(Embed(3, 4, bias_term=False), ((7,),), bottoms={0: words}, name="no-bias"),
        Case(Embed(5, 6), ((2, 3, 1),), bottoms={0: words}, name="three-axes"),
        Case(Embed(1, 4), ((3,),), bottoms={0: words}, name="one-value"),
    ]

    def reference(self, layer, bottoms, params):
        one_hot = np.zeros((*bottoms[0].shape, layer.input_dim))
        for at in np.ndindex(bottoms[0].shape):
            one_hot[(*at, int(bottoms[0][at]))] = 1
        y = one_hot @ params[0]
        return (y + params[1] if layer.bias_term else y,)


def test_a_word_seen_often_learns_from_each_place():
    case = Case(Embed(2, 4), ((5,),), bottoms={0: np.array([1, 3, 1, 1, 0])})
    stand = Stand(case, NCHW)
    stand.forward()
    _, (dw, db) = stand.backward([np.arange(10.0).reshape(5, 2)])
    np.testing.assert_array_equal(dw, [[8, 9], [10, 13], [0, 0], [2, 3]])
    np.testing.assert_array_equal(db, [20, 25])


@pytest.mark.parametrize("bad", [4, -1, 1.5, np.nan, np.inf, -np.inf, 1e30])
def test_refuses_indices(bad):
    values = np.array([[0, 1, 2], [3, bad, 0]])
    case = Case(Embed(2, 4), (values.shape,), bottoms={0: values})
    with pytest.raises(
        BottomError, match=r"at \[1\]\[1\], which is no whole number from 0 to 3"
    ) as caught:
        Stand(case, NCHW).forward()
    assert caught.value.bottom == 0
    assert "input_dim" in caught.value.help


def read(**fields):
    return Embed.read(LayerParameter(embed_param=fields), Phase.TRAIN)


def test_reads_what_is_written():
    assert read(num_output=3, input_dim=7) == Embed(3, 7)
    layer = read(num_output=3, input_dim=7, bias_term=False, weight_filler={"type": "xavier"})
    assert not layer.bias_term
    assert layer.weight_filler.type == "xavier"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"input_dim": 3}, "num_output"),
        ({"num_output": 0, "input_dim": 3}, "num_output"),
        ({"num_output": 3}, "input_dim"),
        ({"num_output": 3, "input_dim": 0}, "input_dim"),
        (
            {"num_output": 3, "input_dim": 2, "weight_filler": {"type": "zeros"}},
            "weight_filler.type",
        ),
    ],
)
def test_refuses_settings(fields, path):
    with pytest.raises(FieldError) as caught:
        read(**fields)
    assert caught.value.field == f"embed_param.{path}"
    assert caught.value.help


def test_refuses_a_filler_of_images():
    layer = read(num_output=3, input_dim=3, weight_filler={"type": "bilinear"})
    with pytest.raises(FieldError) as caught:
        layer.shapes(((2,),))
    assert caught.value.field == "embed_param.weight_filler.type"


def test_counts_and_words():
    layer = Embed(1000, 8801)
    assert [(p.role, p.shape) for p in layer.params(((20, 16),))] == [
        ("weight", (8801, 1000)),
        ("bias", (1000,)),
    ]
    assert layer.shapes(((),)) == ((1000,),)
    assert layer.macs(((20, 16),), ((20, 16, 1000),)) == 0
    assert layer.settings() == "8801→1000"


def test_no_indices_teach_nothing():
    stand = Stand(Case(Embed(2, 4), ((0, 3),)), NCHW)
    (y,) = stand.forward()
    assert y.shape == (0, 3, 2)
    _, params = stand.backward([y])
    assert not any(diff.any() for diff in params)
