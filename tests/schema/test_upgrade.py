"""Old syntax: what a net becomes, and that its places lead to what was written."""

from __future__ import annotations

import pytest
from google.protobuf import text_format

from netdef.diag import Report, Source
from netdef.schema import NetParameter
from netdef.schema.document import net_from_text
from netdef.schema.netdef_pb2 import V1LayerParameter
from netdef.schema.upgrade import is_old, upgrade_net
from netdef.schema.upgrade.v0_layers import TYPES as V0_TYPES
from netdef.schema.upgrade.v1_layers import TYPES as V1_TYPES
from netdef.text import SpanMap


def load(text):
    report = Report()
    return net_from_text(text, "old.prototxt", report), report


def same(document, text):
    assert document.message == text_format.Parse(text, NetParameter())


def codes(report):
    return [problem.code for problem in report]


V1 = """
layers { name: "c" type: CONVOLUTION bottom: "x" top: "c"
  param: "w" param: "b" blob_share_mode: PERMISSIVE
  blobs_lr: 1 blobs_lr: 2 weight_decay: 3
  include { phase: TRAIN } loss_weight: 0.5
  convolution_param { num_output: 4 kernel_size: 3 } }
layers { name: "l" type: SOFTMAX_LOSS bottom: "c" bottom: "y" }
"""
V1_NOW = """
layer { name: "c" type: "Convolution" bottom: "x" top: "c"
  param { name: "w" share_mode: PERMISSIVE lr_mult: 1 decay_mult: 3 }
  param { name: "b" lr_mult: 2 }
  include { phase: TRAIN } loss_weight: 0.5
  convolution_param { num_output: 4 kernel_size: 3 } }
layer { name: "l" type: "SoftmaxWithLoss" bottom: "c" bottom: "y" }
"""


def test_v1_layers_become_layers():
    document, report = load(V1)
    assert report.ok
    same(document, V1_NOW)


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (("layer", 0, "name"), 'name: "c"'),
        (("layer", 0, "param", 0, "name"), 'param: "w"'),
        (("layer", 0, "param", 0, "share_mode"), "blob_share_mode: PERMISSIVE"),
        (("layer", 0, "param", 1, "lr_mult"), "blobs_lr: 2"),
        (("layer", 0, "param", 0, "decay_mult"), "weight_decay: 3"),
        (("layer", 0, "param", 1), 'param: "b"'),
        (("layer", 0, "convolution_param", "kernel_size", 0), "kernel_size: 3"),
        (("layer", 1, "bottom", 1), 'bottom: "y"'),
        (("layer", 1, "type"), "type: SOFTMAX_LOSS"),
    ],
)
def test_places_survive_v1(path, written):
    document, _ = load(V1)
    assert document.spans.field(path).text == written


def test_the_current_syntax_is_left_alone():
    document, report = load(V1_NOW)
    assert (len(report), is_old(document.message)) == (0, False)
    same(document, V1_NOW)


def test_is_old_sees_old_syntax_and_changes_nothing():
    net = text_format.Parse(V1, NetParameter())
    before = net.SerializeToString()
    assert is_old(net)
    assert net.SerializeToString() == before


def test_every_v1_type_has_a_name():
    assert set(V1_TYPES) == {value.number for value in V1LayerParameter.LayerType.DESCRIPTOR.values}
    assert set(V0_TYPES.values()) <= set(V1_TYPES)


def test_both_syntaxes_are_a_problem_with_both_places():
    document, report = load('layer { name: "a" }\nlayers { name: "b" type: RELU }\n')
    (problem,) = report
    assert (problem.code, problem.line, problem.labels[0].span.begin.line) == ("N110", 2, 1)
    assert [layer.name for layer in document.message.layer] == ["a", "b"]
    assert document.spans.value(("layer", 1, "name")).text == '"b"'


@pytest.mark.parametrize("kind", ["DATA data", "IMAGE_DATA image_data", "WINDOW_DATA window_data"])
def test_v1_transforms_move(kind):
    enum, param = kind.split()
    document, report = load(
        f'layers {{ type: {enum} {param}_param {{ source: "s" scale: 2 mirror: true }} }}'
    )
    assert report.ok
    layer = document.message.layer[0]
    assert (layer.transform_param.scale, layer.transform_param.mirror) == (2, True)
    message = getattr(layer, f"{param}_param")
    assert (message.source, message.HasField("scale")) == ("s", False)
    span = document.spans.value(("layer", 0, "transform_param", "scale"))
    assert (span.text, document.source.text[span.start - 7 : span.start]) == ("2", "scale: ")


