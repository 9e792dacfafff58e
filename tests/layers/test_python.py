"""Python layers: the user's classes at work in nets."""

from __future__ import annotations

import sys
import traceback

import numpy as np
import pytest

import netdef
from netdef.data.reader import Context
from netdef.diag import FieldError, Severity
from netdef.layers.base import Phase
from netdef.layers.python import Python
from netdef.schema import LayerParameter

USERS = '''
import caffe
import numpy as np

made = []


class Double(caffe.Layer):
    """y = 2 x, and what it was called with."""

    def setup(self, bottom, top):
        self.calls = ["setup"]
        self.shapes = []
        made.append(self)

    def reshape(self, bottom, top):
        self.calls.append("reshape")
        self.shapes.append(tuple(bottom[0].shape))
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom, top):
        self.calls.append("forward")
        top[0].data[...] = 2 * bottom[0].data

    def backward(self, top, propagate_down, bottom):
        self.calls.append("backward")
        self.down = propagate_down
        bottom[0].diff[...] = 2 * top[0].diff


class Euclidean(caffe.Layer):
    def setup(self, bottom, top):
        if len(bottom) != 2:
            raise ValueError("two bottoms, please")

    def reshape(self, bottom, top):
        self.diff = np.zeros_like(bottom[0].data)
        top[0].reshape(1)

    def forward(self, bottom, top):
        self.diff[...] = bottom[0].data - bottom[1].data
        top[0].data[...] = np.sum(self.diff**2) / bottom[0].num / 2

    def backward(self, top, propagate_down, bottom):
        for i, sign in ((0, 1), (1, -1)):
            if propagate_down[i]:
                bottom[i].diff[...] = sign * self.diff / bottom[i].num


class Affine:
    """Any class with the methods; params of its own."""

    def __init__(self, layer):
        self.made_for = layer

    def setup(self, bottom, top):
        self.blobs.add_blob(bottom[0].channels)
        self.blobs.add_blob(1)
        self.blobs[0].data[...] = float(self.param_str)

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom, top):
        w = self.blobs[0].data
        top[0].data[...] = bottom[0].data * w + self.blobs[1].data

    def backward(self, top, propagate_down, bottom):
        self.blobs[0].diff[...] += (top[0].diff * bottom[0].data).sum(axis=0)
        self.blobs[1].diff[...] += top[0].diff.sum()
        if propagate_down[0]:
            bottom[0].diff[...] = top[0].diff * self.blobs[0].data


class Positive(caffe.Layer):
    """Rows with a positive first value: how many shows in forward."""

    def setup(self, bottom, top):
        self.runs = 0
        made.append(self)

    def reshape(self, bottom, top):
        top[0].reshape(1, bottom[0].channels)

    def forward(self, bottom, top):
        self.runs += 1
        rows = bottom[0].data[bottom[0].data[:, 0] > 0]
        top[0].reshape(*rows.shape)
        top[0].data[...] = rows

    def backward(self, top, propagate_down, bottom):
        bottom[0].diff[bottom[0].data[:, 0] > 0] = top[0].diff


class Early(Double):
    """The gradient is known in forward."""

    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data
        bottom[0].diff[...] = 3

    def backward(self, top, propagate_down, bottom):
        pass


class Count(caffe.Layer):
    """A source: 1, 2, 3, ..."""

    def setup(self, bottom, top):
        self.n = 0
        self.phase_then = self.phase

    def reshape(self, bottom, top):
        top[0].reshape(2)

    def forward(self, bottom, top):
        self.n += 1
        top[0].data[...] = self.n


class Broken(Double):
    def forward(self, bottom, top):
        raise RuntimeError("no luck")


class Noisy(Double):
    def reshape(self, bottom, top):
        top[0].reshape(-1)


class Half:
    def reshape(self, bottom, top):
        pass
'''

X = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 4 dim: 3 } } }\n'


