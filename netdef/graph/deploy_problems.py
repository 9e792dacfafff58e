"""Mistakes that are seen when a net for deploying is derived: codes N280 to N289."""

from __future__ import annotations

from netdef.diag import Problem, Severity


class InputShapeUnknown(Problem):
    """The shape of an input of the deploy net is not known.

    It is that of a batch of the data layer, and the data is not here: its database is missing,
    or a program fills it. Say what the net will be given:

        netdef deploy model.prototxt --input-shape data=1,3,224,224
    """

    code = "N280"


class NothingToDeploy(Problem):
    """The net has no layer whose top could be the result of a deploy net.

    A deploy net ends where the training net's losses and scores begin. This one has neither a
    loss nor an output that anything computes. Was the right phase, level or stage meant?
    `netdef states` shows what there is.
    """

    code = "N281"


class NoSuchInput(Problem):
    """`--input-shape` names a blob that no data or Input layer makes.

    The names are those of the tops: `data`, not the layer's name or its database.
    """

    code = "N282"


class WeightsWillNotFit(Problem):
    """A layer of the deploy net has weights of other shapes than in the training net.

    Mostly the input was given another size than the net was trained with, and a fully connected
    layer behind it then needs another number of weights. Give the size it was trained with.
    """

    code = "N283"
    default_severity = Severity.WARNING


class HeadLeftOut(Problem):
    """An auxiliary loss, and the layers that only it needs, are left out of the deploy net.

    Nets such as GoogLeNet train with several losses on the same labels. The ones that weigh
    less only help to train; the result is where the main one is.
    """

    code = "N284"
    default_severity = Severity.NOTE
