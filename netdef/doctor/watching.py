"""Looks after a training while it goes on: what `netdef train --watch` does.

Every so many iterations the net runs step by step and is measured; the loss, the gradients and
the weights are looked at in every iteration, since one NaN spoils all weights within the next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite
from time import perf_counter

from netdef.diag import NetdefError
from netdef.doctor.examine import batch_size, copied_layers, find_in_gradients, find_in_weights
from netdef.doctor.figures import BlobFigures, Figures, ParamFigures, Poison
from netdef.doctor.findings.dead_units import dead_units
from netdef.doctor.findings.exploding import exploding
from netdef.doctor.findings.not_finite import problem_of
from netdef.doctor.findings.saturated import saturated
from netdef.doctor.findings.vanishing import vanishing
from netdef.doctor.probe import Probe
from netdef.doctor.spread import Spread, norm
from netdef.doctor.together import leave, observe
from netdef.layers.base import Array
from netdef.run.progress import Event, Iteration, Tested
from netdef.run.solver import Solver

EVERY = 100
_SAMPLE = 1 << 16  # values of a blob that are looked at for its spread
_LOW, _HIGH = 1e-6, 0.3  # updates beside weights, wider than for a net at its start
_STARVED = 1e-3  # beside the weights that change most
_FEWEST = 32  # examples of a batch that tell whether units are dead
_PLATEAU = 0.005  # of the loss, from one stretch to the next
_STRETCHES = 10  # of a training
_LEARNED = 0.5  # of the first loss: a loss below it has got somewhere
_WORSE_TESTS = 3
_GAP = 1.3  # test loss beside training loss


@dataclass(frozen=True)
class Look:
    """What a look at a running training found.

    Attributes:
        iteration: that was measured.
        blobs: of all layers.
        params: of the net.
        seconds: that the look took beside the iteration itself.
    """

    iteration: int
    blobs: tuple[BlobFigures, ...]
    params: tuple[ParamFigures, ...]


class Watcher:
    """Measures a training every so many iterations and warns.

    Args:
        solver: from now on its iterations are looked at.
        every: iterations from one look to the next.
        see: is called with each look.

    Raises:
        NetdefError: from the solver's own methods, when a value is not finite: before the
            update that would spread it, so that neither weights nor snapshots hold it.
    """

    def __init__(
        self, solver: Solver, every: int = EVERY, see: Callable[[Look], object] | None = None
    ) -> None:
        self._solver = solver
        self._every = every
        self._see = see
        self._copied = copied_layers(solver)
        self._probe: Probe | None = None
        self._befores: list[Array | None] = []
        self._gradients: list[Spread] = []
        self._told: set[str] = set()
        self._losses: list[float] = []
        self._stretch = max(50, (solver.param.max_iter or 0) // _STRETCHES)
        self._means: list[float] = []
        self._recent: deque[float] = deque(maxlen=20)
        self._best_test, self._worse = inf, 0
        self._plain: deque[float] = deque(maxlen=25)
        self._spent = 0.0
        self._begun = perf_counter()
        self._looks = 0
        self._start = 0.0
        solver.add_callback(self._on_start, self._on_gradients)
        solver.add_listener(self._listen)

    @property
    def cost(self) -> float:
        """Share of the time since the start that looking took."""
        whole = perf_counter() - self._begun
        return self._spent / whole if whole > 0 else 0.0

    @property
    def summary(self) -> str:
        """What it cost, for people."""
        return f"watching took {100 * self.cost:.1f} % of the time ({self._looks:,} looks)"

    def _on_start(self) -> None:
        self._start = perf_counter()
        if self._solver.iter % self._every == 0:
            self._probe = Probe(self._solver.net, _SAMPLE)
            self._probe.iteration = self._solver.iter
            observe(self._solver.net, self._probe)

    def _on_gradients(self) -> None:
        began = perf_counter()
        solver, net = self._solver, self._solver.net
        poison = None
        if self._probe is not None:
            leave(net, self._probe)
            poison = self._probe.poison
        if poison is None and not isfinite(net.loss):
            poison = self._search()
        poison = poison or find_in_gradients(net, solver.iter)
        if poison is not None:
            if poison.way == "gradient":
                poison = self._search() or poison
            raise NetdefError(problem_of(poison))
        if self._probe is not None:
            self._befores = [p.data.copy() if p.learns else None for p in net.learned]
            self._gradients = [Spread() for _ in net.learned]
            for spread, param in zip(self._gradients, net.learned, strict=True):
                if param.learns:
                    spread.take(param.diff, 1 / solver.param.iter_size)
        self._spent += perf_counter() - began

    def _search(self) -> Poison | None:
        """Run the batch again, step by step, to see where it begins."""
        net = self._solver.net
        probe = Probe(net, 1)
        probe.iteration = self._solver.iter
        net.observer = probe
        try:
            net.run_again()
        finally:
            net.observer = None
        if probe.poison is None and not isfinite(net.loss):
            return Poison(
                probe.iteration, "loss", net.layers[-1].name, "loss", (), net.loss, 1, None
            )
        return probe.poison

    def _listen(self, event: Event) -> None:
        if isinstance(event, Iteration):
            self._iteration(event)
        elif isinstance(event, Tested) and event.net == 0:
            self._tested(event)

    def _iteration(self, event: Iteration) -> None:
        began = perf_counter()
        poison = find_in_weights(self._solver.net, event.iteration)
        if poison is not None:
            raise NetdefError(problem_of(poison))
        if self._probe is None:
            self._plain.append(event.seconds)
        else:
            self._looks += 1
            self._look(event)
            usual = sorted(self._plain)[len(self._plain) // 2] if self._plain else event.seconds
            self._spent += max(0.0, event.seconds - usual)
        self._curve(event)
        self._spent += perf_counter() - began

    def _look(self, event: Iteration) -> None:
        assert self._probe is not None
        net = self._solver.net
        graph = net.graph
        params = []
        for index, (learned, before) in enumerate(zip(net.learned, self._befores, strict=True)):
            param = graph.params[index]
            owner = graph.nodes[param.owner.node]
            data = Spread()
            data.take(learned.data)
            size = 0.0 if before is None else norm(before)
            ratio = (norm(learned.data - before) / size,) if before is not None and size else ()
            name = f"`{param.name}`" if param.name else f"the {param.role} of `{owner.name}`"
            params.append(
                ParamFigures(
                    index,
                    param.owner.node,
                    owner.name,
                    name,
                    param.role,
                    data,
                    self._gradients[index],
                    ratio,
                    param.learns,
                )
            )
        look = Look(event.iteration, self._probe.figures(), tuple(params))
        self._probe = None
        self._judge(look, event)
        if self._see is not None:
            self._see(look)

    def _judge(self, look: Look, event: Iteration) -> None:
        figures = Figures(
            self._solver.net.graph,
            self._solver.document,
            event.lr,
            (event.loss,),
            look.blobs,
            look.params,
            copied=self._copied,
        )
        finds = [vanishing, exploding, saturated]
        if batch_size(self._solver.net) >= _FEWEST:  # few examples open few units
            finds.append(dead_units)
        for find in finds:
            for problem in find(figures):
                place = f" ({problem.span})" if problem.span is not None else ""
                self._warn(f"{problem.code}{problem.span}", f"{problem.message}{place}")
        vanishes = any(key.startswith("N803") for key in self._told)
        most = max((w.ratio for w in figures.weights if w.ratios), default=0.0)
        for weights in figures.weights:
            if weights.ratio > _HIGH:
                words = f"an update changes {weights.name} by {weights.ratio:.2g} of its size"
                self._warn(f"high {weights.param}", f"{words}: a smaller `base_lr` may help")
            elif not vanishes and 0 < weights.ratio < min(_LOW, _STARVED * most):
                words = f"an update changes {weights.name} by {weights.ratio:.1g} of its size only"
                self._warn(f"low {weights.param}", f"{words}: its gradient vanishes")

    def _curve(self, event: Iteration) -> None:
        """Warn where the loss stands still and has got nowhere."""
        self._losses.append(event.loss)
        self._recent.append(event.loss)
        if len(self._losses) < self._stretch:
            return
        self._means.append(sum(self._losses) / len(self._losses))
        self._losses.clear()
        if len(self._means) < 3:
            return
        first, before, now = self._means[0], self._means[-2], self._means[-1]
        flat = abs(now - before) <= _PLATEAU * abs(before) and (
            abs(before - self._means[-3]) <= _PLATEAU * abs(before)
        )
        if flat and now > _LEARNED * first:
            self._warn(
                "plateau",
                f"the loss has stood at {now:.4g} for {3 * self._stretch:,} iterations: "
                "`netdef diagnose` looks for the reason",
            )

    def _tested(self, event: Tested) -> None:
        """Warn where the test loss rises while that of training falls."""
        losses = [
            out.loss_weight * float(out.values.sum()) for out in event.outputs if out.loss_weight
        ]
        if not losses or not self._recent:
            return
        loss = sum(losses)
        if loss < self._best_test:
            self._best_test, self._worse = loss, 0
            return
        self._worse += 1
        training = sum(self._recent) / len(self._recent)
        if self._worse >= _WORSE_TESTS and loss > _GAP * training:
            self._warn(
                "overfitting",
                f"the test loss rises, {self._best_test:.4g} at its best and {loss:.4g} now, and "
                f"that of training is {training:.4g}: the net learns its data by heart; more "
                "data, `weight_decay` or Dropout may help",
            )

    def _warn(self, key: str, text: str) -> None:
        """Warn once for each thing."""
        if key not in self._told:
            self._told.add(key)
            self._solver.warn(text)
