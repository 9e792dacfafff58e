"""`netdef check`."""

from __future__ import annotations

import click

from netdef.cli.command import Command
from netdef.cli.options import state_options


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
@click.option("--strict", is_flag=True, help="Report what Caffe refuses and netdef takes.")
@state_options("both")
@click.pass_context
def check(
    ctx: click.Context,
    files: tuple[str, ...],
    form: str,
    strict: bool,  # noqa: FBT001  click's signature
    phase: str | None,
    level: int,
    stages: tuple[str, ...],
) -> None:
    """Find all mistakes in nets and solvers.

    A solver's own nets are checked with it. Nothing is run, and data need not be there.

      netdef check model.prototxt solver.prototxt
      netdef check --strict model.prototxt          (what would Caffe refuse?)
      netdef check --format concise models/*/*.prototxt

    Exit status: 0 without errors, warnings or not; 1 with errors.
    """
    from netdef.api import check as look
    from netdef.api import make_state
    from netdef.cli.terminal import print_report
    from netdef.diag.render import concise, summary

    phases = [phase] if phase else ["train", "test"]
    report = look(files, strict=strict, states=[make_state(name, level, stages) for name in phases])
    if form == "full":
        print_report(report)
        if not len(report):
            click.echo(f"no problems in {len(files)} file{'s' if len(files) > 1 else ''}")
    elif form == "concise":
        for problem in report:
            click.echo(concise(problem))
        click.echo(summary(report))
    else:
        from netdef.cli import report_formats

        click.echo(getattr(report_formats, form)(report), nl=False)
    ctx.exit(0 if report.ok else 1)
