"""Nets whose shards are processes give bit for bit what threads give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns

import numpy as np
import pytest

from netdef.kernels.memory import is_shared
from netdef.layers import inner_product
from netdef.layers.base import Phase
from netdef.run import executor
from netdef.run.net import Net
from netdef.run.team import Team
from netdef.run.trace import Trace
from tests.plan.nets import NETS
from tests.plan.test_meaning import build as build_small
from tests.plan.test_meaning import cut_by_channels
from tests.plan.test_meaning import run as run_small
from tests.run.acts import (
    ACTS,
    NET,
    Same,
    Seen,
    all_of,
    assert_same_bits,
    batch,
    build,
    forward,
    look,
    steps,
    train,
)
from tests.run.forked import needs_processes, processes_everywhere

pytestmark = [
    needs_processes,
    # Python 3.12 warns of a fork where there are threads; `in_fork` only talks to a pipe
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


@pytest.fixture
def same() -> Same:
    """Compares the bits of what processes and threads give."""

    def compare(act: Callable[[], Seen]) -> None:
        expected = act()
        with processes_everywhere() as teams:
            found = act()
            assert teams
        assert_same_bits(found, expected)

    return compare


@pytest.mark.parametrize("threads", [2, 3])
class TestSameAsThreads:
    @pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
    def test_whatever_is_done(self, act: Callable[[Net], Seen], threads: int, same: Same) -> None:
        same(lambda: act(build(threads=threads)))

    def test_in_a_test(self, threads: int, same: Same) -> None:
        same(lambda: forward(build(phase=Phase.TEST, threads=threads, backward=False)))

    @pytest.mark.parametrize("keep", ["all", "outputs"])
    def test_one_image_cut_by_channels(
        self, keep: str, threads: int, same: Same, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cut_by_channels(monkeypatch)

        def act() -> Seen:
            net = build(phase=Phase.TEST, threads=threads, keep=keep, backward=False)
            seen = []
            for number in range(3):
                given = net.forward(blobs=["ip"] if keep == "all" else [], **batch(number, 1))
                seen.append({name: array.copy() for name, array in given.items()})
            assert (net.program.shards, net.program.lanes) == (1, threads)
            return all_of(*seen)

        same(act)

    @pytest.mark.parametrize("backward", [False, True])
    def test_where_little_is_kept(self, backward: bool, threads: int, same: Same) -> None:
        def act() -> Seen:
            phase = Phase.TRAIN if backward else Phase.TEST
            net = build(phase=phase, threads=threads, keep="outputs", backward=backward)
            seen = {}
            for number in range(2):
                seen |= {f"{number} {n}": a.copy() for n, a in net.forward(**batch(number)).items()}
                if backward:
                    net.backward()
            return seen | {f"{p!r} {n}": p.diff.copy() for n, p in enumerate(net.learned)}

        same(act)

    @pytest.mark.parametrize("name", NETS)
    def test_small_nets(self, name: str, threads: int, same: Same) -> None:
        same(lambda: run_small(build_small(NETS[name], threads=threads)))

    def test_weights_shared_out_among_shards(
        self, threads: int, same: Same, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(inner_product, "_LARGE", 1)
        same(lambda: steps(build(threads=threads)))
        same(lambda: run_small(build_small(NETS["shared_weights"], threads=threads)))

    @pytest.mark.parametrize("name", [*NETS, "here"])
    def test_a_team_made_anew_between_forward_and_backward(self, name: str, threads: int) -> None:
        """What backward needs of forward lies in the arrays, and nowhere else."""

        def act(between: Callable[[Net], None]) -> Seen:
            net = build((NETS | {"here": NET})[name], threads=threads)
            random = np.random.default_rng(6)
            shape = net.blobs["data"].shape
            net.forward(data=random.standard_normal(shape), label=random.integers(0, 4, 7))
            between(net)
            net.backward()
            return look(net)

        expected = act(lambda net: None)
        with processes_everywhere() as teams:
            found = act(lambda net: net._executor.close())
            assert len(teams) == 2
        assert_same_bits(found, expected)


@pytest.mark.parametrize("threads", [2, 3])
class TestTraining:
    def test_with_tests_snapshots_and_resume(
        self, threads: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(executor, "_WORTH_PROCESSES", 0)
        _, expected = train(threads, processes=False)
        by_threads = Path("snap_iter_5.caffemodel").read_bytes()
        solver, found = train(threads, processes=True)
        for net in (solver.net, *solver.test_nets):
            assert net._executor._team is not None
        # the test net reads the very arrays that the other one learns
        for layer, params in solver.test_nets[0].params.items():
            for mine, its in zip(params, solver.net.params[layer], strict=True):
                assert mine.data is its.data
                assert is_shared(mine.data)
        assert_same_bits(found, expected)
        assert Path("snap_iter_5.caffemodel").read_bytes() == by_threads

        resumed, after = train(threads, True, "snap_iter_3.solverstate")
        assert resumed.net._executor._team is not None
        compared = {k: v for k, v in found.items() if not k.startswith("score")}
        assert_same_bits({key: after[key] for key in compared}, compared)


@pytest.mark.parametrize("threads", [2, 3])
class TestTrace:
    def test_all_shards_steps_are_there(self, threads: int, teams: list[Team]) -> None:
        net = build(threads=threads)
        net.forward(**batch())  # the processes are there before somebody wants to know
        net.trace = trace = Trace()
        begin = perf_counter_ns()
        passes = 2
        for _ in range(passes):
            net.forward()
            net.backward()
            trace.mark()
        end = perf_counter_ns()
        assert len(teams) == 1 + (len(net._executor._spare) > 0)

        counted = Counter((event.step, event.way, event.shard) for event in trace.events)
        by_shard = [
            {(step, way): n for (step, way, s), n in counted.items() if s == shard}
            for shard in range(threads)
        ]
        sharded = {key: n for key, n in by_shard[0].items() if net.program.steps[key[0]].sharded}
        assert len(sharded) > 10
        assert all(found == sharded for found in by_shard[1:])
        assert all(begin <= e.begin <= e.end <= end for e in trace.events)

        times = {(time.step, time.way): time.passes for time in trace.times()}
        assert times.keys() == by_shard[0].keys()
        assert all(len(spent) == passes and min(spent) > 0 for spent in times.values())

        held = len(trace.events)
        net.trace = None
        net.forward()
        net.backward()
        assert len(trace.events) == held

    def test_as_many_events_as_of_threads(self, threads: int) -> None:
        def traced() -> Counter[tuple[int, str, int]]:
            net = build(threads=threads)
            net.trace = Trace()
            net.forward(**batch())
            net.backward()
            return Counter((e.step, e.way, e.shard) for e in net.trace.events)

        expected = traced()
        with processes_everywhere() as teams:
            assert traced() == expected
            assert teams
