"""Files of learned values: .caffemodel, .solverstate, both as HDF5, .npz and .safetensors.

Knows how Caffe lays them out, what the versions since 2013 did differently, and how to write a
file so that a failure leaves the old one. Has never heard of nets: which values belong where,
and whether they fit, is for those who have one.
"""

from __future__ import annotations

from netdef.schema.weights.files import (
    read_state,
    read_weights,
    scan_state,
    scan_weights,
    write_state,
    write_weights,
)
from netdef.schema.weights.solverstate import SolverStateData
from netdef.schema.weights.stored import Stored
from netdef.schema.weights.values import Array, Weights, fit

__all__ = [
    "Array",
    "SolverStateData",
    "Stored",
    "Weights",
    "fit",
    "read_state",
    "read_weights",
    "scan_state",
    "scan_weights",
    "write_state",
    "write_weights",
]
