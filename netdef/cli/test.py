"""`netdef test`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from netdef.cli.command import Command
from netdef.cli.options import run_options, split_commas, state_options, weights_option

if TYPE_CHECKING:
    from netdef.api.scores import Scores


@click.command(cls=Command, short_help="Score a net over batches of its data.")
@click.argument("model")
@weights_option
@click.option(
    "--iterations",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    metavar="N",
    help="Batches.",
)
@state_options("test")
@run_options
@click.option(
    "--log-format",
    type=click.Choice(["pretty", "caffe", "jsonl"]),
    default="pretty",
    show_default=True,
    help="caffe and jsonl also show each batch.",
)
def test(
    model: str,
    weights: tuple[str, ...],
    iterations: int,
    phase: str | None,
    level: int,
    stages: tuple[str, ...],
    seed: int | None,
    threads: int | None,
    log_format: str,
) -> None:
    """Score a net over batches of its data.

    Shows the mean of each output of the net: of every top that no layer reads.

      netdef test model.prototxt --weights snapshots/lenet_iter_500.caffemodel
      netdef test model.prototxt -w lenet.caffemodel --iterations 100
    """
    from netdef.api import test as score
    from netdef.cli.terminal import overflow_unsaid, print_report
    from netdef.diag import Report
    from netdef.run.progress import Output

    _refuse_other_files(model, weights)

    def each(batch: int, outputs: tuple[Output, ...]) -> bool:
        if log_format == "caffe":
            from netdef.cli.progress.caffe import number, prefix

            for output in outputs:
                for value in output.values:
                    text = f"Batch {batch}, {output.name} = {number(float(value))}"
                    click.echo(prefix("caffe.cpp:309") + text)
        elif log_format == "jsonl":
            click.echo(json.dumps({"event": "batch", "batch": batch, "outputs": _plain(outputs)}))
        return True

    report = Report()
    with overflow_unsaid():
        found = score(
            model,
            split_commas(weights),
            iterations=iterations,
            phase=phase,
            level=level,
            stages=stages,
            seed=seed,
            threads=threads,
            each=each,
            report=report,
        )
    print_report(report)
    if found is not None:
        _PRINTERS[log_format](found)


def _refuse_other_files(model: str, weights: tuple[str, ...]) -> None:
    from netdef.cli.files import kind_of
    from netdef.schema.sniff import Kind

    kind = kind_of(model)
    if kind in (Kind.MODEL, Kind.MODEL_HDF5):
        raise click.UsageError(f"`{model}` holds weights: it goes after --weights")
    if not weights and kind is Kind.NET_TEXT:
        raise click.UsageError(
            f"whose weights are to be scored? netdef test {model} --weights FILE"
        )


def _pretty(found: Scores) -> None:
    from netdef.cli.progress.display import duration, number

    batches = f"{found.batches} batch{'es' if found.batches > 1 else ''}"
    click.echo(f"{found.name or 'net'}: mean of {batches}, {duration(found.seconds)}")
    width = max(len(output.name) for output in found.outputs)
    for output in found.outputs:
        shown = " ".join(number(float(value)) for value in output.values[:10])
        more = f" … ({output.values.size} values)" if output.values.size > 10 else ""
        weight = f"  (loss, weight {output.loss_weight:g})" if output.loss_weight else ""
        click.echo(f"  {output.name:<{width}}  {shown}{more}{weight}")


def _caffe(found: Scores) -> None:
    from netdef.cli.progress.caffe import number, prefix

    click.echo(prefix("caffe.cpp:314") + f"Loss: {number(found.loss)}")
    for output in found.outputs:
        for value in output.values:
            text = f"{output.name} = {number(float(value))}"
            if output.loss_weight:
                weighted = number(output.loss_weight * float(value))
                text += f" (* {number(output.loss_weight)} = {weighted} loss)"
            click.echo(prefix("caffe.cpp:326") + text)


def _jsonl(found: Scores) -> None:
    from netdef.cli.progress.jsonl import known

    about = {"event": "test", "net": found.name, "batches": found.batches}
    scores = {"loss": known(found.loss), "outputs": _plain(found.outputs)}
    click.echo(json.dumps(about | scores | {"seconds": found.seconds}))


def _plain(outputs: tuple[object, ...]) -> dict[str, object]:
    from netdef.cli.progress.jsonl import plain
    from netdef.run.progress import Output

    return {o.name: plain(o) for o in outputs if isinstance(o, Output)}


_PRINTERS = {"pretty": _pretty, "caffe": _caffe, "jsonl": _jsonl}
