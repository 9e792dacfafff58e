"""The compiled messages against Caffe's table, and beside Caffe's own messages."""

from __future__ import annotations

import csv
import subprocess
import sys
import warnings
from itertools import pairwise
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor

from netdef.schema import netdef_pb2

FILES = Path(__file__).parent / "files"
ROOT = Path(__file__).parents[2]
# message, field, number, label, type, default, packed: what netdef adds to Caffe's table
OWN = {
    ("SolverParameter", "clip_value", "20000", "optional", "float", "", ""),
    (
        "SolverParameter",
        "epsilon_mode",
        "20001",
        "optional",
        "enum SolverParameter.EpsilonMode",
        "CAFFE",
        "",
    ),
    (
        "SolverParameter",
        "trust_coefficient",
        "20002",
        "optional",
        "float",
        "0.0010000000474974513",
        "",
    ),
    ("SolverParameter", "min_lr", "20003", "optional", "float", "0.0", ""),
    ("SolverParameter", "pct_start", "20004", "optional", "float", "0.30000001192092896", ""),
    ("SolverParameter", "div_factor", "20005", "optional", "float", "25.0", ""),
    ("SolverParameter", "final_div_factor", "20006", "optional", "float", "10000.0", ""),
    ("SolverParameter", "warmup_iter", "20007", "optional", "int32", "0", ""),
    ("SolverParameter", "warmup_start_lr", "20008", "optional", "float", "", ""),
    ("SolverParameter", "monitor", "20009", "optional", "string", "", ""),
    (
        "SolverParameter",
        "monitor_mode",
        "20010",
        "optional",
        "enum SolverParameter.MonitorMode",
        "",
        "",
    ),
    ("SolverParameter", "monitor_interval", "20011", "optional", "int32", "100", ""),
    ("SolverParameter", "min_delta", "20012", "optional", "float", "0.0", ""),
    ("SolverParameter", "patience", "20013", "optional", "int32", "10", ""),
    ("SolverParameter", "early_stopping", "20014", "optional", "int32", "0", ""),
    ("SolverParameter", "keep_best", "20015", "optional", "bool", "False", ""),
    ("SolverParameter", "keep_last", "20016", "optional", "int32", "0", ""),
    ("SolverParameter", "max_time", "20017", "optional", "float", "", ""),
    ("SolverState", "extra_name", "20000", "repeated", "string", "", ""),
    ("SolverState", "extra_value", "20001", "repeated", "int64", "", "packed"),
    ("SolverState", "solver", "20002", "optional", "SolverParameter", "", ""),
}
# enum, value, number
OWN_ENUMS = {
    ("SolverParameter.EpsilonMode", "CAFFE", "0"),
    ("SolverParameter.EpsilonMode", "TENSORFLOW", "1"),
    ("SolverParameter.EpsilonMode", "PAPER", "2"),
    ("SolverParameter.MonitorMode", "MIN", "0"),
    ("SolverParameter.MonitorMode", "MAX", "1"),
}
OWN_NUMBERS = range(20000, 21000)

TYPES = {
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_FLOAT: "float",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_UINT32: "uint32",
}
LABELS = {1: "optional", 2: "required", 3: "repeated"}


def table(name):
    with (FILES / name).open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    return {tuple(row) for row in rows[1:]}


def file_proto():
    proto = descriptor_pb2.FileDescriptorProto()
    netdef_pb2.DESCRIPTOR.CopyToProto(proto)
    return proto


def full_name(descriptor):
    return descriptor.full_name.removeprefix("netdef.")


def field_type(field):
    if field.message_type is not None:
        return full_name(field.message_type)
    if field.enum_type is not None:
        return f"enum {full_name(field.enum_type)}"
    return TYPES[field.type]


def field_default(field):
    if not field.has_default_value:
        return ""
    if field.enum_type is not None:
        return field.enum_type.values_by_number[field.default_value].name
    return str(field.default_value)


