"""`netdef diagnose`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netdef.cli import terminal
from netdef.cli.command import Command
from netdef.cli.options import run_options, split_commas, weights_option

if TYPE_CHECKING:
    from netdef.api.diagnosing import Diagnosis


@click.command(cls=Command, short_help="Find out why a net does not learn.")
@click.argument("files", nargs=-1, required=True, metavar="[MODEL] SOLVER")
@weights_option
@click.option(
    "--iterations",
    type=click.IntRange(min=1),
    metavar="N",
    help="Iterations to look at. [default: 20, more where batches are small]",
)
@click.option("--fix", "fixing", is_flag=True, help="Write the changes into the prototxt.")
@click.option("--diff", "showing", is_flag=True, help="Show what --fix would change.")
@click.option("--json", "as_json", is_flag=True, help="Print figures and findings as JSON.")
@run_options
@click.pass_context
def diagnose(
    ctx: click.Context,
    *,
    files: tuple[str, ...],
    weights: tuple[str, ...],
    iterations: int | None,
    fixing: bool,
    showing: bool,
    as_json: bool,
    seed: int | None,
    threads: int | None,
) -> None:
    """Find out why a net does not learn.

    The net is trained for a few iterations, and measured layer by layer: how large values,
    gradients and updates are, which units are dead or saturated, where a value is not finite.
    What is wrong is told with the evidence, the place in the prototxt and the change to make.
    Nothing is written without --fix.

      netdef diagnose model.prototxt solver.prototxt
      netdef diagnose model.prototxt solver.prototxt --fix

    Exit status: 0 nothing found; 1 something is wrong.
    """
    from netdef.api.checks import diagnose_files
    from netdef.cli.files import model_and_solver

    model, solver = model_and_solver(files, "diagnose")
    with terminal.overflow_unsaid():
        found = diagnose_files(
            solver,
            model,
            weights=split_commas(weights) or None,
            iterations=iterations,
            seed=seed,
            threads=threads,
        )
    if as_json:
        from netdef.api.checks import as_json as to_json

        click.echo(to_json(found))
    else:
        _show(found)
    if fixing or showing:
        _mend(found, write=fixing)
    ctx.exit(0 if found.healthy else 1)


def _show(found: Diagnosis) -> None:
    from netdef.api.checks import table

    click.echo(table(found.figures))
    click.echo()
    if found.healthy:
        click.echo(str(found))
        return
    from netdef.diag.render import render

    click.echo(render(found.findings, color=terminal.colored()), color=True)


def _mend(found: Diagnosis, *, write: bool) -> None:
    from netdef.api.diagnosing import fixed

    changed = fixed(found.findings)
    for text in changed:
        click.echo(text.diff(), nl=False)
        if write:
            text.write()
            click.echo(f"changed `{text.name}`", err=True)
    if not changed and not found.healthy:
        click.echo("there is no change of the text that mends this", err=True)
