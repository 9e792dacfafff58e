"""lark's parser as recovery needs it: tokens in, and a stack that can be cut back."""

from __future__ import annotations

from lark.exceptions import UnexpectedToken

from netdef.text import grammar
from netdef.text.lexer import Token
from netdef.text.tree import Item

# More than any chain of reductions between two fields takes from the stack.
_DEEPEST_REDUCTION = 64


class Stack:
    """A parser's stack, with the tree's parts on it."""

    def __init__(self) -> None:
        self._state = grammar.begin()

    @property
    def values(self) -> list[object]:
        """Tokens and parts of the tree, the newest last."""
        values: list[object] = self._state.value_stack
        return values

    def feed(self, token: Token) -> bool:
        """Give the parser a token; whether it fitted. One that does not may reduce all the same."""
        try:
            self._state.feed_token(token)  # type: ignore[arg-type]
        except UnexpectedToken:
            return False
        return True

    def pop(self) -> None:
        """Forget the newest token or part."""
        self._state.state_stack.pop()
        self._state.value_stack.pop()

    def accepts(self, type_: str) -> bool:
        """Whether a token of this type would be shifted, after the reductions it brings about.

        An entry in lark's table is not enough: LALR reduces on tokens that fit elsewhere.
        """
        states = self._state.parse_conf.states
        stack = self._state.state_stack[-_DEEPEST_REDUCTION:]
        while True:
            action = states[stack[-1]].get(type_)
            if action is None:
                return False
            if isinstance(action[1], int):
                return True
            rule = action[1]
            if rule.expansion:
                del stack[-len(rule.expansion) :]
            stack.append(states[stack[-1]][rule.origin.name][1])

    @property
    def can_start(self) -> bool:
        """Whether a field may begin here."""
        return self.accepts("FIELD")

    def finish(self) -> list[Item]:
        """The items of the whole text."""
        return grammar.finish(self._state)
