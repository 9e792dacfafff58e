"""Trains for a few iterations and measures; the solver stands afterwards where it stood."""

from __future__ import annotations

from math import isfinite

from netdef.doctor.chance import ChanceMeter
from netdef.doctor.figures import Figures, ParamFigures, Poison
from netdef.doctor.labels import try_labels
from netdef.doctor.probe import Probe, finite, poison
from netdef.doctor.spread import Spread, norm
from netdef.graph.problems import name_span
from netdef.run.moment import unchanged
from netdef.run.net import Net
from netdef.run.solver import Solver

_LEAST, _MOST, _EXAMPLES = 20, 256, 256


def examine(solver: Solver, iterations: int | None = None, *, labels: bool = True) -> Figures:
    """Measure a net as it trains.

    Args:
        solver: it stands afterwards where it stood; nothing is tested, shown or written.
        iterations: how many, fewer where a value is not finite; None for 20, or more, up to
            256, where batches are so small that 256 examples need more.
        labels: also find out whether the labels go with the data, which takes twice as many
            passes as a handful of iterations.

    Raises:
        NetdefError: the net has no loss, or data is at fault.
    """
    if iterations is None:
        iterations = min(_MOST, max(_LEAST, -(-_EXAMPLES // batch_size(solver.net))))
    with unchanged(solver):
        return _examine(solver, iterations, labels=labels)


def batch_size(net: Net) -> int:
    """Examples of an iteration, by the first blob."""
    shape = next((blob.shape for blob in net.graph.blobs), None)
    return max(1, shape[0]) if shape else 1


def _examine(solver: Solver, iterations: int, *, labels: bool) -> Figures:
    net = solver.net
    tested = try_labels(net) if labels else None
    chance = ChanceMeter(net)
    probe = Probe(net)
    starts = []
    for param in net.learned:
        spread = Spread()
        spread.take(param.data)
        starts.append(spread)
    gradients = [Spread() for _ in net.learned]
    ratios: list[list[float]] = [[] for _ in net.learned]
    losses: list[float] = []
    rate = solver.lr
    found: Poison | None = None
    scale = 1 / solver.param.iter_size
    net.observer = probe
    try:
        for number in range(iterations):
            probe.iteration = number
            net.clear_param_diffs()
            loss = 0.0
            for _ in range(solver.param.iter_size):
                net.forward()
                net.backward()
                loss += net.loss
                chance.look()
            losses.append(loss * scale)
            found = probe.poison or find_in_gradients(net, number)
            if found is None and not isfinite(loss):
                found = Poison(number, "loss", net.layers[-1].name, "loss", (), loss, 1, None)
            if found is not None:
                break
            befores = []
            for index, param in enumerate(net.learned):
                if param.learns:
                    gradients[index].take(param.diff, scale)
                befores.append(param.data.copy() if param.learns else None)
            solver.apply_update()
            found = find_in_weights(net, number)
            if found is not None:
                break
            for index, (param, before) in enumerate(zip(net.learned, befores, strict=True)):
                size = 0.0 if before is None else norm(before)
                if before is not None and size > 0:
                    ratios[index].append(norm(param.data - before) / size)
    finally:
        net.observer = None
    graph = net.graph
    params = []
    for index, described in enumerate(graph.params):
        owner = graph.nodes[described.owner.node]
        params.append(
            ParamFigures(
                index,
                described.owner.node,
                owner.name,
                f"`{described.name}`"
                if described.name
                else f"the {described.role} of `{owner.name}`",
                described.role,
                starts[index],
                gradients[index],
                tuple(ratios[index]),
                described.learns,
            )
        )
    return Figures(
        graph,
        solver.document,
        rate,
        tuple(losses),
        probe.figures(),
        tuple(params),
        chance.result(),
        found,
        tested,
        copied_layers(solver),
    )


def copied_layers(solver: Solver) -> frozenset[str]:
    """Names of the layers whose weights came from a file."""
    names: set[str] = set()
    for _, copied in solver.copied:
        names.update(copied.matched)
    return frozenset(names)


def find_in_gradients(net: Net, iteration: int) -> Poison | None:
    """The first gradient of a param that is not finite."""
    return _find(net, iteration, "gradient")


def find_in_weights(net: Net, iteration: int) -> Poison | None:
    """The first learned value that is not finite."""
    return _find(net, iteration, "weights")


def _find(net: Net, iteration: int, way: str) -> Poison | None:
    for index, param in enumerate(net.learned):
        if way == "gradient" and (not param.learns or param.gradient is None or param.fresh):
            continue
        array = param.data if way == "weights" else param.diff
        if not finite(array):
            node = net.graph.nodes[net.graph.params[index].owner.node]
            role = f"{param.role} `{param.name}`" if param.name else param.role
            return poison(iteration, way, node.name, role, array, name_span(net.graph, node))
    return None
