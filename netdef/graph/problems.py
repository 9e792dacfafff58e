"""What can be wrong with a net, and how a layer's complaint becomes a place in the file."""

from __future__ import annotations

from netdef.diag import BottomError, FieldError, Label, Problem, Severity, Span, respelt
from netdef.graph.net import Net, Node, Path
from netdef.graph.tell_sizes import tell_sizes


class BadStateRule(Problem):
    """A layer has both `include` and `exclude` rules.

    Caffe takes either: `include { phase: TEST }` keeps the layer only where a rule is met,
    `exclude { phase: TEST }` drops it there. Write one kind.
    """

    code = "N200"


class UnknownLayerType(Problem):
    """The `type` of a layer is not one netdef knows.

    Types are spelled as in Caffe: `InnerProduct`, not `inner_product`. `netdef layers` lists
    them. Some belong to forks of Caffe, which the report then names; `netdef check`, `draw` and
    `summary` pass over such layers with `--allow-unknown`, and show `?` for what they make.

    Example:
        layer { name: "ip1" type: "InnerProdct" bottom: "data" top: "ip1" }
    Write:
        layer { name: "ip1" type: "InnerProduct" bottom: "data" top: "ip1" }
    """

    code = "N201"


class BadSetting(Problem):
    """A setting of a layer has a value that the layer cannot work with.

    Example:
        convolution_param { num_output: 0 kernel_size: 3 }
    Write:
        convolution_param { num_output: 20 kernel_size: 3 }
    """

    code = "N202"


class WrongCount(Problem):
    """A layer has too few or too many bottoms, tops or other repeated fields.

    Example:
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" top: "loss" }
    Write:
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }
    """

    code = "N203"


class UnknownBottom(Problem):
    """A bottom that no layer before it makes.

    Layers run in the order of the file, so the layer that makes a blob must stand before the
    layers that read it. A layer dropped by an include or exclude rule makes nothing.
    """

    code = "N204"


class TopMadeTwice(Problem):
    """Two layers make a top of the same name.

    A name may be written again only in place: by a layer that has the same name at the same
    position among its bottoms.
    """

    code = "N205"


class BadBottom(Problem):
    """A bottom does not fit the layer that reads it.

    Either its shape does not fit when the net is built, or its values cannot be used when it
    runs, such as a label outside the classes. Of a shape, notes tell step by step where it comes
    from: the mistake is mostly in one of those layers.

    Example:
        layer { name: "sum" type: "Eltwise" bottom: "pool1" bottom: "conv2" top: "sum" }
    With conv2 one pixel smaller on each side, write a pad where it is made:
        convolution_param { num_output: 20 kernel_size: 3 pad: 1 }
    """

    code = "N206"


class SharedShape(Problem):
    """Layers share a param by name, but need it in different shapes.

    With `share_mode: PERMISSIVE` the counts must agree, otherwise the shapes. The label shows
    where each shape comes from: bottoms of different sizes make weights of different sizes.
    """

    code = "N207"


class SharedDecay(Problem):
    """Layers that share a param set different `decay_mult`.

    A param decays once, with the owner's multiplier. Leave `decay_mult` out in the sharers, or
    set the same.
    """

    code = "N208"


class TooManyParams(Problem):
    """A layer has more `param` blocks than params.

    An InnerProduct has two: the weight, then the bias; with `bias_term: false` one.
    """

    code = "N209"


class NoGradient(Problem):
    """A gradient is wanted by a bottom that can have none, such as labels.

    Something that learns stands before it, or `propagate_down` or `force_backward` asks for it.
    """

    code = "N210"


class MixedRates(Problem):
    """Layers that share a param set different `lr_mult`.

    Caffe stops here. netdef trains it: each use's gradient counts with its own multiplier. For
    multipliers m1, m2, … and m the greatest of them, the gradient is the sum of (mk/m)·gk, and
    the rate is base_lr·m.
    """

    code = "N211"
    default_severity = Severity.NOTE


class SameName(Problem):
    """Two layers have the same name.

    Weights are copied by layer name, so one of them gets the other's. Give each its own.
    """

    code = "N212"
    default_severity = Severity.WARNING


class RunsCode(Problem):
    """A layer is written in Python: the net runs code of the user's.

    A Python layer names a module and a class. `load`, `train` and `test` import the module; that
    runs whatever stands in it, so take such files only from people you trust. Where a net is
    only looked at (`check`, `draw`, `summary`) nothing is imported, and the shapes after the
    layer stay unknown.
    """

    code = "N213"
    default_severity = Severity.NOTE


def place(net: Net, node: Node, dotted: str = "") -> Span | None:
    """Where a field of a layer stands; the nearest field around it where it is not written."""
    from netdef.text import SpanMap

    return net.span(node.path + SpanMap.parse(dotted) if dotted else node.path)


def name_span(net: Net, node: Node) -> Span | None:
    """Where a layer's name stands."""
    return net.span((*node.path, "name"))


def in_layer(net: Net, node: Node, avoid: Span | None) -> tuple[Label, ...]:
    """A label at the layer's name, where that is another line than the problem's."""
    span = name_span(net, node)
    if span is None or avoid is None or span.begin.line == avoid.begin.line:
        return ()
    return (Label(span, "in this layer"),)


def complaint(
    net: Net, node: Node, error: FieldError | BottomError, *, of_sizes: bool = False
) -> Problem:
    """A layer's complaint as a problem with a place.

    Args:
        net: as far as it is known.
        node: whose layer complains.
        error: the complaint.
        of_sizes: it is about shapes: notes tell how the bottoms came by theirs.
    """
    notes: tuple[str, ...] = ()
    if of_sizes:
        told = error.bottom if isinstance(error, BottomError) else 0
        # a bottom that does not fit is held against the first
        blobs = (*node.bottoms[told : told + 1], *(node.bottoms[:1] if told else ()))
        notes = tell_sizes(net, tuple(b for b in blobs if b is not None))
    if isinstance(error, FieldError):
        field = error.field.rpartition(".")[2]
        span = place(net, node, error.field)
        colon = ":" if error.message.startswith("`") else ""  # a sentence of its own
        return BadSetting(
            f"`{field}` of layer `{node.name}`{colon} {error.message}",
            span,
            labels=in_layer(net, node, span),
            notes=notes,
            help=error.help,
            fixes=respelt(span, error.meant),
        )
    path: Path = (*node.path, "bottom", error.bottom)
    span = net.span(path)
    name = node.message.bottom[error.bottom] if error.bottom < len(node.message.bottom) else "?"
    labels = list(in_layer(net, node, span))
    blob = node.bottoms[error.bottom] if error.bottom < len(node.bottoms) else None
    if blob is not None and net.blobs[blob].shape is not None:
        producer = net.nodes[net.blobs[blob].producer]
        at = net.span((*producer.path, "top", net.blobs[blob].top))
        if at is not None:
            labels.append(Label(at, f"made here: {show_shape(net.blobs[blob].shape)}"))
    return BadBottom(
        f"bottom `{name}` of layer `{node.name}` {error.message}",
        span,
        labels=tuple(labels),
        notes=notes,
        help=error.help,
    )


def show_shape(shape: tuple[int, ...] | None) -> str:
    """A shape for people: `64×1×28×28`, `scalar`, `?`."""
    if shape is None:
        return "?"
    return "×".join(map(str, shape)) or "scalar"
