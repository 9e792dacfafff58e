"""`netdef solver`: the update with its numbers, the rate, the memory, the fields."""

from __future__ import annotations

import json

import pytest

BASE = 'net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 100 '


@pytest.fixture
def tell(call, folder):
    """What the command prints for a solver's text, spaces made one."""

    def run(text, *options):
        (folder / "s.prototxt").write_text(text)
        result = call("solver", "s.prototxt", *options)
        assert result.exit_code == 0, result.stderr
        return " ".join(result.stdout.split()), result

    return run


def test_the_update_has_the_numbers_in_it(tell):
    text, _ = tell(
        BASE + "type: 'Adam' momentum: 0.9 delta: 1e-4 weight_decay: 0.0005 iter_size: 2"
        " clip_gradients: 5"
    )
    for line in (
        "g = gradient of the loss, summed over 2 batches",
        "g = g * min(1, 5 / |g|), |g| over all params together",
        "g = g / 2",
        "g = g + 0.0005 * decay_mult * w",
        "m = 0.9 * m + 0.1 * g",
        "v = 0.999 * v + 0.001 * g²",
        "w = w - rate * √(1 - 0.999^t) / (1 - 0.9^t) * m / (√v + 0.0001)",
    ):
        assert line in text
    assert text.index("g = g / 2") < text.index("g = g + ")


def test_the_first_steps_are_corrected(tell):
    text, _ = tell(BASE + "type: 'Adam' momentum: 0.9")
    assert "t 1 2 3 10 30 100 correction 0.316 0.235 0.202 0.153 0.18 0.309" in text
    assert "times rate 0.0316" in text
    assert "correction" not in tell(BASE)[0]


def test_memory_of_the_slots(tell):
    assert "64 B for 8 learned values" in tell(BASE + "type: 'Adam' momentum: 0.9")[0]
    assert "96 B for 8 learned values" in tell(BASE + "type: 'AMSGrad'")[0]
    text = BASE.replace("net.prototxt", "nowhere.prototxt")
    assert "4 bytes for each learned value v last step" in tell(text)[0]


def test_decoupled_decay_stands_in_the_update(tell):
    text, _ = tell(BASE + "type: 'AdamW' weight_decay: 0.01")
    assert "w = w - rate * 0.01 * decay_mult * w w = w - rate *" in text
    assert "g = g +" not in text
    assert "Caffe has no such type" in text
    assert "decay" not in tell(BASE + "type: 'Lion'")[0].partition("rate, times")[0]
    text, _ = tell(BASE + "type: 'LARS' weight_decay: 0.01")
    assert "l = 0.001 * |w| / (|g| + 0.01 * decay_mult * |w|)" in text


def test_the_rate(tell):
    text, result = tell(
        'net: "net.prototxt" base_lr: 0.5 lr_policy: "multistep" gamma: 0.5 stepvalue: 50'
        " stepvalue: 75 max_iter: 100 warmup_iter: 10"
    )
    assert "0.5 * 0.5 ^ steps" in text
    assert "stepvalues: 50, 75" in text
    assert "the first 10 iterations rise to it in a line from 0.04545455" in text
    plot = [line.partition("│")[2] for line in result.stdout.splitlines() if "│" in line]
    assert len(plot) == 6
    assert plot[0].strip(" ▁▂▃▄▅▆▇█") == ""
    lengths = [len(line) for line in plot]
    assert lengths == sorted(lengths)
    assert lengths[-1] == 64


def test_a_steep_rate_is_drawn_on_a_logarithmic_axis(tell):
    assert "9.76e-07 log │" in tell(BASE.replace("fixed", "exp") + "gamma: 0.89")[0]


def test_every_field_is_there_with_its_meaning(tell):
    from netdef.schema import SolverParameter

    text, _ = tell(BASE + "type: 'Adam' momentum: 0.9 rms_decay: 0.5", "--all", "--json")
    fields = {f["name"]: f for f in json.loads(text)["fields"]}
    assert set(fields) == set(SolverParameter.DESCRIPTOR.fields_by_name)
    assert all(f["meaning"] for f in fields.values())
    assert fields["momentum"]["used"]
    assert not fields["rms_decay"]["used"]
    assert fields["rms_decay"]["given"]
    assert fields["momentum2"]["value"] == "0.999"
    text, result = tell(BASE + "rms_decay: 0.5")
    assert "Not read: SGD has no use for it." in text
    assert "`rms_decay` is not used by the rule SGD" in result.stderr
    assert "momentum 0 (default)" in tell(BASE)[0]
    assert "trust_coefficient" in tell(BASE, "--all")[0]


def test_the_rules_own_defaults_are_shown(tell):
    text, _ = tell(BASE + "type: 'Lion'")
    assert "momentum 0.9 (default)" in text
    assert "momentum2 0.99 (default)" in text


def test_what_a_rule_refuses_is_told_with_its_place(call, folder):
    (folder / "s.prototxt").write_text(BASE + "\ntype: 'AdaGrad'\nmomentum: 0.9\n")
    result = call("solver", "s.prototxt")
    assert result.exit_code == 1
    assert "`momentum` must be 0 for AdaGrad, is 0.9: Caffe too stops at it" in result.stderr
    assert "s.prototxt:3:11" in result.stderr
    (folder / "s.prototxt").write_text(BASE + "type: 'RMSProp' momentum: 0.9")
    assert 'write `type: "RMSPropMomentum"`' in call("solver", "s.prototxt").stderr


def test_json_is_json(tell):
    found = json.loads(tell(BASE + "type: 'Adam' momentum: 0.9", "--json")[0])
    assert found["slots"][0] == {"name": "m", "meaning": "moving mean of gradients"}
    assert found["bytes"] == 64
    assert found["rates"][-1] == [99, pytest.approx(0.1)]


@pytest.mark.parametrize("policy", ["cosine", "onecycle", "plateau", "poly", "inv", "sigmoid"])
@pytest.mark.parametrize("type_name", ["SGD", "Nesterov", "AdaDelta", "RMSPropMomentum", "LARS"])
def test_all_can_be_told(tell, policy, type_name):
    more = "gamma: 0.5 power: 1 stepsize: 20 "
    if policy in ("cosine", "onecycle"):
        more = ""
    text, _ = tell(BASE.replace("fixed", policy) + more + f"type: '{type_name}'")
    for name in ("momentum", "rms_decay", "base_lr", "max_iter", "gamma", "delta"):
        assert name not in text.partition(" fields ")[0].replace("the momentum", "").replace(
            "momentum's", ""
        ).replace("with momentum", ""), name
