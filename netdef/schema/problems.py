"""Mistakes that are seen when a file is read or written: codes N100 to N199."""

from __future__ import annotations

from netdef.diag import Problem, Severity


class FileMissing(Problem):
    """There is no file of this name.

    The name is taken from the folder netdef was started in, as Caffe does, and not from the
    folder of the file that mentions it:

        netdef check examples/lenet.prototxt

    Write a path that leads to the file from where you are.
    """

    code = "N101"


class NotAFile(Problem):
    """The name belongs to a folder, where a file is needed.

    Add the file's own name: `models/lenet/model.prototxt`, not `models/lenet`.
    """

    code = "N102"


class FileUnreadable(Problem):
    """The file is there, but the system does not let netdef read it.

    The message ends with the system's own words. Mostly the file belongs to someone else
    (`ls -l` shows whom), or a network drive has gone.
    """

    code = "N103"


class BinaryForText(Problem):
    """The file holds binary data, where the text of a net or a solver is needed.

    A prototxt describes a net in words, a .caffemodel holds its learned values:

        netdef train lenet.caffemodel solver.prototxt

    Name the prototxt where a net is asked for, and the .caffemodel after `--weights`.
    """

    code = "N104"


class NotUtf8(Problem):
    """The text is not in UTF-8, which prototxt files are written in.

    Editors on Windows save in other encodings: UTF-16 ("Unicode"), or a code page such as GBK
    or Windows-1252. In a comment this is only a warning, since nothing reads it. Save the file
    again as UTF-8:

        iconv -f GBK -t UTF-8 old.prototxt > new.prototxt
    """

    code = "N105"


class OtherMessage(Problem):
    """A solver is given where a net is needed, or a net where a solver is.

    A net lists layers (`layer { ... }`), a solver says how to train it (`base_lr: 0.01`). The
    usual names are model.prototxt and solver.prototxt; `netdef train` takes the model first.
    """

    code = "N106"


class MixedSyntax(Problem):
    """The net has layers in the current syntax and in the V1 syntax.

    Their order cannot be known, and Caffe stops here too:

        layers { name: "conv1" type: CONVOLUTION }
        layer { name: "relu1" type: "ReLU" }

    Write all of them as `layer`; `netdef upgrade` does so for a file that has only `layers`.
    """

    code = "N110"


class OldInput(Problem):
    """The old input fields do not fit each other.

    Each `input` needs one `input_shape`, or four numbers of `input_dim`:

        input: "data"
        input_dim: 1 input_dim: 3 input_dim: 224 input_dim: 224

    Better write an Input layer:

        layer {
          name: "data" type: "Input" top: "data"
          input_param { shape { dim: 1 dim: 3 dim: 224 dim: 224 } }
        }
    """

    code = "N111"


class InputWithoutShape(Problem):
    """An `input` has no shape, so that no blob of its name is made.

    Caffe drops it without a word, for nets that are trained and deployed from one file. Give it
    an `input_shape`, or write an Input layer.
    """

    code = "N112"
    default_severity = Severity.WARNING


class OldLayer(Problem):
    """A layer in the V0 syntax cannot be brought up to date.

    Its `type` is not one that syntax had, or a `padding` layer feeds something other than a
    single conv or pool layer. Write the layer in the current syntax:

        layer {
          name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
          convolution_param { num_output: 20 kernel_size: 5 pad: 2 }
        }
    """

    code = "N113"


class OldFieldIgnored(Problem):
    """A field of an old layer says nothing about a layer of its type, and is dropped.

        layers { layer { name: "relu1" type: "relu" kernelsize: 5 } }

    Take the field out, or check the layer's type.
    """

    code = "N114"
    default_severity = Severity.WARNING


class MovedField(Problem):
    """A field has no effect where it stands: it has moved to `transform_param`.

    `scale`, `mean_file`, `crop_size` and `mirror` of data_param, image_data_param and
    window_data_param are read in the V1 syntax (`layers`) only. In a `layer`, Caffe accepts
    them and does nothing:

        layer { type: "Data" data_param { source: "train_lmdb" scale: 0.00390625 } }

    Write:

        layer {
          type: "Data"
          transform_param { scale: 0.00390625 }
          data_param { source: "train_lmdb" }
        }
    """

    code = "N115"
    default_severity = Severity.WARNING


class TwoSolverTypes(Problem):
    """The solver names its rule twice, by `type` and by the old `solver_type`.

        type: "Adam"
        solver_type: ADAM

    Keep `type`.
    """

    code = "N116"


class DamagedFile(Problem):
    """A binary file breaks off, or is not what its beginning says.

    Mostly a download or a copy stopped half way, or the disk was full when it was written.
    Compare its size, or better its checksum, with the original. A file of a few hundred bytes
    is often a web page or a Git LFS pointer that was saved in place of the file.
    """

    code = "N150"


class WrongKind(Problem):
    """The file is of another kind than needed here.

    Weights (.caffemodel, .caffemodel.h5) belong to `--weights`, solver states (.solverstate,
    .solverstate.h5) to `--resume`, texts (.prototxt) are the net and the solver. Kinds are told
    by content, whatever the name.
    """

    code = "N151"


class BlobDoesNotFill(Problem):
    """A blob in the file has another number of values than its shape asks for.

    The file was written wrongly or is damaged; Caffe does not load it either.
    """

    code = "N152"


class ExtraMissing(Problem):
    """A library that this file needs is not installed.

    HDF5 files need h5py, which comes with an extra:

        pip install "netdef-prototxt[data]"
    """

    code = "N153"


class CannotWrite(Problem):
    """The file could not be written; an older file of that name is as it was.

    The message ends with the system's own words: a full disk, a folder that is not there or
    that is not yours to write in.
    """

    code = "N154"


class TooLarge(Problem):
    """The model needs 2 GiB or more, which no program can read from a binary .caffemodel.

    Protobuf counts bytes in 31 bits. Save it as HDF5, which has no such limit: a name that ends
    with `.caffemodel.h5`, or `snapshot_format: HDF5` in the solver.
    """

    code = "N155"


class NotCaffeHdf5(Problem):
    """An HDF5 file is not laid out as Caffe lays out weights or solver states.

    Weights are datasets `/data/<layer>/<number>`; a state has the datasets `iter`,
    `learned_net`, `current_step` and `history/<number>`. Data for an HDF5Data layer looks
    different, and is no model.
    """

    code = "N156"


class LayoutChangesMeaning(Problem):
    """A text laid out anew would not say what it said before.

    `netdef fmt` and `netdef upgrade` read what they are about to write and compare the two
    messages. That they differ is a mistake of netdef's, not of the file's: nothing was written.
    Please report it, with the file.
    """

    code = "N157"


class NothingToUpgrade(Problem):
    """The file is in the current syntax already.

    `netdef upgrade` writes it as it is, byte for byte.
    """

    code = "N158"
    default_severity = Severity.NOTE


class UnknownFieldsLost(Problem):
    """A binary model in the V1 syntax has fields that the current syntax has no place for.

    A fork of Caffe wrote it, and gave V1 layers fields of its own. Their numbers mean something
    else in the current syntax, so that they are left out; names and learned values are kept.
    """

    code = "N159"
    default_severity = Severity.WARNING
