"""How the rows of a live table become rows of the new one: by names, or by its FORWARD_QUERY."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from playhead.build.definition import Definition, StoredColumn, quoted
from playhead.build.deployment.types import widens
from playhead.build.target import Target
from playhead.errors import PlayheadError, Unavailable
from playhead.project.problem import Problem
from playhead.project.resources import Datasource
from playhead.query.pipes.resolve import Resolver
from playhead.template.rendering import Inputs

_LIST_KEYS: Final = frozenset({"type", "select", "tables", "with"})
"""What a SELECT may have beside its list: nothing that leaves out rows, orders or counts them."""


class Forward(msgspec.Struct, frozen=True):
    """Columns of the new table, and the SELECT list over the live one that makes them, in order."""

    columns: tuple[str, ...]
    select: str
    plain: bool = False
    """Rows of the live table are rows of the new one as they are: a part of its columns."""


def by_name(source: Datasource, live: Definition, wanted: Definition) -> Forward | Problem:
    """Return the mapping of a data source without FORWARD_QUERY, or why there is none."""
    before = {column.name: column for column in _kept(live.columns)}
    named: list[str] = []
    for column in _kept(wanted.columns):
        old = before.get(column.name)
        if old is None:
            continue
        if not widens(old.type, column.type):
            return _incompatible(source, column.name, old.type, column.type)
        named.append(column.name)
    if not named:
        message = f"'{source.name}' keeps none of its columns, so none of its rows can stay."
        return Problem(source.path, message, 1, 1, _HINT)
    types = {column.name: column.type for column in wanted.columns}
    plain = all(name in types and types[name] == old.type for name, old in before.items())
    return Forward(tuple(named), ", ".join(quoted(name) for name in named), plain)


def _incompatible(source: Datasource, column: str, made: str, wanted: str) -> Problem:
    line = next((one.line for one in source.columns if one.name == column), 0)
    message = f"the type of the column '{column}' changes ({made} → {wanted})."
    if "AggregateFunction(" in wanted:  # states are made by functions, not by casts
        hint = "Say how its rows become the new ones in a FORWARD_QUERY."
    else:
        expression = f"accurateCastOrDefault({column}, '{wanted}') AS {column}"
        hint = (
            f"Say how its rows become the new ones: FORWARD_QUERY > SELECT …, {expression}, …"
            " There a value that does not fit, such as 94.5 where a whole number is wanted, becomes"
            f" the type's zero; round({column}) first keeps it."
        )
    return Problem(
        source.path, f"'{source.name}' cannot take its rows along: {message}", line, 1, hint
    )


_HINT: Final = "Add a FORWARD_QUERY that makes the new columns of the old ones; or another name."


def lost_columns(live: Definition, wanted: Definition) -> list[str]:
    """Return the columns whose values the new table has no place for."""
    there = {column.name for column in wanted.columns}
    return [column.name for column in live.columns if column.name not in there]


async def by_query(
    target: Target,
    resolver: Resolver,
    source: Datasource,
    live: Definition,
    wanted: Definition,
) -> Forward | Problem:
    """Return what a data source's FORWARD_QUERY says, seen by the guard, or what is wrong with it.

    Args:
        target: The store.
        resolver: Of the live project: the query may name its columns and nothing else.
        source: The data source as it is to be.
        live: Its table as it is.
        wanted: Its table as it is to be.
    """
    line = _line(source)
    try:
        text, tree = await _guarded(target, resolver, source)
    except Unavailable:
        raise
    except PlayheadError as error:
        return _fault(source, line, " ".join(error.message.split()), _LIST)
    if tree is None:
        return _fault(source, line, "it is a list of columns and reads its own rows only.", _LIST)
    try:
        found = await target.store.rows(f"DESCRIBE (SELECT {text} FROM {_full(resolver, source)})")  # noqa: S608 (as the guard returned it)
        count = await target.store.rows(
            f"SELECT count() FROM (SELECT {text} FROM {_full(resolver, source)} WHERE 0)"  # noqa: S608 (as the guard returned it)
        )
    except Unavailable:
        raise
    except PlayheadError as error:
        return _fault(source, line, " ".join(error.message.split()), "")
    if count.rows[0][0]:
        return _fault(source, line, "it makes one row of many.", _LIST)
    made = {str(row[0]): str(row[1]) for row in found.rows}
    misfit = _misfit(source, made, live, wanted)
    if misfit:
        return _fault(source, line, misfit, "Cast it: toUInt32(x), accurateCastOrDefault(x, 'T').")
    return Forward(tuple(made), text)


_LIST: Final = "Write 'FORWARD_QUERY > SELECT a, toUInt32(b) AS b' and no more."


async def _guarded(
    target: Target, resolver: Resolver, source: Datasource
) -> tuple[str, dict[str, Any] | None]:
    """Return the list as the guard's tree says it; no tree where it is more than a list."""
    own = _full(resolver, source)
    prepared = await resolver.sql(f"{source.forward_query}\nFROM {quoted(source.name)}", Inputs())
    tree: dict[str, Any] = await target.trees.parse(prepared.sql)
    selects = (tree.get("list_of_selects") or {}).get("children", ())
    place = f"{resolver.workspace.database_of(source.name)}.{source.name}"
    is_list = (
        len(selects) == 1
        and not prepared.bound
        and prepared.format is None
        and prepared.tables == {place}
        and {key for key, value in selects[0].items() if value not in (False, None)} <= _LIST_KEYS
        and "Subquery" not in _types(selects[0])
    )
    if not is_list or "with" in selects[0]:
        return "", None
    bare = {key: value for key, value in selects[0].items() if key != "tables"}
    children = {**tree["list_of_selects"], "children": [bare]}
    text = await target.trees.text({**tree, "list_of_selects": children})
    if not text.startswith("SELECT ") or not own:
        return "", None
    return text.removeprefix("SELECT "), tree


def _types(part: Any) -> set[str]:
    """Return the types of nodes in a tree."""
    found: set[str] = set()
    todo = [part]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            found.add(str(one.get("type", "")))
            todo += one.values()
        elif isinstance(one, list):
            todo += one
    return found


def _misfit(
    source: Datasource, made: Mapping[str, str], live: Definition, wanted: Definition
) -> str:
    """Return why what is made does not fit the new table; "" = it does."""
    there = {column.name: column for column in _kept(wanted.columns)}
    for name, kind in made.items():
        if name not in there:
            return f"it makes '{name}', which is no column of '{source.name}'."
        if not widens(kind, there[name].type):
            return f"it makes '{name}' of {kind}, and the column is {there[name].type}."
    before = {column.name for column in live.columns}
    for name in there:
        if name not in made and name in before:
            return f"it leaves out '{name}', which both tables have."
    return ""


def _kept(columns: Sequence[StoredColumn]) -> list[StoredColumn]:
    """Return the columns that rows bring."""
    return [column for column in columns if column.default_kind in {"", "DEFAULT"}]


def _full(resolver: Resolver, source: Datasource) -> str:
    database = resolver.workspace.database_of(source.name)
    return f"{quoted(database)}.{quoted(source.name)}"


def _line(source: Datasource) -> int:
    lines = enumerate(source.text.splitlines(), 1)
    return next((n for n, text in lines if text.upper().startswith("FORWARD_QUERY")), 1)


def _fault(source: Datasource, line: int, why: str, hint: str) -> Problem:
    return Problem(source.path, f"FORWARD_QUERY of '{source.name}': {why}", line, 1, hint)
