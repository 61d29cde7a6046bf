"""What a query brings back, and whether it fits the data source it fills."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from playhead.build.definition import Definition
from playhead.build.sentence import UNKNOWN_COLUMN, UNKNOWN_FUNCTION
from playhead.errors import QueryFailed
from playhead.project.problem import Problem
from playhead.project.resources import Node, Pipe
from playhead.query.pipes.resolve import Prepared
from playhead.store.async_client import AsyncStoreClient

PLACEHOLDER: Final = "'__no_value__'"
"""What check mode renders for a text that no request gives."""
DESCRIBE_SETTINGS: Final = {
    "allow_suspicious_types_in_group_by": "1",
    "allow_suspicious_types_in_order_by": "1",
    "joined_subquery_requires_alias": "0",
    "max_query_size": "1048576",
}
_PLAIN_ERRORS: Final = frozenset({UNKNOWN_COLUMN, UNKNOWN_FUNCTION, 60, 62, 179, 8, 10, 16})
"""Errors that no value of a parameter can be the cause of."""
_VALUE_ERRORS: Final = frozenset({6, 27, 36, 38, 41, 53, 69, 70, 72, 131, 153, 321, 376, 440, 441,
    467, 675, 676, 115, 117, 349, 395, 407, 43, 44, 48, 190, 386, 258, 427})  # fmt: skip
"""Errors that a placeholder may be the cause of: it was parsed, divided by, or taken for a name."""
_READONLY: Final = 164
"""A copy pipe reads a place outside (url, s3, …): nobody goes there only to look."""
_WRAPPED: Final = re.compile(r"^(?:Nullable|LowCardinality)\((.*)\)$")
_NUMBER: Final = re.compile(r"^(?:U?Int\d+|Float\d+|Decimal.*|Bool)$")
_TIME: Final = re.compile(r"^(?:Date|Date32|DateTime.*)$")

Columns = dict[str, str]
"""Names and types, in order."""


async def described(
    store: AsyncStoreClient, prepared: Prepared, *, checked: bool
) -> Columns | None:
    """Return the columns of a query without running it.

    Args:
        store: The store.
        prepared: The query.
        checked: It was rendered in check mode, so that its values mean nothing.

    Returns:
        None when only a placeholder's value stands in the way of knowing, or a place outside is read.

    Raises:
        QueryFailed: The engine refuses the query.
    """
    try:
        return await _describe(store, prepared.sql, prepared.bound)
    except QueryFailed as error:
        if error.engine_code == _READONLY:
            return None
        if not checked or error.engine_code not in _VALUE_ERRORS:
            raise
    # Not a constant any more, so the engine does not try to compute with it while it looks.
    opened = prepared.sql.replace(PLACEHOLDER, f"materialize({PLACEHOLDER})")
    try:
        return await _describe(store, opened, prepared.bound)
    except QueryFailed as error:
        if error.engine_code in _PLAIN_ERRORS:
            raise
        return None


async def _describe(store: AsyncStoreClient, sql: str, bound: Mapping[str, str]) -> Columns:
    found = await store.rows(f"DESCRIBE ({sql})", bound, settings=DESCRIBE_SETTINGS)
    return {row[0]: row[1] for row in found.rows}


def misfits(pipe: Pipe, node: Node, made: Columns, wanted: Definition) -> list[Problem]:
    """Return what of a materialized node does not fit its target; missing columns only warn."""
    line = node.line
    there = {c.name: c for c in wanted.columns if c.default_kind in {"", "DEFAULT"}}
    problems = [
        Problem(
            pipe.path,
            f"node '{node.name}': it selects '{name}', but the data source '{wanted.name}' has no"
            " such column.",
            line,
            1,
            f"Its columns are {_listed(there)}.",
        )
        for name in made
        if name not in there
    ]
    missing = [c.name for c in there.values() if c.name not in made and not c.default_kind]
    if missing:
        problems.append(
            Problem(
                pipe.path,
                f"node '{node.name}': {_unselected(missing, wanted.name)}",
                line,
                1,
                warning=True,
            )
        )
    for name, kind in made.items():
        if name in there and not alike(kind, there[name].type):
            problems.append(
                Problem(
                    pipe.path,
                    f"node '{node.name}': '{name}' is {kind} and becomes {there[name].type} in"
                    f" '{wanted.name}'.",
                    line,
                    1,
                    warning=True,
                )
            )
    return problems


def alike(made: str, wanted: str) -> bool:
    """Return whether values go from one type to the other without a second thought."""
    one, other = _plain(made), _plain(wanted)
    if one in (other, "Nothing"):
        return True
    return any(family.match(one) and family.match(other) for family in (_NUMBER, _TIME))


def _plain(kind: str) -> str:
    """Return a type without Nullable and LowCardinality; the value's type of a simple aggregate."""
    while match := _WRAPPED.match(kind):
        kind = match[1]
    if kind.startswith("SimpleAggregateFunction("):
        return _plain(kind.partition(", ")[2].removesuffix(")"))
    return kind


def _unselected(names: list[str], table: str) -> str:
    if len(names) == 1:
        return f"the column {names[0]} of '{table}' is not selected; it stays empty."
    return f"the columns {_listed(names)} of '{table}' are not selected; they stay empty."


def _listed(names: Iterable[str], most: int = 8) -> str:
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
