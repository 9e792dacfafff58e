"""HDF5Output: write data and labels to a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from netdef.diag import BottomError, FieldError
from netdef.layers import base
from netdef.layers.axes import show

if TYPE_CHECKING:
    from netdef.data.reader import Context
    from netdef.data.writer import Writer
    from netdef.schema import LayerParameter


@base.layer("HDF5Output")
@dataclass(frozen=True, slots=True)
class HDF5Output(base.SinkLayer):
    """Write each batch to the datasets `data` and `label` of an HDF5 file.

    Bottoms:
        data: any shape with a batch axis
        label: any shape of the same batch
    Tops:
        none
    Cost:
        a copy to the file; no backward
    Source:
        caffe/src/caffe/layers/hdf5_output_layer.cpp

    The datasets have 4 axes as in Caffe: N×C×H×W, 1s where a bottom has fewer. An HDF5Data layer
    with the tops `data` and `label` reads the file again.

    Differences from Caffe:
        Each pass adds its rows to those of the passes before; Caffe stops at the second. The
        file is made, and one that is there replaced, by the first pass, not when the net is
        made. Bottoms of more than 4 axes are written as they are; Caffe stops.

    Attributes:
        file_name: path of the file, from the working directory.

    Example:
        >>> HDF5Output("x.h5").shapes(((2, 3), (2,)))
        ()
    """

    file_name: str

    bottom_count = (2, 2)
    no_gradient = (0, 1)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `hdf5_output_param`.

        Raises:
            FieldError: there is no name.
        """
        del phase
        name = message.hdf5_output_param.file_name
        if not name:
            raise FieldError(
                "hdf5_output_param.file_name", "is missing", 'write `file_name: "features.h5"`'
            )
        return cls(name)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """No tops.

        Raises:
            BottomError: a bottom is a scalar, or they are of two batches.
        """
        data, label = bottoms
        for index, shape in enumerate(bottoms):
            if not shape:
                raise BottomError(index, "is a scalar, a row of a file needs a batch")
        if data[0] != label[0]:
            raise BottomError(
                1,
                f"is {show(label)} and the first is {show(data)}: two different batches",
                "data and label need the same first axis",
            )
        return ()

    def settings(self) -> str:
        """The file's name."""
        return self.file_name.rpartition("/")[2]

    def open(self, context: Context) -> Writer:
        """Make the writer."""
        del context  # a relative path is one from the working directory, as in Caffe
        from pathlib import Path

        from netdef.data.hdf5_writer import Hdf5Writer

        return Hdf5Writer(Path(self.file_name).expanduser(), ("data", "label"))
