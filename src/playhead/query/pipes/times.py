"""Times written as texts, where the engine would not compare them with a column of its index.

`at >= '2025-03-01T20:00:00Z'` goes against an ordinary column; against one of the sorting key the
engine refuses it. Then, and only then, the text it names is put into a function that reads it.
"""

import re
from typing import Final

from playhead.errors import QueryFailed

MENDED_MAX: Final = 20
"""Most texts of one query; each costs one more try, which ends before anything is read."""
_REFUSED: Final = re.compile(r"Cannot convert string '([0-9T:Z.+ -]{10,40})' to type (\w+)")
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?(?:Z|[+-]\d\d:?\d\d)?"
)
_TYPES: Final = frozenset({"Date", "Date32", "DateTime", "DateTime64"})


def mended(sql: str, error: QueryFailed) -> str | None:
    """Return the query with the time the engine refused made readable; None if it is none.

    Args:
        sql: A query as the engine writes it: a quote inside a text has a backslash before it.
        error: What the engine said.
    """
    found = _REFUSED.search(error.message)
    if found is None or found[2] not in _TYPES or not _TIME.fullmatch(found[1]):
        return None
    literal = re.compile(
        r"(?<=[\s(,\[])(?<!BestEffort\()'" + re.escape(found[1]) + r"'(?=[\s),\]]|$)"
    )
    again, count = literal.subn(f"parseDateTime64BestEffort('{found[1]}', 3)", sql)
    return again if count else None
