"""Compiled kernels are used where they can be, and nothing of them is loaded where they are not."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from netdef.diag import Report
from netdef.graph import State
from netdef.layers.base import Phase
from netdef.run import fast
from netdef.run.net import Net
from netdef.schema.document import net_from_text

TEXT = """
name: "small"
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 6 dim: 3 dim: 9 dim: 8 } } }
layer { name: "c" type: "Convolution" bottom: "data" top: "c"
  convolution_param { num_output: 8 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
layer { name: "b" type: "BatchNorm" bottom: "c" top: "c" }
layer { name: "s" type: "Scale" bottom: "c" top: "s" scale_param { bias_term: true } }
layer { name: "r" type: "ReLU" bottom: "s" top: "s" }
layer { name: "d" type: "Convolution" bottom: "s" top: "d" convolution_param {
  num_output: 8 kernel_size: 3 pad: 1 group: 8 weight_filler { type: "xavier" } } }
layer { name: "p" type: "Pooling" bottom: "d" top: "p"
  pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
layer { name: "l" type: "Reduction" bottom: "p" top: "l" loss_weight: 1
  reduction_param { operation: SUMSQ } }
"""


def net(*, fast, threads=1):
    return Net(
        net_from_text(TEXT, "small", Report()),
        State(Phase.TRAIN),
        seed=3,
        threads=threads,
        fast=fast,
    )


def gradients(net):
    net.blobs["data"].data[...] = np.random.default_rng(1).random((6, 3, 9, 8))
    net.forward()
    net.backward()
    return [param.diff.copy() for param in net.learned if param.diff is not None]


def test_numba_is_not_imported_where_it_is_not_wanted():
    code = "import sys; from netdef.run.fast import use_fast; assert not use_fast(); "
    code += "import netdef.api; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "NETDEF_FAST": "0"})


def test_asking_for_what_is_not_there(monkeypatch):
    monkeypatch.setattr(fast, "has_numba", lambda: False)
    assert not fast.use_fast()
    with pytest.raises(ImportError, match="netdef-prototxt\\[fast\\]"):
        fast.use_fast(True)


class TestWithNumba:
    @pytest.fixture(autouse=True)
    def _numba(self):
        pytest.importorskip("numba", reason="compiled kernels need numba")

    @pytest.mark.parametrize("threads", [1, 2])
    def test_gradients_are_those_of_numpy(self, threads):
        ours, theirs = (gradients(net(fast=fast, threads=threads)) for fast in (True, False))
        # the bias before BatchNorm has no gradient but rounding, so all are seen together
        scale = max(float(np.abs(g).max()) for g in theirs)
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=2e-5 * scale)

    @pytest.mark.parametrize("threads", [1, 2, 3])
    def test_the_same_bits_again(self, threads):
        first = gradients(net(fast=True, threads=threads))
        for one, other in zip(first, gradients(net(fast=True, threads=threads)), strict=True):
            np.testing.assert_array_equal(one, other)

    def test_the_environment_turns_them_off(self, monkeypatch):
        monkeypatch.delenv("NETDEF_FAST", raising=False)
        assert fast.use_fast()
        monkeypatch.setenv("NETDEF_FAST", "0")
        assert not fast.use_fast()
        assert fast.use_fast(True)

    def test_the_plan_says_where_they_run(self):
        program = net(fast=True).program
        said = {
            program.net.nodes[step.node].name: step.layer.algorithm(program.sites[index, 0])
            for index, step in enumerate(program.steps)
            if step.layer is not None and (index, 0) in program.sites
        }
        for name, words in {
            "c": "direct, compiled",
            "d": "depthwise, compiled",
            "p": "compiled",
            "b": "compiled",
            "s": "compiled",
        }.items():
            assert said[name] == words

    def test_one_image_has_those_that_pay(self):
        """Rows of 72 values are long enough for BatchNorm alone; nothing learns in phase TEST."""
        one = TEXT.replace("dim: 6 dim: 3", "dim: 1 dim: 3").replace(" loss_weight: 1", "")
        said, outputs = [], []
        for wanted in (True, False):
            made = net_from_text(one, "small", Report())
            small = Net(made, State(Phase.TEST), seed=3, threads=1, fast=wanted)
            small.blobs["data"].data[...] = np.random.default_rng(1).random((1, 3, 9, 8))
            small.forward()
            outputs.append(small.blobs["l"].data.copy())
            program = small.program
            said.append(
                {
                    program.net.nodes[step.node].name: step.layer.algorithm(program.sites[i, 0])
                    for i, step in enumerate(program.steps)
                    if step.layer is not None and (i, 0) in program.sites
                }
            )
        ours, theirs = said
        assert ours.pop("d") == "depthwise, compiled"
        assert ours.pop("p") == ours.pop("b") == "compiled"
        assert [theirs.pop(name) for name in "dpb"] == ["depthwise", "", ""]
        assert ours == theirs
        np.testing.assert_allclose(*outputs, rtol=1e-5)
