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
        DataError: the first record is broken.
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
        images, labels = [], []
        for number in range(first, first + self.shapes[0][0]):
            image, label = self._record((number + self._skip) % len(self._store))
            images.append(image)
            labels.append(label)
        self._transformer.apply(images, out[0], self.seed, first)
        if len(out) > 1:
            out[1][...] = labels

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _record(self, index: int) -> tuple[NDArray[Any], int]:
        """The untransformed image and the label of a record."""
        key, value = self._store.record(index)
        try:
            datum = parse_datum(value)
            return self._transformer.array(datum), datum.label
        except DataError as error:
            raise self._at(key, error) from error

    def _first_shape(self, transform: Transform) -> tuple[int, ...]:
        key, value = self._store.record(0)
        try:
            return datum_to_array(
                parse_datum(value),
                force_color=transform.force_color,
                force_gray=transform.force_gray,
            ).shape
        except DataError as error:
            raise self._at(key, error) from error

    def _at(self, key: bytes, error: DataError) -> DataError:
        return DataError(
            f"record `{key_text(key)}` of `{self._store.name}` {error.message}", error.help
        )

    def _draw_skip(self) -> int:
        return draw_one(self.seed, Purpose.SKIP, 0, self._rand_skip) if self._rand_skip else 0
