"""ContrastiveLoss against a loop over pairs."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import BottomError
from netdef.layers.base import NCHW, Phase
from netdef.layers.contrastive_loss import ContrastiveLoss
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand


def similar(random, shape):
    return (np.arange(np.prod(shape)).reshape(shape) % 2).astype(float)


def far(random, shape):
    """So far apart that Caffe's d + 0.0001 is d."""
    return 100 * random.standard_normal(shape)


class TestContrastiveLoss(LayerLaws):
    cases = [
        Case(ContrastiveLoss(300), ((6, 3), (6, 3), (6,)), bottoms={0: far, 1: far, 2: similar}),
        Case(
            ContrastiveLoss(300),
            ((6, 3), (6, 3, 1, 1), (6, 1)),
            bottoms={0: far, 1: far, 2: similar},
        ),
        Case(
            ContrastiveLoss(4, legacy_version=True), ((6, 3),) * 2 + ((6,),), bottoms={2: similar}
        ),
        Case(ContrastiveLoss(), ((6,), (6,), (6,)), bottoms={2: lambda r, s: np.ones(s)}),
    ]

    def reference(self, layer, bottoms, params):
        total = 0.0
        n = len(bottoms[0])
        for a, b, y in zip(*(x.reshape(n, -1) for x in bottoms), strict=True):
            d = np.linalg.norm(a - b)
            if y:
                total += d**2
            elif layer.legacy_version:
                total += max(layer.margin - d**2, 0)
            else:
                total += max(layer.margin - d, 0) ** 2
            total += 0 * d  # a NaN is not lost in max
        return (total / n / 2,)


def pair(layer, a, b, y):
    arrays = {0: np.array([a], float), 1: np.array([b], float), 2: np.array([y], float)}
    stand = Stand(Case(layer, tuple(x.shape for x in arrays.values()), bottoms=arrays), NCHW)
    (loss,) = stand.forward()
    (da, db, _), _ = stand.backward([np.array(1.0)])
    return float(loss), da[0], db[0]


def test_the_gradient_is_divided_by_caffes_distance():
    loss, da, db = pair(ContrastiveLoss(1), [0.001, 0], [0, 0], 0)
    np.testing.assert_allclose(loss, 0.999**2 / 2, rtol=1e-6)
    np.testing.assert_allclose(da, [-0.999 / (0.001 + 1e-4) * 0.001, 0], rtol=1e-5)
    np.testing.assert_allclose(db, -da)


@pytest.mark.parametrize("legacy", [False, True])
def test_equal_features_and_far_ones_have_no_gradient(legacy):
    layer = ContrastiveLoss(2, legacy)
    for b in ([1.0, 1.0], [9.0, 9.0]):
        _, da, _ = pair(layer, [1, 1], b, 0)
        assert not da.any()


def test_any_label_but_0_is_similar_fractions_cut_off():
    assert pair(ContrastiveLoss(1), [3], [0], 7)[0] == 4.5
    assert pair(ContrastiveLoss(1), [3], [0], 0.9)[0] == 0


def test_read():
    message = LayerParameter(contrastive_loss_param={"margin": 2, "legacy_version": True})
    assert ContrastiveLoss.read(message, Phase.TRAIN) == ContrastiveLoss(2, True)
    assert ContrastiveLoss.read(LayerParameter(), Phase.TRAIN) == ContrastiveLoss(1, False)


@pytest.mark.parametrize(
    ("shapes", "bottom"),
    [
        (((4, 3), (4, 5), (4,)), 1),
        (((4, 3), (2, 3), (4,)), 1),
        (((4, 3, 2), (4, 3, 2), (4,)), 0),
        (((4, 3), (4, 3), (3,)), 2),
        (((4, 3), (4, 3), (2, 2)), 2),
    ],
)
def test_bottoms_that_do_not_fit_are_refused(shapes, bottom):
    with pytest.raises(BottomError) as caught:
        ContrastiveLoss().shapes(shapes)
    assert caught.value.bottom == bottom
