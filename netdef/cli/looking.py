"""How commands that show a net end: its problems on stderr, and the exit status."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from netdef.cli.terminal import print_report

if TYPE_CHECKING:
    from netdef.diag import Report


def finish(ctx: click.Context, report: Report) -> None:
    """Show errors and warnings; exit with 1 where there are errors."""
    from netdef.diag import Severity

    shown = [problem for problem in report if problem.severity is not Severity.NOTE]
    if shown:
        sys.stdout.flush()  # where both go to one place, the net comes first
        print_report(shown)
    ctx.exit(0 if report.ok else 1)
