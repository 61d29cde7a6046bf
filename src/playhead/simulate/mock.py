"""Rows that fit a data source: a value for every column by its type, and by its name where that tells."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from playhead.errors import ProjectInvalid
from playhead.project.datatype import DataType, datatype
from playhead.project.expression import unquoted
from playhead.project.numbers import DECIMALS, INTEGERS, precision
from playhead.project.path import EVERY, Step, steps
from playhead.project.resources import Column, Datasource

SPAN_S: Final = 7 * 86_400
"""Times lie in this long before the last one."""
SEEDED_UNTIL: Final = datetime(2025, 7, 1, tzinfo=UTC)
"""The last time of rows with a seed, so that they are the same on every day."""
NULLS: Final = 0.1
"""How often a column that may hold NULL does."""
ITEMS_MAX: Final = 3
_AGGREGATES: Final = "AggregateFunction"
_WORDS: Final = (
    "aurora", "borealis", "cascade", "delta", "ember", "fjord", "glacier", "harbor", "island",
    "juniper", "kelp", "lagoon", "meadow", "nebula", "orchid", "prairie",
)  # fmt: skip
_KNOWN: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("country", ("DE", "US", "JP", "BR", "IN", "FR", "PL", "KE")),
    ("currency", ("EUR", "USD", "JPY", "GBP")),
    ("browser", ("chrome", "safari", "firefox", "edge")),
    ("device", ("desktop", "mobile", "tv", "tablet")),
    ("platform", ("web", "ios", "android", "tv")),
    ("os", ("windows", "macos", "linux", "android", "ios")),
    ("cdn", ("north", "south", "edge")),
    ("language", ("en", "de", "pt", "ja", "fr")),
    ("locale", ("en-US", "de-DE", "pt-BR", "ja-JP")),
    ("method", ("GET", "GET", "GET", "POST", "PUT")),
    ("protocol", ("https", "http")),
    ("status", ("ok", "ok", "ok", "error")),
    ("plan", ("free", "basic", "premium")),
    ("city", ("Lisbon", "Osaka", "Recife", "Leeds", "Gdańsk")),
)
"""A name holds the word: one of these texts. The first that fits."""
_SMALL: Final = (("status", (200, 200, 200, 304, 404, 500)), ("height", (360, 540, 720, 1080)))
_TIMES: Final = frozenset({"timestamp", "date", "time", "datetime"})
_IDS: Final = frozenset({"id", "uuid", "key", "hash"})
_FORMS: Final = (
    (frozenset({"email"}), "{word}{number}@example.com"),
    (frozenset({"url", "href", "referrer", "referer", "link"}), "https://www.example.com/{word}"),
    (frozenset({"path", "pathname", "page"}), "/{word}/{number}"),
    (frozenset({"ip", "address"}), "203.0.113.{number}"),
)
_PIECES: Final = re.compile(r"[a-z]+|\d+")
_HUMPS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

Make = Callable[[Random, datetime], Any]


def rows(source: Datasource, *, count: int, seed: int, until: datetime) -> Iterator[dict[str, Any]]:
    """Yield events for a data source, oldest first; the same seed and time give the same ones.

    Args:
        source: It.
        count: How many.
        seed: Any number.
        until: The last time; others lie in the week before.

    Raises:
        ProjectInvalid: A column has a type for which there is no value in an event.
    """
    random = Random(seed)
    # What only its DEFAULT gives a type is left to it.
    columns = [column for column in source.columns if column.type]
    makers = [(_steps(column), _maker(source, column)) for column in columns]
    back_ms = [random.randrange(SPAN_S * 1000) for _ in range(count)]
    times = sorted(until - timedelta(milliseconds=ms) for ms in back_ms)
    for at in times:
        event: dict[str, Any] = {}
        for path, make in makers:
            _put(event, path, make(random, at))
        yield event


def _steps(column: Column) -> tuple[Step, ...]:
    return (column.name,) if column.json_path is None else steps(column.json_path)


def _put(event: dict[str, Any], path: tuple[Step, ...], value: Any) -> None:
    """Put a value where a path says; `$` is the event itself, which is there already.

    Of two columns, one of which holds the other's object as text, the object is put.
    """
    if not path:
        return
    name, rest = str(path[0]), path[1:]
    there = event.get(name)
    if not rest or rest == (EVERY,):
        if not isinstance(there, dict) and not _is_of_objects(there):
            event[name] = value
    elif rest[0] is not EVERY:
        below = event[name] = there if isinstance(there, dict) else {}
        _put(below, rest, value)
    else:
        items: list[dict[str, Any]] = [{} for _ in range(ITEMS_MAX)]
        if isinstance(there, list) and _is_of_objects(there):
            items = there
        event[name] = items
        values = value if isinstance(value, list) and value else [value]
        for index, item in enumerate(items):
            _put(item, rest[1:], values[index % len(values)])


def _is_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _maker(source: Datasource, column: Column) -> Make:
    try:
        return _of(datatype(column.type or "String"), column.name)
    except (ValueError, LookupError) as error:
        raise ProjectInvalid(
            f"{source.path}:{column.line}: no value can be made for '{column.name}'"
            f" of the type {column.type}: {error}."
        ) from None


def _of(kind: DataType, name: str) -> Make:
    """Return what makes values of a type, which may look at the name of the column."""
    if kind.name == _AGGREGATES:
        raise LookupError("it holds states, which a materialized pipe makes")
    if kind.nullable and kind.name in {"Nullable", "LowCardinality"}:
        inner = _of(kind.bare(), name)
        return lambda random, at: None if random.random() < NULLS else inner(random, at)
    kind = kind.bare()
    compound = _COMPOUND.get(kind.name)
    if compound is not None:
        return compound(kind, name)
    if kind.name in INTEGERS:
        return _integer(name, *INTEGERS[kind.name])
    if kind.name in DECIMALS or kind.name == "Decimal":
        digits, scale = precision(kind.name, kind.parts)
        return lambda random, _: f"{random.uniform(0, 10 ** min(digits - scale, 4)):.{scale}f}"
    if kind.name in {"Enum8", "Enum16"}:
        names = [unquoted((part.rpartition("=")[0] or part).strip()) for part in kind.parts]
        return lambda random, _: random.choice(names)
    return _PLAIN[kind.name](name)


def _integer(name: str, least: int, most: int) -> Make:
    words = _words(name)
    for word, values in _SMALL:
        if word in words and values[-1] <= most:
            return lambda random, _: random.choice(values)
    if most >= 2**31 and words & {"timestamp", "ts", "time"}:
        scale = 1000 if most >= 2**40 else 1
        return lambda _, at: round(at.timestamp() * scale)
    if most == 255 and (words & {"is", "has"} or name.startswith(("is", "has"))):
        return lambda random, _: random.randrange(2)
    low = max(least, 0)
    return lambda random, _: random.randint(low, min(most, 1_000))


def _text(name: str) -> Make:
    words = _words(name)
    if words & _TIMES:
        return lambda _, at: at.strftime("%Y-%m-%d %H:%M:%S")
    for word, values in _KNOWN:
        if word in words:
            return lambda random, _: random.choice(values)
    for named, form in _FORMS:
        if words & named:
            return lambda random, _: form.format(
                word=random.choice(_WORDS), number=random.randrange(1, 100)
            )
    if words & _IDS:
        head = next((one for one in sorted(words) if one not in _IDS), "id")
        return lambda random, _: f"{head}-{random.randrange(1, 200)}"
    return lambda random, _: random.choice(_WORDS)


def _words(name: str) -> set[str]:
    return set(_PIECES.findall(_HUMPS.sub("_", name).lower()))


def _array(kind: DataType, name: str) -> Make:
    inner = _of(kind.part(), name)
    return lambda random, at: [inner(random, at) for _ in range(random.randint(1, ITEMS_MAX))]


def _map(kind: DataType, name: str) -> Make:
    keys, values = _of(kind.part(0), ""), _of(kind.part(1), name)
    return lambda random, at: {
        str(keys(random, at)): values(random, at) for _ in range(random.randint(1, ITEMS_MAX))
    }


def _tuple(kind: DataType, _: str) -> Make:
    fields = [(name, _of(inner, name)) for name, inner in kind.fields()]
    if all(name for name, _ in fields):
        return lambda random, at: {name: make(random, at) for name, make in fields}
    return lambda random, at: [make(random, at) for _, make in fields]


def _nested(kind: DataType, name: str) -> Make:
    one = _tuple(kind, name)
    return lambda random, at: [one(random, at) for _ in range(random.randint(1, ITEMS_MAX))]


def _fixed(kind: DataType, _: str) -> Make:
    length = int(kind.parts[0])
    return lambda random, _: "".join(random.choices("abcdefgh", k=length))


def _moment(kind: DataType, _: str) -> Make:
    digits = int(kind.parts[0]) if kind.name == "DateTime64" and kind.parts else 0
    form = "%Y-%m-%d %H:%M:%S"
    if not digits:
        return lambda _, at: at.strftime(form)
    return lambda _, at: f"{at.strftime(form)}.{f'{at.microsecond:06d}000'[:digits]}"


def _day(_: str) -> Make:
    return lambda _, at: at.strftime("%Y-%m-%d")


def _json(_: str) -> Make:
    return lambda random, _: {"kind": random.choice(_WORDS), "count": random.randrange(100)}


def _float(name: str) -> Make:
    top = 1.0 if _words(name) & {"ratio", "rate", "share", "score", "probability"} else 1_000.0
    return lambda random, _: round(random.uniform(0, top), 3)


_COMPOUND: Final[dict[str, Callable[[DataType, str], Make]]] = {
    "Array": _array, "Map": _map, "Tuple": _tuple, "Nested": _nested, "FixedString": _fixed,
    "DateTime": _moment, "DateTime64": _moment,
}  # fmt: skip
_PLAIN: Final[dict[str, Callable[[str], Make]]] = {
    "String": _text,
    "Bool": lambda _: lambda random, _at: random.random() < 0.5,
    "Date": _day,
    "Date32": _day,
    "Float32": _float,
    "Float64": _float,
    "BFloat16": _float,
    "UUID": lambda _: lambda random, _at: str(UUID(int=random.getrandbits(128), version=4)),
    "IPv4": lambda _: lambda random, _at: f"203.0.113.{random.randrange(1, 255)}",
    "IPv6": lambda _: lambda random, _at: f"2001:db8::{random.randrange(1, 65_535):x}",
    "JSON": _json,
    "Object": _json,
    "Dynamic": _text,
    "Point": lambda _: lambda random, _at: [
        round(random.uniform(-180, 180), 4), round(random.uniform(-80, 80), 4)
    ],
}  # fmt: skip
