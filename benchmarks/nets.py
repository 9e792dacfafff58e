"""The seven nets that are measured, as prototxt: `python -m benchmarks.nets FOLDER` writes them.

Layers, sizes and names are those of the published nets. A train net reads `data` and `label`
from Input layers and ends in SoftmaxWithLoss; a deploy net reads `data` and ends in Softmax.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_RELU, _DROPOUT = "ReLU", "Dropout"


class Writer:
    """Writes layers; each call returns the name of the blob it made.

    Args:
        name: of the net.
        image: channels, height, width.
        batch: images in the batch.
        deploy: without label and losses, with the class probabilities as output.
        dropout: with its Dropout layers; without them two programs can agree.
    """

    def __init__(
        self, name: str, image: tuple[int, int, int], batch: int, *, deploy: bool, dropout: bool
    ) -> None:
        self.deploy = deploy
        self._dropout = dropout
        self._lines = [f'name: "{name}"']
        self._input("data", (batch, *image))
        if not deploy:
            self._input("label", (batch,))

    @property
    def text(self) -> str:
        """The prototxt."""
        return "\n".join(self._lines) + "\n"

    def _input(self, name: str, shape: Sequence[int]) -> None:
        dims = " ".join(f"dim: {size}" for size in shape)
        self.layer("Input", name, (), f"input_param {{ shape {{ {dims} }} }}")

    def layer(
        self, kind: str, name: str, bottoms: str | Sequence[str], body: str = "", top: str = ""
    ) -> str:
        """A layer of any type."""
        top = top or name
        names = [bottoms] if isinstance(bottoms, str) else bottoms
        read = "".join(f' bottom: "{bottom}"' for bottom in names)
        head = f'layer {{ name: "{name}" type: "{kind}"{read} top: "{top}"'
        self._lines.append(f"{head} {body} }}" if body else f"{head} }}")
        return top

    def conv(
        self,
        x: str,
        name: str,
        outputs: int,
        kernel: int,
        *,
        stride: int = 1,
        pad: int = 0,
        group: int = 1,
        bias: bool = True,
        relu: str = "",
    ) -> str:
        """A convolution; with `relu` a ReLU of that name in place."""
        options = f"num_output: {outputs} kernel_size: {kernel}"
        options += f" stride: {stride}" if stride > 1 else ""
        options += f" pad: {pad}" if pad else ""
        options += f" group: {group}" if group > 1 else ""
        options += "" if bias else " bias_term: false"
        filler = 'weight_filler { type: "msra" }'
        self.layer("Convolution", name, x, f"convolution_param {{ {options} {filler} }}")
        return self.in_place(_RELU, relu, name) if relu else name

    def fc(self, x: str, name: str, outputs: int) -> str:
        """An inner product."""
        filler = 'weight_filler { type: "xavier" }'
        body = f"inner_product_param {{ num_output: {outputs} {filler} }}"
        return self.layer("InnerProduct", name, x, body)

    def in_place(self, kind: str, name: str, x: str, body: str = "") -> str:
        """A layer that writes over its bottom."""
        return self.layer(kind, name, x, body, top=x)

    def relu(self, x: str, name: str) -> str:
        """A ReLU in place."""
        return self.in_place(_RELU, name, x)

    def drop(self, x: str, name: str, ratio: float = 0.5) -> str:
        """A Dropout in place."""
        if not self._dropout:
            return x
        return self.in_place(_DROPOUT, name, x, f"dropout_param {{ dropout_ratio: {ratio} }}")

    def pool(
        self, x: str, name: str, kernel: int, stride: int, *, pad: int = 0, how: str = "MAX"
    ) -> str:
        """A pooling layer; kernel 0 pools the whole map."""
        size = f"kernel_size: {kernel} stride: {stride}" if kernel else "global_pooling: true"
        size += f" pad: {pad}" if pad else ""
        return self.layer("Pooling", name, x, f"pooling_param {{ pool: {how} {size} }}")

    def lrn(self, x: str, name: str, size: int = 5, alpha: float = 1e-4, region: str = "") -> str:
        """Local response normalization."""
        options = f"local_size: {size} alpha: {alpha} beta: 0.75"
        options += f" norm_region: {region}" if region else ""
        return self.layer("LRN", name, x, f"lrn_param {{ {options} }}")

    def normed(self, x: str, suffix: str, *, relu: str = "") -> str:
        """BatchNorm and Scale in place, and a ReLU of that name."""
        self.in_place("BatchNorm", f"bn{suffix}", x)
        self.in_place("Scale", f"scale{suffix}", x, "scale_param { bias_term: true }")
        return self.relu(x, relu) if relu else x

    def end(self, x: str, name: str = "loss", weight: float = 1.0) -> str:
        """The loss in training, the probabilities in deployment."""
        if self.deploy:
            return self.layer("Softmax", "prob", x)
        body = f"loss_weight: {weight:g}"
        return self.layer("SoftmaxWithLoss", name, (x, "label"), body)


def lenet(w: Writer) -> None:
    """Caffe's LeNet for MNIST."""
    x = w.pool(w.conv("data", "conv1", 20, 5), "pool1", 2, 2)
    x = w.pool(w.conv(x, "conv2", 50, 5), "pool2", 2, 2)
    x = w.relu(w.fc(x, "ip1", 500), "relu1")
    w.end(w.fc(x, "ip2", 10))