def test_transforms_of_a_current_layer_stay_and_are_warned_of():
    document, report = load('layer { type: "Data" data_param { scale: 2 } }')
    assert codes(report) == ["N115"]
    assert report.problems[0].span.text == "scale: 2"
    assert "transform_param { scale: 2 }" in report.problems[0].help
    assert not document.message.layer[0].HasField("transform_param")


INPUTS = """
name: "n" input: "a" input: "b"
input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 4
input_dim: 5 input_dim: 6 input_dim: 7 input_dim: 8
layer { name: "r" type: "ReLU" bottom: "a" top: "a" }
"""


def test_inputs_become_one_layer_in_front():
    document, report = load(INPUTS)
    assert report.ok
    same(
        document,
        """name: "n"
        layer { name: "input" type: "Input" top: "a" top: "b" input_param {
          shape { dim: 1 dim: 2 dim: 3 dim: 4 } shape { dim: 5 dim: 6 dim: 7 dim: 8 } } }
        layer { name: "r" type: "ReLU" bottom: "a" top: "a" }""",
    )


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (("layer", 0, "top", 1), 'input: "b"'),
        (("layer", 0, "input_param", "shape", 1, "dim", 2), "input_dim: 7"),
        (("layer", 0, "input_param", "shape", 1), "input_dim: 5"),
        (("layer", 1, "name"), 'name: "r"'),
        (("layer", 1, "bottom", 0), 'bottom: "a"'),
        (("name",), 'name: "n"'),
    ],
)
def test_places_survive_inputs(path, written):
    document, _ = load(INPUTS)
    assert document.spans.field(path).text == written


def test_input_shape():
    document, report = load('input: "a" input_shape { dim: 7 dim: 2 }')
    assert report.ok
    assert document.message.layer[0].input_param.shape[0].dim == [7, 2]
    span = document.spans.field(("layer", 0, "input_param", "shape", 0, "dim", 1))
    assert span.text == "dim: 2"


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ('input: "a" input: "b" input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 4', "N111", "b"),
        ('input: "a" input_dim: 1 input_dim: 2', "N111", "a"),
        ('input: "a" input: "b" input_shape { dim: 1 }', "N111", "b"),
        ('input: "a"', "N112", "a"),
    ],
)
def test_inputs_that_lack_a_shape(text, code, at):
    document, report = load(text)
    assert codes(report) == [code]
    assert report.problems[0].span.text == f'input: "{at}"'
    assert not document.message.input


def test_input_dim_without_input_is_left_alone_as_in_caffe():
    document, report = load("input_dim: 1")
    assert (len(report), document.message.input_dim) == (0, [1])


def test_three_params_of_batch_norm_are_frozen():
    document, _ = load(
        'layer { type: "BatchNorm" param { lr_mult: 1 } param { } param { decay_mult: 1 } }'
        'layer { type: "BatchNorm" param { lr_mult: 1 } }'
        'layer { type: "Scale" param { lr_mult: 1 } param { lr_mult: 1 } param { lr_mult: 1 } }'
    )
    three, one, scale = document.message.layer
    assert [(p.lr_mult, p.decay_mult) for p in three.param] == [(0, 0)] * 3
    assert [p.lr_mult for p in (*one.param, *scale.param)] == [1] * 4


