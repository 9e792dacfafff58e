"""Embed: a vector for each index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Self

import numpy as np

from netdef.diag import FieldError
from netdef.kernels.rows import add_back, pick
from netdef.layers import base
from netdef.layers.filler import ZEROS, Filler
from netdef.layers.indices import read_indices

if TYPE_CHECKING:
    from netdef.schema import LayerParameter

_PATH = "embed_param"


@base.layer("Embed")
@dataclass(frozen=True, slots=True)
class Embed(base.Layer[None]):
    """Look up a learned vector for each index: InnerProduct with one-hot inputs, without them.

    Formula:
        y[..., :] = w[x[...], :] + b
    Bottoms:
        x: indices as floats, 0 to input_dim - 1, in any shape
    Tops:
        y: x's shape, and num_output as a last axis
    Params:
        weight: (input_dim, num_output)
        bias: (num_output,), with bias_term
    Cost:
        a copy of each vector; no MACs
    Source:
        caffe/src/caffe/layers/embed_layer.cpp
    Differs from Caffe:
        An index that is not a whole number or out of bounds is refused in every run; a release
        build of Caffe rounds it towards zero and reads what lies there.

    Example:
        >>> Embed(num_output=1000, input_dim=8801).shapes(((20, 16),))
        ((20, 16, 1000),)
    """

    num_output: int
    input_dim: int
    bias_term: bool = True
    weight_filler: Filler = ZEROS
    bias_filler: Filler = ZEROS

    no_gradient = (0,)
    reads_bottoms = False
    reads_tops = False

    @classmethod
    def read(cls, message: LayerParameter, phase: base.Phase) -> Self:
        """Read `embed_param`.

        Raises:
            FieldError: a size is missing or 0, or a filler is wrong.
        """
        del phase
        p = message.embed_param
        for name, value, what in (
            ("num_output", p.num_output, "the length of a vector"),
            ("input_dim", p.input_dim, "how many vectors there are: the greatest index and one"),
        ):
            if not value:
                said = "must be at least 1, is 0" if p.HasField(name) else "is missing"  # type: ignore[arg-type]
                raise FieldError(f"{_PATH}.{name}", said, f"write {what}")
        return cls(
            num_output=p.num_output,
            input_dim=p.input_dim,
            bias_term=p.bias_term,
            weight_filler=Filler.read(p.weight_filler, f"{_PATH}.weight_filler"),
            bias_filler=Filler.read(p.bias_filler, f"{_PATH}.bias_filler"),
        )

    def shapes(self, bottoms: base.Shapes) -> base.Shapes:
        """The bottom's, with one more axis for the vectors."""
        self.weight_filler.check((self.input_dim, self.num_output), f"{_PATH}.weight_filler")
        self.bias_filler.check((self.num_output,), f"{_PATH}.bias_filler")
        return ((*bottoms[0], self.num_output),)

    def params(self, bottoms: base.Shapes) -> tuple[base.Learned, ...]:
        """Weight, and bias where there is one."""
        del bottoms
        weight = base.Learned("weight", (self.input_dim, self.num_output), self.weight_filler)
        bias = base.Learned("bias", (self.num_output,), self.bias_filler)
        return (weight, bias) if self.bias_term else (weight,)

    def settings(self) -> str:
        """As `8801→1000`."""
        return f"{self.input_dim}→{self.num_output}"

    def buffers(self, site: base.Site) -> Mapping[str, base.Buffer]:
        """The indices as integers; ones to sum with."""
        count = prod(site.bottoms[0])
        needs = {"index": base.Buffer((count,), np.intp, saved=site.backward)}
        if self.bias_term and any(site.learns):
            needs["ones"] = base.Buffer((count,))
        return needs

    def forward(self, run: base.Forward[None]) -> None:
        """Copy vectors, add the bias.

        Raises:
            BottomError: there is no vector of such an index.
        """
        index, y = run.buffer("index"), self._vectors(run.top(0))
        help = "make `input_dim` greater than every index"
        read_indices(run.bottom(0), self.input_dim, 0, help, index)
        pick(run.param(0), index, y)
        if self.bias_term:
            np.add(y, run.param(1), out=y)

    def backward(self, run: base.Backward[None]) -> None:
        """Each vector learns from every place where it was copied to."""
        index = run.buffer("index")
        dy = self._vectors(run.top_diff(0))
        if (dw := run.param_diff(0)) is not None:
            dw.fill(0)
            add_back(dy, index, dw)
        if self.bias_term and (db := run.param_diff(1)) is not None:
            ones = run.buffer("ones")
            ones.fill(1)
            np.matmul(ones, dy, out=db)

    def _vectors(self, top: base.Array) -> base.Array:
        """A top as one row for each index."""
        return top.reshape(prod(top.shape[:-1]), self.num_output)