def cifar_quick(w: Writer) -> None:
    """Caffe's quick net for CIFAR-10."""
    x = w.pool(w.conv("data", "conv1", 32, 5, pad=2), "pool1", 3, 2)
    x = w.conv(w.relu(x, "relu1"), "conv2", 32, 5, pad=2, relu="relu2")
    x = w.pool(x, "pool2", 3, 2, how="AVE")
    x = w.conv(x, "conv3", 64, 5, pad=2, relu="relu3")
    x = w.pool(x, "pool3", 3, 2, how="AVE")
    w.end(w.fc(w.fc(x, "ip1", 64), "ip2", 10))


def cifar_full(w: Writer) -> None:
    """Caffe's full net for CIFAR-10, with LRN within channels."""
    x = w.relu(w.pool(w.conv("data", "conv1", 32, 5, pad=2), "pool1", 3, 2), "relu1")
    x = w.lrn(x, "norm1", 3, 5e-5, "WITHIN_CHANNEL")
    x = w.pool(w.conv(x, "conv2", 32, 5, pad=2, relu="relu2"), "pool2", 3, 2, how="AVE")
    x = w.lrn(x, "norm2", 3, 5e-5, "WITHIN_CHANNEL")
    x = w.pool(w.conv(x, "conv3", 64, 5, pad=2, relu="relu3"), "pool3", 3, 2, how="AVE")
    w.end(w.fc(x, "ip1", 10))


def caffenet(w: Writer) -> None:
    """CaffeNet: AlexNet with pooling before normalization."""
    x = w.pool(w.conv("data", "conv1", 96, 11, stride=4, relu="relu1"), "pool1", 3, 2)
    x = w.lrn(x, "norm1")
    x = w.pool(w.conv(x, "conv2", 256, 5, pad=2, group=2, relu="relu2"), "pool2", 3, 2)
    x = w.lrn(x, "norm2")
    x = w.conv(x, "conv3", 384, 3, pad=1, relu="relu3")
    x = w.conv(x, "conv4", 384, 3, pad=1, group=2, relu="relu4")
    x = w.pool(w.conv(x, "conv5", 256, 3, pad=1, group=2, relu="relu5"), "pool5", 3, 2)
    x = w.drop(w.relu(w.fc(x, "fc6", 4096), "relu6"), "drop6")
    x = w.drop(w.relu(w.fc(x, "fc7", 4096), "relu7"), "drop7")
    w.end(w.fc(x, "fc8", 1000))


