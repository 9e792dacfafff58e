r"""Characters to tokens, as coarse as the text format allows.

lark's cost is per token, so one token is mostly a whole `name: value` or `name {`. Whatever
else the format allows (a comment between name and colon, lists, escapes, `<`) falls through to
fine tokens of the same pattern, and the grammar takes both. What no token matches is `bad`.
"""

from __future__ import annotations

import re
from typing import Final

# Possessive quantifiers throughout: no input makes the pattern backtrack, so lexing is linear.
# ASCII makes \s the format's six white-space characters and \w its identifiers' letters.
_PATTERN: Final = r"""
  (?P<name> [A-Za-z_]\w*+ ) \s*+
  (?: :\s*+ (?: (?: (?P<string> "[^"\\\n\0]*+" | '[^'\\\n\0]*+' ) \s*+ (?! ["'\#] )
                  | (?P<integer> -?+ (?: 0 | [1-9][0-9]*+ ) ) (?! [\w.] ) \s*+
                  | (?P<decimal> -?+ (?: (?: 0 | [1-9][0-9]*+ ) (?: \.[0-9]*+ )?+ | \.[0-9]++ )
                                 (?: [eE][+-]?+[0-9]++ )?+ [fF]?+ ) (?! [\w.] ) \s*+
                  | (?P<word> -?+ [A-Za-z_]\w*+ ) \s*+
                ) (?: [;,] \s*+ )?+
              | (?P<open> \{ ) \s*+ )
    | (?P<open_plain> \{ ) \s*+
  )?
| (?P<close> \} ) \s*+
| (?P<comment> \#[^\n\0]*+ ) \s*+
| (?P<text> "(?: [^"\\\n\0]++ | ESCAPE )*+" | '(?: [^'\\\n\0]++ | ESCAPE )*+' ) \s*+
| (?P<number> 0[xX][0-9A-Fa-f]++ | 0[0-7]++
            | (?: (?: 0 | [1-9][0-9]*+ ) (?: \.[0-9]*+ )?+ | \.[0-9]++ )
              (?: [eE][+-]?+[0-9]++ )?+ [fF]?+ ) (?! [\w.] ) \s*+
| (?P<colon> : ) \s*+
| (?P<lbrace> \{ ) \s*+
| (?P<langle> < ) \s*+
| (?P<rangle> > ) \s*+
| (?P<lbracket> \[ ) \s*+
| (?P<rbracket> \] ) \s*+
| (?P<comma> , ) \s*+
| (?P<semicolon> ; ) \s*+
| (?P<minus> - ) \s*+
| (?P<bad> \S ) \s*+
"""
_ESCAPE: Final = r"""
  \\(?: [abfnrtv?\\'"] | [0-7]{1,3} | [xX][0-9A-Fa-f]{1,2} | u(?![dD][89a-fA-F])[0-9A-Fa-f]{4}
      | U000(?!0[dD][89a-fA-F])[0-9A-Fa-f]{5} | U0010[0-9A-Fa-f]{4} )
"""
TOKEN: Final = re.compile(_PATTERN.replace("ESCAPE", _ESCAPE), re.VERBOSE | re.ASCII)

# An extension's or Any's name in brackets, where a field's name may stand.
EXTENSION: Final = re.compile(
    r"\[ ( (?: [\w\-.~!$&()*+,;=%/] | \s++ | \#[^\n]*+ )++ ) \] \s*+", re.VERBOSE | re.ASCII
)

GROUPS: Final = dict(TOKEN.groupindex)
NAME, STRING, INTEGER, DECIMAL, WORD = (
    GROUPS[g] for g in ("name", "string", "integer", "decimal", "word")
)
COMMENT, BAD = GROUPS["comment"], GROUPS["bad"]

# Terminal of the grammar for each group, by group number; None: not for the grammar.
TERMINALS: Final[list[str | None]] = [None] * (TOKEN.groups + 1)
for _group, _terminal in {
    "name": "NAME",
    "string": "FIELD",
    "integer": "FIELD",
    "decimal": "FIELD",
    "word": "FIELD",
    "open": "OPEN",
    "open_plain": "OPEN",
    "close": "CLOSE",
    "text": "STRING",
    "number": "NUMBER",
    "colon": "COLON",
    "lbrace": "LBRACE",
    "langle": "LANGLE",
    "rangle": "RANGLE",
    "lbracket": "LBRACKET",
    "rbracket": "RBRACKET",
    "comma": "COMMA",
    "semicolon": "SEMICOLON",
    "minus": "MINUS",
}.items():
    TERMINALS[GROUPS[_group]] = _terminal


class Token:
    """A token as lark takes it, which asks for a `type` and nothing else.

    It keeps the match alone, since making objects is most of what lexing costs.
    """

    __slots__ = ("match", "type")

    def __init__(self, type_: str, match: re.Match[str]) -> None:
        self.type = type_
        self.match = match

    @property
    def start(self) -> int:
        """Offset of the first character."""
        return self.match.start()

    @property
    def end(self) -> int:
        """Offset after the last character; white space and separator behind it do not count."""
        return self.match.end(self.match.lastindex or 0)

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.match.string[self.start : self.end]

    @property
    def name(self) -> str:
        """The field's name, of tokens that begin with one."""
        return self.match[1]

    @property
    def name_end(self) -> int:
        """Offset after the field's name."""
        return self.match.end(1)


class FieldToken(Token):
    """A token that is a whole field, `name: value`, and a leaf of the syntax tree as it is."""

    __slots__ = ()
    type = "FIELD"

    def __init__(self, match: re.Match[str]) -> None:
        self.match = match


class MadeToken(Token):
    """A token that is not one match: an extension's name, or what recovery makes up."""

    __slots__ = ("_end", "_start", "_text")

    def __init__(self, type_: str, text: str, start: int, end: int) -> None:
        self.type = type_
        self._text = text
        self._start = start
        self._end = end

    @property
    def start(self) -> int:
        """Offset of the first character."""
        return self._start

    @property
    def end(self) -> int:
        """Offset after the last character."""
        return self._end

    @property
    def text(self) -> str:
        """The characters themselves, as far as the source has them."""
        return self._text

    @property
    def name(self) -> str:
        """The characters without white space and comments."""
        return re.sub(r"\s+|#[^\n]*", "", self._text)

    @property
    def name_end(self) -> int:
        """Offset after the last character."""
        return self._end
