"""Snapshots: where a training stood, in Caffe's two files, and going on from there.

A snapshot is `<prefix>_iter_N.caffemodel` with the weights and `<prefix>_iter_N.solverstate` with
the rest, or both with `.h5` behind. Each is written whole or not at all, the state last, so that
a state is never without its model; of old ones that are removed, the state goes first.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netdef.diag import NetdefError, Problem, Report
from netdef.layers.base import Array, Shape
from netdef.run.learned import LearnedParam
from netdef.run.net import Net
from netdef.schema import LayerParameter, NetParameter, SolverParameter
from netdef.schema.weights import SolverStateData, fit, read_state, write_state, write_weights
from netdef.solvers.base import Rule


class SnapshotFolder(Problem):
    """Snapshots cannot be written where `snapshot_prefix` says.

    This is tried before training starts, so that no hours are lost. The prefix is a folder and
    the beginning of the files' names, from the folder netdef was started in:

        snapshot_prefix: "snapshots/lenet"

    writes snapshots/lenet_iter_500.caffemodel and the like; missing folders are made.
    """

    code = "N510"


class StateOfAnotherNet(Problem):
    """A solver state was saved for other params than the net's.

    The state holds an array for each param of the net it was trained with, in their order. Resume
    with the net and the solver that wrote it. To begin a new training from its weights, give the
    model that lies beside it after `--weights`.
    """

    code = "N511"


class StateOfAnotherRule(Problem):
    """A solver state was saved by another type of solver.

    SGD, Nesterov, AdaGrad, RMSProp, Lion and LARS keep one array for each param, AdaDelta, Adam,
    AdamW and RMSPropMomentum two, AMSGrad three. What is in them differs even where their number
    does not. Resume with the `type` that wrote it, or begin a new training from the model beside
    it, which goes after `--weights`.
    """

    code = "N512"


class ModelOfStateMissing(Problem):
    """The model that belongs to a solver state is not there.

    A state names the file that its weights were saved in. It is looked for under that name, then
    beside the state. Put the .caffemodel into the same folder.
    """

    code = "N513"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot as read, fit for the net it was checked against.

    Attributes:
        iteration: updates made.
        current_step: steps that the rate policy has made.
        model: the file with the weights.
        history: for each slot of the rule the arrays of all params, in the params' shapes.
        extra: what Caffe's state has no place for, by name; empty where Caffe wrote it.
    """

    iteration: int
    current_step: int
    model: Path
    history: tuple[tuple[Array, ...], ...]
    extra: Mapping[str, int]


_OLD = 600  # seconds: what a living process writes is younger


def best_prefix(prefix: Path) -> Path:
    """What the names of the best snapshot begin with."""
    return prefix.with_name(f"{prefix.name}_best")


def model_path(prefix: Path, iteration: int, *, hdf5: bool) -> Path:
    """The name of a snapshot's weights."""
    return Path(f"{prefix}_iter_{iteration}.caffemodel{'.h5' if hdf5 else ''}")


def state_path(prefix: Path, iteration: int, *, hdf5: bool) -> Path:
    """The name of a snapshot's state."""
    return Path(f"{prefix}_iter_{iteration}.solverstate{'.h5' if hdf5 else ''}")


def states(prefix: Path) -> dict[Path, int]:
    """The states of a prefix that are on the disk, with their iterations, the oldest first."""
    pattern = re.compile(re.escape(prefix.name) + r"_iter_(\d+)\.solverstate(\.h5)?")
    matches = [(path, pattern.fullmatch(path.name)) for path in _files(prefix.parent)]
    found = {path: int(match[1]) for path, match in matches if match is not None}
    return dict(sorted(found.items(), key=lambda item: item[1]))


def remove_others(prefix: Path, newest: int, keep: int) -> None:
    """Remove old snapshots of a prefix; one that cannot be removed stays.

    Args:
        prefix: of the snapshots.
        newest: iteration of the last one; later ones are of another run, and stay.
        keep: how many to leave, `newest` among them; 1 or more.
    """
    old = [path for path, iteration in states(prefix).items() if iteration <= newest]
    for state in old[:-keep]:
        model = state.with_name(state.name.replace(".solverstate", ".caffemodel"))
        with suppress(OSError):
            state.unlink()
            model.unlink()


