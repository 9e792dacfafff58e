"""`netdef` itself: its commands, loaded when called, and what becomes of mistakes."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from netdef.cli import terminal
from netdef.cli.command import with_examples

# Group, command, one line for the list. The command `x` is `x` in netdef/cli/x.py; a test
# compares the lines with the commands' own.
COMMANDS: dict[str, dict[str, str]] = {
    "Run": {
        "train": "Train a net.",
        "test": "Score a net over batches of its data.",
        "classify": "Tell the classes of images.",
        "time": "Measure forward and backward passes, by layer and whole.",
    },
    "Look": {
        "draw": "Draw a net as a diagram in the terminal.",
        "summary": "List a net's layers: shapes, parameters, work, memory.",
        "params": "List a net's learned blobs: sharers, fillers, rates.",
        "plan": "Show the steps of a net as they will run.",
        "solver": "Explain a solver: its update rule, rate and fields.",
        "states": "Show which layers each phase, level and stage has.",
    },
    "Learn": {
        "diagnose": "Find out why a net does not learn.",
        "plot": "Plot the curves of one or more trainings.",
        "lr-range": "Find a learning rate by trying.",
        "gradcheck": "Compare each layer's gradients with numbers.",
    },
    "Check": {
        "check": "Find all mistakes in nets and solvers.",
        "explain": "Tell the long story of a problem's code.",
        "layers": "List the types of layers, or describe one.",
    },
    "Files": {
        "fmt": "Lay prototxt files out the canonical way.",
        "upgrade": "Bring old nets, solvers and models to the current syntax.",
        "deploy": "Derive the net for deploying from one for training.",
        "inspect": "Show what a file of weights or a solver state holds.",
        "diff": "Show what changed between two snapshots or two nets.",
        "convert": "Write weights or a solver state in another format.",
        "dataset": "Make data sets of images and other files, and look at them.",
    },
}


class LazyGroup(click.Group):
    """A group that imports a command's file only when that command is called."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help = with_examples(self.help)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, the daily ones first."""
        del ctx
        return [name for group in COMMANDS.values() for name in group]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"netdef.cli.{name}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name."""
        name = args[0]
        if name not in self.list_commands(ctx) and not name.startswith("-"):
            from netdef.diag.suggest import nearest

            near = nearest(name, self.list_commands(ctx), 1)
            hint = f"did you mean `{near[0]}`?" if near else "`netdef --help` lists them"
            ctx.fail(f"there is no command `{name}`: {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, in groups."""
        del ctx
        for title, commands in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a mistake in a user's files is shown, and is the exit status."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            terminal.silence_stdout()
            ctx.exit(128 + 13)  # as of a program that SIGPIPE ends
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(130)
        except MemoryError as error:
            from netdef.api.problems import OutOfMemory
            from netdef.diag import NetdefError

            words = str(error).rstrip(".") or "no more can be had"
            problem = OutOfMemory(
                f"there is not enough memory: {words[0].lower()}{words[1:]}",
                help="`netdef summary` shows what the blobs take",
            )
            terminal.print_report(NetdefError(problem).report)
            ctx.exit(1)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except Exception as error:
            # NetdefError is imported late: most calls end without one.
            from netdef.diag import NetdefError

            if not isinstance(error, NetdefError):
                raise
            from netdef.api.problems import SettingError

            terminal.print_report(error.report)
            ctx.exit(2 if isinstance(error, SettingError) else 1)


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: FBT001  click's signature
    del param
    if value:
        from netdef import __version__

        click.echo(f"netdef {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 done; 1 a file or data is at fault; 2 wrong usage; "
    "130 interrupted after a clean stop.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
def netdef() -> None:
    """Check, draw and train Caffe's prototxt nets.

      netdef check model.prototxt            what is wrong, and where
      netdef draw model.prototxt             the net as a diagram
      netdef train model.prototxt solver.prototxt

    `netdef COMMAND --help` explains each command.
    """
