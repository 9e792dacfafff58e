"""What layers hold of weights: made once, and never of values that are not there any more."""

from __future__ import annotations

import ctypes
import gc
import pickle
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netdef
from netdef.diag import Report
from netdef.graph import State
from netdef.layers.base import Forward, Phase
from netdef.layers.convolution import Convolution
from netdef.layers.deconvolution import Deconvolution
from netdef.run.net import Net
from netdef.run.solver import Solver
from netdef.schema.document import net_from_text, solver_from_text
from tests.plan.test_meaning import cut_by_channels
from tests.run.forked import needs_processes, processes_everywhere

Array = np.ndarray[Any, Any]

IMAGES = 4
DATA = f"""
layer {{ name: "data" type: "Input" top: "data"
  input_param {{ shape {{ dim: {IMAGES} dim: 4 dim: 31 dim: 31 }} }} }}
"""


def convolution(name: str, bottom: str, settings: str, more: str = "", kind: str = "") -> str:
    return f"""
layer {{ name: "{name}" type: "{kind or "Convolution"}" bottom: "{bottom}" top: "{name}" {more}
  convolution_param {{ {settings} weight_filler {{ type: "xavier" }}
    bias_filler {{ type: "uniform" }} }} }}
"""


BODY = (
    convolution("strided", "data", "num_output: 32 kernel_size: 9 stride: 3 pad: 3")
    + convolution("tiled", "strided", "num_output: 64 kernel_size: 3 pad: 1")
    + convolution("grouped", "tiled", "num_output: 64 kernel_size: 3 pad: 1 group: 2")
    + convolution("folded", "grouped", "num_output: 6 kernel_size: 2 pad: 1")
    + convolution("plain", "folded", "num_output: 64 kernel_size: 1 bias_term: false")
    + convolution("spread", "plain", "num_output: 40 kernel_size: 3", "", "Deconvolution")
)
NET = DATA + BODY
HOLDING = ["strided", "tiled", "grouped", "folded", "spread"]


def build(text: str = NET, phase: Phase = Phase.TEST, **choices: Any) -> Net:
    report = Report()
    document = net_from_text(text, "net.prototxt", report)
    report.raise_if_errors()
    assert document is not None
    return Net(document, State(phase), **{"seed": 3, "keep": "outputs", **choices})


def data(number: int = 0, images: int = IMAGES) -> Array:
    return np.random.default_rng(number).standard_normal((images, 4, 31, 31), np.float32)


def run(net: Net, number: int = 0, images: int = IMAGES) -> Array:
    (top,) = net.forward(data=data(number, images)).values()
    assert np.isfinite(top).all()
    assert top.any()
    return top.copy()


def afresh(net: Net, images: int = IMAGES, **choices: Any) -> Array:
    """What another net gives with copies of the weights as they are now."""
    other = build(**choices)
    for layer, params in net.params.items():
        for theirs, mine in zip(other.params[layer], params, strict=True):
            theirs.values.array[...] = mine.values.array
    return run(other, images=images)


def write(net: Net, layer: str, index: int = 0, number: int = 1) -> None:
    values = net.params[layer][index].data
    values[...] = np.random.default_rng(number).standard_normal(values.shape)


