"""Rules against their formulas, written again for one number at a time in double precision."""

from math import sqrt

import numpy as np
import pytest

from netdef import solvers
from netdef.diag import FieldError
from netdef.schema import SolverParameter


def sgd(g, s, rate, t, momentum=0.9):
    s[0] = momentum * s[0] + rate * g
    return s[0]


def nesterov(g, s, rate, t, momentum=0.9):
    old, s[0] = s[0], momentum * s[0] + rate * g
    return (1 + momentum) * s[0] - momentum * old


def adagrad(g, s, rate, t, delta=1e-3):
    s[0] += g * g
    return rate * g / (sqrt(s[0]) + delta)


def rmsprop(g, s, rate, t, rms_decay=0.8, delta=1e-3):
    s[0] = rms_decay * s[0] + (1 - rms_decay) * g * g
    return rate * g / (sqrt(s[0]) + delta)


def adadelta(g, s, rate, t, momentum=0.7, delta=1e-3):
    s[0] = momentum * s[0] + (1 - momentum) * g * g
    d = g * sqrt((s[1] + delta) / (s[0] + delta))
    s[1] = momentum * s[1] + (1 - momentum) * d * d
    return rate * d


def adam(g, s, rate, t, momentum=0.9, momentum2=0.95, delta=1e-3):
    s[0] = momentum * s[0] + (1 - momentum) * g
    s[1] = momentum2 * s[1] + (1 - momentum2) * g * g
    correction = sqrt(1 - momentum2 ** (t + 1)) / (1 - momentum ** (t + 1))
    return rate * correction * s[0] / (sqrt(s[1]) + delta)


def adamw(g, s, rate, t):
    return adam(g, s, rate, t)  # its decay is the update's part


def adam_paper(g, s, rate, t, momentum=0.9, momentum2=0.95, delta=1e-3):
    s[0] = momentum * s[0] + (1 - momentum) * g
    s[1] = momentum2 * s[1] + (1 - momentum2) * g * g
    m, v = s[0] / (1 - momentum ** (t + 1)), s[1] / (1 - momentum2 ** (t + 1))
    return rate * m / (sqrt(v) + delta)


def amsgrad(g, s, rate, t, momentum=0.9, momentum2=0.3, delta=1e-3):
    s[0] = momentum * s[0] + (1 - momentum) * g
    s[1] = momentum2 * s[1] + (1 - momentum2) * g * g
    s[2] = max(s[2], s[1])
    correction = sqrt(1 - momentum2 ** (t + 1)) / (1 - momentum ** (t + 1))
    return rate * correction * s[0] / (sqrt(s[2]) + delta)


def lion(g, s, rate, t, momentum=0.9, momentum2=0.99):
    mean = momentum * s[0] + (1 - momentum) * g
    s[0] = momentum2 * s[0] + (1 - momentum2) * g
    return rate if mean > 0 else -rate if mean < 0 else 0


def lars(g, s, rate, t, momentum=0.75):
    s[0] = momentum * s[0] + rate * g  # the rate that comes in has the factor of the norms
    return s[0]


def rmsprop_momentum(g, s, rate, t, momentum=0.9, rms_decay=0.8, delta=1e-3):
    s[0] = rms_decay * s[0] + (1 - rms_decay) * g * g
    s[1] = momentum * s[1] + rate * g / sqrt(s[0] + delta)
    return s[1]


def rmsprop_momentum_outside(g, s, rate, t, momentum=0.9, rms_decay=0.8, delta=1e-3):
    s[0] = rms_decay * s[0] + (1 - rms_decay) * g * g
    s[1] = momentum * s[1] + rate * g / (sqrt(s[0]) + delta)
    return s[1]


CASES = {
    "SGD": (sgd, {"momentum": 0.9}),
    "Nesterov": (nesterov, {"momentum": 0.9}),
    "AdaGrad": (adagrad, {"delta": 1e-3}),
    "RMSProp": (rmsprop, {"rms_decay": 0.8, "delta": 1e-3}),
    "AdaDelta": (adadelta, {"momentum": 0.7, "delta": 1e-3}),
    "Adam": (adam, {"momentum": 0.9, "momentum2": 0.95, "delta": 1e-3}),
    "AdamW": (adamw, {"momentum2": 0.95, "delta": 1e-3}),
    "AMSGrad": (amsgrad, {"momentum2": 0.3, "delta": 1e-3}),
    "Lion": (lion, {}),
    "LARS": (lars, {"momentum": 0.75}),
    "RMSPropMomentum": (rmsprop_momentum, {"momentum": 0.9, "rms_decay": 0.8, "delta": 1e-3}),
}
MODES = {
    ("Adam", "CAFFE"): adam,
    ("Adam", "TENSORFLOW"): adam,
    ("Adam", "PAPER"): adam_paper,
    ("AdamW", "PAPER"): adam_paper,
    ("RMSPropMomentum", "TENSORFLOW"): rmsprop_momentum,
    ("RMSPropMomentum", "CAFFE"): rmsprop_momentum_outside,
}


