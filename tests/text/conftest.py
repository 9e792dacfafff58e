"""Messages for the text tests: those of the conformance cases, without protoc."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf import (
    any_pb2,  # noqa: F401  registers Any, which the cases import
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

FOLDER = Path(__file__).parents[1] / "golden" / "textformat"


@pytest.fixture(scope="session")
def messages() -> dict[str, type]:
    """Message classes of cases.proto by full name, from its compiled descriptor."""
    pool = descriptor_pool.DescriptorPool()
    compiled = descriptor_pb2.FileDescriptorSet.FromString((FOLDER / "cases.binpb").read_bytes())
    for file in compiled.file:
        pool.Add(file)
    return message_factory.GetMessageClassesForFiles([f.name for f in compiled.file], pool)


@pytest.fixture(scope="session")
def new(messages: dict[str, type]) -> Callable[..., object]:
    """Makes an empty message of cases.proto: `new("M")`."""
    return lambda name="M": messages[f"tf.{name}"]()