V0 = """
name: "old" input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 9
layers { layer { name: "pad1" type: "padding" pad: 2 } bottom: "data" top: "p" }
layers { layer { name: "conv1" type: "conv" num_output: 4 kernelsize: 5 stride: 2 group: 1
    biasterm: false weight_filler { type: "xavier" } blobs_lr: 1 blobs_lr: 2 weight_decay: 3 }
  bottom: "p" top: "conv1" }
layers { layer { name: "pool1" type: "pool" pool: AVE kernelsize: 3 stride: 2 pad: 1 }
  bottom: "conv1" top: "pool1" }
layers { layer { name: "n" type: "lrn" local_size: 3 alpha: 2 beta: 4 } bottom: "pool1" top: "n" }
layers { layer { name: "drop" type: "dropout" dropout_ratio: 0.25 } bottom: "n" top: "n" }
layers { layer { name: "ip" type: "innerproduct" num_output: 7 } bottom: "n" top: "ip" }
layers { layer { name: "prob" type: "softmax" } bottom: "ip" top: "prob" }
"""
V0_NOW = """
name: "old"
layer { name: "input" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 3 dim: 8 dim: 9 } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  param { lr_mult: 1 decay_mult: 3 } param { lr_mult: 2 }
  convolution_param { num_output: 4 kernel_size: 5 stride: 2 group: 1 pad: 2
    bias_term: false weight_filler { type: "xavier" } } }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1"
  pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 } }
layer { name: "n" type: "LRN" bottom: "pool1" top: "n"
  lrn_param { local_size: 3 alpha: 2 beta: 4 } }
layer { name: "drop" type: "Dropout" bottom: "n" top: "n" dropout_param { dropout_ratio: 0.25 } }
layer { name: "ip" type: "InnerProduct" bottom: "n" top: "ip"
  inner_product_param { num_output: 7 } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""


def test_v0_becomes_current():
    document, report = load(V0)
    assert report.ok
    same(document, V0_NOW)


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (("layer", 0, "top", 0), 'input: "data"'),
        (("layer", 1, "name"), 'name: "conv1"'),
        (("layer", 1, "type"), 'type: "conv"'),
        (("layer", 1, "convolution_param", "kernel_size", 0), "kernelsize: 5"),
        (("layer", 1, "convolution_param", "pad", 0), "pad: 2"),
        (("layer", 1, "convolution_param", "weight_filler", "type"), 'type: "xavier"'),
        (("layer", 1, "bottom", 0), 'bottom: "data"'),
        (("layer", 1, "param", 1, "lr_mult"), "blobs_lr: 2"),
        (("layer", 2, "pooling_param", "pad"), "pad: 1"),
        (("layer", 2, "top", 0), 'top: "pool1"'),
        (("layer", 5, "inner_product_param", "num_output"), "num_output: 7"),
    ],
)
def test_places_survive_v0(path, written):
    document, _ = load(V0)
    assert document.spans.field(path).text == written


def test_v0_data_layers():
    document, report = load(
        'layers { layer { name: "d" type: "data" source: "s" batchsize: 2 meanfile: "m" '
        'cropsize: 5 rand_skip: 3 } top: "d" }'
        'layers { layer { name: "i" type: "images" new_height: 4 shuffle_images: true } top: "i" }'
        'layers { layer { name: "w" type: "window_data" det_context_pad: 6 } top: "w" }'
    )
    assert report.ok
    data, images, windows = document.message.layer
    assert (data.data_param.source, data.data_param.batch_size) == ("s", 2)
    assert (data.transform_param.mean_file, data.transform_param.crop_size) == ("m", 5)
    assert (images.image_data_param.new_height, images.image_data_param.shuffle) == (4, True)
    assert windows.window_data_param.context_pad == 6


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ('layers { layer { name: "x" type: "cnov" } }', "N113", '"cnov"'),
        ('layers { layer { name: "x" type: "relu" kernelsize: 5 } }', "N114", "kernelsize: 5"),
        ('layers { layer { name: "x" type: "data" new_num: 5 } }', "N114", "new_num: 5"),
        (
            'layers { layer { type: "padding" } bottom: "a" top: "p" }'
            'layers { layer { type: "relu" } bottom: "p" top: "r" }',
            "N113",
            '"padding"',
        ),
    ],
)
def test_v0_mistakes(text, code, at):
    _, report = load(text)
    assert codes(report) == [code]
    assert report.problems[0].span.text == at


def test_a_binary_net_is_upgraded_the_same():
    net = NetParameter.FromString(text_format.Parse(V0, NetParameter()).SerializeToString())
    report = Report()
    upgrade_net(net, SpanMap(Source("x.caffemodel", "")), report)
    assert report.ok
    assert net == text_format.Parse(V0_NOW, NetParameter())