def make(type_name, **settings):
    found = solvers.find(type_name)
    assert found is not None
    return found.read(SolverParameter(type=type_name, **settings))


def test_every_rule_has_a_formula_here():
    assert set(solvers.types()) == set(CASES)


@pytest.mark.parametrize("type_name", CASES)
def test_formula(type_name):
    formula, settings = CASES[type_name]
    follow(make(type_name, **settings), formula)


@pytest.mark.parametrize(("type_name", "mode"), MODES)
def test_place_of_epsilon(type_name, mode):
    settings = CASES[type_name][1] | {"epsilon_mode": SolverParameter.EpsilonMode.Value(mode)}
    follow(make(type_name, **settings), MODES[type_name, mode])


def follow(rule, formula):
    random = np.random.default_rng(1)
    history = tuple(np.zeros(5, np.float64) for _ in rule.slots)
    scratch = (np.full(5, np.nan), np.full(5, np.nan))
    expected_slots = [[0.0] * len(rule.slots) for _ in range(5)]
    for step in range(4):
        g = random.normal(size=5)
        expected = [formula(g[k], expected_slots[k], 0.3, step) for k in range(5)]
        got = rule.update(0.3, g.copy(), history, step, scratch)
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7)  # settings are float32
        np.testing.assert_allclose(np.array(history).T, expected_slots, rtol=1e-6)


def test_sgd_without_momentum_keeps_no_memory():
    rule = make("SGD")
    history = (np.full(3, 7.0),)
    got = rule.update(0.5, np.array([1.0, 2.0, 4.0]), history, 0, (np.empty(3), np.empty(3)))
    np.testing.assert_array_equal(got, [0.5, 1, 2])


@pytest.mark.parametrize(
    ("type_name", "field", "value"),
    [
        ("AdaGrad", "momentum", 0.9),
        ("RMSProp", "momentum", 0.5),
        ("RMSProp", "rms_decay", 1.0),
        ("RMSProp", "rms_decay", -0.1),
        ("Adam", "momentum", 1.0),
        ("Adam", "momentum2", 1.0),
        ("AdaDelta", "momentum", 1.5),
        ("SGD", "momentum", float("nan")),
        ("SGD", "momentum", -0.5),
        ("Adam", "delta", -1e-8),
        ("AdamW", "momentum", 1.0),
        ("Lion", "momentum2", 1.0),
        ("LARS", "trust_coefficient", -1.0),
        ("RMSPropMomentum", "epsilon_mode", SolverParameter.PAPER),
    ],
)
def test_settings_that_are_refused(type_name, field, value):
    with pytest.raises(FieldError) as error:
        make(type_name, **{field: value})
    assert error.value.field == field


def test_formulas_are_shown_as_they_are_computed():
    assert make("SGD", momentum=0.5).formula() == "v = momentum * v + rate * g\nw = w - v"
    paper = make("Adam", epsilon_mode=SolverParameter.PAPER)
    assert paper.formula().endswith("m / (√v + √(1 - momentum2^t) * delta)")
    outside = make("RMSPropMomentum", epsilon_mode=SolverParameter.CAFFE)
    assert "g / (√s + delta)" in outside.formula()
    for type_name in solvers.types():
        rule = make(type_name)
        assert rule.formula().splitlines()[-1].startswith("w = w - ")
        for slot in rule.slots:
            assert f"{slot.name} = " in rule.formula()


def test_scalars_of_the_iteration():
    scalars = make("Adam", momentum=0.5, momentum2=0.75).scalars(1)
    assert [scalar.value for scalar in scalars] == [0.25, 0.5625, sqrt(1 - 0.5625) / 0.75]
    assert make("SGD").scalars(1) == ()


def test_only_caffes_are_said_to_be():
    of_caffe = {name for name in solvers.types() if solvers.find(name).caffes}
    assert of_caffe == {"SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam"}


def test_unknown_rules_are_not_found():
    assert solvers.find("Adamm") is None
    assert solvers.find("base") is None
    assert solvers.find("rmsprop_momentum") is None
    assert solvers.find("adam") is None  # spelled as in Caffe
