"""Memory that values use one after the other, in a net that only runs forward."""

from __future__ import annotations

import numpy as np
import pytest

from netdef.diag import Report
from netdef.graph import State
from netdef.layers.base import Phase
from netdef.run.net import Net
from netdef.schema.document import net_from_text
from tests.plan.nets import NETS


def build(name: str, keep: object, threads: int = 1) -> Net:
    report = Report()
    document = net_from_text(NETS[name], "net.prototxt", report)
    report.raise_if_errors()
    assert document is not None
    return Net(document, State(Phase.TEST), seed=3, keep=keep, threads=threads, backward=False)  # type: ignore[arg-type]


def inputs() -> dict[str, np.ndarray]:
    random = np.random.default_rng(5)
    return {"data": random.standard_normal((7, 3, 6, 5)), "label": random.integers(0, 4, 7)}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", NETS)
def test_outputs_are_the_same(name: str, threads: int) -> None:
    everything = build(name, "all", threads)
    outputs = build(name, "outputs", threads)
    expected = everything.forward(**inputs())
    for _ in range(2):
        for blob, array in outputs.forward(**inputs()).items():
            np.testing.assert_allclose(array, expected[blob], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NETS)
def test_named_blobs_are_kept(name: str) -> None:
    everything = build(name, "all")
    everything.forward(**inputs())
    for blob in everything.blobs:
        net = build(name, [blob])
        net.forward(**inputs())
        np.testing.assert_allclose(
            net.blobs[blob].data, everything.blobs[blob].data, rtol=1e-5, atol=1e-6
        )


def train(name: str, keep: object, threads: int = 1) -> Net:
    document = net_from_text("force_backward: true\n" + NETS[name], "net.prototxt", Report())
    assert document is not None
    return Net(document, State(Phase.TRAIN), seed=3, keep=keep, threads=threads)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NETS)
def test_gradients_that_are_kept(name: str) -> None:
    everything = train(name, "all")
    everything.forward(**inputs())
    everything.backward()
    for blob in everything.blobs:
        if not everything.blobs[blob].has_diff:
            continue
        net = train(name, [blob])
        for _ in range(2):
            net.passes = 0  # the same numbers are dropped
            net.forward(**inputs())
            net.clear_param_diffs()
            net.backward()
            np.testing.assert_array_equal(net.blobs[blob].diff, everything.blobs[blob].diff)


def test_gradients_that_are_not_kept_cannot_be_looked_at() -> None:
    net = train("residual", "outputs")
    net.forward(**inputs())
    net.backward()
    with pytest.raises(ValueError, match="gradient of blob `a` is not kept after backward"):
        _ = net.blobs["a"].diff
    assert net.blobs["data"].diff.any()


def test_backward_from_a_gradient_that_is_not_kept() -> None:
    found = []
    for keep in ("all", "outputs"):
        net = train("residual", keep)
        net.forward(**inputs())
        shape = net.blobs["a"].shape
        found.append(net.backward(start="a", a=np.linspace(0, 1, np.prod(shape)).reshape(shape)))
        found[-1] = {name: array.copy() for name, array in found[-1].items()}
    np.testing.assert_array_equal(found[1]["data"], found[0]["data"])


def test_gradients_take_less_memory() -> None:
    kept, used_again = (train("residual", keep).program.bytes for keep in ("all", "outputs"))
    assert used_again["gradients"] < 0.8 * kept["gradients"]


def test_takes_less_memory() -> None:
    chain = "".join(
        f'layer {{ name: "c{i}" type: "Convolution" bottom: "{f"b{i}" if i else "data"}" '
        f'top: "b{i + 1}" convolution_param {{ num_output: 4 kernel_size: 3 pad: 1 }} }}\n'
        for i in range(20)
    )
    text = (
        'layer { name: "data" type: "Input" top: "data"\n'
        "  input_param { shape { dim: 7 dim: 3 dim: 6 dim: 5 } } }\n" + chain
    )
    document = net_from_text(text, "net.prototxt", Report())
    assert document is not None
    all_, few = (
        Net(document, State(Phase.TEST), seed=1, keep=keep).program.bytes["blobs"]
        for keep in ("all", "outputs")
    )
    assert few < all_ / 4


def test_what_is_not_kept_says_so() -> None:
    net = build("residual", "outputs")
    net.forward(**inputs())
    with pytest.raises(ValueError, match=r'blob `b` is not kept .* keep=\["b"\]'):
        _ = net.blobs["b"].data


def test_a_net_that_learns_keeps_what_backward_reads() -> None:
    report = Report()
    document = net_from_text(NETS["residual"], "net.prototxt", report)
    assert document is not None
    net = Net(document, State(Phase.TRAIN), seed=1, keep="outputs")
    net.forward(**inputs())
    assert net.blobs["a"].data.any()
