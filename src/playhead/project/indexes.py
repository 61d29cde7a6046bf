"""The lines of INDEXES: `[INDEX] name expression TYPE type [GRANULARITY n]`."""

import re
from collections.abc import Sequence
from typing import Final

from playhead.project.expression import tokens
from playhead.project.findings import Findings
from playhead.project.lines import Line
from playhead.project.resources import Index

INDEXES_MAX: Final = 100
"""Most indexes of a data source."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_HINT: Final = "Write: by_country country TYPE set(100) GRANULARITY 4"
_GRANULARITY: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


def read_indexes(lines: Sequence[Line], findings: Findings) -> tuple[Index, ...]:
    """Read the block; problems are said to `findings`."""
    found: dict[str, Index] = {}
    for line in lines:
        read = _index(line.text)
        if isinstance(read, str):
            column = len(line.text) - len(line.text.lstrip()) + 1
            findings.error(line, read, column=column, hint=_HINT)
            continue
        if read.name in found:
            findings.error(line, f"There are two indexes '{read.name}'.")
        found[read.name] = read
        if len(found) > INDEXES_MAX:
            findings.error(line, f"A data source has at most {INDEXES_MAX} indexes.")
            break
    return tuple(found.values())


def _index(text: str) -> Index | str:  # noqa: PLR0911 (a sentence for each fault)
    """Return an index, or the sentence that says why it is none."""
    text = text.strip().removesuffix(",").rstrip()
    words = text.split(None, 1)
    if len(words) == 2 and words[0].upper() == "INDEX":
        words = words[1].split(None, 1)
    if len(words) < 2:
        return "An index has a name, an expression and a TYPE."
    name, rest = words[0].strip("`"), words[1]
    if not _NAME.fullmatch(name):
        return f"'{name[:80]}' is no name of an index."
    try:
        outer = [t for t in tokens(rest) if t.kind == "word" and t.depth == 0]
    except ValueError as error:
        return f"The index '{name}' {error}."
    types = [t.at for t in outer if t.text.upper() == "TYPE"]
    if len(types) != 1:
        return f"The index '{name}' has {len(types) or 'no'} TYPE; it has one."
    at = [t.at for t in outer if t.text.upper() == "GRANULARITY" and t.at > types[0]]
    end = at[0] if at else len(rest)
    expression, kind = rest[: types[0]].strip(), rest[types[0] + len("TYPE") : end].strip()
    granularity = rest[end + len("GRANULARITY") :].strip() if at else "1"
    if not expression or not kind:
        return f"The index '{name}' lacks its {'type' if expression else 'expression'}."
    if not _GRANULARITY.fullmatch(granularity):
        return f"GRANULARITY of the index '{name}' is a whole number above 0."
    return Index(name, expression, kind, int(granularity))
