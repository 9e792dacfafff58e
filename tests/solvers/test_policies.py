from math import cos, exp, pi

import pytest

from netdef.diag import FieldError
from netdef.schema import SolverParameter
from netdef.solvers.policies import POLICIES, read_policy
from netdef.solvers.schedules import WarmUp

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


def one_cycle(i):
    """PyTorch's OneCycleLR with its defaults, 10 steps: up in 0..2, down in 2..9."""
    low, high, end = BASE / 25, BASE, BASE / 25 / 1e4
    if i <= 2:
        return high + (low - high) * (1 + cos(pi * i / 2)) / 2
    return end + (high - end) * (1 + cos(pi * (i - 2) / 7)) / 2


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
    "cosine": (
        {"max_iter": 10, "min_lr": 0.125},
        lambda i: 0.125 + (BASE - 0.125) * (1 + cos(pi * i / 10)) / 2,
    ),
    "onecycle": ({"max_iter": 10}, one_cycle),
    "plateau": ({"gamma": 0.5}, lambda i: BASE),
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
        ("step", {"gamma": 0.1, "stepsize": 0}, "stepsize"),
        ("inv", {"gamma": -0.1}, "gamma"),
        ("poly", {"power": 1.0}, "max_iter"),
        ("poly", {"power": 1.0, "max_iter": 0}, "max_iter"),
        ("sigmoid", {"gamma": 0.1}, "stepsize"),
        ("steps", {}, "lr_policy"),
        ("cosine", {}, "max_iter"),
        ("cosine", {"max_iter": 10, "min_lr": -0.1}, "min_lr"),
        ("onecycle", {"max_iter": 0}, "max_iter"),
        ("onecycle", {"max_iter": 10, "div_factor": 0}, "div_factor"),
        ("onecycle", {"max_iter": 10, "pct_start": 1}, "pct_start"),
        ("plateau", {}, "gamma"),
        ("plateau", {"gamma": 1.0}, "gamma"),
        ("plateau", {"gamma": 0.1, "patience": 0}, "patience"),
    ],
)
def test_settings_that_are_refused(name, settings, field):
    with pytest.raises(FieldError) as error:
        make(name, **settings)
    assert error.value.field == field


@pytest.mark.parametrize(
    ("name", "settings", "fields", "last"),
    [
        ("step", {"stepsize": 5}, ["gamma"], 0),
        ("exp", {}, ["gamma"], 0),
        ("inv", {"gamma": 0.1}, ["power"], BASE),
        ("inv", {"power": 0.1}, ["gamma"], BASE),
        ("multistep", {"gamma": 0.1}, ["stepvalue"], BASE),
        ("multistep", {"stepvalue": [2]}, ["gamma"], 0),
        ("multistep", {"gamma": 0.5, "stepvalue": [5, 3, 4]}, ["stepvalue[1]"], BASE / 8),
        ("poly", {"max_iter": 20}, ["power"], BASE),
        ("sigmoid", {"stepsize": 3}, ["gamma"], BASE / 2),
        ("step", {"stepsize": 5, "gamma": 1}, [], BASE),
    ],
)
def test_what_caffe_takes_and_nobody_means(name, settings, fields, last):
    message = SolverParameter(lr_policy=name, base_lr=BASE, **settings)
    policy = read_policy(message)
    doubts = list(policy.doubts(message))
    assert [doubt.field for doubt in doubts] == fields
    assert all(doubt.help for doubt in doubts)
    assert rates(policy, 10)[-1] == pytest.approx(last)


def test_a_falling_stepvalue_steps_one_iteration_late():
    policy = make("multistep", gamma=0.5, stepvalue=[4, 2])
    assert rates(policy, 7) == [0.5, 0.5, 0.5, 0.5, 0.25, 0.125, 0.125]


def test_plateau_falls_with_each_step_to_its_least_rate():
    policy = make("plateau", gamma=0.5, min_lr=0.1)
    assert [policy.rate(7, steps) for steps in range(5)] == [
        0.5,
        0.25,
        0.125,
        *[pytest.approx(0.1)] * 2,
    ]
    assert policy.advance(1000, 2) == 2


def test_one_cycle_ends_no_lower_than_asked():
    policy = make("onecycle", max_iter=10, min_lr=0.0625)
    assert (policy.rate(9, 0), policy.rate(50, 0)) == (0.0625, 0.0625)


@pytest.mark.parametrize("name", CASES)
def test_warm_up_rises_to_any_policy(name):
    settings, formula = CASES[name]
    message = SolverParameter(
        lr_policy=name, base_lr=BASE, warmup_iter=4, warmup_start_lr=0.25, **settings
    )
    policy, warmup = read_policy(message), WarmUp.read(message)
    got = [warmup.rate(i, rate) for i, rate in enumerate(rates(policy, 8))]
    expected = [0.25 + (formula(i) - 0.25) * min(i / 4, 1) for i in range(8)]
    assert got == pytest.approx(expected)


def test_warm_up_without_a_start_begins_one_step_above_0():
    message = SolverParameter(base_lr=BASE, lr_policy="fixed", warmup_iter=4)
    warmup = WarmUp.read(message)
    assert [warmup.rate(i, BASE) for i in range(6)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.5])
    assert WarmUp.read(SolverParameter(base_lr=BASE)).rate(0, 0.375) == 0.375
    with pytest.raises(FieldError, match="warmup_iter must be at least 0"):
        WarmUp.read(SolverParameter(base_lr=BASE, warmup_iter=-1))


def test_missing_policy_and_rate():
    with pytest.raises(FieldError, match="lr_policy is missing"):
        read_policy(SolverParameter(base_lr=0.1))
    with pytest.raises(FieldError, match="base_lr is missing"):
        read_policy(SolverParameter(lr_policy="fixed"))


def test_a_near_name_is_offered():
    with pytest.raises(FieldError) as error:
        make("multi_step")
    assert error.value.help == 'write `lr_policy: "multistep"`'
