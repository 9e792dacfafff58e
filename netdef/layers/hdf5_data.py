"""HDF5Data: rows of HDF5 files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from netdef.data.errors import DataError
from netdef.diag import FieldError
from netdef.layers import base

if TYPE_CHECKING:
    from netdef.data.reader import Context, Reader
    from netdef.schema import LayerParameter

_PREFETCH = 1  # rows are only copied; one batch ahead hides the opening of the next file


@base.layer("HDF5Data")
@dataclass(frozen=True, slots=True)
class HDF5Data(base.DataLayer):
    """Rows of HDF5 files, file after file, from the start again at the end of the list.

    Tops:
        any number: (N, ...), each the dataset of its name
    Source:
        caffe/src/caffe/layers/hdf5_data_layer.cpp

    Differences from Caffe:
        The list may also name .npz files, whose arrays are the tops, and .csv files, whose
        columns are; and `source` may be such a file itself. A top that no column has the name of
        takes all columns that are left. Such files are read whole.

    Attributes:
        source: path of a text file that lists HDF5 files, one a line.
        batch_size: rows of a batch.
        shuffle: take files, and the rows of each, in random order.
    """

    source: str
    batch_size: int
    shuffle: bool = False

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read hdf5_data_param."""
        del phase
        if message.HasField("transform_param"):
            raise FieldError(
                "transform_param",
                "is not for HDF5Data, which takes values as they are",
                "leave it out, and transform the values when the files are written",
            )
        param = message.hdf5_data_param
        if not param.source:
            raise FieldError(
                "hdf5_data_param.source",
                "is missing",
                "name a text file with the path of an HDF5 file on each line",
            )
        if param.batch_size < 1:
            what = "must be at least 1, is 0" if param.HasField("batch_size") else "is missing"
            raise FieldError("hdf5_data_param.batch_size", what)
        return cls(param.source, param.batch_size, param.shuffle)

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """Not known before the source is open: see `open`."""
        del bottoms
        return ()

    def settings(self) -> str:
        """`train.txt ×64 shuffle`."""
        name = self.source.rpartition("/")[2]
        return f"{name} ×{self.batch_size}" + (" shuffle" if self.shuffle else "")

    def open(self, context: Context, tops: tuple[str, ...]) -> Reader:
        """Open the list and look into its files.

        Args:
            context: seed and folders.
            tops: names of the tops, those of datasets.

        Raises:
            FieldError: a file or dataset is missing, broken, or of another shape than the first.
        """
        from netdef.data.hdf5 import Hdf5Batches
        from netdef.data.prefetch import BatchReader
        from netdef.data.reader import find_path

        path = find_path(self.source, context)
        try:
            batches = Hdf5Batches(path, tops, self.batch_size, context, shuffle=self.shuffle)
        except DataError as error:
            raise FieldError("hdf5_data_param.source", error.message, error.help) from error
        return BatchReader(batches, _PREFETCH)
