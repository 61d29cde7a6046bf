"""A column of an insert: where its value stands in an event, and what becomes of it."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from playhead.project.datatype import DataType, datatype
from playhead.project.implicit import every_column
from playhead.project.path import EVERY, Step, holds, reach, steps
from playhead.project.resources import Column, Datasource
from playhead.project.table import default_is_null
from playhead.project.unfit import Unfit
from playhead.project.values import Convert, converter

ABSENT: Final = msgspec.UNSET
"""In a row: the column's own DEFAULT is to fill it; a null would be a NULL."""
_UNKNOWN: Final = "Nullable(Unknown)"
"""Taken for a column whose type only its DEFAULT says: anything goes."""


class Finish(Protocol):
    """From what stands in the event to what goes into the row; raises Unfit."""

    def __call__(self, value: Any, *, absent: bool) -> Any:
        """Return the row's value; `absent` when the event has nothing there, not even null."""


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One column of the insert."""

    name: str
    """`items.id` for a part of the Nested column `items`."""
    column: str
    """The column of the schema."""
    part: str = ""
    """Which part of a Nested column."""
    type: str
    take: Callable[[Mapping[str, Any]], Any]
    """From an event to the row's value. Raises Unfit."""
    reached: Callable[[Mapping[str, Any]], tuple[Any, bool]]
    """From an event to what stands there, and whether there is nothing at all."""
    origin: Callable[[Mapping[str, Any]], Any]
    """From an event to the column's value as a whole: of a Nested one, all its parts."""
    finish: Finish
    is_text: bool
    """Whether it keeps any text as it is."""
    nullable: bool
    required: bool
    """Whether a row without it is refused."""
    may_be_absent: bool
    """Whether a row may hold ABSENT here."""
    whole_text: bool
    """Whether it is the event as a whole, as text."""
    exact: bool
    """Whether a number of the event must keep all its digits."""
    key: str | None = None
    """Under which key of the event it stands; None = somewhere else, or nowhere."""


class _Rule(msgspec.Struct, frozen=True):
    """What to do where there is no value."""

    required: bool
    absent: Any
    """Goes into the row when the event has nothing there."""


def slots_of(datasource: Datasource, types: Mapping[str, str]) -> list[Slot]:
    """Return the columns of an insert.

    A column without path is read by its name; where other columns have paths, one with a
    DEFAULT is left to it.

    Raises:
        ValueError: A path or a type cannot be used.
    """
    paths = any(column.json_path for column in datasource.columns)
    declared = {column.name for column in datasource.columns}
    found: list[Slot] = []
    for column in every_column(datasource):
        kind = datatype(column.type or types.get(column.name, "") or _UNKNOWN)
        rule = _rule(column, kind, implicit=column.name not in declared)
        path = _path(column, by_name=not (paths and column.default is not None))
        if kind.name == "Nested":
            found += [
                _slot(column, datatype(f"Array({part.text})"), _within(path, name), rule, name)
                for name, part in kind.fields()
            ]
        else:
            found.append(_slot(column, kind, path, rule))
    return found


def _path(column: Column, *, by_name: bool) -> tuple[Step, ...] | None:
    """Return where a column's value stands; None = nowhere, its DEFAULT fills it."""
    if column.json_path:
        return steps(column.json_path)
    return (column.name,) if by_name else None


def _within(path: tuple[Step, ...] | None, part: str) -> tuple[Step, ...] | None:
    """Return where the values of a part of a Nested column stand."""
    if path is None:
        return None
    return (*path, part) if path[-1:] == (EVERY,) else (*path, EVERY, part)


def _rule(column: Column, kind: DataType, *, implicit: bool) -> _Rule:
    given = column.default is not None and not default_is_null(column)
    if given:
        return _Rule(required=False, absent=ABSENT if kind.nullable else None)
    return _Rule(required=not (kind.nullable or implicit), absent=None)


def _slot(
    column: Column, kind: DataType, path: tuple[Step, ...] | None, rule: _Rule, part: str = ""
) -> Slot:
    convert = converter(kind)
    finish = _finish(convert, rule)
    bare = kind.bare().name
    return Slot(
        name=f"{column.name}.{part}" if part else column.name,
        column=column.name,
        part=part,
        type=kind.text,
        take=_take(path, convert, finish, rule),
        reached=_reached(path),
        origin=reach(path[: -2 if part else None]) if path is not None else _nowhere,
        finish=finish,
        is_text=bare in ("String", "FixedString"),
        nullable=kind.nullable,
        required=rule.required,
        may_be_absent=rule.absent is ABSENT,
        whole_text=path == () and bare == "String",
        exact="Decimal" in kind.text,
        key=path[0] if path and len(path) == 1 and isinstance(path[0], str) else None,
    )


def _nowhere(_: Any) -> None:
    return None


def _finish(convert: Convert, rule: _Rule) -> Finish:
    def finish(value: Any, *, absent: bool) -> Any:
        if value is not None:
            return convert(value)
        if rule.required:
            raise Unfit
        return rule.absent if absent else None

    return finish


def _reached(path: tuple[Step, ...] | None) -> Callable[[Any], tuple[Any, bool]]:
    if path is None:
        return lambda _: (None, True)
    find, there = reach(path), holds(path)

    def reached(event: Any) -> tuple[Any, bool]:
        value = find(event)
        return value, value is None and not there(event)

    return reached


def _take(
    path: tuple[Step, ...] | None, convert: Convert, finish: Finish, rule: _Rule
) -> Callable[[Mapping[str, Any]], Any]:
    """Return the quickest function that does what `reached` and `finish` do."""
    if path is None or rule.absent is ABSENT:
        reached = _reached(path)

        def careful(event: Mapping[str, Any]) -> Any:
            value, absent = reached(event)
            return finish(value, absent=absent)

        return careful
    required = rule.required
    if len(path) == 1 and isinstance(path[0], str):
        key = path[0]

        def flat(event: Mapping[str, Any]) -> Any:
            value = event.get(key)
            if value is not None:
                return convert(value)
            if required:
                raise Unfit
            return None

        return flat
    find = reach(path)

    def deep(event: Mapping[str, Any]) -> Any:
        value = find(event)
        if value is not None:
            return convert(value)
        if required:
            raise Unfit
        return None

    return deep