@pytest.fixture(autouse=True)
def _modules(tmp_path):
    """Each test finds its own users.py beside its prototxt."""
    (tmp_path / "users.py").write_text(USERS)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name in ("users", "imports_users"):
            del sys.modules[name]


def layer(name, bottoms="x", top="y", more="", module="users", param=""):
    lower = " ".join(f'bottom: "{b}"' for b in bottoms.split())
    upper = " ".join(f'top: "{t}"' for t in top.split())
    return (
        f'layer {{ name: "{name.lower()}" type: "Python" {lower} {upper} {more}\n'
        f'  python_param {{ module: "{module}" layer: "{name}" {param} }} }}\n'
    )


def write(tmp_path, text, head=X):
    path = tmp_path / "net.prototxt"
    path.write_text(head + text)
    return path


def load(tmp_path, text, head=X, **settings):
    return netdef.load(write(tmp_path, text, head), seed=1, **settings)


def image(n=4):
    return np.random.default_rng(0).standard_normal((n, 3)).astype(np.float32)


FORCE = "force_backward: true\n" + X


class TestLife:
    def test_it_is_made_once_and_called_as_by_pycaffe(self, tmp_path):
        net = load(tmp_path, layer("Double"), FORCE)
        (user,) = sys.modules["users"].made
        assert user.calls == ["setup", "reshape"]
        assert (user.param_str, user.phase, user.type) == ("", 1, "Python")
        np.testing.assert_array_equal(net.forward(x=image())["y"], 2 * image())
        assert user.calls[2:] == ["reshape", "forward"]
        np.testing.assert_array_equal(net.backward(y=image())["x"], 2 * image())
        assert user.calls[4:] == ["backward"]
        assert user.down == [True]

    def test_it_lives_through_other_shapes(self, tmp_path):
        net = load(tmp_path, layer("Double"), FORCE)
        np.testing.assert_array_equal(net.forward(x=image(7))["y"], 2 * image(7))
        (user,) = sys.modules["users"].made
        assert user.calls.count("setup") == 1
        assert user.shapes == [(4, 3), (7, 3), (7, 3)]
        np.testing.assert_array_equal(net.backward(y=image(7))["x"], 2 * image(7))
        assert user.calls.count("setup") == 1

    def test_two_layers_of_a_class_are_two_objects(self, tmp_path):
        text = layer("Double") + layer("Double", "y", "z").replace('"double"', '"again"')
        net = load(tmp_path, text)
        np.testing.assert_array_equal(net.forward(x=image())["z"], 4 * image())
        assert len(sys.modules["users"].made) == 2

    def test_phase_and_sources(self, tmp_path):
        net = load(tmp_path, layer("Count", "", "n"), phase="train")
        assert [net.forward()["n"].tolist() for _ in range(2)] == [[1, 1], [2, 2]]
        (node,) = (n for n in net.graph.nodes if n.type == "Python")
        assert node.layer.hosted.user.phase_then == 0

    def test_a_user_holds_blobs_of_plain_words(self, tmp_path):
        load(tmp_path, layer("Double")).forward(x=image())
        node = Python("users", "Double").begin(Context(folder=tmp_path), ((2, 3, 5, 7),))
        bottom = node.hosted._bottoms[0]
        assert (bottom.num, bottom.channels, bottom.height, bottom.width) == (2, 3, 5, 7)
        assert (bottom.count, list(bottom.shape)) == (210, [2, 3, 5, 7])
        assert bottom.data.shape == bottom.diff.shape == (2, 3, 5, 7)


