from __future__ import annotations

import pytest

from netdef.diag import Report, Severity
from netdef.schema.document import net_from_text, read_net, read_solver, solver_from_text

LENET = 'name: "lenet"\nlayer { name: "relu" type: "ReLU" bottom: "x" top: "x" }\n'


def read(path, reader=read_net):
    report = Report()
    return reader(path, report), report


def only(report):
    (problem,) = report
    return problem


def test_a_net_with_its_places(tmp_path):
    path = tmp_path / "model.prototxt"
    path.write_text(LENET)
    document, report = read(path)
    assert report.ok
    assert document.message.layer[0].type == "ReLU"
    assert document.path == path
    assert document.source.name == str(path)
    assert document.spans.value(("layer", 0, "type")).text == '"ReLU"'


def test_a_solver(tmp_path):
    path = tmp_path / "solver.prototxt"
    path.write_text("base_lr: 0.5\nclip_value: 2\n")
    document, report = read(path, read_solver)
    assert report.ok
    assert (document.message.base_lr, document.message.clip_value) == (0.5, 2)


def test_text_from_elsewhere_has_no_path():
    document = net_from_text(LENET, "<string>", Report())
    assert (document.path, document.source.name) == (None, "<string>")


def test_mistakes_of_the_text_are_reported_and_the_rest_is_read():
    report = Report()
    document = net_from_text('nmae: "x"\nforce_backward: true\n', "x.prototxt", report)
    assert not report.ok
    assert document.message.force_backward


def test_missing_file_names_a_near_one(tmp_path):
    (tmp_path / "model.prototxt").write_text(LENET)
    document, report = read(tmp_path / "modle.prototxt")
    assert document is None
    assert only(report).code == "N101"
    assert only(report).help == f"a near name is `{tmp_path / 'model.prototxt'}`"


def test_missing_folder(tmp_path):
    _, report = read(tmp_path / "no" / "model.prototxt")
    assert only(report).code == "N101"
    assert str(tmp_path / "no") in only(report).notes[0]


def test_a_folder(tmp_path):
    document, report = read(tmp_path)
    assert (document, only(report).code) == (None, "N102")


def test_a_name_that_no_file_can_have():
    document, report = read("a\0b")
    assert (document, only(report).code) == (None, "N103")


def test_unreadable(tmp_path, monkeypatch):
    path = tmp_path / "model.prototxt"
    path.write_text(LENET)

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    document, report = read(path)
    assert (document, only(report).code) == (None, "N103")
    assert only(report).message == f"`{path}` cannot be read: permission denied"


def test_binary_where_text_is_meant(tmp_path):
    from netdef.schema import NetParameter

    path = tmp_path / "x.caffemodel"
    net = NetParameter(name="x")
    net.layer.add(name="conv").blobs.add(data=[1.0, 2.0])
    path.write_bytes(net.SerializeToString())
    document, report = read(path)
    assert (document, only(report).code) == (None, "N104")
    assert "is a binary model with weights, where the text of a net is needed" in str(report)


@pytest.mark.parametrize(
    ("reader", "text", "said"),
    [
        (read_net, "base_lr: 0.1\nmax_iter: 5\n", "is the text of a solver, where a net is needed"),
        (read_solver, LENET, "is the text of a net, where a solver is needed"),
    ],
)
def test_net_and_solver_mixed_up_is_one_problem(tmp_path, reader, text, said):
    path = tmp_path / "x.prototxt"
    path.write_text(text)
    _, report = read(path, reader)
    assert only(report).code == "N106"
    assert said in only(report).message


def test_not_utf8_in_a_string_is_an_error_at_its_byte(tmp_path):
    path = tmp_path / "x.prototxt"
    path.write_bytes('# é\nname: "a'.encode() + b"\xb0" + b'b"\n')
    document, report = read(path)
    assert document is not None
    problem = next(p for p in report if p.code == "N105")
    assert problem.message == "byte 0xb0 at 13 is not UTF-8 text"
    assert (problem.line, problem.column, problem.severity) == (2, 9, Severity.ERROR)


@pytest.mark.parametrize("line", [b"# \xc4\xe3", b"name: 'a' # it's \xc4", b'name: "a#" # \xc4'])
def test_not_utf8_in_a_comment_is_a_warning_as_caffe_takes_it(tmp_path, line):
    path = tmp_path / "x.prototxt"
    path.write_bytes(line + b"\nforce_backward: true\n")
    document, report = read(path)
    assert only(report).severity is Severity.WARNING
    assert document.message.force_backward


def test_a_hash_in_a_string_starts_no_comment(tmp_path):
    path = tmp_path / "x.prototxt"
    path.write_bytes(b'name: "a#\xc4"\n')
    _, report = read(path)
    assert not report.ok


def test_utf16_is_named(tmp_path):
    path = tmp_path / "x.prototxt"
    path.write_bytes(LENET.encode("utf-16"))
    document, report = read(path)
    assert (document, only(report).code) == (None, "N105")
    assert "UTF-16" in only(report).notes[0]


def test_an_empty_file_is_an_empty_net(tmp_path):
    path = tmp_path / "x.prototxt"
    path.write_bytes(b"")
    document, report = read(path)
    assert report.ok
    assert not document.message.layer


def test_solver_type_becomes_type():
    report = Report()
    document = solver_from_text("solver_type: ADAM\n", "s", report)
    assert report.ok
    assert (document.message.type, document.message.HasField("solver_type")) == ("Adam", False)
    assert document.spans.value(("type",)).text == "ADAM"


def test_both_solver_types_are_a_problem():
    report = Report()
    solver_from_text('type: "SGD"\nsolver_type: ADAM\n', "s", report)
    assert only(report).code == "N116"
    assert [label.span.text for label in only(report).labels] == ['type: "SGD"']
