"""`solver_type: ADAM` becomes `type: "Adam"`."""

from __future__ import annotations

from netdef.diag import Label, Report
from netdef.schema.netdef_pb2 import SolverParameter
from netdef.schema.problems import TwoSolverTypes
from netdef.text import SpanMap

_TYPES = {
    SolverParameter.SGD: "SGD",
    SolverParameter.NESTEROV: "Nesterov",
    SolverParameter.ADAGRAD: "AdaGrad",
    SolverParameter.RMSPROP: "RMSProp",
    SolverParameter.ADADELTA: "AdaDelta",
    SolverParameter.ADAM: "Adam",
}


def solver_type_to_type(solver: SolverParameter, spans: SpanMap, report: Report) -> SpanMap:
    """Turn the old enum into the word; both at once are a problem, as in Caffe."""
    if not solver.HasField("solver_type"):
        return spans
    word = _TYPES[solver.solver_type]
    old = spans.field(("solver_type",))
    if solver.HasField("type"):
        report.add(
            TwoSolverTypes(
                f"the solver has both type `{solver.type}` and the old solver_type",
                old,
                labels=_labels(spans),
                help="keep `type`",
            )
        )
        return spans
    solver.ClearField("solver_type")
    solver.type = word
    return spans.with_aliases({("type",): ("solver_type",)})


def _labels(spans: SpanMap) -> tuple[Label, ...]:
    span = spans.field(("type",))
    return (Label(span, "the rule is already named here"),) if span else ()
