"""How fast netdef reads prototxt, beside protobuf's own text_format.

Both fill the same kind of message; netdef keeps the place of every field as well. The two take
turns, so that the machine's load meets both. Run: `python benchmarks/text_parse.py`.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable

from google.protobuf import text_format

import netdef.text
from netdef.schema import netdef_pb2

_BLOCK = """layer {{
  name: "conv{i}"
  type: "Convolution"
  bottom: "pool{j}"
  top: "conv{i}"
  param {{ lr_mult: 1 decay_mult: 1 }}
  param {{ lr_mult: 2 decay_mult: 0 }}
  convolution_param {{
    num_output: 96
    kernel_size: 11
    stride: 4
    weight_filler {{
      type: "gaussian"
      std: 0.01
    }}
    bias_filler {{ type: "constant" value: 0.1 }}
  }}
}}
layer {{
  name: "relu{i}"
  type: "ReLU"
  bottom: "conv{i}"
  top: "conv{i}"
}}
layer {{
  name: "pool{i}"
  type: "Pooling"
  bottom: "conv{i}"
  top: "pool{i}"
  pooling_param {{ pool: MAX kernel_size: 3 stride: 2 }}
}}
"""


def net_text(lines: int) -> str:
    """A net of convolution, ReLU and pooling layers, of about so many lines."""
    blocks = max(1, lines // _BLOCK.count("\n"))
    return 'name: "bench"\n' + "".join(_BLOCK.format(i=i + 1, j=i) for i in range(blocks))


def seconds(run: Callable[[], object]) -> float:
    """The time one run takes."""
    gc.collect()
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def main() -> None:
    """Print one row a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, nargs="*", default=[200, 2_000, 20_000])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()

    print("| lines | text_format ms (min, median) | netdef ms (same) | ratio (same) |")
    print("|---|---|---|---|")
    for lines in options.lines:
        text = net_text(lines)

        def theirs(text: str = text) -> object:
            return text_format.Parse(text, netdef_pb2.NetParameter())

        def ours(text: str = text) -> object:
            message = netdef_pb2.NetParameter()
            netdef.text.parse_into(text, message)
            return message

        assert theirs() == ours()
        rounds = [(seconds(theirs), seconds(ours)) for _ in range(options.rounds)]
        their, our = ([1e3 * r[side] for r in rounds] for side in (0, 1))
        row = [(min(times), statistics.median(times)) for times in (their, our)]
        shown = [f"{low:.2f}, {mid:.2f}" for low, mid in row]
        ratios = f"{row[0][0] / row[1][0]:.2f}, {row[0][1] / row[1][1]:.2f}"
        print(f"| {text.count(chr(10))} | {shown[0]} | {shown[1]} | {ratios} |")


if __name__ == "__main__":
    main()