def _files(folder: Path) -> Iterable[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _sweep(prefix: Path) -> None:
    """Remove what writers that were killed have left half done."""
    pattern = re.compile(rf"\.{re.escape(prefix.name)}_.*\.(\d+)\.tmp")
    for path in _files(prefix.parent):
        match = pattern.fullmatch(path.name)
        if match is not None and int(match[1]) != os.getpid():
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _OLD:
                    path.unlink()


def check_folder(prefix: Path) -> None:
    """Make sure that snapshots of this prefix can be written; missing folders are made.

    Raises:
        NetdefError: they cannot.
    """
    folder = prefix.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Only trying tells: rights say little about network drives, full disks and root. With
        # a name as long as a snapshot's, which may be too long.
        longest = f"{prefix.name}_iter_{2**31 - 1}.caffemodel.h5."
        with tempfile.NamedTemporaryFile(dir=folder, prefix=longest):
            pass
        _sweep(prefix)
    except OSError as error:
        words = (error.strerror or str(error)).lower()
        raise NetdefError(
            SnapshotFolder(
                f"no snapshots can be written to `{folder}`: {words}",
                help="choose another `snapshot_prefix`",
            )
        ) from error


def write_snapshot(
    net: Net,
    prefix: Path,
    iteration: int,
    history: Sequence[Sequence[Array]],
    current_step: int,
    extra: Mapping[str, int],
    *,
    hdf5: bool,
    solver: SolverParameter | None = None,
) -> tuple[Path, Path]:
    """Write both files.

    Args:
        net: whose weights are saved.
        prefix: beginning of the names.
        iteration: updates made.
        history: for each slot of the rule the arrays of all params.
        current_step: steps that the rate policy has made.
        extra: what Caffe's state has no place for.
        hdf5: write HDF5.
        solver: settings to write down with the state.

    Returns:
        The model's path, the state's path.

    Raises:
        NetdefError: a file cannot be written; earlier snapshots are as they were, and no new
            model is left without its state.
    """
    model = model_path(prefix, iteration, hdf5=hdf5)
    state = state_path(prefix, iteration, hdf5=hdf5)
    known = os.path.exists(model)
    write_weights(model, net.weights(owners_only=hdf5), net=_named(net))
    slots = [array for slot in history for array in slot]
    try:
        data = SolverStateData(iteration, str(model), slots, current_step, extra, _bare(solver))
        write_state(state, data)
    except BaseException:
        if not known:
            with suppress(OSError):
                model.unlink()
        raise
    return model, state


def _named(net: Net) -> NetParameter:
    """The layers that have weights, by name and type, for whoever looks into the file."""
    layers = [
        LayerParameter(name=layer.name, type=layer.type)
        for layer in net.layers
        if layer.name in net.params
    ]
    return NetParameter(name=net.name, layer=layers)


def _bare(solver: SolverParameter | None) -> SolverParameter | None:
    """A solver's settings without the nets in it."""
    if solver is None:
        return None
    bare = SolverParameter()
    bare.CopyFrom(solver)
    for field in ("net_param", "train_net_param", "test_net_param"):
        bare.ClearField(field)
    return bare


def read_snapshot(path: Path, params: Sequence[LearnedParam], rule: Rule) -> Snapshot:
    """Read a state and find its model; nothing is changed yet.

    Args:
        path: the state, of netdef's or of Caffe's, binary or HDF5.
        params: of the net it is for.
        rule: it is for.

    Raises:
        NetdefError: the file is none, does not fit, or its model is not there.
    """
    data = read_state(path)
    if data.solver is not None and data.solver.type != rule.type:
        raise NetdefError(
            StateOfAnotherRule(
                f"`{path}` is of a training with {data.solver.type}, not {rule.type}",
                help=f'resume with `type: "{data.solver.type}"`, '
                "or give its model after `--weights`",
            )
        )
    history = _fitting_history(path, data.history, params, rule)
    model = _find_model(path, data.learned_net)
    return Snapshot(data.iteration, data.current_step, model, history, data.extra)


def _fitting_history(
    path: Path, arrays: Sequence[Array], params: Sequence[LearnedParam], rule: Rule
) -> tuple[tuple[Array, ...], ...]:
    needed = len(params) * len(rule.slots)
    if len(arrays) != needed:
        whole = params and len(arrays) in range(len(params), 4 * len(params), len(params))
        kind = StateOfAnotherRule if whole else StateOfAnotherNet
        raise NetdefError(
            kind(
                f"`{path}` has {len(arrays)} arrays of history, where {rule.type} needs "
                f"{needed} for the {len(params)} params of this net",
                help="resume with the net and the `type` that wrote it, "
                "or give its model after `--weights`",
            )
        )
    report = Report()
    found = []
    for number, array in enumerate(arrays):
        slot, index = divmod(number, len(params))
        param = params[index]
        fitted = fit(array, param.shape)
        if fitted is None:
            report.add(
                StateOfAnotherNet(
                    f"the {param.role} of layer `{param.layer}` is {_words(param.shape)}, "
                    f"{_words(array.shape)} in `{path}`",
                    notes=(f"seen in slot `{rule.slots[slot].name}` of {rule.type}",),
                    help="resume with the net that wrote it",
                )
            )
        else:
            found.append(np.asarray(fitted))
    report.raise_if_errors()
    count = len(params)
    return tuple(tuple(found[slot * count : (slot + 1) * count]) for slot in range(len(rule.slots)))


def _find_model(state: Path, recorded: str) -> Path:
    # A name that another system wrote has its own separators.
    name = recorded.replace("\\", "/").rpartition("/")[2]
    own = state.name.replace(".solverstate", ".caffemodel")
    places = [Path(recorded)] if recorded else []
    places += [state.with_name(n) for n in (name, own) if n and n != state.name]
    for place in places:
        if os.path.isfile(place):
            return place
    tried = ", ".join(f"`{p}`" for p in dict.fromkeys(places))
    raise NetdefError(
        ModelOfStateMissing(
            f"the model of `{state}` is not there",
            notes=(f"looked for {tried}",) if tried else (),
            help="put its .caffemodel beside it",
        )
    )


def _words(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "scalar"
