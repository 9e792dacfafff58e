"""Nets whose shards are processes: mistakes in a shard, Ctrl-C, and processes that die."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from netdef.diag import BottomError, NetdefError, Problem
from netdef.layers.base import Forward
from netdef.layers.threshold import Threshold
from netdef.run import team as team_module
from netdef.run.net import Net
from netdef.run.team import Team
from tests.run.acts import (
    CLASSES,
    IMAGES,
    NET,
    Seen,
    assert_same_bits,
    batch,
    build,
    look,
)
from tests.run.forked import needs_processes, processes_everywhere

pytestmark = [
    needs_processes,
    # Python 3.12 warns of a fork where there are threads; `in_fork` only talks to a pipe
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


CHECKED = NET.replace(
    'layer { name: "relu"',
    'layer { name: "limit" type: "Threshold" bottom: "conv" top: "limit" }\nlayer { name: "relu"',
)


def limited(monkeypatch: pytest.MonkeyPatch, error: Callable[[float], Exception]) -> None:
    """Let Threshold refuse large values; no layer that is cut into shards refuses any."""
    before = Threshold.forward

    def forward(self: Threshold, run: Forward[None]) -> None:
        before(self, run)
        most = float(run.bottom(0).max())
        if most > 1000:
            raise error(most)

    monkeypatch.setattr(Threshold, "forward", forward)


def fault_of(net: Net, **inputs: Any) -> tuple[Any, ...]:
    """What a bad batch is answered with."""
    with pytest.raises(NetdefError) as caught:
        net.forward(**inputs)
    (problem,) = caught.value.report
    return type(problem), problem.code, problem.file, problem.line, problem.end, str(caught.value)


@pytest.mark.parametrize("threads", [2, 3])
class TestErrors:
    @pytest.mark.parametrize("image", range(IMAGES))
    def test_a_bottom_is_refused_in_a_shard(
        self, image: int, threads: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limited(monkeypatch, lambda most: BottomError(0, f"holds {most > 1000}", "write less"))
        bad = batch()
        bad["data"][image] *= 1e6

        def act() -> tuple[tuple[Any, ...], Seen]:
            net = build(CHECKED, threads=threads)
            net.forward(**batch(2))
            fault = fault_of(net, **bad)
            again = fault_of(net)
            assert again == fault
            net.passes = 1
            net.params["norm"][2].data[...] = 0
            net.forward(**batch())
            net.backward()
            return fault, look(net)

        expected = act()
        line = CHECKED[: CHECKED.index('"limit"')].count("\n") + 2
        assert expected[0][2:4] == ("net.prototxt", line)
        with processes_everywhere() as teams:
            found = act()
            assert len(teams) == 3  # each error ends one
        assert found[0] == expected[0]
        statistics = {"param norm 0", "param norm 1"}  # of a pass that ended before its time
        kept = [key for key in expected[1] if key not in statistics]
        assert_same_bits({k: found[1][k] for k in kept}, {k: expected[1][k] for k in kept})

    def test_a_label_is_refused_in_the_whole_batch(self, threads: int) -> None:
        bad = batch()
        bad["label"][-1] = CLASSES

        def act() -> tuple[tuple[Any, ...], Seen]:
            net = build(threads=threads)
            fault = fault_of(net, **bad)
            net.forward(**batch())
            net.backward()
            return fault, look(net)

        expected = act()
        with processes_everywhere() as teams:
            found = act()
            assert len(teams) == 2
        assert found[0] == expected[0]
        assert issubclass(found[0][0], Problem)
        assert_same_bits(found[1], expected[1])

    @pytest.mark.parametrize("image", [0, IMAGES - 1])
    def test_an_error_of_python(
        self, image: int, threads: int, teams: list[Team], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limited(monkeypatch, lambda most: MemoryError("too large"))
        net = build(CHECKED, threads=threads)
        bad = batch()
        bad["data"][image] *= 1e6
        with pytest.raises(MemoryError, match="too large"):
            net.forward(**bad)
        assert np.isfinite(net.forward(**batch())["loss"])

    def test_interrupted(
        self, threads: int, teams: list[Team], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ctrl-C goes to all; the net can be used again."""
        limited(monkeypatch, lambda most: BottomError(0, "is large"))
        net = build(CHECKED, threads=threads)
        expected = net.forward(**batch())["loss"].copy()
        leader, interrupting = os.getpid(), True
        before = Threshold.forward

        def forward(self: Threshold, run: Forward[None]) -> None:
            if interrupting and os.getpid() == leader:
                os.kill(leader, signal.SIGINT)
            before(self, run)

        monkeypatch.setattr(Threshold, "forward", forward)
        net = build(CHECKED, threads=threads)
        with pytest.raises(KeyboardInterrupt):
            net.forward(**batch())
        interrupting = False
        net.passes = 0
        net.params["norm"][2].data[...] = 0
        np.testing.assert_array_equal(net.forward(**batch())["loss"], expected)

    def test_a_process_that_died(
        self, threads: int, teams: list[Team], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        net = build(threads=threads)
        net.forward(**batch())
        net.backward()
        expected = look(net)
        monkeypatch.setattr(team_module, "_PATIENCE", 0.05)
        os.kill(teams[-1]._pids[-1], signal.SIGKILL)
        with pytest.raises(NetdefError, match="process of this net ended by signal 9"):
            net.forward()
        net.passes = 0
        net.params["norm"][2].data[...] = 0
        net.clear_param_diffs()
        net.forward()
        net.backward()
        statistics = {"param norm 0", "param norm 1"}
        found = look(net)
        for key in expected.keys() - statistics:
            np.testing.assert_array_equal(found[key], expected[key], key)
        assert len(teams) == 2
