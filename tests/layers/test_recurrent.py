"""What RNN and LSTM share: state that is carried, states that are exposed, refusals, counts."""

from __future__ import annotations

import importlib
import tracemalloc

import numpy as np
import pytest

import netdef
from netdef.diag import BottomError, FieldError
from netdef.layers.base import NCHW, Backward, Phase
from netdef.layers.filler import Filler
from netdef.layers.lstm import LSTM
from netdef.layers.rnn import RNN
from netdef.schema import LayerParameter
from tests.layers.laws import Case, LayerLaws, Stand, close
from tests.layers.recurrence import going_on, normal, starting_new
from tests.layers.stand import top_gradients

T, N, D, X, S = 5, 2, 4, 3, 7
TYPES = [RNN, LSTM]

UFUNC_BUFFERS = 150_000
"""Bytes: three of 8192 values of float32, which NumPy takes for some operands, and change."""


def reference(kind, bottoms, params):
    """Outputs and last states, (1, n, d) each."""
    module = importlib.import_module(f"tests.layers.test_{kind.__name__.lower()}")
    x, cont, *rest = bottoms
    states = len(kind.states)
    static = rest[:1] if len(rest) in (1, states + 1) and rest[0].ndim == 2 else [None]
    before = [s[0] for s in rest if s.ndim == 3]
    outputs, *after = module.run(x, cont, params, *static, *before)
    return [outputs, *(s[None] for s in after)]


def exposed_case(kind, *, static=False, cont=going_on):
    states = ((1, N, D),) * len(kind.states)
    shapes = ((T, N, X), (T, N), *(((N, S),) if static else ()), *states)
    return Case(kind(D, expose_hidden=True), shapes, bottoms={1: cont})


# -- state that is carried from pass to pass


def carried(kind, passes, **options):
    """A stand that ran passes one after the other, and what each gave."""
    shapes = tuple(np.shape(b) for b in passes[0])
    stand = Stand(Case(kind(D), shapes), NCHW, np.float64, **options)
    for name, need in stand._needs.items():
        if need.saved or need.lasting:
            stand._buffers[name].fill(0)  # as a plan hands them over
    found = []
    for bottoms in passes:
        for array, value in zip(stand.bottoms, bottoms, strict=True):
            array[...] = value
        stand.layer.forward(stand.run)
        found.append(stand.tops[0].copy())
    return stand, found


@pytest.mark.parametrize("backward", [True, False])
@pytest.mark.parametrize("kind", TYPES)
def test_a_pass_goes_on_where_the_one_before_ended(kind, backward):
    """Three passes are one pass over three times as many steps."""
    x, cont = normal(3 * T, N, X), going_on(np.random.default_rng(2), (3 * T, N))
    cont[T], cont[2 * T] = (1, 0), (1, 1)
    passes = [(x[k : k + T], cont[k : k + T]) for k in range(0, 3 * T, T)]
    off = {} if backward else {"wanted": (False, False), "learns": (False,) * 9}
    stand, found = carried(kind, passes, **off)
    expected, *_ = reference(kind, (x, cont), stand.params)
    close(np.concatenate(found), expected, 1e-12, "outputs of three passes")
    assert not np.allclose(found[1], reference(kind, passes[1], stand.params)[0])


@pytest.mark.parametrize("kind", TYPES)
def test_a_cont_of_0_forgets_even_nan(kind):
    x, new = normal(T, N, X), np.array([[0.0, 0.0], *[[1.0, 1.0]] * (T - 1)])
    stand, (bad, good) = carried(kind, [(np.full(x.shape, np.nan), new), (x, new)])
    assert np.isnan(bad).all()
    close(good, reference(kind, (x, new), stand.params)[0], 1e-12, "outputs after NaN")


@pytest.mark.parametrize("kind", TYPES)
def test_the_gradient_of_a_later_pass_takes_what_was_carried_as_it_is(kind):
    """Backward sees the state that its own pass began with."""
    x, cont = normal(2 * T, N, X), np.ones((2 * T, N))
    stand, _ = carried(kind, [(x[:T], cont[:T]), (x[T:], cont[T:])])
    params = [p.copy() for p in stand.params]
    _, *before = reference(kind, (x[:T], cont[:T]), params)
    dy = normal(T, N, D, seed=3)
    (dx, _), dps = stand.backward([dy])

    def loss(x, params):
        return np.sum(dy * reference(kind, (x, cont[T:], *before), params)[0])

    check_slope(lambda v: loss(v, params), x[T:], dx)
    for index, diff in enumerate(dps):
        check_slope(
            lambda v, i=index: loss(x[T:], [*params[:i], v, *params[i + 1 :]]), params[index], diff
        )


