"""Texts mended: what `netdef check --fix` writes."""

from __future__ import annotations

import pytest

from netdef.api.fixing import apply_fixes, fix
from netdef.diag import Fix, Source, Span
from netdef.text.problems import UnknownField

SOLVER = 'base_lr: 0.01\nlr_policy: "fixed"\nmax_iter: 10\n'
NET = 'layer { name: "a" type: "Input" top: "a" input_param { shape { dim: 3 } } %s }\n'


@pytest.fixture
def mended(tmp_path):
    def run(text):
        path = tmp_path / "net.prototxt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        rewritten, count = fix(path)
        assert path.read_bytes() == rewritten.before  # nothing is written
        return rewritten.after.decode("utf-8", "surrogateescape"), count

    return run


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("lr_policy: fixed", 'lr_policy: "fixed"'),
        ("display: 1e2", "display: 100"),
        ("display: 100.0", "display: 100"),
        ('display: "100"', "display: 100"),
        ("display: 1_000", "display: 1000"),
        ("momentum: +0.9", "momentum: 0.9"),
        ("momentum 0.9", "momentum: 0.9"),
        ("momentum = 0.9", "momentum: 0.9"),
        ("test_iter: [1, 2,]", "test_iter: [1, 2]"),
        ("test_iter: [1 2 3 4]", "test_iter: [1, 2, 3, 4]"),
        ("device_id: [0]", "device_id: 0"),
        ("debug_info: TRUE", "debug_info: true"),
        ("debug_info: no", "debug_info: false"),
        ('debug_info: "true"', "debug_info: true"),
        ('snapshot_format: "HDF5"', "snapshot_format: HDF5"),
        ("snapshot_format: hdf5", "snapshot_format: HDF5"),
        ("wieght_decay: 0.1", "weight_decay: 0.1"),
        ("Momentum: 0.9", "momentum: 0.9"),
        ("snapshot_prefix: data/lenet", 'snapshot_prefix: "data/lenet"'),
        ("snapshot_prefix: “lenet”", 'snapshot_prefix: "lenet"'),
        ('snapshot_prefix: lenet"', 'snapshot_prefix: "lenet"'),
        ('snapshot_prefix: "lenet', 'snapshot_prefix: "lenet"'),
        ("// rate", "# rate"),
        ("momentum: 0.9// rate", "momentum: 0.9# rate"),
        ("/* rate */", "# rate"),
        ("momentum: 0.9/* rate */", "momentum: 0.9# rate"),
        ("momentum: 0.9 /* so\n that */", "momentum: 0.9 # so\n # that"),
        ('type: "Adm"', 'type: "Adam"'),
        ("type: 'adagrad'", 'type: "AdaGrad"'),
        ('lr_policy: "fixd"', 'lr_policy: "fixed"'),
        ('regularization_type: "l1"', 'regularization_type: "L1"'),
        ("momentum: 0.9;;", "momentum: 0.9;"),
        ("momentum:\u00a00.9", "momentum: 0.9"),
        ("momentum: 0.9\nmomentum: 0.9", "momentum: 0.9"),
    ],
)
def test_what_is_mended(mended, wrong, right):
    text, count = mended(
        f"{SOLVER}{wrong}\nrandom_seed: 1\n".replace(
            SOLVER if "lr_policy" in wrong else "\0", "base_lr: 0.01\nmax_iter: 10\n"
        )
    )
    assert f"\n{right}\n" in text
    assert f"\n{wrong}\n" not in text
    assert count >= 1


@pytest.mark.parametrize(
    "wrong",
    [
        "display: 1.5",
        "max_itre: 3",  # max_iter is given
        "foo: 3",
        "test_inter: 100",  # test_iter, or test_interval cut short
        "test_iter: 1 /* twice */ random_seed: 1",
        "/* one */ /* two */ display: 3",
        "test_iter: /* of batches */ 1",
        "/* one\ntwo */ display: 3",
        "/* never closed",
        'type: "NAdam"',  # of others, near as they are
        'type: "SGDW"',
        'type: "SDG"',
        'type: "A" "dm"',
        'regularization_type: "L3"',
        'snapshot_prefix: "C:\\data"',
        "momentum: 0.9\nmomentum: 0.8",
        "display: $#n#$",
        "snapshot_prefix: OUT_DIR",
        'device_id: "none"',
    ],
)
def test_what_is_left_to_people(mended, wrong):
    text, _ = mended(f"{SOLVER}{wrong}\n")
    assert wrong.split()[0] in text
    assert text == f"{SOLVER}{wrong}\n"


