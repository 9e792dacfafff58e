"""Protobuf messages, where each field was written, old formats, weight files.

Knows the messages of `proto/netdef.proto`, the syntaxes they had before, and the files that hold
weights and solver states. Has never heard of what a layer computes, nor of arrays beyond their
shape and values.

`document` reads a file into a message with the places of its fields, `upgrade` brings older
syntax up to date, `weights` reads and writes learned values. The only package that imports
google.protobuf; what others need of it is here, loaded when first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netdef.schema.netdef_pb2 import (
        TEST,
        TRAIN,
        BlobProto,
        BlobShape,
        Datum,
        FillerParameter,
        LayerParameter,
        NetParameter,
        NetState,
        NetStateRule,
        ParamSpec,
        SolverParameter,
        SolverState,
    )

__all__ = [
    "TEST",
    "TRAIN",
    "BlobProto",
    "BlobShape",
    "Datum",
    "FillerParameter",
    "LayerParameter",
    "NetParameter",
    "NetState",
    "NetStateRule",
    "ParamSpec",
    "SolverParameter",
    "SolverState",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from netdef.schema import netdef_pb2  # 20 ms that `netdef --help` does not pay

    value: object = getattr(netdef_pb2, name)
    globals()[name] = value
    return value
