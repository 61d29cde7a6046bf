"""The rows of a table as records: what a mapping makes of them."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, Final

from playhead.connect.files.lines import Line, Source
from playhead.connect.files.mapping import TELEMETRY, Mapping, Rule
from playhead.connect.files.record import Record
from playhead.connect.files.table import Row, rows
from playhead.connect.files.value import Scopes, factor, typed

HEARTBEATS_PER_GAP_MAX: Final = 360
"""Heartbeats put into one gap; what is longer stays silence."""
_AT_MAX_MS: Final = 9_999_999_999_999
Made = tuple[int, dict[str, Any]]
"""An event without its number and id, and when it happened."""


def event_id(namespace: str, source: Source, line: int, nth: int) -> str:
    """Return the id of the `nth` event that a line of a file becomes: always the same one."""
    mixed = hashlib.blake2b(digest_size=16)
    mixed.update(f"{namespace}\0{source.identity}\0{line}\0{nth}".encode())
    return mixed.hexdigest()


class Mapped:
    """The records of one table file: always all of them, always the same.

    Args:
        mapping: How rows become events.
        source: The file.
        file: Its index in the replay.

    Raises:
        ConfigInvalid: The file's name does not fit the mapping's pattern.
    """

    def __init__(self, mapping: Mapping, source: Source, file: int) -> None:
        self._mapping = mapping
        self._source = source
        self._file = file
        self._is_rows = mapping.table.into != TELEMETRY
        self._names = _names(mapping, source)
        self._made = 0
        self._numbered = 0
        self._row = -1
        self._first: dict[str, str] = {}
        self._last: dict[str, str] = {}
        self._began_ms = 0
        self._next_ms: int | None = None
        self._beat: tuple[int, Scopes] | None = None

    def records(self, lines: Iterable[Line]) -> Iterator[Record]:
        """Yield the records of the file.

        Raises:
            ConfigInvalid: The file has other columns than the mapping speaks of.
            InvalidRequest: The header names a column twice.
        """
        line = 0
        for row in rows(self._mapping, self._source, lines, set(self._names)):
            line = row.line
            self._row += 1
            if row.fault:
                yield self._refused(line, row.fault)
                continue
            try:
                made = self._of_row(row)
            except (ValueError, OverflowError) as error:
                yield self._refused(line, str(error))
                continue
            yield from self._counted(made, line)
        if self._last:
            try:
                made = self._of_end(line + 1)
            except (ValueError, OverflowError) as error:
                yield self._refused(line + 1, str(error))
                return
            yield from self._counted(made, line + 1)

    def _of_row(self, row: Row) -> list[Made]:
        cells = {**self._names, "row": str(self._row), "line": str(row.line), **row.cells}
        first = self._first or cells
        scopes = Scopes(cells, first)
        at_ms = self._at(scopes)
        began_ms = self._began_ms if self._first else at_ms
        cells.setdefault("elapsed_ms", str(at_ms - began_ms))
        made: list[Made] = []
        if not self._first:
            made += self._apply(self._mapping.first, scopes, at_ms - self._lead(scopes))
        own = list(self._apply(self._mapping.row, scopes, at_ms))
        if own and self._beat is not None:
            made += self._heartbeats(at_ms)
        made += own
        if self._mapping.step is not None:
            self._next_ms = at_ms + _ms(self._mapping.step(scopes))
        # Only a row that is good as a whole counts as the first, and as the one before the next.
        self._first, self._began_ms, self._last = first, began_ms, cells
        if own:
            self._beat = (at_ms, scopes)
        return made

    def _of_end(self, line: int) -> list[Made]:
        """Return the events at the end of the file, made of its last row."""
        scopes = Scopes(self._last, self._first)
        at_ms = self._next_ms if self._next_ms is not None else self._at(scopes)
        ended = {"row": str(self._row + 1), "line": str(line)}
        ended["elapsed_ms"] = str(at_ms - self._began_ms)
        cells = {name: ended.get(name, text) for name, text in self._last.items()}
        return list(self._apply(self._mapping.last, Scopes(cells, self._first), at_ms))

    def _at(self, scopes: Scopes) -> int:
        """Return when a row happened."""
        time = self._mapping.table.time
        if not time.column:
            return self._lead(scopes) if self._next_ms is None else self._next_ms
        text = scopes.row[time.column].strip()
        at_ms = _iso_ms(text) if time.unit == "iso" else _ms(_number(text, time.unit))
        if not -_AT_MAX_MS <= at_ms <= _AT_MAX_MS:
            raise ValueError(f"'{text[:80]}' of '{time.column}' is no time in {time.unit}")
        return at_ms

    def _lead(self, scopes: Scopes) -> int:
        return 0 if self._mapping.lead is None else _ms(self._mapping.lead(scopes))

    def _apply(self, rules: tuple[Rule, ...], scopes: Scopes, at_ms: int) -> Iterator[Made]:
        """Yield what the rules make: the first that holds, and those after one with `also`."""
        before = self._last or None
        for rule in rules:
            if not rule.holds(scopes.row, before):
                continue
            yield at_ms, self._event(rule.type, rule, scopes)
            if not rule.also:
                return

    def _event(self, kind: str, rule: Rule | None, scopes: Scopes) -> dict[str, Any]:
        event: dict[str, Any] = {} if self._is_rows else {"eventType": kind}
        for path, value in self._mapping.fields + (rule.fields if rule is not None else ()):
            found = value(scopes)
            if found is None:
                continue
            if len(path) == 1:
                event[path[0]] = found
            else:
                event.setdefault(path[0], {})[path[1]] = found
        return event

    def _heartbeats(self, until_ms: int) -> Iterator[Made]:
        """Yield heartbeats between the last event and the next, where the mapping wants them."""
        every_ms = self._mapping.table.heartbeat_ms
        if not every_ms or self._beat is None:
            return
        from_ms, scopes = self._beat
        count = min((until_ms - from_ms - 1) // every_ms, HEARTBEATS_PER_GAP_MAX)
        for nth in range(1, count + 1):
            yield from_ms + nth * every_ms, self._event("HEARTBEAT", None, scopes)

    def _counted(self, made: list[Made], line: int) -> Iterator[Record]:
        """Yield events as records, each with its place and the id that is always the same."""
        for nth, (at_ms, event) in enumerate(made):
            self._made += 1
            if not self._is_rows:
                event["eventId"] = event_id(self._mapping.table.name, self._source, line, nth)
                if self._mapping.table.numbered:
                    event["seq"] = self._numbered
                    self._numbered += 1
            yield Record(self._file, self._made, line, at_ms, event)

    def _refused(self, line: int, reason: str) -> Record:
        self._made += 1
        message = reason if reason.endswith(".") else f"The row cannot be mapped: {reason}."
        return Record(self._file, self._made, line, code="invalid_row", message=message)


def _names(mapping: Mapping, source: Source) -> dict[str, str]:
    """Return what the file's name says: the built-in names, and the groups of the pattern."""
    path = PurePosixPath(source.name)
    name = path.name
    for ending in (".gz", ".zst"):
        name = name.removesuffix(ending)
    stem = name.rpartition(".")[0] or name
    folder = path.parent.name or source.path.absolute().parent.name
    names = {"file": (path.parent / stem).as_posix(), "folder": folder, "stem": stem}
    if mapping.pattern is None:
        return names
    found = mapping.pattern.search(source.name)
    if found is None:
        raise mapping.wrong(
            "pattern", f"the file {source.name} does not match '{mapping.table.pattern}'"
        )
    return names | {group: text or "" for group, text in found.groupdict().items()}


def _number(text: str, unit: str) -> float:
    number: float = typed(text, "number", factor(unit, "ms"))
    return number


def _ms(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("the time is empty")  # noqa: TRY004 (a fault of the data, not of a type)
    return round(value)


def _iso_ms(text: str) -> int:
    """Return an ISO 8601 time in UTC ms; without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text[:80]}' is no ISO 8601 time") from None
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
