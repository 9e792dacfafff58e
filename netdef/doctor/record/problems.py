"""What can go wrong with what is written down of a training."""

from __future__ import annotations

from netdef.diag import Problem


class NotRecorded(Problem):
    """The metrics of a training cannot be written, or not be read.

    `--tensorboard DIR` makes a folder, `--metrics FILE` a file that ends in .jsonl or .csv.
    `netdef plot` reads these, and the logs of `netdef train --log-format jsonl` and of Caffe.
    """

    code = "N820"
