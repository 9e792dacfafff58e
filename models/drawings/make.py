"""Write the drawings of this folder anew: `python models/drawings/make.py`."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from netdef import api as netdef

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NETS = ROOT / "tests" / "golden" / "view"
SIAMESE = ROOT / "models" / "siamese" / "deploy.prototxt"

TITLES = {
    "siamese": "Two branches with common weights",
    "lenet": "LeNet",
    "googlenet": "GoogLeNet: branches, and blocks that repeat",
    "resnet50": "ResNet-50: skips, and blocks that repeat exactly",
    "encoder_decoder": "An encoder-decoder with skips",
    "lstm": "Two LSTM layers",
}
FIRST = """# Drawings

What `netdef draw` makes of six nets, in each of its formats. `python models/drawings/make.py`
writes this folder anew; a test compares.

A lane at the left carries what the layer on it makes. Layers in place hang at the layer before
them (`+ReLU`, `+BN+Sc`), blocks that repeat an earlier one are one row (`▣`; `--expand NAME`
opens it), and MACs are multiply-accumulates, one for each product that is added up.

The pages (`NAME.html`) need no network: zoom with the wheel, drag, search with `/`, click a layer
for its settings, shapes, parameters and place in the file, click a block to open or fold it.
"""


def path_of(name: str) -> Path:
    """The prototxt of a net."""
    return SIAMESE if name == "siamese" else NETS / f"{name}.prototxt"


def files() -> dict[str, str]:
    """Text of each file of the folder, by name."""
    found = {}
    out = io.StringIO()
    out.write(FIRST)
    for name, title in TITLES.items():
        path = path_of(name)
        found[f"{name}.svg"] = netdef.draw(path, format="svg")
        found[f"{name}.html"] = netdef.draw(path, format="html").replace(str(ROOT) + "/", "")
        out.write(f"\n## {title}\n\n[`{name}.svg`]({name}.svg) · [`{name}.html`]({name}.html)\n")
        wide = netdef.draw(path, format="rails", width=110)
        out.write(f"\n```text\n{wide}```\n")
        if name in ("siamese", "lenet", "lstm"):
            out.write(f"\n`--format boxes`\n\n```text\n{netdef.draw(path, format='boxes')}```\n")
        if name in ("siamese", "resnet50"):
            small = netdef.draw(path, format="ascii", width=78)
            out.write(f"\n`--format ascii`, in 78 columns\n\n```text\n{small}```\n")
        if name == "googlenet":
            out.write(f"\n`--depth 1`\n\n```text\n{netdef.draw(path, depth=1, width=100)}```\n")
            near = netdef.draw(path, around=["inception_3a/5x5"], width=110, format="rails")
            out.write(f"\n`--around inception_3a/5x5`\n\n```text\n{near}```\n")
        if name in ("siamese", "lstm"):
            mermaid = netdef.draw(path, format="mermaid")
            out.write(f"\n`--format mermaid`\n\n```mermaid\n{mermaid}```\n")
        if name in ("siamese", "encoder_decoder"):
            out.write(f"\n`--format svg`\n\n![{title}]({name}.svg)\n")
        if name in ("lenet", "encoder_decoder"):
            rows = netdef.summary(path, width=100, receptive=True)
            out.write(f"\n`netdef summary --receptive`\n\n```text\n{rows}```\n")
        if name == "siamese":
            rows = netdef.params(path, width=110, base_lr=0.01)
            out.write(f"\n`netdef params`, with a solver of base_lr 0.01\n\n```text\n{rows}```\n")
            dot = netdef.draw(path, format="dot")
            out.write(f"\n`--format dot`, for Graphviz\n\n```dot\n{dot}```\n")
    found["README.md"] = out.getvalue()
    return found


def main() -> None:
    """Write the files."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for name, text in files().items():
        (HERE / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
