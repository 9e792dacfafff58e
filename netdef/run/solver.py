"""The trainer, in Caffe's order of things."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from pathlib import Path
from time import perf_counter

import numpy as np

from netdef.diag import FieldError, NetdefError, Report
from netdef.run import snapshot
from netdef.run.beginning import build_nets, choose_seed, copy_initial
from netdef.run.copy_weights import Copied
from netdef.run.progress import (
    Evaluated,
    Event,
    Finished,
    Iteration,
    Listener,
    Restored,
    Snapshotted,
    Started,
    Tested,
    Testing,
    Warned,
)
from netdef.run.resume import numbers_of, take_numbers
from netdef.run.score import outputs_of, score
from netdef.run.solver_file import (
    bad_setting,
    initial_weights,
    snapshot_prefix,
    solver_message,
    understand,
)
from netdef.run.threads import thread_count, workers
from netdef.run.watch import Watch
from netdef.schema import SolverParameter
from netdef.schema.document import Document, read_net, read_solver
from netdef.solvers.settings import Settings
from netdef.solvers.update import Updater

StrPath = str | os.PathLike[str]
Callback = Callable[[], object]


class Solver:
    """Trains a net.

    Args:
        document: the solver as read.
        model: a net to train in place of the one the solver names.
        seed: in place of the solver's `random_seed`; None for that, or a new one.
        threads: how many to use; None for the default.
        weights: model files to start from, in place of the solver's `weights`.
        keep: blobs of the nets to be there after forward, see `Net`.
        processes: see `Net`.

    Attributes:
        net: the net that is trained.
        test_nets: nets that are tested; they use the arrays of `net`.
        report: warnings and notes about the solver's file.
        seed: of everything random.
        copied: for each file that weights were copied from, what was matched.

    Raises:
        NetdefError: the solver or a net has mistakes, or weights do not fit.
    """

    def __init__(
        self,
        document: Document,
        *,
        model: Document | None = None,
        seed: int | None = None,
        threads: int | None = None,
        weights: Sequence[StrPath] | None = None,
        keep: str | Iterable[str] = "all",
        processes: bool | None = None,
    ) -> None:
        self.report = Report()
        file = understand(document, self.report, model)
        self.report.raise_if_errors()
        assert file is not None
        self._document = document
        self._settings: Settings = file.settings
        self.seed = choose_seed(self.param.random_seed if seed is None else seed)
        self.net, self.test_nets = build_nets(
            file.train,
            file.tests,
            seed=self.seed,
            threads=threads,
            keep=keep,
            processes=processes,
        )
        count = thread_count(threads)
        self._updater = Updater(
            self._settings.rule,
            self._settings.preparation,
            self.net.learned,
            count,
            workers(count).run if count > 1 else None,
        )
        self._iter = 0
        self._current_step = 0
        self._losses: deque[float] = deque(maxlen=self.param.average_loss)
        self._listeners: list[Listener] = []
        self._callbacks: list[tuple[Callback | None, Callback | None]] = []
        self._stop_asked = False
        self._snapshot_asked = False
        self._snapshotted_at: int | None = None
        self._folder_checked = False
        self._warned_of_loss = False
        self._tested_at: int | None = None
        self._deadline: float | None = None
        self._early = ""
        self._watched: float | None = None
        self._watch = self._make_watch()
        self.copied: list[tuple[Path, Copied]] = []
        names = initial_weights(document) if weights is None else [Path(w) for w in weights]
        for name in names:
            self.copied.append((name, copy_initial(self.net, self.test_nets, name)))
        for test in self.test_nets:
            test.share_params_with(self.net)

    @classmethod
    def from_file(
        cls,
        path: StrPath,
        *,
        model: StrPath | None = None,
        seed: int | None = None,
        threads: int | None = None,
        weights: Sequence[StrPath] | None = None,
        keep: str | Iterable[str] = "all",
    ) -> Solver:
        """A solver from its prototxt.

        Args:
            path: the solver's prototxt.
            model: the prototxt of a net to train in place of the one the solver names.
            seed: as for the class, like all that follow.
            threads: how many to use.
            weights: model files to start from.
            keep: blobs to be there after forward.

        Raises:
            NetdefError: a file has mistakes.
        """
        report = Report()
        document = read_solver(path, report)
        net = read_net(model, report) if model is not None else None
        report.raise_if_errors()
        assert document is not None
        solver = cls(document, model=net, seed=seed, threads=threads, weights=weights, keep=keep)
        for problem in report:
            solver.report.add(problem)
        return solver

    # what it is

    @property
    def param(self) -> SolverParameter:
        """The solver's settings; max_iter, display and the like may be changed between steps."""
        return solver_message(self._document)

    @property
    def iter(self) -> int:
        """Updates made so far."""
        return self._iter

    @property
    def lr(self) -> float:
        """The rate that the next update will use, before lr_mult."""
        steps = self._settings.policy.advance(self._iter, self._current_step)
        return self._settings.rate(self._iter, steps)

    @property
    def document(self) -> Document:
        """The solver as read."""
        return self._document

    @property
    def prefix(self) -> Path:
        """What the names of snapshots begin with."""
        return snapshot_prefix(self._document)

    # who listens

    def add_listener(self, listener: Listener) -> None:
        """Call a function with each event of `netdef.run.progress`."""
        self._listeners.append(listener)

    def add_callback(
        self, on_start: Callback | None = None, on_gradients_ready: Callback | None = None
    ) -> None:
        """Call functions in every iteration.

        Args:
            on_start: before the first forward pass of an iteration.
            on_gradients_ready: after the last backward pass, before the update.
        """
        self._callbacks.append((on_start, on_gradients_ready))

    def request_stop(self) -> None:
        """Stop after the iteration, or the test batch, that runs; safe in a signal handler."""
        self._stop_asked = True

    def request_snapshot(self) -> None:
        """Write a snapshot after the iteration that runs; safe in a signal handler."""
        self._snapshot_asked = True

    def warn(self, text: str) -> None:
        """Have all who listen told of something that does not stop training."""
        self._warn(text)

    def tell(self, event: Event) -> None:
        """Hand an event to all who listen."""
        self._emit(event)

    # training

    def solve(self, resume: StrPath | None = None) -> None:
        """Train to max_iter, max_time or early_stopping, with tests, display and snapshots.

        Args:
            resume: a state to go on from.

        Raises:
            NetdefError: max_iter is missing, data is at fault, or a snapshot cannot be written.
        """
        if not self.param.HasField("max_iter"):
            error = FieldError(
                "max_iter", "is missing", "write how long to train: `max_iter: 1000`"
            )
            raise NetdefError(bad_setting(self._document, error))
        if resume is not None:
            self.restore(resume)
        if self.param.snapshot_after_train:
            self._check_folder()
        self._emit(Started(self._iter, self.param.max_iter))
        if self.param.HasField("max_time"):
            self._deadline = perf_counter() + self.param.max_time
        early = self._run(self.param.max_iter - self._iter)
        self._deadline = None
        if self._early:
            self._warn(f"training stops early: {self._early}")
        if self.param.snapshot_after_train and self._snapshotted_at != self._iter:
            self.snapshot()
        if not early:
            self._look_back()
        self._emit(Finished(self._iter, early, self._early))

    def step(self, iterations: int) -> None:
        """Train for some iterations, with tests, display and snapshots as they fall due.

        Args:
            iterations: how many; max_iter does not matter.
        """
        self._run(iterations)

    def apply_update(self, rate: float | None = None) -> float:
        """Make one update from the gradients that the params hold, and count it.

        Args:
            rate: to use in place of the solver's own.

        Returns:
            The rate that was used.
        """
        self._current_step = self._settings.policy.advance(self._iter, self._current_step)
        if rate is None:
            rate = self._settings.rate(self._iter, self._current_step)
        self._updater.apply(rate, self._iter)
        self._iter += 1
        return rate

    def test(self, index: int = 0) -> Tested | None:
        """Test one of the test nets on its `test_iter` batches.

        Returns:
            The scores; None where a stop was asked for in between.
        """
        net, batches = self.test_nets[index], self.param.test_iter[index]
        self._emit(Testing(self._iter, index, batches))
        start = perf_counter()
        found = score(net, batches, lambda batch, outputs: not self._stop_asked)
        if found is None:
            return None
        loss = found[1] if self.param.test_compute_loss else None
        tested = Tested(self._iter, index, found[0], loss, perf_counter() - start)
        self._emit(tested)
        self._watched = self._watch.tested(tested, found[1])
        return tested

    def _run(self, iterations: int) -> bool:
        """Iterate; returns whether it ended before that many were done."""
        if self.param.snapshot or self.param.keep_best:
            self._check_folder()
        self._losses.clear()
        self._early = ""
        end = self._iter + iterations
        while self._iter < end:
            if self._test_due() and (self._iter > 0 or self.param.test_initialization):
                self._test_all()
            due = False
            if not self._stop_asked and not self._early:
                self._iterate()
                due = self.param.snapshot > 0 and self._iter % self.param.snapshot == 0
            if due or self._snapshot_asked:
                self.snapshot()
            if self._stop_asked:
                self._stop_asked = False
                return True
            if self._early:
                return True
            if self._iter < end and self._deadline and perf_counter() >= self._deadline:
                self._early = f"max_time, {self.param.max_time:g} seconds, is over"
                return True
        return False

    def _iterate(self) -> None:
        start = perf_counter()
        number = self._iter
        shown = self._shown(number)
        self.net.clear_param_diffs()
        for on_start, _ in self._callbacks:
            if on_start is not None:
                on_start()
        loss = 0.0
        for _ in range(self.param.iter_size):
            self.net.forward()
            self.net.backward()
            loss += self.net.loss
        loss /= self.param.iter_size
        smoothed = self._smooth(loss)
        outputs = outputs_of(self.net) if shown else ()
        for _, on_gradients_ready in self._callbacks:
            if on_gradients_ready is not None:
                on_gradients_ready()
        rate = self.apply_update()
        self._watch_loss(number, loss)
        seconds = perf_counter() - start
        self._emit(Iteration(number, loss, smoothed, rate, seconds, shown, outputs))
        self._look(self._watch.trained(loss))

    def _look_back(self) -> None:
        """Show where training ended, as far as display and test_interval ask for it."""
        if self._shown(self._iter):
            self.net.forward()
            loss = self.net.loss
            self._emit(Evaluated(self._iter, loss, self._smooth(loss)))
        if self._test_due():
            self._test_all()

    def _test_all(self) -> None:
        if self._tested_at == self._iter:  # before the snapshot that was resumed from
            return
        value = None
        for index in range(len(self.test_nets)):
            if not self._stop_asked and self.test(index) is not None and index == 0:
                value = self._watched
        if not self._stop_asked:
            self._tested_at = self._iter
            self._look(value)

    def _look(self, value: float | None) -> None:
        """Do what follows from a value that tells how good the net is."""
        if value is None:
            return
        verdict = self._watch.look(value)
        if verdict.fall:
            self._current_step += 1
            self._warn(
                f"{self._watch.what} got no better than {self._watch.best:.6g}: "
                f"the rate falls to {self.lr:.6g}"
            )
        if verdict.best and self.param.keep_best:
            prefix = snapshot.best_prefix(self.prefix)
            self._write(prefix)
            snapshot.remove_others(prefix, self._iter, 1)
        self._early = verdict.stop

    def _test_due(self) -> bool:
        interval = self.param.test_interval
        return interval > 0 and self._iter % interval == 0

    def _shown(self, iteration: int) -> bool:
        return self.param.display > 0 and iteration % self.param.display == 0

    def _smooth(self, loss: float) -> float:
        self._losses.append(loss)
        return sum(self._losses) / len(self._losses)

    def _watch_loss(self, iteration: int, loss: float) -> None:
        # Caffe goes on too: a user may want to see what follows, or have a net that recovers.
        if not isfinite(loss) and not self._warned_of_loss:
            self._warned_of_loss = True
            self._warn(
                f"the loss of iteration {iteration} is {loss}: a smaller `base_lr` or a "
                "`clip_gradients` often helps"
            )

    # snapshots

    def snapshot(self) -> Path:
        """Write a snapshot.

        Returns:
            The path of the state, to resume from.

        Raises:
            NetdefError: it cannot be written; earlier snapshots are as they were.
        """
        self._snapshot_asked = False
        state = self._write(self.prefix)
        self._snapshotted_at = self._iter
        if self.param.keep_last:
            snapshot.remove_others(self.prefix, self._iter, self.param.keep_last)
        return state

    def _write(self, prefix: Path) -> Path:
        self._check_folder()
        numbers = numbers_of(self.net, self.test_nets, self.seed) | self._watch.numbers()
        if self._tested_at == self._iter:
            numbers["tested_at"] = self._iter
        model, state = snapshot.write_snapshot(
            self.net,
            prefix,
            self._iter,
            self._updater.history,
            self._current_step,
            numbers,
            hdf5=self.param.snapshot_format == SolverParameter.HDF5,
            solver=self.param,
        )
        self._emit(Snapshotted(self._iter, model, state))
        return state

    def restore(self, path: StrPath) -> None:
        """Go on from a snapshot, of netdef's or of Caffe's.

        Raises:
            NetdefError: it cannot be read or does not fit; nothing was changed.
        """
        found = snapshot.read_snapshot(Path(path), self.net.learned, self._settings.rule)
        self.net.copy_from(found.model)
        for slots, arrays in zip(self._updater.history, found.history, strict=True):
            for slot, array in zip(slots, arrays, strict=True):
                np.copyto(slot, array)
        self._iter = found.iteration
        self._current_step = found.current_step
        self._tested_at = found.extra.get("tested_at")
        self._losses.clear()
        self.net.passes = found.iteration * self.param.iter_size
        if found.extra:
            seed = take_numbers(self.net, self.test_nets, found.extra)
            self.seed = self.seed if seed is None else seed
            self._watch.take(found.extra)
        elif self.net.reader_states():
            self._warn(
                f"`{os.fspath(path)}` does not say where in the data it stood: "
                "reading starts anew, as in Caffe"
            )
        self._emit(Restored(self._iter, found.model, Path(path)))

    def _check_folder(self) -> None:
        if not self._folder_checked:
            snapshot.check_folder(self.prefix)
            self._folder_checked = True

    def _make_watch(self) -> Watch:
        try:
            return Watch(self.param, self.test_nets)
        except FieldError as error:
            raise NetdefError(bad_setting(self._document, error)) from None

    def _warn(self, text: str) -> None:
        self._emit(Warned(self._iter, text))

    def _emit(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)
