"""Rows of JSON objects: each value read by what its column is, each fault a sentence.

The names are the struct's own or their camel case. What no column knows goes to `extra`.
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

TEXT_MAX: Final = 1_024
"""Characters of a text column, unless the reader was told another number."""
EXTRA_MAX: Final = 32
"""Unknown fields kept of a row: the first so many."""
SHOWN_MAX: Final = 64
"""Characters of a value that a message shows."""
INT_MAX: Final = 2**53 - 1
"""The largest whole number that every sender can write exactly."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_SECONDS_BELOW: Final = 1e11
"""A smaller time is in seconds; larger ones in ms, µs and ns, a thousand times apart."""
_TRUE: Final = {"true": True, "1": True, "false": False, "0": False}


class Fault(Exception):
    """A row that cannot be taken: the code of its refusal and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


def fault(value: object, column: str, problem: str) -> Fault:
    """Return the fault of one value, named as `value 'x' on column 'fps' is not a number`."""
    shown = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if len(shown) > SHOWN_MAX:
        shown = shown[:SHOWN_MAX] + "…"
    return Fault("invalid_value", f"value '{shown}' on column '{column}' {problem}")


def number(value: object, column: str) -> float:
    """Return a number, also one written as text.

    Raises:
        Fault: It is none, or has no end.
    """
    if isinstance(value, str) and value.strip():
        try:
            value = float(value)
        except ValueError:
            raise fault(value, column, "is not a number") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise fault(value, column, "is not a number")
    try:
        if math.isfinite(value):
            return float(value)
    except OverflowError:
        pass
    raise fault(str(value), column, "is not a finite number")


def whole(value: object, column: str, *, max_: int = INT_MAX) -> int:
    """Return a whole number from 0 to `max_`.

    Raises:
        Fault: It is none.
    """
    found = number(value, column)
    if found != int(found):
        raise fault(value, column, "is not a whole number")
    if not 0 <= found <= max_:
        raise fault(value, column, f"is not between 0 and {max_}")
    return int(found)


def text(value: object, column: str, *, max_: int = TEXT_MAX) -> str:
    """Return a text; a number stands for its digits.

    Raises:
        Fault: It is neither, or longer than `max_` characters.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise fault(value, column, "is not a text")
    if len(value) > max_:
        raise fault(value, column, f"is longer than {max_} characters")
    return value


def truth(value: object, column: str) -> bool:
    """Return true or false, also written as text, 1 or 0.

    Raises:
        Fault: It is neither.
    """
    found = value if isinstance(value, bool) else _TRUE.get(str(value).lower())
    if found is None:
        raise fault(value, column, "is neither true nor false")
    return found


def time_ms(value: object, column: str) -> int:
    """Return UTC ms of a time in s, ms, µs or ns since 1970, or of an ISO 8601 text.

    A text without an offset is UTC.

    Raises:
        Fault: It is none.
    """
    if isinstance(value, str):
        try:
            return time_ms(float(value), column)
        except ValueError:
            return _iso_ms(value, column)
    at = number(value, column)
    if abs(at) < _SECONDS_BELOW:
        return round(at * 1_000)
    while abs(at) >= _SECONDS_BELOW * 1_000:
        at /= 1_000
    return round(at)


def _iso_ms(value: str, column: str) -> int:
    try:
        at = datetime.fromisoformat(value.strip())
        return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _MS
    except (ValueError, OverflowError):
        raise fault(value, column, "is not a time") from None


def an_object(value: object, column: str) -> dict[str, object]:
    """Return a JSON object.

    Raises:
        Fault: It is none.
    """
    if not isinstance(value, dict):
        raise fault(value, column, "is not an object")
    return value


Read = Callable[[Any, str], object]
_READS: Final[Mapping[object, Read]] = {
    int: whole,
    str: text,
    bool: truth,
    float | None: number,
    bool | None: truth,
    dict[str, object] | None: an_object,
}


class Columns:
    """Reads the values of a table's row struct out of a JSON object.

    Args:
        struct: The row; it has a field `at` (UTC ms) and a field `extra`.
        reads: How single columns are read; the others by their type.
        required: Columns that must be there and not empty; `at` always is.
    """

    def __init__(
        self,
        struct: type[msgspec.Struct],
        *,
        reads: Mapping[str, Read] | None = None,
        required: tuple[str, ...] = (),
    ) -> None:
        self._required = ("at", *required)
        self._readers: dict[str, tuple[str, Read]] = {}
        own = {"at": time_ms, **(reads or {})}
        for field in msgspec.structs.fields(struct):
            reader = (field.name, own.get(field.name) or _READS[field.type])
            self._readers[field.name] = self._readers[_camel(field.name)] = reader
        self._readers["timestamp"] = self._readers["at"]

    def read(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values by column; what is null is left out.

        Raises:
            Fault: A value is not what its column holds, or a required one is missing.
        """
        values: dict[str, Any] = {}
        unknown: dict[str, object] = {}
        for name, value in row.items():
            reader = self._readers.get(name)
            if reader is None:
                if len(unknown) < EXTRA_MAX:
                    unknown[name] = value
            elif value is not None:
                values[reader[0]] = reader[1](value, reader[0])
        for name in self._required:
            if values.get(name, "") == "":
                raise Fault("missing_column", f"column '{name}' is missing")
        if unknown:
            said = values.get("extra", {})
            values["extra"] = dict([*said.items(), *unknown.items()][:EXTRA_MAX])
        return values


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
