"""What an exact resume needs beyond Caffe's state, as named numbers.

The seed, the passes that each net has made (its random numbers count on them), and where each
data source stands: "train/reader/mnist/position".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netdef.run.net import Net


def numbers_of(train: Net, tests: Sequence[Net], seed: int) -> dict[str, int]:
    """The numbers of a run as it stands now."""
    numbers = {"seed": seed}
    for name, net in _named(train, tests).items():
        numbers[f"{name}/passes"] = net.passes
        for layer, state in net.reader_states().items():
            for key, value in state.items():
                numbers[f"{name}/reader/{layer}/{key}"] = value
    return numbers


def take_numbers(train: Net, tests: Sequence[Net], numbers: Mapping[str, int]) -> int | None:
    """Bring nets and data sources to where the numbers say they stood.

    Returns:
        The seed, where the numbers have one.
    """
    seed = numbers.get("seed")
    for name, net in _named(train, tests).items():
        if seed is not None:
            net.seed = seed
        net.passes = numbers.get(f"{name}/passes", net.passes)
        begin = f"{name}/reader/"
        states: dict[str, dict[str, int]] = {}
        for key, value in numbers.items():
            if key.startswith(begin):
                layer, _, word = key.removeprefix(begin).rpartition("/")
                states.setdefault(layer, {})[word] = value
        net.restore_readers(states)
    return seed


def _named(train: Net, tests: Sequence[Net]) -> dict[str, Net]:
    return {"train": train, **{f"test{index}": net for index, net in enumerate(tests)}}
