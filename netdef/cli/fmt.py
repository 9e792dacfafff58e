"""`netdef fmt`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from netdef.cli import terminal
from netdef.cli.command import Command

if TYPE_CHECKING:
    from netdef.api.texts import Rewritten


@click.command(cls=Command, short_help="Lay prototxt files out the canonical way.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 if any differs.")
@click.option("--diff", "show_diff", is_flag=True, help="Write nothing; show what would change.")
@click.pass_context
def fmt(
    ctx: click.Context,
    files: tuple[str, ...],
    only_check: bool,  # noqa: FBT001  click's signature
    show_diff: bool,  # noqa: FBT001
) -> None:
    """Lay prototxt files out the canonical way.

    Two spaces for each level, short messages on one line, a layer's fields in the order name,
    type, bottom, top, include, param, settings. Comments and blank lines stay; what the file
    means does too, which is proved before it is written. `-` reads stdin and writes stdout. A
    file whose syntax is wrong is reported and left alone.

      netdef fmt model.prototxt solver.prototxt
      netdef fmt --check models/*/*.prototxt        (for continuous integration)
      netdef fmt --diff model.prototxt

    Exit status: 0 done; 1 a file has mistakes, or with --check would change.
    """
    from netdef.api.texts import fmt as lay_out
    from netdef.diag import NetdefError

    changed = failed = 0
    for path in files:
        try:
            found = lay_out("<stdin>", _stdin()) if path == "-" else lay_out(path)
            if not (only_check or show_diff):
                _write(path, found)
        except NetdefError as error:
            failed += 1
            terminal.print_report(error.report)
            continue
        changed += found.changed
        if show_diff:
            _show(found.diff())
        elif only_check and found.changed:
            click.echo(f"would change {found.name}")
    if "-" not in files and not show_diff:
        _summary(len(files), changed, failed, only_check=only_check)
    ctx.exit(1 if failed or (only_check and changed) else 0)


def _stdin() -> bytes:
    return sys.stdin.buffer.read()


def _write(path: str, found: Rewritten) -> None:
    if path == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(found.after)
    elif found.changed:
        found.write()
        click.echo(f"changed {found.name}")


def _show(diff: str) -> None:
    """A diff in colours, where they are wanted."""
    colors = {"+": "green", "-": "red", "@": "cyan"} if terminal.colored() else {}
    for line in diff.splitlines():
        shown = line.encode("utf-8", "replace").decode("utf-8")
        click.echo(click.style(shown, fg=colors[line[0]]) if line[:1] in colors else shown)


def _summary(files: int, changed: int, failed: int, *, only_check: bool) -> None:
    words = [f"{changed} would change" if only_check else f"{changed} changed"] if changed else []
    words += [f"{failed} with mistakes left alone"] if failed else []
    alike = files - changed - failed
    words += [f"{alike} already in canonical layout"] if alike else []
    click.echo(", ".join(words), err=True)
