"""A net that runs: blobs, params, forward, backward."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from netdef.diag import NetdefError, Report, Span
from netdef.graph import Net as GraphNet
from netdef.graph import State, compile_net
from netdef.kernels.memory import aligned_zeros, shared_zeros
from netdef.layers.base import Array, Layer, Shape, Shapes, TopsReshaped
from netdef.plan import Options, Program, make_plan
from netdef.run.blob import Blob
from netdef.run.copy_weights import Copied, copy_weights
from netdef.run.executor import Executor, worth_processes
from netdef.run.fast import use_fast
from netdef.run.held import Held
from netdef.run.learned import LearnedParam, Values
from netdef.run.observer import Observer
from netdef.run.resize import carry, marked_as, next_resizing, node_of, source_shapes
from netdef.run.sources import Sources
from netdef.run.streams import Moment, filling, passing
from netdef.run.team import use_processes
from netdef.run.threads import thread_count
from netdef.run.trace import Trace
from netdef.run.tuning import tuner
from netdef.schema.document import Document
from netdef.schema.weights import Weights, read_weights, write_weights


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """A layer as users see it.

    Attributes:
        name: of the layer.
        type: Caffe's type name.
        bottoms: names of the blobs it reads.
        tops: names of the blobs it makes.
        place: where it stands in the file.
        blobs: its params.
    """

    name: str
    type: str
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    place: Span | None
    blobs: tuple[LearnedParam, ...]


class Net:
    """A net ready to run.

    Args:
        document: the net as read.
        state: phase, level, stages.
        seed: of all random numbers; None for a new one each time.
        threads: how many to use; None for the default.
        keep: "all" for every blob to be there after forward, "outputs", or names of blobs.
        exact: only arithmetic that keeps Caffe's digits.
        fast: compiled kernels; None for where numba is installed and NETDEF_FAST is not 0.
        autotune: pick algorithms by trying them; None for where NETDEF_AUTOTUNE is 1.
        backward: plan for `backward` too; without it a first call plans anew.
        processes: let processes share the work where threads would wait for Python's lock; None
            for wherever that can be, unless NETDEF_PROCESSES is 0. Such a net is not to be used
            in a fork of the process that made it.

    Attributes:
        blobs: by name, in the order made.
        params: of each layer that has some, in Caffe's order; sharers hold the same.
        learned: every param once, owners in the order of the layers.
        layers: name, type, bottoms, tops, place of each layer.
        report: what there is to say about a net without mistakes: warnings and notes, such as
            which code of the user's it runs.

    Raises:
        NetdefError: the net has mistakes; all of them are in its report.
    """

    def __init__(
        self,
        document: Document,
        state: State,
        *,
        seed: int | None = None,
        threads: int | None = None,
        keep: str | Iterable[str] = "all",
        exact: bool = False,
        fast: bool | None = None,
        autotune: bool | None = None,
        backward: bool = True,
        processes: bool | None = False,
    ) -> None:
        self._moment = Moment(int.from_bytes(os.urandom(6)) if seed is None else seed)
        self._threads = thread_count(threads)
        self._keep = keep
        self._exact = exact
        self._fast = use_fast(fast)
        self._tuner = tuner(autotune)
        self._backward = backward
        self._document = document
        self._state = state
        self._input_shapes: dict[str, Shape] = {}
        self._roots: frozenset[str] = frozenset()
        self._sources = Sources()
        self._resized: dict[int, Shapes] = {}
        self._until: int | None = None  # the last node of a plan that is a part of the net
        self._trace: Trace | None = None
        self._observer: Observer | None = None
        self._begun: dict[int, Layer[Any]] = {}
        self.report = Report()
        self.graph = self._compile({}, self._roots)
        wanted = self._threads > 1 and worth_processes(self.graph)
        self._processes = wanted and use_processes(processes)
        self._zeros = shared_zeros if self._processes else aligned_zeros
        self.learned = self._make_params()
        self.blobs = {
            name: Blob(name, self.graph.blobs[index].shape or ())
            for name, index in self.graph.last().items()
        }
        self.layers: tuple[LayerInfo, ...] = ()
        self.params: dict[str, tuple[LearnedParam, ...]] = {}
        self._plan()

    # what it is

    @property
    def name(self) -> str:
        """The net's name."""
        return self.graph.name

    @property
    def phase(self) -> str:
        """TRAIN or TEST."""
        return self.graph.phase.value

    @property
    def seed(self) -> int:
        """What all random numbers come from; a resumed run takes over the first one's."""
        return self._moment.seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self._moment.seed = seed

    @property
    def passes(self) -> int:
        """Forward passes so far; random numbers depend on it."""
        return self._moment.passes

    @passes.setter
    def passes(self, passes: int) -> None:
        self._moment.passes = passes

    @property
    def inputs(self) -> list[str]:
        """Names of the blobs that users fill."""
        return list(self.graph.inputs)

    @property
    def outputs(self) -> list[str]:
        """Names of the blobs that no layer reads, in alphabetical order."""
        return list(self.graph.outputs)

    @property
    def program(self) -> Program:
        """The plan that runs."""
        return self._program

    @property
    def trace(self) -> Trace | None:
        """Takes the time of each step that runs; None, as at first, for none."""
        return self._trace

    @trace.setter
    def trace(self, trace: Trace | None) -> None:
        self._trace = self._executor.trace = trace

    @property
    def observer(self) -> Observer | None:
        """Looks at the values between the steps; None, as at first, for nobody."""
        return self._observer

    @observer.setter
    def observer(self, observer: Observer | None) -> None:
        self._observer = self._executor.observer = observer

    @property
    def loss_weights(self) -> dict[str, float]:
        """Weight of each blob that is part of the loss."""
        return {b.name: b.loss_weight for b in self.graph.blobs if b.loss_weight}

    @property
    def loss(self) -> float:
        """The weighted sum of the losses of the last forward pass."""
        total = 0.0
        for value in self._program.values:
            if value.seed:
                total += value.seed * sum(float(a.sum(dtype=np.float64)) for a in value.arrays)
        return total

    # running

    def forward(
        self,
        /,
        blobs: Iterable[str] = (),
        start: str | None = None,
        end: str | None = None,
        **inputs: Any,
    ) -> dict[str, Array]:
        """Run forward and return the output blobs' arrays.

        Args:
            blobs: names of more blobs to return.
            start: name of the layer to start at.
            end: name of the layer to end after.
            **inputs: values for input blobs, of any batch size; without them forward reads
                what the input blobs hold.

        Raises:
            ValueError: an input is not one of the net's, or a layer name is unknown.
            NetdefError: shapes do not fit, or data is at fault.
        """
        # blobs may have any name, these too
        if isinstance(blobs, np.ndarray):
            inputs["blobs"], blobs = blobs, ()
        start, end = _arrays_apart(inputs, start, end)
        self._take_inputs(inputs)
        first, last = self._range(start, end)
        for blob in self.blobs.values() if start is not None else ():
            for mirror in blob.mirrors()[:1]:
                mirror.push()
        self._run_forward(first, last)
        self.passes += 1
        self._ran(data=True)
        names = [*self.outputs, *blobs]
        return {name: self.blobs[name].data for name in names}

    def backward(
        self, /, start: str | None = None, end: str | None = None, **diffs: Any
    ) -> dict[str, Array]:
        """Run backward and return the gradients of the input blobs that have one.

        Gradients of params are added to what their diffs hold.

        Args:
            start: name of the layer to start at (the last one forward).
            end: name of the layer to end after.
            **diffs: gradients of blobs to start from; without them backward starts from the
                losses, and from what the output blobs' diffs hold.

        Raises:
            ValueError: nothing to start from, a blob is unknown, or a diff has another shape.
        """
        start, end = _arrays_apart(diffs, start, end)
        self._plan_backward(diffs)
        for blob in self.blobs.values():
            for mirror in blob.mirrors():
                mirror.push()
        for name, diff in diffs.items():
            self._set_diff(name, diff)
        last, first = self._range(start, end)
        if start is None:
            last = len(self.graph.nodes) - 1
        if end is None:
            first = 0
        fresh = [param.fresh for param in self.learned]
        for param in self._executor.backward(fresh, first or 0, last):
            self.learned[param].fresh = False
        self._ran(data=False)
        return {n: self.blobs[n].diff for n in self.inputs if self.blobs[n].has_diff}

    def run_again(self) -> None:
        """Run the last forward pass and a backward one on the same batch, random numbers alike.

        The gradients of the params are set anew. Layers that keep sums from pass to pass count
        the batch twice.
        """
        self.passes -= 1
        self._run_forward(0, None, skip_sources=True)
        self.passes += 1
        self._ran(data=True)
        self.clear_param_diffs()
        self.backward()

    def clear_param_diffs(self) -> None:
        """Make the gradients of all params zero."""
        for param in self.learned:
            param.clear_diff()

    def reshape(self) -> None:
        """Bring all shapes into line with those asked of the input blobs."""
        wanted = {n: b.wanted_shape for n, b in self.blobs.items() if b.wanted_shape is not None}
        self._reshape({n: s for n, s in wanted.items() if s is not None})

    # weights

    def copy_from(self, source: str | os.PathLike[str] | Weights) -> Copied:
        """Copy weights by layer name from a file or from what `read_weights` gave.

        Returns:
            What was matched, what the file does not have, and what it has beyond the net.

        Raises:
            NetdefError: the file cannot be read, or a shape does not fit.
        """
        if isinstance(source, str | os.PathLike):
            return copy_weights(self, read_weights(os.fspath(source)), os.fspath(source))
        return copy_weights(self, source, "")

    def weights(self, *, owners_only: bool = False) -> Weights:
        """All learned arrays by layer name, in Caffe's order.

        Args:
            owners_only: None in place of those a layer shares from another, as in Caffe's HDF5.
        """
        return {
            layer: [p.data if p.layer == layer or not owners_only else None for p in params]
            for layer, params in self.params.items()
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the weights as .caffemodel or .caffemodel.h5, readable by Caffe.

        Raises:
            NetdefError: the file cannot be written; what was there before is still there.
        """
        name = os.fspath(path)
        write_weights(name, self.weights(owners_only=name.endswith(".h5")))

    def share_params_with(self, other: Net) -> None:
        """Use another net's arrays for the params of layers of the same name."""
        for layer, params in self.params.items():
            for mine, its in zip(params, other.params.get(layer, ()), strict=False):
                if mine.shape == its.shape:
                    its.values.open |= mine.values.open
                    mine.values = its.values
        old = self._program
        self._plan()
        self._carry_over(old)

    # data sources

    def reader_states(self) -> dict[str, Mapping[str, int]]:
        """Where each data layer's source stands, by layer name."""
        return self._sources.states()

    def restore_readers(self, states: Mapping[str, Mapping[str, int]]) -> None:
        """Bring the data layers' sources to where `reader_states` said they stood."""
        self._sources.restore(states)

    def wrap_readers(self, wrapper: Callable[[Any], Any]) -> None:
        """Put something between each data source and the net.

        Args:
            wrapper: makes of a reader what is read from in its place.
        """
        self._sources.wrap(wrapper)
        self._sources.attach(self._program, self.seed)

    def set_input_arrays(self, data: Any, labels: Any, layer: str | None = None) -> None:
        """Give a MemoryData layer its data, to be read from the start.

        Args:
            data: (M, C, H, W), M a multiple of the layer's batch_size; read in place.
            labels: M values.
            layer: name of the layer; None for the first of the net's.

        Raises:
            ValueError: the net has no such layer, or the arrays do not fit it.
        """
        self._sources.set_arrays(data, labels, layer)

    def close(self) -> None:
        """Close the data sources and what the net writes to, and end its processes."""
        self._sources.close()
        self._executor.close()

    def __enter__(self) -> Net:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Net {self.name or 'without a name'}: {len(self.layers)} layers, {self.phase}>"

    # how it comes to run

    def _compile(
        self,
        shapes: dict[str, Shape],
        roots: frozenset[str],
        resized: Mapping[int, Shapes] | None = None,
        until: int | None = None,
    ) -> GraphNet:
        report = Report()
        graph = compile_net(
            self._document,
            self._state,
            report,
            input_shapes=shapes,
            roots=roots,
            resized=resized,
            begun=self._begun,
            until=until,
        )
        report.raise_if_errors()
        self.report.extend(report)
        if not self._backward:
            graph = _without_backward(graph)
        return graph

    def _make_params(self) -> tuple[LearnedParam, ...]:
        made = []
        for index, param in enumerate(self.graph.params):
            data = self._zeros(param.shape)
            param.filler.fill(data, filling(self.seed, index))
            users = [self.graph.nodes[use.node].layer for use in param.uses]
            values = Values(data, open=any(layer and layer.writes_params for layer in users))
            made.append(LearnedParam(param, self.graph.nodes[param.owner.node].name, values))
        return tuple(made)

    def _plan(self) -> None:
        keep = None if self._keep == "all" else frozenset(self._kept())
        # what was computed before a layer that resizes must fit a plan of other shapes
        fixed = not any(n.layer is not None and n.layer.resizes for n in self.graph.nodes)
        whole = self._until is None
        options = Options(
            self._threads if fixed else 1,
            keep,
            self._exact,
            in_place=whole,  # what a part does not read, the rest may
            fuse=whole,
            divide=self._processes,
            fast=self._fast,
            tuner=self._tuner,
            zeros=self._zeros,
            holds=fixed,
        )
        arrays = [p.values.array for p in self.learned]
        self._program = make_plan(self.graph, arrays, options, partial(_random, self._moment))
        diffs = [p.array() for p in self.learned] if self._program.gradients else arrays
        self._held = Held(self._program, self.learned)
        self._executor = Executor(self._program, diffs, self._moment, processes=self._processes)
        self._executor.trace = self._trace
        self._executor.observer = self._observer
        if whole:
            self._whole = self.graph, self._program
        for name, value in self._program.last().items():
            self.blobs[name].bind(self._program, value)
        self._sources.attach(self._program, self.seed)
        by_node = [tuple(self.learned[p] for p in node.params) for node in self.graph.nodes]
        self.params = {n.name: p for n, p in zip(self.graph.nodes, by_node, strict=True) if p}
        self.layers = tuple(
            LayerInfo(
                node.name,
                node.type,
                tuple(node.message.bottom),
                tuple(node.message.top),
                self.graph.span((*node.path, "name")) or self.graph.span(node.path),
                params,
            )
            for node, params in zip(self.graph.nodes, by_node, strict=True)
        )

    def _kept(self) -> Sequence[str]:
        names = [] if isinstance(self._keep, str) else list(self._keep)
        return [*names, *self._roots, *self.graph.outputs]

    def _take_inputs(self, inputs: Mapping[str, Any]) -> None:
        arrays = {}
        shapes = {n: b.wanted_shape for n, b in self.blobs.items() if b.wanted_shape is not None}
        for name, given in inputs.items():
            if name not in self.graph.inputs:
                known = ", ".join(self.graph.inputs) or "none"
                raise ValueError(f"`{name}` is no input of this net; its inputs: {known}")
            arrays[name] = np.asarray(given, np.float32)
            shapes[name] = arrays[name].shape
        self._reshape({n: s for n, s in shapes.items() if s is not None})
        for name, array in arrays.items():
            self.blobs[name].data[...] = array

    def _reshape(self, shapes: Mapping[str, Shape]) -> None:
        if all(self.blobs[name].shape == shape for name, shape in shapes.items()):
            for name in shapes:
                self.blobs[name].wanted_shape = None
            return
        wanted = self._input_shapes | dict(shapes)
        graph = self._compile(wanted, self._roots)
        self._refuse_params(graph, shapes)
        old = self._program
        self.graph, self._input_shapes, self._resized = graph, wanted, {}
        self._plan()
        self._carry_over(old)

    def _run_forward(self, first: int, last: int | None, *, skip_sources: bool = False) -> None:
        """Run; where a layer finds other shapes for its tops, bring the rest into line."""
        try:
            while True:
                ends = [end for end in (last, self._until) if end is not None]
                try:
                    self._held.renew()
                    self._executor.forward(
                        first, min(ends, default=None), skip_sources=skip_sources
                    )
                except TopsReshaped as found:
                    first = node_of(self._program, found.run)
                    self._resize(first, found.shapes, first)
                    continue
                if self._until is None or min(ends) < self._until:
                    return
                node, first = self._until, self._until + 1
                self._resize(node, self.graph.top_shapes(self.graph.nodes[node]) or (), first)
        finally:
            if self._until is not None:
                self._replan(self._whole[0], {}, None)

    def _resize(self, node: int, shapes: Shapes, ran: int) -> None:
        """Give a node's tops their shapes; what ran, all before node `ran`, stays as it is."""
        whole = self._whole[0]
        resized = {n: s for n, s in self._resized.items() if n < node} | {node: shapes}
        inputs = source_shapes(whole) | self._input_shapes
        until = None
        try:
            graph = self._compile(inputs, self._roots, resized)
        except NetdefError:
            until = next_resizing(whole, node)
            if until is None:
                raise
            graph = marked_as(self._compile(inputs, self._roots, resized, until), whole)
        tops = [whole.blobs[top].name for top in whole.nodes[node].tops]
        self._refuse_params(graph, dict(zip(tops, shapes, strict=True)))
        old = self._program
        self._replan(graph, resized, until)
        carry(old, self._program, ran)

    def _replan(self, graph: GraphNet, resized: dict[int, Shapes], until: int | None) -> None:
        """Take another graph of this net, up to a node or whole."""
        old = self._program
        sources = self._whole[1]
        self.graph, self._resized, self._until = graph, resized, until
        self._plan()
        for program in (sources, old):  # a part lacks the sources that stand after it
            self._carry_over(program)

    def _refuse_params(self, graph: GraphNet, shapes: Mapping[str, Shape]) -> None:
        for new, old in zip(graph.params, self.learned, strict=False):
            if new.shape != old.shape:
                layer = graph.nodes[new.owner.node].name
                given = ", ".join(f"{n} {s}" for n, s in shapes.items())
                raise ValueError(
                    f"inputs of shape {given} do not fit: the {old.role} of layer `{layer}` is "
                    f"{old.shape} and would have to be {new.shape}"
                )

    def _plan_backward(self, diffs: Mapping[str, Any]) -> None:
        """Plan anew where gradients are wanted that the plan has none for."""
        for name in diffs:
            if name not in self.blobs:
                raise ValueError(f"this net has no blob `{name}`")
        missing = [n for n in diffs if not self.blobs[n].keeps_diff]
        planned = any(step.backward for step in self._program.steps)
        if not missing and planned:
            return
        self._roots |= frozenset(missing)
        self._backward = True
        graph = self._compile(self._input_shapes, self._roots, self._resized)
        if not any(node.backward for node in graph.nodes):
            raise ValueError(
                "nothing to run backward: the net has no loss; name the blobs to start from, "
                "as in backward(ip2=dy), or write force_backward: true"
            )
        old = self._program
        self.graph = graph
        self._plan()
        self._carry_over(old)
        self.passes -= 1
        self._run_forward(0, None, skip_sources=True)
        self.passes += 1
        self._ran(data=True)

    def _carry_over(self, old: Program) -> None:
        """Take over users' inputs, constants, batches, and states that last."""
        before = {value.blob: value for value in old.values if old.is_source(value)}
        for value in self._program.values:
            was = before.get(value.blob)
            if was is not None and self._program.is_source(value) and was.shape == value.shape:
                np.copyto(value.arrays[0], was.arrays[0])
        carried = dict(old.lasting())
        for key, array in self._program.lasting():
            if key in carried and carried[key].shape == array.shape:
                np.copyto(array, carried[key])

    def _set_diff(self, name: str, diff: Any) -> None:
        array = np.asarray(diff, np.float32)
        blob = self.blobs[name]
        if array.shape != blob.shape:
            raise ValueError(f"the diff of `{name}` is {array.shape}, the blob {blob.shape}")
        blob.diff[...] = array
        blob.mirrors()[1].push()

    def _range(self, start: str | None, end: str | None) -> tuple[int, int | None]:
        names = [node.name for node in self.graph.nodes]
        for name in (start, end):
            if name is not None and name not in names:
                raise ValueError(f"this net has no layer `{name}`")
        first = 0 if start is None else names.index(start)
        return first, None if end is None else names.index(end)

    def _ran(self, *, data: bool) -> None:
        for blob in self.blobs.values():
            for mirror in blob.mirrors()[0 if data else 1 :]:
                mirror.ran()


def _random(moment: Moment, node: int, shard: int) -> Callable[[], np.random.Generator]:
    """What makes a layer's random numbers of a pass; knows nothing of the net, which may go."""
    return lambda: passing(moment, node, shard)


def _arrays_apart(named: dict[str, Any], start: Any, end: Any) -> tuple[Any, Any]:
    """Take arrays for blobs called `start` and `end` for what they are."""
    if isinstance(start, np.ndarray):
        named["start"], start = start, None
    if isinstance(end, np.ndarray):
        named["end"], end = end, None
    return start, end


def _without_backward(graph: GraphNet) -> GraphNet:
    """The same net with no gradient wanted."""
    from dataclasses import replace

    nodes = tuple(replace(n, backward=False, propagate=()) for n in graph.nodes)
    return replace(graph, nodes=nodes, blobs=tuple(replace(b, backward=False) for b in graph.blobs))
