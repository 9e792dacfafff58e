"""The order of steps around a rule: clip, divide, clip values, decay."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from netdef.solvers.adamw import AdamW
from netdef.solvers.lars import LARS
from netdef.solvers.lion import Lion
from netdef.solvers.sgd import SGD
from netdef.solvers.update import STRETCH, Preparation, Updater


@dataclass
class Param:
    data: np.ndarray
    diff: np.ndarray
    lr_mult: float = 1.0
    decay_mult: float = 1.0
    learns: bool = field(default=True)


def one(w=2.0, g=2.0, **more):
    return Param(np.array([w], np.float32), np.array([g], np.float32), **more)


def updated(param, rate=1.0, **preparation):
    Updater(SGD(), Preparation(**preparation), [param]).apply(rate, 0)
    return param.data[0]


class TestCaffesNumbers:
    """Measured on Caffe with w = 2, g = 2, rate 1, clip_gradients 1."""

    def test_clip(self):
        assert updated(one(), clip_gradients=1.0) == 1.0

    def test_clip_comes_before_the_division_by_iter_size(self):
        assert updated(one(), clip_gradients=1.0, iter_size=4) == 1.75

    def test_clip_comes_before_decay(self):
        assert updated(one(), clip_gradients=1.0, weight_decay=0.5) == 0.0

    def test_all_together(self):
        assert updated(one(), clip_gradients=1.0, iter_size=4, weight_decay=0.5) == 0.75


def test_zero_clip_zeroes_and_negative_is_off():
    assert updated(one(), clip_gradients=0.0) == 2.0
    assert updated(one(g=8.0), clip_gradients=-1.0) == -6.0


def test_clip_is_of_all_params_together():
    params = [one(g=3.0), one(g=4.0), one(g=100.0, learns=False)]
    Updater(SGD(), Preparation(clip_gradients=1.0), params).apply(1.0, 0)
    np.testing.assert_allclose([p.data[0] for p in params], [2 - 0.6, 2 - 0.8, 2], rtol=1e-6)


def test_clip_value_comes_after_the_division_and_before_decay():
    assert updated(one(g=8.0), clip_value=3.0, iter_size=2) == -1.0
    assert updated(one(g=-8.0), clip_value=3.0) == 5.0
    assert updated(one(g=8.0), clip_value=3.0, weight_decay=0.5) == -2.0


def test_decay():
    assert updated(one(g=0.0), weight_decay=0.25, rate=2.0) == 1.0
    assert updated(one(g=0.0, decay_mult=2.0), weight_decay=0.25) == 1.0
    assert updated(one(w=-2.0, g=0.0), weight_decay=0.25, regularization="L1") == -1.75
    assert updated(one(w=0.0, g=0.0), weight_decay=0.25, regularization="L1") == 0.0


def test_lr_mult():
    assert updated(one(lr_mult=0.25)) == 1.5
    assert updated(one(learns=False), weight_decay=1.0) == 2.0


def test_decoupled_decay_is_taken_off_the_param_itself():
    param = one(w=2.0, g=0.0, lr_mult=0.5, decay_mult=2.0)
    Updater(AdamW(), Preparation(weight_decay=0.25), [param]).apply(0.5, 0)
    assert param.data[0] == 2 - 0.25 * 0.5 * 2
    param = one(w=-2.0, g=3.0)
    Updater(Lion(), Preparation(weight_decay=0.25, regularization="L1"), [param]).apply(0.5, 0)
    assert param.data[0] == -2 + 0.5 * 0.25 - 0.5


def test_lars_scales_the_rate_of_each_param_by_its_norms():
    random = np.random.default_rng(4)
    shapes = [(3, 5), (STRETCH + 7,), (4,)]
    params = [Param(*random.normal(size=(2, *s)).astype("f"), lr_mult=2.0) for s in shapes]
    params[2].data[...] = 0
    expected = []
    for p in params:
        w, g = p.data.astype(float), p.diff.astype(float) / 2
        norms = np.sqrt((w**2).sum()), np.sqrt((g**2).sum())
        local = 0.01 * norms[0] / (norms[1] + 0.5 * norms[0]) if norms[0] else 1.0
        expected.append(w - 0.1 * 2 * local * (g + 0.5 * w))
    updater = Updater(
        LARS(trust_coefficient=0.01), Preparation(iter_size=2, weight_decay=0.5), params
    )
    updater.apply(0.1, 0)
    for p, values in zip(params, expected, strict=True):
        np.testing.assert_allclose(p.data, values, rtol=1e-5, atol=1e-6)


def test_gradients_stay_for_who_looks_at_them():
    param = one(g=8.0)
    updated(param, clip_gradients=1.0, clip_value=0.5, iter_size=3, weight_decay=0.5)
    assert param.diff[0] == 8.0


@pytest.mark.parametrize("threads", [1, 3])
def test_long_params_are_done_in_stretches(threads):
    random = np.random.default_rng(3)
    shapes = [(7, 3), (STRETCH * 8 + 5,), (11, STRETCH)]
    params = [Param(*(random.normal(size=(2, *s)).astype(np.float32))) for s in shapes]
    expected = [p.data - np.float32(0.1) * (p.diff + np.float32(0.5) * p.data) for p in params]
    tasks = []

    def run_all(these):
        tasks.extend(these)
        for task in reversed(these):  # side by side is any order
            task()

    update = Updater(SGD(momentum=0.9), Preparation(weight_decay=0.5), params, threads, run_all)
    update.apply(0.1, 0)
    assert len(tasks) == (threads if threads > 1 else 0)
    for param, values in zip(params, expected, strict=True):
        np.testing.assert_allclose(param.data, values, rtol=1e-5, atol=1e-6)


def test_history_is_there_for_params_that_do_not_learn():
    params = [one(learns=False), one()]
    assert [len(slot) for slot in Updater(SGD(), Preparation(), params).history] == [2]


def test_no_params():
    Updater(SGD(), Preparation(clip_gradients=1.0), []).apply(0.1, 0)