def test_layer_types(mended):
    text, count = mended(
        (NET % "")
        + 'layer { name: "b" type: "inner_product" bottom: "a" top: "b" }\n'
        + "layer { name: 'c' type: 'SOFTMAX_LOSS' bottom: 'b' bottom: 'a' top: 'c' }\n"
        + "layer { name: 'd' type: 'Permute' bottom: 'b' top: 'd' }\n"
    )
    assert count == 2
    assert '"InnerProduct"' in text
    assert '"SoftmaxWithLoss"' in text
    assert "'Permute'" in text


def test_words_of_layers(mended):
    text, count = mended(
        (NET % "")
        + 'layer { name: "b" type: "InnerProduct" bottom: "a" top: "b" inner_product_param {\n'
        + '  num_output: 2 weight_filler { type: "xaiver" } bias_filler { type: "Constant" } } }\n'
        + 'layer { name: "c" type: "WindowData" top: "c" transform_param { crop_size: 9 }\n'
        + '  window_data_param { source: "w" batch_size: 1 crop_mode: "wrap" } }\n'
    )
    assert count == 3
    assert 'weight_filler { type: "xavier" } bias_filler { type: "constant" }' in text
    assert 'crop_mode: "warp"' in text


def test_words_of_old_layers(mended):
    text, count = mended(
        'layers { layer { name: "a" type: "cnov" num_output: 2 kernelsize: 3\n'
        '  weight_filler { type: "gausian" } } bottom: "x" top: "a" }\n'
        'input: "x" input_dim: 1 input_dim: 1 input_dim: 5 input_dim: 5\n'
    )
    assert count == 2
    assert 'type: "conv"' in text
    assert 'type: "gaussian"' in text


@pytest.mark.parametrize("name", ["ConvolutionDW", "HSwish", "BatchReNorm", "Tan", "GELU"])
def test_layers_of_others_are_no_slips(mended, name):
    text = (NET % "") + f'layer {{ name: "b" type: "{name}" bottom: "a" top: "b" }}\n'
    assert mended(text) == (text, 0)


def test_fillers_of_others_are_no_slips(mended):
    text = (NET % "") + (
        'layer { name: "b" type: "InnerProduct" bottom: "a" top: "b" inner_product_param {\n'
        '  num_output: 2 weight_filler { type: "trilinear" } } }\n'
    )
    assert mended(text) == (text, 0)


def test_one_mend_shows_the_next(mended):
    text, count = mended("base_lr: 0.01 lr_policy: fixed max_itr: 1e3 // end\n")
    assert text == 'base_lr: 0.01 lr_policy: "fixed" max_iter: 1000 # end\n'
    assert count == 4


def test_line_ends_and_marks_are_kept(mended):
    text, count = mended("\ufeffbase_lr: 0.01\r\nlr_policy: fixed\r\n")
    assert text == 'base_lr: 0.01\r\nlr_policy: "fixed"\r\n'
    assert count == 2


def test_other_encodings_are_left(mended):
    text, count = mended(b"# \xe9\nlr_policy: fixed\n")
    assert (text, count) == ("# \udce9\nlr_policy: fixed\n", 0)


def test_a_file_that_is_not_there(tmp_path):
    rewritten, count = fix(tmp_path / "nothing")
    assert (count, rewritten.changed) == (0, False)


def test_fixes_that_meet_wait():
    text = "abcdef"
    source = Source("t", text)

    def problem(*edits):
        fixes = tuple(Fix(Span(source, s, e), new) for s, e, new in edits)
        return UnknownField("x", Span(source, 0, 1), fixes=fixes)

    one, two = problem((0, 3, "X")), problem((2, 4, "Y"))
    assert apply_fixes(text, [one, two]) == ("Xdef", 1)
    assert apply_fixes(text, [one, one]) == ("Xdef", 1)
    both = problem((0, 1, "A"), (5, 6, "F"))
    assert apply_fixes(text, [both, problem((3, 3, "-"))]) == ("Abc-deF", 2)
    unsafe = UnknownField("x", fixes=(Fix(Span(source, 0, 1), "", safe=False),))
    assert apply_fixes(text, [unsafe]) == (text, 0)
