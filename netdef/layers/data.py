"""Data: images and labels of a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from netdef.data.errors import DataError
from netdef.data.transform import Transform
from netdef.diag import FieldError
from netdef.layers import base

if TYPE_CHECKING:
    from pathlib import Path

    from netdef.data.reader import Context, Reader
    from netdef.schema import LayerParameter

_BACKENDS = ("LEVELDB", "LMDB")  # by their numbers in DataParameter.DB


@base.layer("Data")
@dataclass(frozen=True, slots=True)
class Data(base.DataLayer):
    """Images and labels of a database, record after record, from the start again at its end.

    Tops:
        data: (N, C, H, W), transformed; H and W are `crop_size` where it is set
        label: (N,), optional
    Cost:
        none in the net: a thread reads and transforms `prefetch` batches ahead
    Source:
        caffe/src/caffe/layers/data_layer.cpp, data_transformer.cpp

    The first record of the database decides C, H and W. Random crops and mirrors depend only on
    the seed and the number of the record since training began.

    Attributes:
        source: path of the database.
        batch_size: records of a batch.
        backend: LMDB or LEVELDB.
        backend_given: whether the prototxt says it; Caffe's default is LEVELDB.
        rand_skip: leave out a random number of records at the start, less than this.
        prefetch: batches made ahead.
        transform: what happens to images.
    """

    source: str
    batch_size: int
    backend: str = "LMDB"
    backend_given: bool = True
    rand_skip: int = 0
    prefetch: int = 4
    transform: Transform = field(default_factory=Transform)
    top_count = (1, 2)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read data_param and transform_param."""
        del phase  # crops follow the phase of the run, which `open` is told
        param = message.data_param
        if not param.source:
            raise FieldError("data_param.source", "is missing", "name a folder, LMDB or LevelDB")
        if param.batch_size < 1:
            what = "must be at least 1, is 0" if param.HasField("batch_size") else "is missing"
            raise FieldError("data_param.batch_size", what)
        return cls(
            param.source,
            param.batch_size,
            _BACKENDS[param.backend],
            param.HasField("backend"),
            param.rand_skip,
            param.prefetch,
            Transform.read(message.transform_param),
        )

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """Not known before the source is open: see `open` and `known_shapes`."""
        del bottoms
        return ()

    def known_shapes(self, tops: tuple[str, ...]) -> base.Shapes | None:
        """Shapes where crop_size and one mean_value for each channel tell them."""
        size, channels = self.transform.crop_size, len(self.transform.mean_value)
        if not size or channels < 2:  # one mean_value can be that of any number of channels
            return None
        data = (self.batch_size, channels, size, size)
        return (data, (self.batch_size,))[: len(tops)]

    def settings(self) -> str:
        """`train_lmdb ×64 crop 227 mirror`."""
        name = self.source.rstrip("/").rpartition("/")[2]
        return " ".join((name, f"×{self.batch_size}", *self.transform.settings()))

    def open(self, context: Context, tops: tuple[str, ...]) -> Reader:
        """Open the database.

        Args:
            context: phase, seed and folders.
            tops: names of the tops, one or two.

        Raises:
            FieldError: the database is missing, broken, or does not fit the settings.
        """
        from netdef.data.database import DatabaseBatches
        from netdef.data.prefetch import BatchReader
        from netdef.data.reader import find_path
        from netdef.data.store import open_store

        path = find_path(self.source, context)
        self._check_backend(path)
        try:
            batches = DatabaseBatches(
                open_store(path),
                self.batch_size,
                self.transform,
                context,
                rand_skip=self.rand_skip,
                label=len(tops) > 1,
            )
        except DataError as error:
            raise FieldError("data_param.source", error.message, error.help) from error
        return BatchReader(batches, self.prefetch)

    def _check_backend(self, path: Path) -> None:
        """Refuse a database of another kind than the settings say, as Caffe does."""
        from netdef.data.store import kind_of

        kind = kind_of(path)
        if kind is None or kind == self.backend:
            return
        what = f"is {self.backend}" if self.backend_given else "is missing, which means LEVELDB"
        is_kind = "an LMDB" if kind == "LMDB" else "a LevelDB"
        raise FieldError(
            "data_param.backend", f"{what}: `{path}` is {is_kind}", f"write `backend: {kind}`"
        )
