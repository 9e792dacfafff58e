"""The order in which people write a net's fields."""

from __future__ import annotations

from netdef.text.write import Order

# Settings of the type stand between `param` and `blobs`, in the order they were written.
_LAYER = {
    name: rank
    for rank, names in enumerate(
        (
            ("name", "layer"),  # `layer` inside `layers` is the V0 syntax, and has the name
            ("type",),
            ("bottom",),
            ("top",),
            ("phase", "propagate_down", "loss_weight"),
            ("include", "exclude"),
            ("param", "blob_share_mode", "blobs_lr", "weight_decay"),
        )
    )
    for name in names
}
_SETTINGS = len(_LAYER)


def layer_rank(name: str) -> int:
    """Where a layer's field goes."""
    return _SETTINGS + 1 if name == "blobs" else _LAYER.get(name, _SETTINGS)


def net_rank(name: str) -> int:
    """Where a net's field goes: its name first, the others as they were written."""
    return 0 if name == "name" else 1


_NETS = ("net_param", "train_net_param", "test_net_param")
ORDER: Order = {
    "": net_rank,  # a solver has no `name`
    **dict.fromkeys(_NETS, net_rank),
    **dict.fromkeys(("layer", "layers"), layer_rank),
}
TALL = frozenset(("layer", "layers", *_NETS))
