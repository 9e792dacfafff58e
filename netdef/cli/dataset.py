"""`netdef dataset`: its own commands, loaded when called."""

from __future__ import annotations

from importlib import import_module

import click

from netdef.cli.command import with_examples

# The command `dataset x` is `x` in netdef/cli/datasets/x.py.
COMMANDS = {
    "images": "Make a set of a folder or a list of images.",
    "mnist": "Make a set of MNIST's idx files.",
    "cifar": "Make a set of CIFAR's binary files.",
    "csv": "Make a set of a .csv file.",
    "mean": "Write the mean image of a set.",
    "info": "Show what a set holds.",
    "verify": "Find the broken records of a set.",
}


class DatasetGroup(click.Group):
    """A group that imports a command's file only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        if cmd_name not in COMMANDS:
            from netdef.diag.suggest import nearest

            near = nearest(cmd_name, list(COMMANDS), 1)
            hint = f"did you mean `{near[0]}`?" if near else "`netdef dataset --help` lists them"
            ctx.fail(f"there is no command `dataset {cmd_name}`: {hint}")
        command: click.Command = getattr(import_module(f"netdef.cli.datasets.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=DatasetGroup,
    short_help="Make data sets of images and other files, and look at them.",
    help=with_examples(
        """Make data sets of images and other files, and look at them.

          netdef dataset images pets/ train_lmdb --resize 64 --shuffle
          netdef dataset mean train_lmdb mean.binaryproto
          netdef dataset info train_lmdb

        What these write, Caffe reads too.
        """
    ),
)
def dataset() -> None:
    """The group; its help is above."""
