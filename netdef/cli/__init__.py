"""The command line: one file a command; arguments in, api call, print.

Knows arguments, terminals and signals. Has never heard of how anything is done: that is `api`.

A command's file is imported when the command is called, and imports what it needs when it runs,
so that `netdef --help` costs little more than Python itself.
"""

from __future__ import annotations

from typing import NoReturn


def main() -> NoReturn:
    """Run the command line with the arguments of this process, and exit."""
    import sys

    from netdef.cli.group import netdef
    from netdef.cli.terminal import replace_unprintable

    replace_unprintable()
    netdef.main(prog_name="netdef")
    sys.exit(0)  # not reached: click exits by itself