def check_slope(function, at, gradient, step=1e-6):
    direction = normal(*at.shape, seed=4)
    slope = (function(at + step * direction) - function(at - step * direction)) / (2 * step)
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("kind", TYPES)
def test_a_net_carries_it(kind, tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(
        f"""
        force_backward: true
        layer {{ name: "in" type: "Input" top: "x" top: "cont" input_param {{
          shape {{ dim: {T} dim: {N} dim: {X} }} shape {{ dim: {T} dim: {N} }} }} }}
        layer {{ name: "r" type: "{kind.__name__}" bottom: "x" bottom: "cont" top: "y"
          recurrent_param {{ num_output: {D} weight_filler {{ type: "xavier" }} }} }}
        """
    )
    net = netdef.load(path)
    x, cont = normal(2 * T, N, X), np.ones((2 * T, N))
    params = [p.data.astype(np.float64) for p in net.params["r"]]
    expected, *_ = reference(kind, (x, cont), params)
    for part in (slice(0, T), slice(T, 2 * T)):
        top = net.forward(x=x[part], cont=cont[part])["y"]
        close(top, expected[part], 1e-5, "outputs of a net")
        net.backward(y=np.ones((T, N, D)))
    assert net.blobs["x"].diff.any()


# -- states that are exposed


@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("kind", TYPES)
def test_exposed_states_come_in_and_go_out(kind, static):
    case = exposed_case(kind, static=static)
    expected = reference(kind, case.bottom_values(), case.param_values())
    assert [t.shape for t in expected] == list(case.top_shapes())
    on, off = Stand(case, NCHW), Stand(case, NCHW, wanted=(False,) * 9, learns=(False,) * 9)
    for stand in (on, off):
        for top, right in zip(stand.forward(), expected, strict=True):
            close(top, right, 1e-5, "exposed")
        for one, other in zip(stand.forward(), expected, strict=True):
            close(one, other, 1e-5, "exposed, the second time")


@pytest.mark.parametrize("kind", TYPES)
def test_exposed_states_begin_where_cont_says(kind):
    case = exposed_case(kind, cont=starting_new)
    values = case.bottom_values()
    values[2:] = [np.full(v.shape, np.nan) for v in values[2:]]
    tops = Stand(case, NCHW, bottoms=values).forward()
    values[2:] = [np.zeros(v.shape) for v in values[2:]]
    expected = reference(kind, values, case.param_values())
    for top, right in zip(tops, expected, strict=True):
        close(top, right, 1e-5, "exposed and new")


@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("kind", TYPES)
def test_no_gradient_passes_exposed_states(kind, static):
    """As in Caffe: zero by those that come in, nothing from those that go out."""
    case = exposed_case(kind, static=static)
    stand, dys = Stand(case, NCHW, np.float64), top_gradients(case)
    stand.forward()
    dxs, dps = stand.backward(dys)
    inputs = 3 if static else 2
    assert not any(d.any() for d in dxs[inputs:])
    dys[1:] = [np.zeros(d.shape) for d in dys[1:]]
    for kind_of, values, diffs in (
        ("bottom", case.bottom_values(), dxs[:inputs]),
        ("param", case.param_values(), dps),
    ):
        for index, diff in enumerate(diffs):
            if diff is not None:
                LayerLaws()._check_slope(case, NCHW, kind_of, index, diff, values, dys)


# -- no streams


@pytest.mark.parametrize("kind", TYPES)
def test_no_streams_teach_nothing(kind):
    stand = Stand(Case(kind(4), ((5, 0, 3), (5, 0))), NCHW)
    (y,) = stand.forward()
    assert y.shape == (5, 0, 4)
    _, params = stand.backward([y])
    assert not any(diff.any() for diff in params)


# -- cost


@pytest.mark.parametrize("kind", TYPES)
def test_passes_allocate_nothing(kind):
    case = Case(kind(96), ((60, 63, 64), (60, 63)), bottoms={1: starting_new})
    stand = Stand(case, NCHW)
    run = Backward(
        stand.run,
        [np.ones_like(t) for t in stand.tops],
        [np.zeros_like(stand.bottoms[0]), None],
        [np.zeros_like(p) for p in stand.params],
    )
    stand.layer.forward(run)
    stand.layer.backward(run)
    tracemalloc.start()
    stand.layer.forward(run)
    stand.layer.backward(run)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert stand.tops[0].nbytes > 8 * UFUNC_BUFFERS
    assert peak < UFUNC_BUFFERS


def test_counts_and_words():
    bottoms = ((20, 16, 500), (20, 16), (16, 10, 100))
    lstm, rnn = LSTM(1000), RNN(1000)
    assert [(p.role, p.shape) for p in lstm.params(bottoms)] == [
        ("weight", (4000, 500)),
        ("bias", (4000,)),
        ("static weight", (4000, 1000)),
        ("hidden weight", (4000, 1000)),
    ]
    assert [(p.role, p.shape) for p in rnn.params(bottoms[:2])] == [
        ("weight", (1000, 500)),
        ("bias", (1000,)),
        ("hidden weight", (1000, 1000)),
        ("output weight", (1000, 1000)),
        ("output bias", (1000,)),
    ]
    streams = 20 * 16
    assert lstm.macs(bottoms, ()) == streams * 4000 * 1500 + 16 * 4000 * 1000
    assert rnn.macs(bottoms[:2], ()) == streams * 1000 * 2500
    assert lstm.settings() == "→1000"
    assert LSTM(7, expose_hidden=True).settings() == "→7 exposed"


# -- refusals


def read(kind, bottoms=2, tops=1, **fields):
    message = LayerParameter(
        recurrent_param=fields,
        bottom=[f"b{i}" for i in range(bottoms)],
        top=[f"t{i}" for i in range(tops)],
    )
    return kind.read(message, Phase.TRAIN)


@pytest.mark.parametrize("kind", TYPES)
def test_reads_what_is_written(kind):
    assert read(kind, num_output=3, debug_info=True) == kind(3)
    layer = read(kind, 3, num_output=3, weight_filler={"type": "xavier"}, bias_filler={"value": 1})
    assert layer == kind(3, weight_filler=Filler("xavier"), bias_filler=Filler(value=1))
    states = len(kind.states)
    for bottoms in (2, 3):
        layer = read(kind, bottoms + states, 1 + states, num_output=3, expose_hidden=True)
        assert layer == kind(3, expose_hidden=True)


@pytest.mark.parametrize(
    ("kind", "bottoms", "tops", "fields", "path"),
    [
        (LSTM, 2, 1, {}, "recurrent_param.num_output"),
        (RNN, 2, 1, {"num_output": 0}, "recurrent_param.num_output"),
        (RNN, 2, 1, {"num_output": 2, "bias_filler": {"type": "ones"}}, "bias_filler.type"),
        (LSTM, 4, 1, {"num_output": 2}, "bottom[3]"),
        (RNN, 2, 2, {"num_output": 2}, "top[1]"),
        (LSTM, 3, 3, {"num_output": 2, "expose_hidden": True}, "expose_hidden"),
        (LSTM, 4, 2, {"num_output": 2, "expose_hidden": True}, "expose_hidden"),
        (RNN, 2, 2, {"num_output": 2, "expose_hidden": True}, "expose_hidden"),
        (RNN, 5, 2, {"num_output": 2, "expose_hidden": True}, "expose_hidden"),
    ],
)
def test_refuses_settings(kind, bottoms, tops, fields, path):
    with pytest.raises(FieldError) as caught:
        read(kind, bottoms, tops, **fields)
    assert caught.value.field.endswith(path)
    assert caught.value.help


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(
    ("shapes", "bottom"),
    [
        (((5, 2), (5, 2)), 0),
        (((0, 2, 3), (0, 2)), 0),
        (((5, 2, 3), (2, 5)), 1),
        (((5, 2, 3), (5, 2, 1)), 1),
        (((5, 2, 3), (5, 2), (2,)), 2),
        (((5, 2, 3), (5, 2), (5, 7)), 2),
    ],
)
def test_refuses_bottoms(kind, shapes, bottom):
    with pytest.raises(BottomError) as caught:
        kind(4).shapes(shapes)
    assert caught.value.bottom == bottom
    assert caught.value.help


@pytest.mark.parametrize("state", [(2, 4), (1, 2, 3), (1, 5, 4)])
def test_refuses_states_of_another_shape(state):
    shapes = ((5, 2, 3), (5, 2), (2, 7), (1, 2, 4), state)
    with pytest.raises(BottomError) as caught:
        LSTM(4, expose_hidden=True).shapes(shapes)
    assert caught.value.bottom == 4


def test_refuses_a_filler_of_images():
    with pytest.raises(FieldError) as caught:
        LSTM(4, weight_filler=Filler("bilinear")).shapes(((5, 2, 3), (5, 2)))
    assert caught.value.field == "recurrent_param.weight_filler.type"
