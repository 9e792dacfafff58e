"""What a net scores over many batches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from netdef.layers.base import Array
from netdef.run.net import Net
from netdef.run.progress import Output

# Called after each batch with its number and outputs; false ends the test.
Each = Callable[[int, tuple[Output, ...]], bool]


def outputs_of(net: Net) -> tuple[Output, ...]:
    """The net's output blobs as they are now."""
    weights = net.loss_weights
    return tuple(
        Output(name, np.array(net.blobs[name].data, copy=True).reshape(-1), weights.get(name, 0.0))
        for name in net.outputs
    )


def score(
    net: Net, batches: int, each: Each | None = None
) -> tuple[tuple[Output, ...], float] | None:
    """Run forward over many batches.

    Args:
        net: to be run; its data layers say what is in the batches.
        batches: how many, 1 or more.
        each: called after each batch.

    Returns:
        The mean of each value of the outputs, and the mean of the weighted loss; None where
        `each` ended the test.
    """
    loss = 0.0
    sums: list[Array] = []
    for batch in range(batches):
        net.forward()
        loss += net.loss
        outputs = outputs_of(net)
        if each is not None and not each(batch, outputs):
            return None
        values = [output.values.astype(np.float64) for output in outputs]
        sums = [a + b for a, b in zip(sums, values, strict=True)] if sums else values
    means = tuple(
        Output(output.name, total / batches, output.loss_weight)
        for output, total in zip(outputs, sums, strict=True)
    )
    return means, loss / batches
