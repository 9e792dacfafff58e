"""`netdef explain`."""

from __future__ import annotations

import click

from netdef.cli.command import Command


@click.command(cls=Command, short_help="Tell the long story of a problem's code.")
@click.argument("code", required=False)
def explain(code: str | None) -> None:
    """Tell the long story of a problem's code.

    Without a code, lists all of them.

      netdef explain N201
      netdef explain
    """
    from netdef.api.kinds import explain as story
    from netdef.api.kinds import find_kind, problem_kinds

    kinds = problem_kinds()
    if code is None:
        for known, kind in kinds.items():
            click.echo(f"{known}  {(kind.__doc__ or '').strip().partition(chr(10))[0]}")
        return
    if find_kind(code) is None:
        raise click.UsageError(f"there is no code `{code}`: {_near(code, list(kinds))}")
    click.echo(story(code), nl=False)


def _near(code: str, known: list[str]) -> str:
    """The codes nearest by number, or by spelling."""
    from netdef.diag import nearest

    digits = code.upper().removeprefix("N")
    if digits.isdigit():
        near = sorted(sorted(known, key=lambda c: abs(int(c[1:]) - int(digits)))[:3])
    else:
        near = nearest(code, known)
    listed = ", ".join(f"`{one}`" for one in near)
    return f"the nearest are {listed}" if near else "`netdef explain` lists all"
