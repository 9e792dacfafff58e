"""torch as a measured program: `python -m benchmarks.peers.torch_run {train,test,losses,export}`.

Its default form is NCHW with torch's SGD as it comes. Its strong form is `channels_last`, the
fused SGD, and BatchNorm and Scale as one affine BatchNorm.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.nets import NETS
from benchmarks.worker import Worker, batch

if TYPE_CHECKING:
    from torch import Tensor

    from benchmarks.peers.torch_net import TorchNet
    from netdef.graph import Net

LOSSES = 3


def train(name: str, folder: Path, *, strong: bool, threads: int) -> None:
    """Serve training steps."""
    worker = Worker()
    with worker.part("import"):
        import torch
    torch.set_num_threads(threads)
    from benchmarks.peers.torch_net import read
    from netdef.layers.base import Phase

    graph = read(folder / f"{name}.prototxt", Phase.TRAIN)
    with worker.part("build"):
        step = _trainer(_net(graph, strong=strong), name, strong=strong)
    worker.serve(step, _facts)


def losses(name: str, folder: Path, *, strong: bool, threads: int) -> None:
    """Print the first losses, from the weights that netdef wrote."""
    import torch

    torch.set_num_threads(threads)
    from benchmarks.peers.torch_net import read
    from netdef.layers.base import Phase
    from netdef.schema.weights import read_weights

    net = _net(read(folder / f"{name}_dry.prototxt", Phase.TRAIN), strong=strong)
    net.load(read_weights(str(folder / f"{name}_initial.caffemodel")))
    step = _trainer(net, name, strong=strong)
    print(" ".join(f"{step():.9g}" for _ in range(LOSSES)))


def test(name: str, folder: Path, *, threads: int, images: int) -> None:
    """Serve TEST forward passes, strong form."""
    worker = Worker()
    with worker.part("import"):
        import torch
    torch.set_num_threads(threads)
    net, data = _tester(name, folder, images, strong=True)

    def step() -> Tensor:
        with torch.inference_mode():
            return net(data.contiguous(memory_format=torch.channels_last))

    worker.serve(step, _facts, folder / f"torch_{name}_{images}.npy")


def export(name: str, folder: Path, *, images: int) -> None:
    """Write NAME_IMAGES.onnx."""
    import warnings

    import torch

    net, data = _tester(name, folder, images, strong=True)
    with warnings.catch_warnings(), torch.inference_mode():
        # The newer exporter needs onnxscript, and does not know LRN.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            (data,),
            str(folder / f"{name}_{images}.onnx"),
            dynamo=False,
            opset_version=19,
            input_names=["data"],
            output_names=["prob"],
        )


def _net(graph: Net, *, strong: bool) -> TorchNet:
    import torch

    from benchmarks.peers.torch_net import TorchNet

    net = TorchNet(graph, strong=strong)
    return net.to(memory_format=torch.channels_last) if strong else net


def _trainer(net: TorchNet, name: str, *, strong: bool) -> Callable[[], float]:
    """A training step; the strong form brings the images to its layout in each step."""
    import torch

    images, labels = batch((NETS[name].batch, *NETS[name].image), NETS[name].classes)
    data, label = torch.from_numpy(images), torch.from_numpy(labels)
    settings = {"fused": True} if strong else {}
    update = torch.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9, weight_decay=5e-4, **settings)
    layout = torch.channels_last if strong else torch.contiguous_format
    net.train()

    def step() -> float:
        update.zero_grad()
        loss = net(data.contiguous(memory_format=layout), label)
        loss.backward()
        update.step()
        return loss.item()

    return step


def _tester(name: str, folder: Path, images: int, *, strong: bool) -> tuple[TorchNet, Tensor]:
    import torch

    from benchmarks.peers.torch_net import read
    from netdef.layers.base import Phase
    from netdef.schema.weights import read_weights

    net = _net(read(folder / f"{name}_deploy_{images}.prototxt", Phase.TEST), strong=strong)
    net.load(read_weights(str(folder / f"{name}.caffemodel")))
    data, _ = batch((images, *NETS[name].image), NETS[name].classes)
    return net.eval(), torch.from_numpy(data)


def _facts() -> dict[str, object]:
    import torch

    return {"versions": {"torch": torch.__version__}}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["train", "test", "losses", "export"])
    parser.add_argument("net", choices=NETS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("threads", type=int)
    parser.add_argument("images", type=int, nargs="?", default=1)
    parser.add_argument("--strong", action="store_true")
    options = parser.parse_args()
    name, folder, threads = options.net, options.folder, options.threads
    if options.what == "export":
        export(name, folder, images=options.images)
    elif options.what == "test":
        test(name, folder, threads=threads, images=options.images)
    else:
        work = train if options.what == "train" else losses
        work(name, folder, strong=options.strong, threads=threads)


if __name__ == "__main__":
    main()
