"""OpenCV's dnn as a measured program: it reads the same prototxt and .caffemodel."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.nets import NETS
from benchmarks.worker import Worker, batch


def main() -> None:
    """Serve TEST forward passes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("net", choices=NETS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("threads", type=int)
    parser.add_argument("images", type=int)
    options = parser.parse_args()
    name, folder = options.net, options.folder
    data, _ = batch((options.images, *NETS[name].image), NETS[name].classes)
    worker = Worker()
    with worker.part("import"):
        import cv2
    cv2.setNumThreads(options.threads)
    with worker.part("build"):
        net = cv2.dnn.readNetFromCaffe(
            str(folder / f"{name}_deploy_{options.images}.prototxt"),
            str(folder / f"{name}.caffemodel"),
        )
        net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)

    def step() -> object:
        net.setInput(data, "data")
        return net.forward("prob")

    result = folder / f"opencv_{name}_{options.images}.npy"
    worker.serve(step, lambda: {"versions": {"OpenCV": cv2.__version__}}, result)


if __name__ == "__main__":
    main()
