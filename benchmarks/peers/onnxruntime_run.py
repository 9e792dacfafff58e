"""ONNX Runtime as a measured program, on the model that torch exported."""

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
        import onnxruntime
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    # Its threads would spin on while the next program measures.
    settings.add_session_config_entry("session.force_spinning_stop", "1")
    with worker.part("build"):
        session = onnxruntime.InferenceSession(
            str(folder / f"{name}_{options.images}.onnx"),
            settings,
            providers=["CPUExecutionProvider"],
        )

    result = folder / f"onnxruntime_{name}_{options.images}.npy"
    worker.serve(
        lambda: session.run(None, {"data": data})[0],
        lambda: {"versions": {"ONNX Runtime": onnxruntime.__version__}},
        result,
    )


if __name__ == "__main__":
    main()
