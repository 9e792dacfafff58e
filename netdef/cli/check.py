"""`netdef check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netdef.cli.command import Command
from netdef.cli.options import allow_unknown_option, input_shape_option, state_options

if TYPE_CHECKING:
    from netdef.api.checking import Wanted
    from netdef.diag import Report


@click.command(cls=Command, short_help="Find all mistakes in nets and solvers.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["full", "concise", "json", "github", "sarif"]),
    default="full",
    show_default=True,
    help="full goes to stderr, the others to stdout.",
)
@click.option("--fix", "fixing", is_flag=True, help="Mend what can only have been meant one way.")
@click.option("--diff", "showing", is_flag=True, help="Show what --fix would change.")
@click.option("--strict", is_flag=True, help="Report what Caffe refuses and netdef takes.")
@click.option(
    "--ignore",
    multiple=True,
    metavar="CODE",
    help="Leave out a kind of warning; may be repeated, or a list with commas.",
)
@click.option("--no-lints", is_flag=True, help="Look for mistakes only, not for what trains badly.")
@allow_unknown_option
@input_shape_option
@state_options("both")
@click.pass_context
def check(
    ctx: click.Context,
    *,
    files: tuple[str, ...],
    form: str,
    fixing: bool,
    showing: bool,
    strict: bool,
    ignore: tuple[str, ...],
    no_lints: bool,
    allow_unknown: bool,
    input_shapes: dict[str, tuple[int, ...]],
    phase: str | None,
    level: int,
    stages: tuple[str, ...],
) -> None:
    """Find all mistakes in nets and solvers.

    A solver's own nets are checked with it. Nothing is run, and data need not be there. A comment
    `# netdef: ignore N701` in a layer turns a warning off there, one outside of layers does so
    for the file.

      netdef check model.prototxt solver.prototxt
      netdef check --fix model.prototxt             (--diff shows what it would write)
      netdef check --strict model.prototxt          (what would Caffe refuse?)
      netdef check --format concise models/*/*.prototxt

    Exit status: 0 without errors, warnings or not; 1 with errors.
    """
    from netdef.api.checking import Wanted, check_files
    from netdef.api.loading import make_state

    phases = [phase] if phase else ["train", "test"]
    wanted = Wanted(
        strict=strict,
        states=tuple(make_state(name, level, stages) for name in phases),
        input_shapes=input_shapes,
        allow_unknown=allow_unknown,
        lints=not no_lints,
        ignore=_codes(ignore),
    )
    fixed = 0
    if showing:
        changed = _show_fixes(files, wanted)
        ctx.exit(0 if check_files(files, wanted).ok and not changed else 1)
    if fixing:
        fixed = _write_fixes(files, wanted)
    report = check_files(files, wanted)
    _show(report, form, len(files), fixed)
    ctx.exit(0 if report.ok else 1)


def _show(report: Report, form: str, files: int, fixed: int) -> None:
    from netdef.cli import report_formats
    from netdef.cli.terminal import print_report
    from netdef.diag.render import concise, summary

    if form == "full":
        if fixed:
            click.echo(f"fixed {fixed} problem{'s' if fixed > 1 else ''}", err=True)
        print_report(report)
        if not len(report):
            click.echo(f"no problems in {files} file{'s' if files > 1 else ''}")
    elif form == "concise":
        for problem in report:
            click.echo(concise(problem))
        click.echo(summary(report))
    elif form == "json":
        click.echo(report_formats.json(report, fixed=fixed), nl=False)
    else:
        click.echo(getattr(report_formats, form)(report), nl=False)


def _codes(given: tuple[str, ...]) -> frozenset[str]:
    """The codes after --ignore, by code or by name.

    Raises:
        click.UsageError: there is no such code.
    """
    from netdef.cli.options import split_commas

    words = split_commas(given)
    if not words:
        return frozenset()
    from netdef.api.kinds import find_kind

    kinds = {word: find_kind(word) for word in words}
    unknown = next((word for word, kind in kinds.items() if kind is None), None)
    if unknown is not None:
        raise click.UsageError(f"there is no code `{unknown}`: `netdef explain` lists all")
    return frozenset(kind.code for kind in kinds.values() if kind is not None)


def _show_fixes(files: tuple[str, ...], wanted: Wanted) -> int:
    """Print what --fix would change; how many problems that would mend."""
    from netdef.api.fixing import fix

    total = 0
    for file in dict.fromkeys(files):
        rewritten, count = fix(file, wanted)
        if count:
            click.echo(rewritten.diff(), nl=False)
        total += count
    click.echo(f"would fix {total} problem{'s' * (total != 1)}", err=True)
    return total


def _write_fixes(files: tuple[str, ...], wanted: Wanted) -> int:
    from netdef.api.fixing import fix

    total = 0
    for file in dict.fromkeys(files):
        rewritten, count = fix(file, wanted)
        if count:
            rewritten.write()
        total += count
    return total
