"""Batches from a database of Datum records: what a Data layer reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdef.data.counter_random import Purpose, draw_one
from netdef.data.datum import datum_to_array, parse_datum
from netdef.data.errors import DataError
from netdef.data.lmdb_store import key_text
from netdef.data.reader import Context
from netdef.data.store import Store
from netdef.data.transform import Transform, Transformer
from netdef.data.workers import Workers, good_ones


class DatabaseBatches:
    """Images and labels of a database in the order of its keys, over and over.

    A batch goes on with the first record where the last is reached, as in Caffe.

    Args:
        store: the database, closed with the batches; also where they cannot be made.
        batch_size: records of a batch.
        transform: what happens to images.
        context: phase, seed and folders.
        rand_skip: leave out a random number of records at the start, less than this.
        label: whether there is a second array, of labels.

    Attributes:
        shapes: (N, C, H, W) and, with `label`, (N,). The first record decides the size.
        seed: of crops, mirrors and the skip.

    Raises:
        DataError: the first record is broken, and no tolerance for it.
        FieldError: the transform does not fit the first record.
    """

    def __init__(
        self,
        store: Store,
        batch_size: int,
        transform: Transform,
        context: Context,
        *,
        rand_skip: int = 0,
        label: bool = True,
    ) -> None:
        self._store = store
        self._rand_skip = rand_skip
        self._tolerance = context.tolerance
        self._workers = Workers()
        self._encoded = False
        self.seed = context.seed
        try:
            self._transformer = Transformer(transform, context, self._first_shape(transform))
        except BaseException:
            store.close()
            raise
        data = (batch_size, *self._transformer.shape)
        self.shapes = (data, (batch_size,)) if label else (data,)
        self._skip = self._draw_skip()

    def reseed(self, seed: int) -> None:
        """Go on with another seed."""
        self.seed = seed
        self._skip = self._draw_skip()

    def fill(self, first: int, out: Sequence[NDArray[np.float32]]) -> None:
        """Write the batch that starts with record `first` of the run."""
        records = [self._store.at(first + item + self._skip) for item in range(self.shapes[0][0])]
        found = (
            self._workers.map(self._image, records)
            if self._encoded
            else [self._image(record) for record in records]
        )
        items = good_ones(found, [self._label(key) for key, _ in records], self._tolerance)
        self._transformer.apply(
            [image for image, _ in items], out[0], self.seed, first, self._workers
        )
        if len(out) > 1:
            out[1][...] = [label for _, label in items]

    def close(self) -> None:
        """Close the store."""
        self._workers.close()
        self._store.close()

    def _image(self, record: tuple[bytes, bytes]) -> tuple[NDArray[Any], int] | DataError:
        """The untransformed image and the label of a record, or what is wrong with it."""
        key, value = record
        try:
            datum = parse_datum(value)
            return self._transformer.array(datum), datum.label
        except DataError as error:
            return self._at(key, error)

    def _first_shape(self, transform: Transform) -> tuple[int, ...]:
        """The shape of the first good record."""
        number = 0
        while True:
            key, value = self._store.at(number)
            try:
                datum = parse_datum(value)
                self._encoded = datum.encoded
                return datum_to_array(
                    datum, force_color=transform.force_color, force_gray=transform.force_gray
                ).shape
            except DataError as error:
                found = self._at(key, error)
                self._tolerance.skip(self._label(key), found)
                number += 1
                if number > self._tolerance.most:
                    raise found from error

    def _label(self, key: bytes) -> str:
        return f"`{key_text(key)}` of `{self._store.name}`"

    def _at(self, key: bytes, error: DataError) -> DataError:
        return DataError(f"record {self._label(key)} {error.message}", error.help)

    def _draw_skip(self) -> int:
        return draw_one(self.seed, Purpose.SKIP, 0, self._rand_skip) if self._rand_skip else 0
