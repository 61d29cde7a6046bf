"""The filter of a scope: text that is one condition of the engine's SQL and nothing besides.

This looks at the text alone; whoever runs it asks the guard about its tree as well.
"""

import re
from typing import Final

from playhead.errors import InvalidRequest

FILTER_CHARS_MAX: Final = 4_096
_HINT: Final = "A filter is one condition over the columns, such as country = 'DE' AND age > 17."
_TOKEN: Final = re.compile(
    r"""
    (?P<text>'(?:[^'\\]|\\.|'')*')
  | (?P<name>`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*")
  | (?P<number>\d[\w.]*)
  | (?P<word>[^\W\d]\w*)
  | (?P<open>[(\[])
  | (?P<close>[)\]])
  | (?P<comment>--|/\*|\#|//)
  | (?P<sign>->|<=>|<=|>=|<>|!=|==|\|\||::|[-+*/%=<>!,.?:])
  | (?P<space>[ \t\r\n]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_PAIRS: Final = {"(": ")", "[": "]"}
_QUERY_WORDS: Final = frozenset({
    "select", "from", "with", "union", "intersect", "except", "explain", "describe", "apply",
    "columns", "exists",
})  # fmt: skip
"""They begin or belong to a query; a column of such a name is written with backquotes."""
_MEMBERSHIP: Final = re.compile(r"(?:global)?(?:not)?(?:null)?in(?:ignoreset)?")
"""The functions that read a table named as their second argument."""
_READERS: Final = ("dict", "joinget", "file", "url", "getsetting", "getserversetting", "throwif")
"""What reads more than the row, or fails on purpose."""
_CONSTANTS: Final = frozenset({"null", "true", "false"})


def condition(text: str) -> str:
    """Return a filter without the space around it.

    Raises:
        InvalidRequest: It is no single condition; the sentence says why.
    """
    text = text.strip()
    if not text:
        raise InvalidRequest("The filter is empty.", hint=_HINT)
    if len(text) > FILTER_CHARS_MAX:
        raise InvalidRequest(f"A filter has at most {FILTER_CHARS_MAX} characters.", hint=_HINT)
    _check(_tokens(text))
    return text


def both(conditions: list[str]) -> str:
    """Return the condition that holds where all of them do."""
    return " AND ".join(f"({one})" for one in conditions)


def is_text(column: str, value: str) -> str:
    """Return the condition that a column of texts has a value."""
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{column} = '{quoted}'"


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            shown = text[at]
            if shown in "'\"`":
                raise InvalidRequest(f"A quote ({shown}) of the filter is not closed.", hint=_HINT)
            raise InvalidRequest(f"The filter cannot hold {shown!r}.", hint=_HINT)
        kind = str(match.lastgroup)
        if kind == "comment":
            raise InvalidRequest("The filter cannot hold a comment.", hint=_HINT)
        if kind != "space":
            found.append((kind, match[0]))
        at = match.end()
    return found


def _check(tokens: list[tuple[str, str]]) -> None:
    open_: list[tuple[str, bool]] = []
    in_list = False
    following = [part for _, part in tokens[1:]] + [""]
    for (kind, part), next_ in zip(tokens, following, strict=True):
        if kind == "open":
            # What stands in the list of IN must be values: a bare name there would be a table.
            open_.append((_PAIRS[part], in_list or bool(open_ and open_[-1][1])))
            in_list = False
        elif kind == "close":
            if not open_ or open_.pop()[0] != part:
                raise InvalidRequest(f"The filter closes a '{part}' that is not open.", hint=_HINT)
        elif kind == "sign" and part == "," and not open_:
            raise InvalidRequest("The filter is a list; it must be one condition.", hint=_HINT)
        elif kind in {"word", "name"}:
            if open_ and open_[-1][1] and next_ != "(" and part.lower() not in _CONSTANTS:
                raise InvalidRequest(f"IN of a filter takes values, not '{part}'.", hint=_HINT)
            in_list = _check_word(kind, part, next_)
    if open_:
        raise InvalidRequest(f"The filter misses a '{open_[-1][0]}'.", hint=_HINT)


def _check_word(kind: str, part: str, next_: str) -> bool:
    """Refuse a word that reads more than the row; return whether it is IN before its list."""
    word = (part if kind == "word" else part[1:-1]).lower()
    if kind == "word" and word in _QUERY_WORDS:
        raise InvalidRequest(f"The filter holds '{part}'; a query is not a filter.", hint=_HINT)
    if kind == "word" and word == "in":
        if next_ not in _PAIRS:
            raise InvalidRequest("IN of a filter takes a list: IN (1, 2).", hint=_HINT)
        return True
    if next_ == "(" and (word.startswith(_READERS) or _MEMBERSHIP.fullmatch(word)):
        raise InvalidRequest(f"The filter cannot call {part}.", hint=_HINT)
    return False
