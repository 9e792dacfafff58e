"""What a training begins with: its seed, its nets, and weights copied into them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from netdef.run.copy_weights import Copied
from netdef.run.net import Net
from netdef.run.solver_file import NetSource


def choose_seed(wanted: int) -> int:
    """The seed that is wanted, a new one for a negative number."""
    return wanted if wanted >= 0 else int.from_bytes(os.urandom(6))


def build_nets(
    train: NetSource,
    tests: Iterable[NetSource],
    *,
    seed: int,
    threads: int | None,
    keep: str | Iterable[str],
    processes: bool | None,
) -> tuple[Net, list[Net]]:
    """The net to train and those to test; arguments as for `Net`.

    Raises:
        NetdefError: a net has mistakes.
    """

    def build(source: NetSource, *, backward: bool) -> Net:
        return Net(
            source.document,
            source.state,
            seed=seed,
            threads=threads,
            keep=keep,
            backward=backward,
            processes=processes,
        )

    return build(train, backward=True), [build(test, backward=False) for test in tests]


def copy_initial(net: Net, tests: Sequence[Net], path: Path) -> Copied:
    """Copy weights into a net, and into test nets that have layers of their own.

    Raises:
        NetdefError: the file cannot be read, or does not fit.
    """
    copied = net.copy_from(path)
    for test in tests:
        if any(layer not in net.params for layer in test.params):
            test.copy_from(path)
    return copied