# 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool proj: table 1 of Szegedy et al. 2014
_INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def googlenet(w: Writer) -> None:
    """GoogLeNet; in training with its two auxiliary classifiers, at 0.3 each."""
    x = w.conv("data", "conv1/7x7_s2", 64, 7, stride=2, pad=3, relu="conv1/relu_7x7")
    x = w.lrn(w.pool(x, "pool1/3x3_s2", 3, 2), "pool1/norm1")
    x = w.conv(x, "conv2/3x3_reduce", 64, 1, relu="conv2/relu_3x3_reduce")
    x = w.conv(x, "conv2/3x3", 192, 3, pad=1, relu="conv2/relu_3x3")
    x = w.pool(w.lrn(x, "conv2/norm2"), "pool2/3x3_s2", 3, 2)
    for block, sizes in _INCEPTIONS.items():
        x = _inception(w, x, f"inception_{block}", sizes)
        if block in ("4a", "4d") and not w.deploy:
            _auxiliary(w, x, "loss1" if block == "4a" else "loss2")
        if block in ("3b", "4e"):
            x = w.pool(x, f"pool{block[0]}/3x3_s2", 3, 2)
    x = w.drop(w.pool(x, "pool5/7x7_s1", 7, 1, how="AVE"), "pool5/drop_7x7_s1", 0.4)
    w.end(w.fc(x, "loss3/classifier", 1000), "loss3/loss3")


