"""Accuracy: how often the label is among the best scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import BottomError, FieldError
from netdef.kernels.classes import places
from netdef.layers import base
from netdef.layers.axes import axis_of, show
from netdef.layers.loss_param import read_labels

if TYPE_CHECKING:
    from netdef.schema import LayerParameter


@base.layer("Accuracy")
@dataclass(frozen=True, slots=True)
class Accuracy(base.Layer[base.Array]):
    """The share of positions whose label is among the top_k best scores.

    Formula:
        better = how many other classes score at least as much as the label
        accuracy = mean(better < top_k) over labels that are not ignored; 0 where none is left
    Bottoms:
        x: scores, any shape with the axis: N×C, N×C×H×W
        label: a whole number from 0 to C-1 for each position: N, N×H×W; 1s anywhere
    Tops:
        accuracy: scalar
        by class: C, the accuracy over labels of each class, 0 for one without; optional
    Cost:
        1 comparison a value; no backward
    Source:
        caffe/src/caffe/layers/accuracy_layer.cpp

    A class that scores the same as the label counts as better: a net that gives the same score to
    all has accuracy 0.

    Differences from Caffe:
        A label whose score is NaN is missed; for Caffe nothing is better than NaN, and a net that
        has run away is perfect. A label that is no class stops the run; Caffe reads another
        array's memory.

    Attributes:
        top_k: how many best scores count.
        axis: of the classes; negative counts from the end.
        ignore_label: label of positions that do not count; None for none.
        tops: 2 to have the accuracy by class too.

    Example:
        >>> Accuracy(tops=2).shapes(((2, 3, 5), (2, 5)))
        ((), (3,))
    """

    top_k: int = 1
    axis: int = 1
    ignore_label: int | None = None
    tops: int = 1

    bottom_count = (2, 2)
    top_count = (1, 2)
    reads_bottoms = False
    reads_tops = False
    no_gradient = (0, 1)

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `accuracy_param`.

        Raises:
            FieldError: top_k is 0.
        """
        del phase
        param = message.accuracy_param
        if param.top_k < 1:
            raise FieldError(
                "accuracy_param.top_k",
                f"must be at least 1, is {param.top_k}",
                "write `top_k: 1`, or leave it out",
            )
        ignore = param.ignore_label if param.HasField("ignore_label") else None
        return cls(param.top_k, param.axis, ignore, len(message.top))

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """A scalar, and a value for each class.

        Raises:
            BottomError: there is not one label for each position.
            FieldError: there is no such axis, or top_k is above the number of classes.
        """
        x, label = bottoms
        axis = axis_of(self.axis, x, "accuracy_param.axis")
        positions = (*x[:axis], *x[axis + 1 :])
        if prod(label) != prod(positions):
            raise BottomError(
                1,
                f"is {show(label)}, {prod(label)} labels for {prod(positions)} positions",
                f"scores of {show(x)} with classes along axis {axis} need labels of "
                f"{show(positions)}",
            )
        if self.top_k > x[axis]:
            raise FieldError(
                "accuracy_param.top_k",
                f"is {self.top_k}, but there are {x[axis]} classes (bottom is {show(x)})",
                f"it can be at most {x[axis]}",
            )
        return ((), (x[axis],))[: self.tops]

    def settings(self) -> str:
        """What is not usual."""
        words = [f"top {self.top_k}"] if self.top_k != 1 else []
        words += [f"axis {self.axis}"] if self.axis != 1 else []
        words += [f"ignore {self.ignore_label}"] if self.ignore_label is not None else []
        return " ".join(words)

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """Scratch: which scores are at least the label's."""
        return {"better": base.Buffer(site.bottoms[0], np.bool_)}

    def prepare(self, run: base.Forward[base.Array]) -> base.Array:
        """Where class 0 of each position lies."""
        x = run.site.bottoms[0]
        return places(x, self.axis % len(x))

    def forward(self, run: base.Forward[base.Array]) -> None:
        """Count."""
        x, better = run.bottom(0), run.buffer("better")
        axis = self.axis % x.ndim
        labels, valid = read_labels(run.bottom(1), x.shape[axis], self.ignore_label)
        index = labels * prod(x.shape[axis + 1 :]) + run.work
        score = np.take(x.reshape(-1), index)
        one_class = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
        np.greater_equal(x, score.reshape(one_class), out=better)
        count = np.count_nonzero(better, axis=axis).reshape(-1)  # the label's own score is one
        hits = (count >= 1) & (count <= self.top_k)
        if valid is not None:
            hits, labels = hits[valid], labels[valid]
        run.top(0)[...] = np.count_nonzero(hits) / max(1, hits.size)
        if len(run.tops) > 1:
            classes = x.shape[axis]
            of_class = np.bincount(labels, minlength=classes)
            run.top(1)[...] = np.bincount(labels[hits], minlength=classes) / np.maximum(of_class, 1)
