"""Where a blob's shape comes from: the layers that made it so, told from the blob backwards."""

from __future__ import annotations

from itertools import zip_longest

from netdef.graph.net import Net, Node

_MOST = 8


def tell_sizes(net: Net, bottoms: tuple[int, ...]) -> tuple[str, ...]:
    """A note for each blob with the steps that gave it its shape.

    Layers that leave the shape alone are passed over. Where several blobs are told of, each is
    followed back to where all of them begin.

    Args:
        net: with shapes as far as they are known.
        bottoms: indices of blobs.

    Returns:
        One text of several lines for each blob whose shape is known and was made by a layer
        with bottoms of its own.
    """
    chains = [_chain(net, index) for index in dict.fromkeys(bottoms)]
    chains = [chain for chain in chains if chain]
    if len(chains) > 1:
        shared = set(chains[0]).intersection(*chains[1:])
        # The last that all have in common is kept, to show where they part.
        cut = [_until(chain, shared) for chain in chains]
        chains = [chain for chain in cut if len(chain) > 1] or cut
    return tuple(note for chain in chains if (note := _note(net, chain)))


def _chain(net: Net, index: int) -> list[int]:
    """Blobs from one back to a source, by the first bottom, that differ in shape from the next."""
    chain: list[int] = []
    current: int | None = index
    while current is not None and net.blobs[current].shape is not None:
        producer = net.nodes[net.blobs[current].producer]
        before = producer.bottoms[0] if producer.bottoms else None
        same = before is not None and net.blobs[before].shape == net.blobs[current].shape
        if not same:
            chain.append(current)
        elif current == index:
            index = before  # type: ignore[assignment]  # `same` says it is there
        current = before
    return chain


def _until(chain: list[int], shared: set[int]) -> list[int]:
    for position, index in enumerate(chain):
        if index in shared:
            return chain[: position + 1]
    return chain


def _note(net: Net, chain: list[int]) -> str:
    if len(chain) < 2 and not net.nodes[net.blobs[chain[0]].producer].bottoms:
        return ""  # a source says its shape itself
    lines = [_step(net, index) for index in chain[:_MOST]]
    if len(chain) > _MOST:
        lines.append(f"... {len(chain) - _MOST} layers before")
    return "\n".join([f"where the size of `{net.blobs[chain[0]].name}` comes from:", *lines])


def _step(net: Net, index: int) -> str:
    """`pool1: 64×20×12×12 from conv1 (24→12: Pooling max 2×2 stride 2)`."""
    from netdef.graph.problems import show_shape

    blob = net.blobs[index]
    node = net.nodes[blob.producer]
    shown = f"  {blob.name}: {show_shape(blob.shape)}"
    how = " ".join(filter(None, (node.type, _settings(node))))
    known = [net.blobs[b] for b in node.bottoms if b is not None]
    if not known:
        return f"{shown} ({how})"
    names = " and ".join(b.name for b in known[:2])
    if len(known) > 2:
        names = f"{known[0].name} and {len(known) - 1} more"
    changed = _changes(known[0].shape, blob.shape)
    return f"{shown} from {names} ({changed}{how})"


def _settings(node: Node) -> str:
    return node.layer.settings() if node.layer is not None else ""


def _changes(before: tuple[int, ...] | None, after: tuple[int, ...] | None) -> str:
    """`24→12: ` where the axes behind the channels change, all alike or not."""
    if before is None or after is None or len(before) != len(after) or len(after) < 3:
        return ""
    pairs = list(zip_longest(before[2:], after[2:]))
    if all(a == b for a, b in pairs):
        return ""
    if len(set(pairs)) == 1:
        pairs = pairs[:1]
    return "×".join(str(a) for a, _ in pairs) + "→" + "×".join(str(b) for _, b in pairs) + ": "