def _inception(w: Writer, x: str, name: str, sizes: tuple[int, ...]) -> str:
    one, three_reduce, three, five_reduce, five, project = sizes

    def conv(bottom: str, part: str, outputs: int, kernel: int) -> str:
        relu = f"{name}/relu_{part}"
        return w.conv(bottom, f"{name}/{part}", outputs, kernel, pad=kernel // 2, relu=relu)

    branches = (
        conv(x, "1x1", one, 1),
        conv(conv(x, "3x3_reduce", three_reduce, 1), "3x3", three, 3),
        conv(conv(x, "5x5_reduce", five_reduce, 1), "5x5", five, 5),
        conv(w.pool(x, f"{name}/pool", 3, 1, pad=1), "pool_proj", project, 1),
    )
    return w.layer("Concat", f"{name}/output", branches)


def _auxiliary(w: Writer, x: str, name: str) -> None:
    x = w.pool(x, f"{name}/ave_pool", 5, 3, how="AVE")
    x = w.conv(x, f"{name}/conv", 128, 1, relu=f"{name}/relu_conv")
    x = w.drop(w.relu(w.fc(x, f"{name}/fc", 1024), f"{name}/relu_fc"), f"{name}/drop_fc", 0.7)
    w.end(w.fc(x, f"{name}/classifier", 1000), f"{name}/loss", 0.3)


def resnet50(w: Writer) -> None:
    """ResNet-50, its first form: stride 2 in the first convolution of a block."""
    x = w.conv("data", "conv1", 64, 7, stride=2, pad=3, bias=False)
    x = w.pool(w.normed(x, "_conv1", relu="conv1_relu"), "pool1", 3, 2)
    for stage, (blocks, width) in enumerate([(3, 64), (4, 128), (6, 256), (3, 512)], start=2):
        for block in range(blocks):
            x = _residual(w, x, f"{stage}{'abcdef'[block]}", width, stage)
    w.end(w.fc(w.pool(x, "pool5", 0, 1, how="AVE"), "fc1000", 1000))


def _residual(w: Writer, x: str, name: str, width: int, stage: int) -> str:
    first = name.endswith("a")
    stride = 2 if first and stage > 2 else 1

    def conv(bottom: str, branch: str, outputs: int, kernel: int = 1, *, step: int = 1) -> str:
        suffix = f"{name}_branch{branch}"
        pad = kernel // 2
        y = w.conv(bottom, f"res{suffix}", outputs, kernel, stride=step, pad=pad, bias=False)
        inside = branch in ("2a", "2b")
        return w.normed(y, suffix, relu=f"res{suffix}_relu" if inside else "")

    shortcut = conv(x, "1", 4 * width, step=stride) if first else x
    y = conv(conv(x, "2a", width, step=stride), "2b", width, 3)
    y = w.layer("Eltwise", f"res{name}", (shortcut, conv(y, "2c", 4 * width)))
    return w.relu(y, f"res{name}_relu")


# channels and stride of each depthwise separable block: table 1 of Howard et al. 2017
_SEPARABLE = {
    "2_1": (64, 1),
    "2_2": (128, 2),
    "3_1": (128, 1),
    "3_2": (256, 2),
    "4_1": (256, 1),
    "4_2": (512, 2),
    **{f"5_{i}": (512, 1) for i in range(1, 6)},
    "5_6": (1024, 2),
    "6": (1024, 1),
}


def mobilenet(w: Writer) -> None:
    """MobileNet: depthwise and 1×1 convolutions."""
    channels = 32
    x = w.conv("data", "conv1", channels, 3, stride=2, pad=1, bias=False)
    x = w.normed(x, "/conv1", relu="relu1")
    for block, (outputs, stride) in _SEPARABLE.items():
        name = f"conv{block}/dw"
        x = w.conv(x, name, channels, 3, stride=stride, pad=1, group=channels, bias=False)
        x = w.normed(x, f"/{name}", relu=f"relu{block}/dw")
        x = w.conv(x, f"conv{block}/sep", outputs, 1, bias=False)
        x = w.normed(x, f"/conv{block}/sep", relu=f"relu{block}/sep")
        channels = outputs
    w.end(w.fc(w.pool(x, "pool6", 0, 1, how="AVE"), "fc7", 1000))


@dataclass(frozen=True, slots=True)
class Bench:
    """A net of the bench.

    Attributes:
        write: adds its layers.
        title: for tables.
        image: channels, height, width.
        batch: images in a training step.
        params: what its weights number, without the statistics of BatchNorm.
    """

    write: Callable[[Writer], None]
    title: str
    image: tuple[int, int, int]
    batch: int
    params: int

    @property
    def classes(self) -> int:
        """How many labels there are."""
        return 10 if self.image[1] < 100 else 1000


NETS = {
    "lenet": Bench(lenet, "LeNet", (1, 28, 28), 64, 431_080),
    "cifar_quick": Bench(cifar_quick, "cifar_quick", (3, 32, 32), 100, 145_578),
    "cifar_full": Bench(cifar_full, "cifar_full", (3, 32, 32), 100, 89_578),
    "caffenet": Bench(caffenet, "CaffeNet", (3, 227, 227), 32, 60_965_224),
    "googlenet": Bench(googlenet, "GoogLeNet", (3, 224, 224), 16, 13_378_280),
    "resnet50": Bench(resnet50, "ResNet-50", (3, 224, 224), 8, 25_557_032),
    "mobilenet": Bench(mobilenet, "MobileNet", (3, 224, 224), 8, 4_231_976),
}

_SOLVER = """net: "{net}"
type: "SGD"
base_lr: 0.0001
lr_policy: "fixed"
momentum: 0.9
weight_decay: 0.0005
max_iter: 1000000
snapshot_after_train: false
random_seed: 1
"""


def text(name: str, *, batch: int | None = None, deploy: bool = False, dropout: bool = True) -> str:
    """A net's prototxt.

    Args:
        name: a key of NETS.
        batch: images in the batch; None for the net's own.
        deploy: for TEST forward in place of training.
        dropout: with its Dropout layers.
    """
    net = NETS[name]
    writer = Writer(name, net.image, batch or net.batch, deploy=deploy, dropout=dropout)
    net.write(writer)
    return writer.text


def write(name: str, folder: Path) -> None:
    """Write a net's files.

    They are NAME.prototxt and NAME_solver.prototxt, the same with `_dry` and no Dropout, and
    NAME_deploy_BATCH.prototxt for one image and the net's batch.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, dropout in (("", True), ("_dry", False)):
        model = folder / f"{name}{suffix}.prototxt"
        model.write_text(text(name, dropout=dropout), "utf-8")
        solver = _SOLVER.format(net=model.as_posix())
        (folder / f"{name}{suffix}_solver.prototxt").write_text(solver, "utf-8")
    for batch in (1, NETS[name].batch):
        model = folder / f"{name}_deploy_{batch}.prototxt"
        model.write_text(text(name, batch=batch, deploy=True), "utf-8")


def main() -> None:
    """Write all nets."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for name in NETS:
        write(name, folder)


if __name__ == "__main__":
    main()
