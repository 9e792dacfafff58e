from math import exp

import pytest

from netdef.diag import FieldError
from netdef.schema import SolverParameter
from netdef.solvers.policies import POLICIES, read_policy

BASE = 0.5


def make(name, **settings):
    return read_policy(SolverParameter(lr_policy=name, base_lr=BASE, **settings))


def rates(policy, iterations):
    """Rates as training sees them: each iteration advances the steps once."""
    steps, found = 0, []
    for iteration in range(iterations):
        steps = policy.advance(iteration, steps)
        found.append(policy.rate(iteration, steps))
    return found


CASES = {
    "fixed": ({}, lambda i: BASE),
    "step": ({"gamma": 0.25, "stepsize": 3}, lambda i: BASE * 0.25 ** (i // 3)),
    "exp": ({"gamma": 0.75}, lambda i: BASE * 0.75**i),
    "inv": ({"gamma": 0.125, "power": 0.75}, lambda i: BASE * (1 + 0.125 * i) ** -0.75),
    "multistep": (
        {"gamma": 0.25, "stepvalue": [2, 5]},
        lambda i: BASE * 0.25 ** ((i >= 2) + (i >= 5)),
    ),
    "poly": ({"power": 1.5, "max_iter": 10}, lambda i: BASE * (1 - i / 10) ** 1.5),
    "sigmoid": ({"gamma": -0.5, "stepsize": 4}, lambda i: BASE / (1 + exp(0.5 * (i - 4)))),
}


def test_every_policy_has_a_formula_here():
    assert set(POLICIES) == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_formula(name):
    settings, formula = CASES[name]
    assert rates(make(name, **settings), 10) == pytest.approx([formula(i) for i in range(10)])


def test_multistep_makes_one_step_at_a_time():
    # As Caffe: of two equal stepvalues the second is passed one iteration later.
    policy = make("multistep", gamma=0.5, stepvalue=[3, 3])
    assert rates(policy, 6) == [0.5, 0.5, 0.5, 0.25, 0.125, 0.125]
    # After resuming far ahead it catches up one step an iteration.
    assert policy.advance(100, 0) == 1


def test_step_needs_no_memory():
    assert make("step", gamma=0.5, stepsize=4).advance(11, 0) == 2


def test_far_ends():
    assert make("sigmoid", gamma=-1.0, stepsize=10).rate(10_000_000, 0) == 0
    assert make("poly", power=0.5, max_iter=10).rate(11, 0) == 0
    assert make("exp", gamma=2.0).rate(10_000, 0) == float("inf")


@pytest.mark.parametrize(
    ("name", "settings", "field"),
    [
        ("step", {"gamma": 0.1}, "stepsize"),
        ("step", {"stepsize": 5}, "gamma"),
        ("step", {"gamma": 0.1, "stepsize": 0}, "stepsize"),
        ("exp", {}, "gamma"),
        ("inv", {"gamma": 0.1}, "power"),
        ("inv", {"power": 0.1}, "gamma"),
        ("multistep", {"gamma": 0.1}, "stepvalue"),
        ("multistep", {"gamma": 0.1, "stepvalue": [5, 3]}, "stepvalue[1]"),
        ("poly", {"power": 1.0}, "max_iter"),
        ("poly", {"max_iter": 10}, "power"),
        ("poly", {"power": 1.0, "max_iter": 0}, "max_iter"),
        ("sigmoid", {"gamma": 0.1}, "stepsize"),
        ("steps", {}, "lr_policy"),
    ],
)
def test_settings_that_are_refused(name, settings, field):
    with pytest.raises(FieldError) as error:
        make(name, **settings)
    assert error.value.field == field


def test_missing_policy_and_rate():
    with pytest.raises(FieldError, match="lr_policy is missing"):
        read_policy(SolverParameter(base_lr=0.1))
    with pytest.raises(FieldError, match="base_lr is missing"):
        read_policy(SolverParameter(lr_policy="fixed"))


def test_a_near_name_is_offered():
    with pytest.raises(FieldError) as error:
        make("multi_step")
    assert error.value.help == 'write `lr_policy: "multistep"`'
