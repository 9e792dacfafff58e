"""Whether two texts say the same, before any schema is asked."""

from __future__ import annotations

from netdef.text.layout import name_of, scalar_parts
from netdef.text.tree import Block, Item, ListField, Scalar, Tree

_Value = Item | Scalar


def same_meaning(one: Tree, other: Tree) -> bool:
    """Whether two trees have the same fields with the same values.

    The order of fields of one name counts, that of fields of different names does not; nor do
    quotes, brackets, lists, separators, white space and comments. For any message.
    """
    stack = [(one.items, other.items)]
    while stack:
        left, right = (_by_name(items) for items in stack.pop())
        if left.keys() != right.keys():
            return False
        for name, values in left.items():
            if len(values) != len(right[name]):
                return False
            for a, b in zip(values, right[name], strict=True):
                if isinstance(a, Block) and isinstance(b, Block):
                    stack.append((a.items, b.items))
                elif isinstance(a, Block) or isinstance(b, Block) or _plain(a) != _plain(b):
                    return False
    return True


def _by_name(items: list[Item]) -> dict[str, list[_Value]]:
    found: dict[str, list[_Value]] = {}
    for item in items:
        values = found.setdefault(name_of(item), [])
        values += item.elements if isinstance(item, ListField) else [item]
    return found


def _plain(value: _Value) -> tuple[str, ...]:
    parts = scalar_parts(value)
    return tuple(p[1:-1] if p[:1] in ("'", '"') else p for p in parts)
