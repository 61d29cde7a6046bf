"""What the engine says of a query, in words for the one who asked."""

import re
from typing import Final

from playhead.errors import (
    PlayheadError,
    QueryFailed,
    QueryRefused,
    QueryTimeout,
    ResultTooLarge,
)

SENTENCE_CHARS_MAX: Final = 600
_HEAD: Final = re.compile(r"^(?:\s*Code: \d+\.\s*DB::(?:\w+::)?Exception: )+")
_INNER: Final = re.compile(r"Code: \d+\.\s*DB::(?:\w+::)?Exception: ")
_VERSION: Final = re.compile(r"\s*\(version [^)]*\)")
_NAME: Final = re.compile(r"\s*\(([A-Z][A-Z0-9_]{3,})\)")
_NOISE: Final = (
    re.compile(r"[.,:]?\s*\bIn scope .*", re.DOTALL),
    re.compile(r"[.,:]?\s*\b[Ww]hile (?:processing|executing|reading|converting) .*", re.DOTALL),
    re.compile(r"[.,:]?\s*\bIn query: .*", re.DOTALL),
    re.compile(r"[.,:]?\s*\bStack trace.*", re.DOTALL),
    re.compile(r"\s*\(in file/uri [^)]*\)"),
    re.compile(r"\s*\bIf you want to use [^.]*\."),
)
_PATH: Final = re.compile(r"(?<![\w/])/(?:[\w.@+-]+/)+[\w.@+-]*")
_OURS: Final = frozenset({33, 40, 49, 74, 75, 76, 107, 210, 243, 246, 1000, 1001})
"""Faults of the engine or the disk, not of the query."""
_HINTS: Final = {
    6: "Give a value that can be read as the column's type, or convert it with an …OrNull function.",
    10: "Check the column's name against what the query reads.",
    16: "Check the column's name against what the query reads.",
    27: "Give a value that can be read as the column's type, or convert it with an …OrNull function.",
    36: "Check the arguments of the function or clause it names.",
    38: "Give the date as YYYY-MM-DD.",
    41: "Give the time as YYYY-MM-DD HH:MM:SS.",
    42: "Check how many arguments the function takes.",
    43: "Convert the argument to a type the function takes.",
    46: "Check the function's name.",
    47: "Check the column's name against what the query reads.",
    53: "Convert one side so that both have one type.",
    62: "Check the query near the place it names.",
    70: "Convert the value explicitly, with toString() or an …OrNull function.",
    72: "Give a number.",
    179: "Give each expression a name of its own.",
    184: "Take the inner aggregate out into a sub-query.",
    215: "Put the column into GROUP BY or into an aggregate function.",
    352: "Name the table the column is of.",
    386: "Convert the values so that they have one type.",
    403: "Join on conditions of the form a.x = b.y.",
    456: "Give the parameter a value, or take it out of the query.",
}  # fmt: skip

_SLOW: Final = "Ask for less: a shorter time, fewer columns; or raise pipes.timeout_ms."
_LARGE: Final = {
    "more rows": "Ask for a shorter time, or raise pipes.max_rows_to_read.",
    "more bytes": "Ask for fewer columns or a shorter time.",
    "memory": "Ask for fewer groups or a shorter time, or raise pipes.max_memory_bytes.",
    "": "Ask for fewer rows or columns, or raise pipes.max_result_rows or pipes.max_result_bytes.",
}
"""By what the sentence says."""


def told(error: PlayheadError, *, hidden: bool = False, secret: bool = False) -> PlayheadError:
    """Return an engine's refusal as a sentence that says what to change; other errors as they are.

    Args:
        error: What the store's client raised.
        hidden: The caller does not see every row: the engine's text, which may quote one, is
            replaced by its code.
        secret: The query holds secrets, which the engine's text may quote too.
    """
    if isinstance(error, QueryTimeout):
        return QueryTimeout(f"{error.message} {_SLOW}", hint=_SLOW)
    if isinstance(error, ResultTooLarge):
        hint = next((said for word, said in _LARGE.items() if word in error.message), _LARGE[""])
        return ResultTooLarge(f"{error.message} {hint}", hint=hint)
    if not isinstance(error, QueryFailed) or error.engine_code in _OURS:
        return error
    name = _name_of(error.message)
    if hidden or secret:
        why = "this token sees some rows only" if hidden else "the query holds secrets"
        more = "; a token without row filters is told more" if hidden else ""
        return QueryRefused(
            f"The query failed in the engine with code {error.engine_code}{name}. "
            f"Its words are kept back, because {why}.",
            hint=f"Check columns, types and functions{more}.",
        )
    said = sentence_of(error.message)
    hint = _HINTS.get(error.engine_code, "Change the query or its parameters and ask again.")
    return QueryRefused(f"{said}{name}", hint=hint)


def sentence_of(text: str) -> str:
    """Return the engine's sentence without codes, versions, scopes, traces and paths."""
    said = _VERSION.sub("", _HEAD.sub("", text.strip()))
    for noise in _NOISE:
        said = noise.sub("", said)
    said = _NAME.sub("", _INNER.sub("", said))
    said = _PATH.sub("…", " ".join(said.split()))
    if len(said) > SENTENCE_CHARS_MAX:
        said = said[: SENTENCE_CHARS_MAX - 1].rstrip() + "…"
    said = said.rstrip(" .:,")
    return f"{said}." if said else "The engine refused the query."


def _name_of(text: str) -> str:
    names = _NAME.findall(text)
    return f" ({names[-1]})" if names else ""
