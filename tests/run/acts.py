"""What to do with a net, in processes as in threads, and all that can be seen of it then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from netdef.diag import Report
from netdef.graph import State
from netdef.layers.base import Phase
from netdef.plan import Step
from netdef.run import progress
from netdef.run.net import Net
from netdef.run.solver import Solver
from netdef.schema.document import net_from_text, solver_from_text

IMAGES, CLASSES = 7, 5
INPUTS = f"""
layer {{ name: "data" type: "Input" top: "data"
  input_param {{ shape {{ dim: {IMAGES} dim: 3 dim: 9 dim: 8 }} }} }}
layer {{ name: "label" type: "Input" top: "label" input_param {{ shape {{ dim: {IMAGES} }} }} }}
"""
BODY = f"""
layer {{ name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param {{ num_output: 6 kernel_size: 3 pad: 1 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "norm" type: "BatchNorm" bottom: "conv" top: "norm" }}
layer {{ name: "scale" type: "Scale" bottom: "norm" top: "norm" scale_param {{ bias_term: true }} }}
layer {{ name: "relu" type: "ReLU" bottom: "norm" top: "norm" }}
layer {{ name: "pool" type: "Pooling" bottom: "norm" top: "pool"
  pooling_param {{ kernel_size: 3 stride: 2 }} }}
layer {{ name: "drop" type: "Dropout" bottom: "pool" top: "pool" }}
layer {{ name: "ip" type: "InnerProduct" bottom: "pool" top: "ip"
  inner_product_param {{ num_output: {CLASSES} weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }}
"""
NET = INPUTS + BODY

Seen = dict[str, np.ndarray[Any, Any]]
Same = Callable[[Callable[[], Seen]], None]


def build(text: str = NET, phase: Phase = Phase.TRAIN, **choices: Any) -> Net:
    report = Report()
    document = net_from_text("force_backward: true\n" + text, "net.prototxt", report)
    report.raise_if_errors()
    assert document is not None
    return Net(document, State(phase), seed=3, **choices)


def batch(number: int = 0, images: int = IMAGES) -> dict[str, np.ndarray[Any, Any]]:
    random = np.random.default_rng(number)
    return {
        "data": random.standard_normal((images, 3, 9, 8), np.float32),
        "label": random.integers(0, CLASSES, images),
    }


def look(net: Net) -> Seen:
    """Copies of all that can be seen of a net."""
    seen = {}
    for name, blob in net.blobs.items():
        seen[f"blob {name}"] = blob.data.copy()
        seen[f"blob diff {name}"] = blob.diff.copy()
    for layer, params in net.params.items():
        for index, param in enumerate(params):
            seen[f"param {layer} {index}"] = param.data.copy()
            seen[f"param diff {layer} {index}"] = param.diff.copy()
    return seen


def all_of(*looks: Seen) -> Seen:
    return {f"{n}: {key}": value for n, seen in enumerate(looks) for key, value in seen.items()}


def assert_same_bits(found: Seen, expected: Seen) -> None:
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value, key)


# What to do with a net, in processes as in threads. All that can be seen of it is compared.


def forward(net: Net) -> Seen:
    given = net.forward(**batch())
    assert np.isfinite(given["loss"]).all()
    assert given["loss"] > 0
    return look(net)


def gradients(net: Net) -> Seen:
    net.forward(**batch())
    net.backward()
    assert all(p.diff.any() for p in net.params["conv"][:1] + net.params["ip"])
    assert net.blobs["data"].diff.any()
    return look(net)


def gradients_from_a_blob(net: Net) -> Seen:
    net.forward(**batch())
    random = np.random.default_rng(4)
    net.backward(start="pool", pool=random.standard_normal(net.blobs["pool"].shape))
    return look(net)


def steps(net: Net) -> Seen:
    seen = []
    for number in range(4):
        net.forward(**batch(number))
        net.clear_param_diffs()
        net.backward()
        for param in net.learned:
            if param.learns:
                param.data[...] -= np.float32(0.1) * param.diff
        seen.append(look(net))
    return all_of(*seen)


def gradients_that_add_up(net: Net) -> Seen:
    """A param's sum goes on in an array that no process knew at first."""
    seen = []
    for number in range(5):
        if number == 3:
            net.clear_param_diffs()
        net.forward(**batch(number))
        net.backward()
        seen.append(look(net))
    return all_of(*seen)


def parts_of_the_net(net: Net) -> Seen:
    net.forward(**batch())
    net.blobs["conv"].data[...] *= 2
    seen = [look(net)]
    net.forward(start="norm", end="pool")
    seen.append(look(net))
    net.blobs["norm"].data[:, 1] = 3
    net.forward(start="pool")
    seen.append(look(net))
    net.forward(end="conv", **batch(1))
    seen.append(look(net))
    net.forward()
    net.backward(end="pool")
    seen.append(look(net))
    net.backward(start="relu")
    seen.append(look(net))
    return all_of(*seen)


class Watching:
    """Copies what the steps give, as they give it."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.seen: Seen = {}

    def _note(self, what: str, arrays: Any) -> None:
        for number, array in enumerate(arrays):
            self.seen[f"{len(self.seen)} {what} {number}"] = array.copy()

    def ran_forward(self, step: Step) -> None:
        for top in step.tops:
            self._note(f"top {top}", self.net.program.values[top].arrays)

    def before_backward(self, step: Step) -> None:
        for top in step.tops:
            self._note(f"diff of top {top}", self.net.program.values[top].diffs)

    def ran_backward(self, step: Step) -> None:
        for bottom in step.bottoms:
            self._note(f"diff of bottom {bottom}", self.net.program.values[bottom].diffs)


def observed_in_between(net: Net) -> Seen:
    """With an observer a net runs in this process alone, also what others began."""
    net.forward(**batch())
    net.observer = watching = Watching(net)
    net.backward()
    seen = [look(net)]
    net.forward(**batch(1))
    net.observer = None
    net.backward()
    seen.append(look(net))
    assert len(watching.seen) > 40
    return all_of(*seen, watching.seen)


def numbers_set(net: Net) -> Seen:
    """What random numbers depend on, changed when the processes are there already."""
    net.forward(**batch())
    seen = [look(net)]
    net.passes = 40
    net.forward()
    seen.append(look(net))
    net.seed = 11
    net.forward()
    net.backward()
    seen.append(look(net))
    net.passes, net.seed = 0, 3
    net.params["norm"][2].data[...] = 0
    net.forward()
    seen.append(look(net))
    first, *middle, last = (one["blob pool"] for one in seen)
    np.testing.assert_array_equal(first, last)
    assert not any(np.array_equal(first, other) for other in middle)
    return all_of(*seen)


def run_twice(net: Net) -> Seen:
    net.forward(**batch())
    net.backward()
    seen = [look(net)]
    net.run_again()
    return all_of(*seen, look(net))


def other_sizes(net: Net) -> Seen:
    seen = []
    for images in (IMAGES, 5, 1, 12, IMAGES):
        net.forward(**batch(images, images))
        net.clear_param_diffs()
        net.backward()
        seen.append(look(net))
    net.blobs["data"].reshape(4, 3, 9, 8)
    net.blobs["label"].reshape(4)
    net.reshape()
    net.forward(**batch(0, 4))
    return all_of(*seen, look(net))


def weights_copied(net: Net) -> Seen:
    net.forward(**batch())
    seen = [look(net)]
    weights = {
        layer: [None if array is None else array + 1 for array in arrays]
        for layer, arrays in net.weights().items()
    }
    net.copy_from(weights)
    net.forward()
    return all_of(*seen, look(net))


ACTS = [
    forward,
    gradients,
    gradients_from_a_blob,
    steps,
    gradients_that_add_up,
    parts_of_the_net,
    observed_in_between,
    numbers_set,
    run_twice,
    other_sizes,
    weights_copied,
]


DATA = f"""
layer {{ name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param {{ shape {{ dim: {IMAGES} dim: 3 dim: 9 dim: 8 }} shape {{ dim: {IMAGES} }}
    data_filler {{ type: "gaussian" }} data_filler {{ value: 3 }} }} }}
"""
SCORE = """
layer { name: "right" type: "Accuracy" bottom: "ip" bottom: "label" top: "right"
  include { phase: TEST } }
"""
SOLVER = """
type: "SGD" momentum: 0.9 weight_decay: 0.01 base_lr: 0.05 lr_policy: "fixed" random_seed: 5
iter_size: 2 test_iter: 2 test_interval: 2 max_iter: 5 snapshot_prefix: "snap" snapshot: 3
"""


def train(threads: int, processes: bool, resume: str | None = None) -> tuple[Solver, Seen]:
    """A whole training, and what became of it."""
    report = Report()
    document = solver_from_text(SOLVER, "solver.prototxt", report)
    model = net_from_text(DATA + BODY + SCORE, "net.prototxt", report)
    report.raise_if_errors()
    assert document is not None
    solver = Solver(document, model=model, threads=threads, processes=processes)
    events: list[Any] = []
    solver.add_listener(events.append)
    solver.solve(resume)
    tested = [event for event in events if isinstance(event, progress.Tested)]
    assert len(tested) == (3 if resume is None else 1)
    seen = {f"score {n}": np.array(str((e.outputs, e.loss))) for n, e in enumerate(tested)}
    seen |= {f"net {key}": value for key, value in look(solver.net).items()}
    return solver, seen
