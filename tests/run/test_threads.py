"""Threads: how many there are, what they run, and what BLAS is left."""

from __future__ import annotations

import pytest

from netdef.diag import Report
from netdef.graph import State
from netdef.layers.base import Phase
from netdef.run import executor, threads
from netdef.run.net import Net
from netdef.schema.document import net_from_text


def test_as_many_as_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETDEF_THREADS", "3")
    assert [threads.thread_count(2), threads.thread_count(), threads.thread_count(0)] == [2, 3, 1]
    monkeypatch.setenv("NETDEF_THREADS", "many")
    assert threads.thread_count() >= 1


def test_all_tasks_run_and_the_first_failure_is_raised() -> None:
    done: list[int] = []

    def fail() -> None:
        done.append(-1)
        raise KeyError("no such shard")

    pool = threads.workers(3)
    pool.run([lambda n=n: done.append(n) for n in range(3)])  # type: ignore[misc]
    assert sorted(done) == [0, 1, 2]
    with pytest.raises(KeyError, match="no such shard"):
        pool.run([lambda: done.append(3), fail, lambda: done.append(4)])
    assert sorted(done) == [-1, 0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("images", "outputs", "expected"),
    [
        (1, 64, 1),  # little work: a second thread would wait more than work
        (1, 4096, 2),  # nothing is cut, so its products may use both threads
        (2, 4096, 1),  # two shards: each has a thread of its own
    ],
)
def test_blas_has_the_threads_that_shards_leave(images: int, outputs: int, expected: int) -> None:
    text = (
        f'layer {{ name: "x" type: "Input" top: "x" input_param {{ shape {{ dim: {images} '
        "dim: 16384 } } }\n"
        'layer { name: "y" type: "InnerProduct" bottom: "x" top: "y" '
        f"inner_product_param {{ num_output: {outputs} transpose: true }} }}\n"
    )
    document = net_from_text(text, "net.prototxt", Report())
    assert document is not None
    net = Net(document, State(Phase.TEST), threads=2)
    assert executor._blas_threads(net.program) == expected
    net.forward()
    assert threads.blas._threads == expected