class TestGradients:
    def test_a_loss(self, tmp_path):
        text = (
            'layer { name: "t" type: "Input" top: "t" input_param { shape { dim: 4 dim: 3 } } }\n'
            'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" '
            'inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }\n'
        )
        mine = load(tmp_path, text + layer("Euclidean", "ip t", "loss", "loss_weight: 1"))
        own = 'layer { name: "l" type: "EuclideanLoss" bottom: "ip" bottom: "t" top: "loss" }'
        theirs = load(tmp_path, text + own)
        for net in (mine, theirs):
            net.forward(x=image(), t=image()[::-1])
            net.backward()
        assert mine.loss == pytest.approx(theirs.loss, rel=1e-6)
        for a, b in zip(mine.learned, theirs.learned, strict=True):
            np.testing.assert_allclose(a.diff, b.diff, rtol=1e-5, atol=1e-7)

    def test_params(self, tmp_path):
        net = load(tmp_path, layer("Affine", param='param_str: "0.5"'), FORCE)
        w, b = net.params["affine"]
        assert (w.data.tolist(), b.data.tolist()) == ([0.5] * 3, [0])
        w.data[...] = [1, 2, 3]
        b.data[...] = 4
        np.testing.assert_allclose(net.forward(x=image())["y"], image() * [1, 2, 3] + 4, rtol=1e-6)
        dy = image()[::-1]
        for times in (1, 2):
            net.backward(y=dy)
            np.testing.assert_allclose(w.diff, times * (dy * image()).sum(axis=0), rtol=1e-5)
            np.testing.assert_allclose(b.diff, [times * dy.sum()], rtol=1e-5)
        np.testing.assert_allclose(net.blobs["x"].diff, dy * [1, 2, 3], rtol=1e-6)

    def test_params_are_saved_and_shared(self, tmp_path):
        net = load(tmp_path, layer("Affine", param='param_str: "0.5"'))
        net.params["affine"][0].data[...] = [1, 2, 3]
        net.save(tmp_path / "w.caffemodel")
        other = load(tmp_path, layer("Affine", param='param_str: "9"'))
        other.copy_from(tmp_path / "w.caffemodel")
        np.testing.assert_allclose(other.forward(x=image())["y"], image() * [1, 2, 3], rtol=1e-6)
        third = load(tmp_path, layer("Affine", param='param_str: "9"'))
        third.share_params_with(net)
        net.params["affine"][0].data[...] = 7
        np.testing.assert_allclose(third.forward(x=image())["y"], image() * 7, rtol=1e-6)

    def test_what_forward_leaves_in_a_diff(self, tmp_path):
        net = load(tmp_path, layer("Early"), FORCE)
        for _ in range(2):
            net.forward(x=image())
            assert (net.backward(y=image())["x"] == 3).all()
        assert (net.backward(y=image())["x"] == 3).all()

    def test_a_bottom_that_others_read_too(self, tmp_path):
        text = layer("Double") + 'layer { name: "p" type: "TanH" bottom: "x" top: "z" }'
        net = load(tmp_path, text, FORCE)
        z = net.forward(x=image())["z"]
        ones = np.ones((4, 3))
        dx = net.backward(y=ones, z=ones)["x"]
        np.testing.assert_allclose(dx, 2 + 1 - z * z, rtol=1e-5)


class TestOtherShapes:
    def test_tops_that_grow_in_forward(self, tmp_path):
        text = layer("Positive") + (
            'layer { name: "p" type: "Power" bottom: "y" top: "z" power_param { scale: 3 } }'
        )
        net = load(tmp_path, text, FORCE)
        (user,) = sys.modules["users"].made
        assert net.blobs["z"].shape == (1, 3)
        for seed, passes in ((0, 1), (1, 2), (0, 3)):
            x = np.random.default_rng(seed).standard_normal((9, 3)).astype(np.float32)
            rows = x[:, 0] > 0
            z = net.forward(x=x)["z"]
            np.testing.assert_allclose(z, 3 * x[rows], rtol=1e-6)
            assert user.runs == passes
            dz = np.ones_like(z)
            dx = net.backward(z=dz)["x"]
            np.testing.assert_array_equal(dx, np.where(rows[:, None], 3, 0) * np.ones((9, 3)))


