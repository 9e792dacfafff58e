"""What can be wrong with how files are put together on the command line: codes N600 to N699."""

from __future__ import annotations

from netdef.diag import NetdefError, Problem, Severity


class BadAssignment(Problem):
    """What follows `--set` names no field, or gives it no value.

    A field of the solver goes by its name, one of the net by a path that begins with `net.`;
    layers are picked by name or by number, from 0:

        --set base_lr=0.01
        --set 'stepvalue=[1000, 2000]'
        --set 'net.layer[conv1].convolution_param.num_output=32'
        --set 'net.layer[0].data_param.batch_size=8'

    Values are written as in a prototxt; quotes around strings can be left out. A name that
    several layers have, as the TRAIN and the TEST data layer often do, stands for all of them.
    """

    code = "N601"


class InputsStayEmpty(Problem):
    """The net has Input layers, and the command has nothing to fill them with.

    An Input layer waits for a program: `net.forward(data=images)` in Python. On the command
    line its blobs stay zero, so that scores say nothing. Nets that train or test from the
    command line read their data with a layer of their own: Data, HDF5Data, DummyData.
    """

    code = "N602"
    default_severity = Severity.WARNING


class WeightsUnmatched(Problem):
    """A weight file lacks layers of the net.

    Weights are copied by layer name. Layers that the file does not have keep the values of
    their fillers: right for a net whose last layers are trained anew, and otherwise a sign that
    the file belongs to another net. `netdef inspect FILE` lists the names in the file.
    """

    code = "N603"
    default_severity = Severity.WARNING


class NothingToScore(Problem):
    """The net has no output to show.

    Every top is read by another layer. Scores are the tops that nobody reads: add an Accuracy
    or a loss layer, or look whether an include rule dropped it.
    """

    code = "N604"


class OutOfMemory(Problem):
    """The net needs more memory than there is.

    `netdef summary` shows how much its blobs take. A smaller `batch_size`, or fewer
    `--threads`, need less; a wrong `num_output` or `pad` can ask for anything.
    """

    code = "N605"


class NotInspectable(Problem):
    """The file is of a kind that `netdef inspect` has nothing to say about.

    It looks into files of values: .caffemodel, .solverstate, their .h5 forms, mean images,
    LMDBs, other HDF5 files, .npz and .safetensors. For a prototxt use `netdef check`,
    `netdef summary` or `netdef draw`.
    """

    code = "N606"


class NotComparable(Problem):
    """Two files that `netdef diff` was given have nothing in common.

    It compares two models in whatever formats, two solver states, two nets, or two solvers:

        netdef diff a_iter_500.caffemodel b.safetensors
    """

    code = "N607"


class UnknownFormat(Problem):
    """The name of the file to write does not say in which format.

    The ending chooses it: .caffemodel, .caffemodel.h5, .npz or .safetensors for weights,
    .solverstate or .solverstate.h5 for a solver state.
    """

    code = "N608"


class SharedLeftOut(Problem):
    """A file leaves out a blob that layers share, and the new format needs it.

    Layers that share a blob by the name of its `param` have it once in HDF5 files and archives,
    and each of them in a .caffemodel. Which layer owns it stands in the net:

        netdef convert siamese.caffemodel.h5 siamese.caffemodel --net model.prototxt
    """

    code = "N609"


class SettingError(NetdefError):
    """A setting given beside the files is wrong, as opposed to the files themselves."""
