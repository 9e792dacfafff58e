"""The message `loss_param`: which labels a loss passes over, and what its sum is divided by.

Source: caffe/src/caffe/layers/loss_layer.cpp and softmax_loss_layer.cpp
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netdef.diag import BottomError
from netdef.layers.axes import show
from netdef.layers.base import Array, Shapes

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

MODES = ("FULL", "VALID", "BATCH_SIZE", "NONE")

SMALLEST = float(np.finfo(np.float32).tiny)  # Caffe's FLT_MIN: -log of it is 87.3365


def read_loss_param(message: LayerParameter, default: str) -> tuple[int | None, str]:
    """The ignored label, None for none, and the normalization, one of `MODES`.

    Args:
        message: the layer.
        default: where neither `normalization` nor the old `normalize` is written.
    """
    param = message.loss_param
    ignore = param.ignore_label if param.HasField("ignore_label") else None
    if param.HasField("normalization"):
        return ignore, MODES[param.normalization]
    if param.HasField("normalize"):
        return ignore, "VALID" if param.normalize else "BATCH_SIZE"
    return ignore, default


def divisor(mode: str, positions: int, valid: int, batch: int) -> float:
    """What the sum of a loss is divided by, at least 1.

    Args:
        mode: one of `MODES`.
        positions: places that have a label.
        valid: those whose label is not ignored.
        batch: size of the batch.

    Example:
        >>> divisor("VALID", 6, 0, 2)
        1.0
    """
    counts = {"FULL": positions, "VALID": valid, "BATCH_SIZE": batch, "NONE": 1}
    return float(max(1, counts[mode]))


def same_batch(bottoms: Shapes) -> None:
    """Refuse a second bottom with another batch than the first.

    Raises:
        BottomError: it has, or one has no axes.
    """
    for index, shape in enumerate(bottoms[:2]):
        if not shape:
            raise BottomError(index, "is a scalar, a loss needs a batch")
    if bottoms[0][0] != bottoms[1][0]:
        raise BottomError(
            1,
            f"is {show(bottoms[1])} and the first is {show(bottoms[0])}: two different batches",
            "prediction and label need the same first axis",
        )


def read_labels(values: Array, classes: int, ignore: int | None) -> tuple[Array, Array | None]:
    """Labels as whole numbers, flat, and which of them count; None where all do.

    Fractions are cut off, as in Caffe. Ignored labels come out as 0.

    Args:
        values: of the label bottom.
        classes: how many there are.
        ignore: the label that is passed over.

    Raises:
        BottomError: a label is not a class; Caffe would read beyond the array's end.
    """
    with np.errstate(invalid="ignore"):
        labels = values.reshape(-1).astype(np.int64)
    valid = None
    if ignore is not None:
        valid = labels != ignore
        labels *= valid
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        at = int(np.argmax((labels < 0) | (labels >= classes)))
        value = values.reshape(-1)[at]
        raise BottomError(
            1,
            f"holds label {value:g} at index {at}, the classes are 0 to {classes - 1}",
            "labels count from 0; `ignore_label` passes over one, `num_output` of the layer "
            "that scores makes room for more",
        )
    return labels, valid
