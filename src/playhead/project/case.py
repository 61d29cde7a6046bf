"""A test of a project: what to ask, and what must come back."""

from typing import Final, Literal

import msgspec

from playhead.template.rendering import Given

Kind = Literal["forward", "classic", "quality"]
CASES_MAX: Final = 10_000
"""Most cases of one file."""
TABLE: Final = "table"
"""The format of `tb sql` without `--format`: lines and dashes, see `comparison.printed`."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One question of a case."""

    pipe: str = ""
    """The pipe that is asked; "" = `sql` alone is the question."""
    parameters: dict[str, Given] = {}
    format: str = "ndjson"
    """ndjson, csv, json, …, a format of the engine, or `TABLE`."""
    sql: str = ""
    """SQL over data sources and pipes; with `pipe`, what is asked on top of it (`q=`)."""
    pipeline: str = ""
    """The pipe whose nodes the SQL may name."""
    names_itself: bool = False
    """Whether the SQL may call the pipe by its name as well as `_`."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One test. What several requests answer is compared as one text."""

    path: str
    name: str
    kind: Kind
    description: str = ""
    requests: tuple[Request, ...] = ()
    expected: str = ""
    status: int | None = None
    """The HTTP status that must come, when the file says one."""
    problem: str = ""
    """Why the case cannot be run: it fails with this sentence."""