def compiled_fields():
    rows = set()
    for proto in file_proto().message_type:
        message = netdef_pb2.DESCRIPTOR.message_types_by_name[proto.name]
        for field, field_proto in zip(message.fields, proto.field, strict=True):
            rows.add(
                (
                    proto.name,
                    field.name,
                    str(field.number),
                    LABELS[field_proto.label],
                    field_type(field),
                    field_default(field),
                    "packed" if field_proto.options.packed else "",
                )
            )
    return rows


def compiled_enums():
    enums = list(netdef_pb2.DESCRIPTOR.enum_types_by_name.values())
    for message in netdef_pb2.DESCRIPTOR.message_types_by_name.values():
        enums.extend(message.enum_types)
    return {(full_name(e), v.name, str(v.number)) for e in enums for v in e.values}


def test_every_field_of_caffe_is_there_as_it_is():
    assert table("caffe_schema.tsv") - compiled_fields() == set()


def test_no_field_is_there_that_neither_caffe_nor_netdef_has():
    assert compiled_fields() - table("caffe_schema.tsv") == OWN


def test_own_fields_are_in_the_range_that_caffe_skips():
    assert all(int(number) in OWN_NUMBERS for _, _, number, *_ in OWN)


def test_enums_are_caffes_both_ways():
    assert compiled_enums() == table("caffe_enums.tsv") | OWN_ENUMS


def test_every_field_and_message_has_a_comment():
    lines = (ROOT / "proto/netdef.proto").read_text("utf-8").splitlines()
    for before, line in pairwise(lines):
        words = line.split()
        if words and words[0] in ("message", "enum", "optional", "repeated", "required"):
            assert before.strip().startswith("//"), line


def test_registered_under_its_own_name_and_package():
    assert netdef_pb2.DESCRIPTOR.name == "netdef/schema/netdef.proto"
    assert netdef_pb2.DESCRIPTOR.package == "netdef"


@pytest.fixture(scope="module")
def caffe_layer():
    """LayerParameter of a second message set, in package `caffe`, as another program has it."""
    proto = file_proto()
    proto.name, proto.package = "caffe.proto", "caffe"
    for message in proto.message_type:
        for field in list(message.field):
            if field.HasField("type_name"):
                field.type_name = field.type_name.replace(".netdef.", ".caffe.")
            if field.number in OWN_NUMBERS:
                message.field.remove(field)
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(proto.SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"caffe.{name}"))
        for name in ("LayerParameter", "SolverParameter")
    }


def test_lives_beside_messages_of_package_caffe(caffe_layer):
    ours = netdef_pb2.LayerParameter(name="conv1", type="Convolution", bottom=["data"])
    ours.convolution_param.kernel_size.append(3)
    theirs = caffe_layer["LayerParameter"].FromString(ours.SerializeToString())
    assert type(theirs) is not netdef_pb2.LayerParameter
    assert theirs.DESCRIPTOR.full_name == "caffe.LayerParameter"
    assert (theirs.name, list(theirs.convolution_param.kernel_size)) == ("conv1", [3])
    assert netdef_pb2.LayerParameter.FromString(theirs.SerializeToString()) == ours


def test_caffe_steps_over_own_fields_and_keeps_them(caffe_layer):
    ours = netdef_pb2.SolverParameter(base_lr=0.5, clip_value=2.0)
    theirs = caffe_layer["SolverParameter"].FromString(ours.SerializeToString())
    assert theirs.base_lr == 0.5
    assert netdef_pb2.SolverParameter.FromString(theirs.SerializeToString()) == ours


@pytest.mark.parametrize("implementation", ["upb", "python"])
def test_loads_without_a_warning(implementation):
    code = "import netdef.schema.netdef_pb2 as p; print(p.SolverParameter().rms_decay > 0.98)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": implementation, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("True", "")


def test_names_are_loaded_when_asked_for():
    code = (
        "import sys, netdef.schema as s\n"
        "assert not any(m.startswith('google.protobuf') for m in sys.modules)\n"
        "assert (s.TRAIN, s.TEST, s.Datum(label=3).label) == (0, 1, 3)"
    )
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT)}, check=True)


def test_no_other_name():
    import netdef.schema

    with pytest.raises(AttributeError, match="Nonsense"):
        netdef.schema.Nonsense  # noqa: B018
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(hasattr(netdef.schema, name) for name in netdef.schema.__all__)