class TestMistakes:
    def test_what_the_user_raises_passes_through(self, tmp_path):
        with pytest.raises(ValueError, match="two bottoms, please") as caught:
            load(tmp_path, layer("Euclidean"))
        assert any(f.filename.endswith("users.py") for f in traceback.extract_tb(caught.tb))
        net = load(tmp_path, layer("Broken"))
        with pytest.raises(RuntimeError, match="no luck"):
            net.forward()

    def test_an_impossible_shape(self, tmp_path):
        with pytest.raises(ValueError, match=r"a blob cannot have the shape \(-1,\)"):
            load(tmp_path, layer("Noisy"))

    @pytest.mark.parametrize(
        ("name", "module", "expected"),
        [
            ("Double", "nowhere", "is `nowhere`, and Python finds no module of that name"),
            ("Double", "users.deeper", "is `users.deeper`, and Python finds no module"),
            ("Dubble", "users", "is `Dubble`, and module `users` has no such class"),
            ("made", "users", "is `made`, and module `users` has no such class"),
            ("Half", "users", "is `Half`, a class without `forward`"),
        ],
    )
    def test_nothing_to_import(self, tmp_path, name, module, expected):
        with pytest.raises(netdef.NetdefError, match=expected) as caught:
            load(tmp_path, layer(name, module=module))
        (problem,) = caught.value.report.errors
        assert (problem.code, problem.line) == ("N202", 3)

    def test_a_near_class(self, tmp_path):
        with pytest.raises(netdef.NetdefError, match='write `layer: "Double"`'):
            load(tmp_path, layer("Dubble"))

    def test_a_module_that_cannot_import_another(self, tmp_path):
        (tmp_path / "imports_users.py").write_text("import users, no_such_thing")
        with pytest.raises(ModuleNotFoundError, match="no_such_thing"):
            load(tmp_path, layer("Double", module="imports_users"))

    @pytest.mark.parametrize("missing", ["module", "layer"])
    def test_read_refuses(self, missing):
        param = {"module": "users", "layer": "Double"}
        del param[missing]
        with pytest.raises(FieldError, match=rf"python_param\.{missing} is missing"):
            Python.read(LayerParameter(python_param=param, top=["y"]), Phase.TEST)

    def test_a_layer_without_blobs(self):
        message = LayerParameter(python_param={"module": "users", "layer": "Double"})
        with pytest.raises(FieldError, match="top is missing, and so is a bottom"):
            Python.read(message, Phase.TEST)


class TestLooking:
    """What only looks at a net runs nothing of the user's."""

    def test_nothing_is_imported(self, tmp_path):
        relu = 'layer { name: "r" type: "ReLU" bottom: "y" top: "r" }'
        path = write(tmp_path, layer("Double") + relu)
        report = netdef.check(path)
        text = netdef.draw(path)
        assert "users" not in sys.modules
        assert "users.Double" in text or "Python" in text
        assert report.ok
        notes = {p.message for p in report}
        assert notes == {
            "shapes after layer `double` are unknown: it runs class `Double` of module `users`"
        }

    def test_what_is_imported_is_said(self, tmp_path):
        net = load(tmp_path, layer("Double"))
        (note,) = net.report
        assert (note.code, note.severity, note.line) == ("N213", Severity.NOTE, 2)
        assert note.message == "layer `double` runs class `Double` of module `users`"
        net.forward(x=image(7))
        assert len(net.report) == 1


def test_a_folder_called_caffe_is_not_caffe(tmp_path, monkeypatch):
    (tmp_path / "caffe" / "src").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    load(tmp_path, layer("Double"))


def test_the_stand_in_for_caffe_is_gone_afterwards(tmp_path):
    path = list(sys.path)
    load(tmp_path, layer("Double"))
    assert "caffe" not in sys.modules
    assert sys.path == path


def test_read():
    param = {"module": "a.b", "layer": "C", "param_str": "{'x': 1}"}
    message = LayerParameter(python_param=param, bottom=["x"], top=["y", "z"])
    read = Python.read(message, Phase.TRAIN)
    assert read == Python("a.b", "C", "{'x': 1}", 2, Phase.TRAIN)
    assert read.settings() == "a.b.C"
    assert not read.ready
    assert read.params(((2, 3),)) == ()