@pytest.fixture
def takes(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often weights were taken, by the layers' settings."""
    count: Counter[str] = Counter()
    for kind in (Convolution, Deconvolution):
        taking = kind.take_params

        def take(self: Any, run: Forward[Any], taking: Any = taking) -> None:
            count[self.settings()] += 1
            taking(self, run)

        monkeypatch.setattr(kind, "take_params", take)
    return count


@pytest.fixture(params=["threads", pytest.param("processes", marks=needs_processes)])
def _way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Shards as threads, or as processes."""
    if request.param == "threads":
        yield
        return
    with processes_everywhere():
        yield


def test_what_is_held() -> None:
    net = build(threads=2)
    program = net.program
    steps = {program.net.nodes[s.node].name: n for n, s in enumerate(program.steps) if s.held}
    ways = {}
    for name, number in steps.items():
        step = program.steps[number]
        assert len(step.forward_runs) == 2
        assert step.takers == [0], "the shards share what the first one makes"
        assert step.layer is not None
        ways[name] = step.layer.algorithm(program.sites[number, 0]).partition(" F(")[0]
    assert ways == {
        "strided": "space to depth, winograd",
        "tiled": "winograd",
        "grouped": "winograd",
        "folded": "im2col",
        "spread": "winograd",
    }
    assert list(ways) == HOLDING
    held = sum(array.nbytes for step in program.steps for array in step.held.values())
    assert program.bytes["held"] == held


def test_nothing_is_held_where_gradients_are_wanted() -> None:
    loss = 'layer { name: "loss" type: "Reduction" bottom: "spread" top: "loss" loss_weight: 1 }'
    assert not build(NET + loss, Phase.TRAIN).program.bytes["held"]
    assert build(NET + loss, Phase.TRAIN, backward=False).program.bytes["held"]


def test_a_plan_says_what_is_held(tmp_path: Path) -> None:
    from netdef.api.steps import plan

    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    by_path = plan(path, phase="test", threads=1, fast=False, width=200)
    assert "held of weights" in by_path
    net = netdef.load(path, threads=1, fast=False, keep="outputs")
    assert by_path == plan(net, width=200)


class TestTaken:
    """When weights are taken, and when they need not be."""

    def test_once(self, takes: Counter[str]) -> None:
        net = build()
        first = run(net)
        for _ in range(3):
            np.testing.assert_array_equal(run(net), first)
        assert takes.total() == len(HOLDING)
        assert run(net, 1).tobytes() != first.tobytes()

    def test_those_of_a_layer_that_is_written_to(self, takes: Counter[str]) -> None:
        net = build()
        run(net)
        takes.clear()
        write(net, "tiled")
        run(net)
        run(net)
        assert list(takes.values()) == [1]

    def test_always_while_somebody_may_write(self, takes: Counter[str]) -> None:
        net = build()
        run(net)
        takes.clear()
        corner = net.params["tiled"][0].data[:2, :1]
        for _ in range(3):
            run(net)
        assert list(takes.values()) == [3]
        del corner
        for _ in range(3):
            run(net)
        assert list(takes.values()) == [4]

    def test_again_where_the_net_is_planned_anew(self, takes: Counter[str]) -> None:
        net = build()
        run(net)
        run(net, images=3)
        assert takes.total() == 2 * len(HOLDING)

    def test_not_by_looking(self, takes: Counter[str]) -> None:
        net = build()
        run(net)
        takes.clear()
        assert net.params["tiled"][0].shape == (64, 32, 3, 3)
        assert net.params["tiled"][0].count == 64 * 32 * 9
        assert "tiled" in repr(net.params["tiled"][0])
        run(net)
        assert not takes


DERIVED: dict[str, Callable[[Array], Any]] = {
    "itself": lambda a: a,
    "slice": lambda a: a[1:, :2],
    "slice of a slice": lambda a: a[1:][:, 1:][..., 0],
    "reshape": lambda a: a.reshape(-1),
    "ravel": lambda a: a.ravel(),
    "transpose": lambda a: a.T,
    "view": lambda a: a.view(np.int32),
    "another class": lambda a: a.view(np.recarray),
    "asarray": np.asarray,
    "memoryview": memoryview,
    "frombuffer": np.frombuffer,
    "flat": lambda a: a.flat,
    "real": lambda a: a.real,
    "squeezed": lambda a: a[:1].squeeze(),
    "strides": lambda a: np.lib.stride_tricks.as_strided(a, (2,), (4,)),
    "window": lambda a: np.lib.stride_tricks.sliding_window_view(a, 2, 0, writeable=True),
    "split": lambda a: np.split(a, 2),
    "iterator": iter,
    "dlpack": np.from_dlpack,
    "ctypes": lambda a: a.ctypes,
    "pointer": lambda a: a.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
    "ctypes array": lambda a: (ctypes.c_float * a.size).from_buffer(a),
    "method": lambda a: a.fill,
}


@pytest.mark.parametrize("derive", DERIVED.values(), ids=DERIVED)
def test_whatever_is_made_of_the_array_may_write(derive: Callable[[Array], Any]) -> None:
    values = build().params["tiled"][0].values
    before = values.version()
    assert values.version() == before
    derived = derive(values.lend())
    gc.collect()
    versions = [values.version() for _ in range(3)]
    assert len({before, *versions}) == 4
    del derived
    gc.collect()
    last = values.version()
    assert last not in (before, *versions)
    assert values.version() == last


@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (2, 3)])
def test_lent_arrays_are_the_values(shape: tuple[int, ...]) -> None:
    from netdef.run.learned import Values

    array = np.zeros(shape, np.float32)
    values = Values(array)
    lent = values.lend()
    assert lent is values.lend()
    assert (lent.shape, lent.dtype, lent.flags.writeable) == (shape, np.float32, True)
    lent[...] = 1
    assert (array == 1).all()


@pytest.mark.parametrize("copy", [deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_of_a_param_are_apart(copy: Callable[[Any], Any]) -> None:
    (param,) = build().params["plain"]
    lent = param.data
    other = copy(param)
    np.testing.assert_array_equal(other.data, lent)
    other.data[...] = 7
    assert not (lent == 7).any()


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("threads", [1, 2, 3])
class TestHonoured:
    """Bit for bit what a new net gives with the same weights, whenever they were written."""

    @pytest.mark.parametrize(
        ("layer", "index"), [*((name, 0) for name in HOLDING), ("folded", 1), ("plain", 0)]
    )
    def test_written_before_between_and_after(self, layer: str, index: int, threads: int) -> None:
        net = build(threads=threads)
        seen = []
        for number in range(3):
            write(net, layer, index, number)
            seen.append(run(net))
            np.testing.assert_array_equal(run(net), seen[-1])
            np.testing.assert_array_equal(seen[-1], afresh(net, threads=threads))
        assert len({top.tobytes() for top in seen}) == 3

    def test_through_arrays_held_from_before(self, threads: int) -> None:
        net = build(threads=threads)
        arrays = [params[0].data for params in net.params.values()]
        kept = run(net)
        for array in arrays:
            np.testing.assert_array_equal(run(net), kept)
            part = array.reshape(-1)[3:7]
            part *= 2
            kept = run(net)
            np.testing.assert_array_equal(kept, afresh(net, threads=threads))

    def test_through_a_part_whose_array_is_gone(self, threads: int) -> None:
        net = build(threads=threads)
        corner = net.params["tiled"][0].data[0, 0]
        before = run(net)
        run(net)
        corner += 1
        after = run(net)
        assert (after != before).any()
        np.testing.assert_array_equal(after, afresh(net, threads=threads))

    def test_through_the_weights_of_all(self, threads: int) -> None:
        net = build(threads=threads)
        weights = net.weights()
        before = run(net)
        for arrays in weights.values():
            for array in arrays:
                assert array is not None
                array *= 1.5
        after = run(net)
        assert (after != before).any()
        np.testing.assert_array_equal(after, afresh(net, threads=threads))

    def test_copied_twice(self, threads: int, tmp_path: Path) -> None:
        net = build(threads=threads)
        for seed in (5, 6):
            other = build(seed=seed, threads=threads)
            other.save(tmp_path / f"{seed}.caffemodel")
            expected = run(other)
            net.copy_from(tmp_path / f"{seed}.caffemodel" if seed == 5 else other.weights())
            np.testing.assert_array_equal(run(net), expected)

    def test_of_another_net(self, threads: int) -> None:
        net, other = build(threads=threads), build(seed=4, threads=threads)
        run(net)
        early = other.params["tiled"][0].data
        net.share_params_with(other)
        np.testing.assert_array_equal(run(net), run(other))
        for writer in (net, other):
            write(writer, "strided", number=8)
            write(writer, "spread", number=9)
            np.testing.assert_array_equal(run(net), run(other))
            np.testing.assert_array_equal(run(net), afresh(other, threads=threads))
        early *= 3
        np.testing.assert_array_equal(run(net), run(other))
        np.testing.assert_array_equal(run(net), afresh(other, threads=threads))

    def test_other_batches(self, threads: int) -> None:
        net = build(threads=threads)
        for images in (IMAGES, 1, 5, IMAGES):
            write(net, "tiled", number=images)
            top = run(net, images=images)
            np.testing.assert_array_equal(top, afresh(net, images, threads=threads))

    def test_one_image_cut_by_channels(self, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
        cut_by_channels(monkeypatch)
        net = build(threads=threads)
        seen = []
        for number in range(2):
            for layer in HOLDING:
                write(net, layer, number=number)
            seen.append(run(net, images=1))
            np.testing.assert_array_equal(seen[-1], afresh(net, 1, threads=threads))
        monkeypatch.undo()
        whole = afresh(net, 1, threads=1)
        assert np.linalg.norm(seen[-1] - whole) < 1e-5 * np.linalg.norm(whole)


def test_of_a_loaded_net(tmp_path: Path) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    net = netdef.load(path, seed=3)
    before = run(net)
    held = net.params["tiled"][0].data
    np.testing.assert_array_equal(run(net), before)
    held[0] = 0
    after = run(net)
    assert (after != before).any()
    net.layers[2].blobs[1].data[...] = 3
    assert (run(net) != after).any()
    np.testing.assert_array_equal(run(net), afresh(net, keep="all"))


def test_weights_that_layers_share() -> None:
    shared = 'param { name: "w" } param { name: "b" }'
    settings = "num_output: 4 kernel_size: 3 pad: 1"
    text = DATA + convolution("one", "data", settings, shared)
    text += convolution("two", "one", settings, shared)
    net = build(text)
    run(net)
    write(net, "two")
    np.testing.assert_array_equal(run(net), afresh(net, text=text))


def test_after_backward() -> None:
    net = build("force_backward: true\n" + NET, backward=False, keep="all")
    assert net.program.bytes["held"]
    run(net)
    net.backward(spread=np.ones(net.blobs["spread"].shape, np.float32))
    assert not net.program.bytes["held"]
    write(net, "tiled")
    top = run(net)
    assert np.linalg.norm(top - afresh(net)) < 1e-4 * np.linalg.norm(top)


@pytest.mark.parametrize("threads", [1, 2])
def test_nets_of_a_solver_follow_the_training(threads: int, takes: Counter[str]) -> None:
    text = f"""
layer {{ name: "data" type: "DummyData" top: "data"
  dummy_data_param {{ shape {{ dim: {IMAGES} dim: 4 dim: 31 dim: 31 }} data_filler {{ value: 1 }} }}
}}
{BODY}
layer {{ name: "loss" type: "Reduction" bottom: "spread" top: "loss" loss_weight: 1 }}
"""
    report = Report()
    document = solver_from_text(
        """type: "SGD" base_lr: 1e-8 lr_policy: "fixed" random_seed: 5 max_iter: 9
        test_iter: 1 test_interval: 100 test_initialization: false""",
        "solver.prototxt",
        report,
    )
    model = net_from_text(text, "net.prototxt", report)
    report.raise_if_errors()
    assert document is not None
    solver = Solver(document, model=model, threads=threads)
    (test,) = solver.test_nets
    seen = set()
    for _ in range(3):
        solver.step(2)
        takes.clear()
        loss = [float(test.forward()["loss"]) for _ in range(3)]
        assert np.isfinite(loss).all()
        assert takes.total() == len(HOLDING)
        other = build(text, keep="all", backward=False, threads=threads)
        other.copy_from(solver.net.weights())
        assert loss == [float(other.forward()["loss"])] * 3
        seen.add(loss[0])
    assert len(seen) == 3
