"""Every choice of the plan keeps the meaning: shards, memory sharing, what is kept."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

import netdef.run.net
from netdef.diag import Report
from netdef.graph import State
from netdef.layers import inner_product
from netdef.layers.base import Phase
from netdef.plan import Options
from netdef.run.net import Net
from netdef.schema.document import net_from_text
from tests.plan.nets import NETS

# A sum over shards adds the same numbers in another order.
BETWEEN_SHARDS = 2e-5


def build(text: str, **choices: Any) -> Net:
    report = Report()
    document = net_from_text("force_backward: true\n" + text, "net.prototxt", report)
    report.raise_if_errors()
    assert document is not None
    return Net(document, State(Phase.TRAIN), seed=3, **choices)


def run(net: Net) -> dict[str, np.ndarray]:
    """One pass forward and backward: losses, gradients, and all blobs that can be seen."""
    random = np.random.default_rng(5)
    net.forward(data=random.standard_normal((7, 3, 6, 5)), label=random.integers(0, 4, 7))
    seen = {f"blob {n}": b.data.copy() for n, b in net.blobs.items() if n in net.outputs}
    net.backward()
    seen |= {f"diff {n}": net.blobs[n].diff.copy() for n in net.inputs if n != "label"}
    for layer, params in net.params.items():
        seen |= {f"param {layer} {i}": p.diff.copy() for i, p in enumerate(params)}
    return seen


def without(monkeypatch: pytest.MonkeyPatch, **choices: Any) -> None:
    def chosen(*given: Any, **named: Any) -> Options:
        return Options(*given, **(named | choices))

    monkeypatch.setattr(netdef.run.net, "Options", chosen)


def cut_by_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut single images by channels, however small the net and in threads too."""
    monkeypatch.setattr(import_module("netdef.plan.divide"), "_WORTH", 0)
    without(monkeypatch, divide=True)


def assert_same(found: dict[str, Any], expected: dict[str, Any], tolerance: float = 0.0) -> None:
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        scale = max(1e-2, float(np.abs(value).max()))  # a bias under BatchNorm has none
        error = float(np.abs(found[key] - value).max()) / scale
        assert error <= tolerance, f"{key}: {error}"


@pytest.mark.parametrize("name", NETS)
class TestChoices:
    @pytest.mark.parametrize("choice", ["in_place", "fuse"])
    def test_sharing_memory_and_fusing_change_nothing(
        self, name: str, choice: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain = run(build(NETS[name], threads=1))
        without(monkeypatch, **{choice: False})
        assert_same(run(build(NETS[name], threads=1)), plain)

    @pytest.mark.parametrize("threads", [2, 3])
    def test_shards(self, name: str, threads: int) -> None:
        if name == "dropout":
            pytest.skip("each shard draws its own random numbers")
        one = run(build(NETS[name], threads=1))
        assert_same(run(build(NETS[name], threads=threads)), one, BETWEEN_SHARDS)

    def test_weights_shared_out_among_shards(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """InnerProducts with large weights compute each its share for the whole batch."""
        if name == "dropout":
            pytest.skip("each shard draws its own random numbers")
        one = run(build(NETS[name], threads=1))
        monkeypatch.setattr(inner_product, "_LARGE", 1)
        assert_same(run(build(NETS[name], threads=3)), one, BETWEEN_SHARDS)

    @pytest.mark.parametrize("threads", [1, 2])
    def test_the_same_twice(self, name: str, threads: int) -> None:
        """Same seed, same threads: the same bits."""
        assert_same(
            run(build(NETS[name], threads=threads)), run(build(NETS[name], threads=threads))
        )

    def test_keeping_less(self, name: str) -> None:
        everything = run(build(NETS[name], threads=1))
        assert_same(run(build(NETS[name], threads=1, keep="outputs")), everything)

    def test_gradients_add_up_over_passes(self, name: str) -> None:
        if name == "dropout":
            pytest.skip("each pass drops other values")
        net = build(NETS[name], threads=2)
        once = run(net)
        net.forward()
        net.backward()
        for layer, params in net.params.items():
            for i, param in enumerate(params):
                np.testing.assert_allclose(
                    param.diff, 2 * once[f"param {layer} {i}"], rtol=1e-5, atol=1e-7
                )
        net.clear_param_diffs()
        assert all(not p.diff.any() for p in net.learned)

    def test_blobs_are_what_they_would_be_alone(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """All blobs can be looked at, whatever shares memory inside."""
        without(monkeypatch, in_place=False)
        plain = build(NETS[name], threads=1)
        run(plain)
        monkeypatch.undo()
        net = build(NETS[name], threads=1)
        run(net)
        for blob in net.blobs:
            np.testing.assert_array_equal(net.blobs[blob].data, plain.blobs[blob].data, blob)


def test_in_place_layers_share_memory() -> None:
    """ReLU over conv, and Sigmoid over Power; TanH and Power write over what backward reads."""
    program = build(NETS["in_place_chain"], threads=1).program
    versions = [v for v in program.values if v.name == "conv" and not v.copy]
    assert [v.memory >= 0 for v in versions] == [False, True, False, False, True]


def test_gradient_of_shared_weights_counts_each_use() -> None:
    """With lr_mult 1, 10, 3 the parts count 0.1, 1, 0.3 (issue: shared with different rates)."""
    net = build(NETS["shared_weights"], threads=1)
    run(net)
    weight = net.params["x"][0]
    assert weight is net.params["y"][0]
    assert (weight.lr_mult, net.params["x"][1].lr_mult) == (10, 20)
    flat = net.blobs["flat"].data
    score_diff = net.blobs["score"].diff
    y = net.blobs["y"].data
    parts = [0.1 * score_diff, score_diff * (1 - y * y), 0.3 * score_diff]
    expected = sum(part.T @ flat for part in parts)
    np.testing.assert_allclose(weight.diff, expected, rtol=1e-4, atol=1e-6)


def test_nothing_is_allocated_in_a_step() -> None:
    """A training step of a warm net takes no memory that grows with the blobs."""
    import tracemalloc

    text = NETS["residual"].replace("dim: 7 dim: 3 dim: 6 dim: 5", "dim: 70 dim: 3 dim: 60 dim: 50")
    net = build(text.replace("dim: 7 }", "dim: 70 }"), threads=1)
    for _ in range(2):
        net.forward()
        net.clear_param_diffs()
        net.backward()
    tracemalloc.start()
    net.forward()
    net.clear_param_diffs()
    net.backward()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    smallest_blob = 70 * 4 * 60 * 50 * 4
    assert peak < smallest_blob / 10, f"{peak} bytes"
