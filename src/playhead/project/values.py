"""From a JSON value to what an insert can carry, one function a type.

The engine is forgiving where it must not be: 256 into UInt8 is 0 for it, a date out of range
another date; and strict where one row ends all others of the insert. So each value is checked
here against its type; what passes, the engine takes as it is meant.
"""

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Any, Final

import msgspec

from playhead.project import moment, numbers
from playhead.project.datatype import DataType, datatype
from playhead.project.expression import unquoted
from playhead.project.unfit import Unfit

Convert = Callable[[Any], Any]
"""From a JSON value, not null, to what goes into the row. Raises Unfit."""
ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
ARRAY_ITEMS_MAX: Final = 1_000_000
"""Most items of one array."""
_UUID: Final = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE | re.ASCII
)
_TIME: Final = re.compile(r"-?\d{1,3}:[0-5]\d:[0-5]\d(?:\.\d{1,9})?", re.ASCII)
YES: Final = frozenset({"true", "1", "t", "yes", "y", "on"})
NO: Final = frozenset({"false", "0", "f", "no", "n", "off"})
_SHAPES: Final = {
    "Point": "Tuple(Float64, Float64)",
    "Ring": "Array(Point)",
    "LineString": "Array(Point)",
    "Polygon": "Array(Ring)",
    "MultiLineString": "Array(LineString)",
    "MultiPolygon": "Array(Polygon)",
}


def converter(kind: DataType) -> Convert:
    """Return the function for a type; wrappers (Nullable, LowCardinality, …) are looked through.

    Raises:
        ValueError: The type lacks what belongs in its brackets.
    """
    kind = kind.bare()
    name = kind.name
    if name in _SHAPES:
        return converter(datatype(_SHAPES[name]))
    if name in numbers.INTEGERS:
        return numbers.integer(*numbers.INTEGERS[name])
    if name in numbers.DECIMALS or name == "Decimal":
        return numbers.decimal(*numbers.precision(name, kind.parts))
    if name == "Nested":
        return _array(_tuple(kind))
    if name in _PARAMETRIC:
        return _PARAMETRIC[name](kind)
    return _PLAIN.get(name, _same)


def text_of(value: Any) -> str:
    """Return a value as a String column keeps it: text as it is, all else as JSON."""
    if value.__class__ is str:
        return str(value)
    return ENCODER.encode(value).decode()


def _same(value: Any) -> Any:
    return value


def _bool(value: Any) -> bool:
    if value.__class__ is bool:
        return bool(value)
    if value.__class__ is str:
        word = value.lower()
        if word in YES or word in NO:
            return word in YES
    elif value in (0, 1):
        return bool(value)
    raise Unfit


def _uuid(value: Any) -> str:
    if value.__class__ is str and _UUID.fullmatch(value):
        return str(value)
    raise Unfit


def _ipv4(value: Any) -> str:
    try:
        return str(IPv4Address(_text(value)))
    except AddressValueError as error:
        raise Unfit from error


def _ipv6(value: Any) -> str:
    text = _text(value)
    try:
        return str(IPv4Address(text)) if ":" not in text else _without_zone(IPv6Address(text))
    except AddressValueError as error:
        raise Unfit from error


def _without_zone(address: IPv6Address) -> str:
    if address.scope_id is not None:
        raise Unfit
    return str(address)


def _text(value: Any) -> str:
    if value.__class__ is not str:
        raise Unfit
    return str(value)


def _date(value: Any) -> str:
    return moment.day_in(value, moment.DATE)


def _date32(value: Any) -> str:
    return moment.day_in(value, moment.DATE32)


def _datetime(value: Any) -> str:
    return moment.time_in(value, moment.DATETIME)


def _datetime64(kind: DataType) -> Convert:
    span = moment.NANOSECONDS if kind.parts[:1] == ("9",) else moment.DATETIME64

    def convert(value: Any) -> str:
        return moment.time_in(value, span)

    return convert


def _time(value: Any) -> str:
    text = _time64(value)
    return text.partition(".")[0]


def _time64(value: Any) -> str:
    if value.__class__ is str and _TIME.fullmatch(value):
        return str(value)
    raise Unfit


def _dynamic(value: Any) -> Any:
    """Return a scalar as it is, an object or an array as text."""
    # The engine guesses types from those, and ends the insert where their parts do not agree.
    return text_of(value) if isinstance(value, (dict, list)) else value


def _variant(kind: DataType) -> Convert:
    # A text takes anything, so it comes last.
    members = sorted((datatype(part) for part in kind.parts), key=lambda one: one.name == "String")
    converts = [converter(member) for member in members]

    def convert(value: Any) -> Any:
        for one in converts:
            try:
                return one(value)
            except Unfit:
                continue
        raise Unfit

    return convert


def _json(value: Any) -> dict[str, Any]:
    if value.__class__ is str:
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError) as error:
            raise Unfit from error
    if isinstance(value, dict):
        return value
    raise Unfit


def _state(_: Any) -> Any:
    raise Unfit("a state cannot be written from JSON or CSV; fill it with a materialized pipe")


def _fixed(kind: DataType) -> Convert:
    size = int(kind.parts[0]) if kind.parts and kind.parts[0].isdigit() else 0

    def convert(value: Any) -> str:
        text = text_of(value)
        if len(text.encode()) > size:
            raise Unfit
        return text

    return convert


def _enum(kind: DataType) -> Convert:
    names: dict[str, int] = {}
    last = 0
    for part in kind.parts:
        name, sign, number = part.rpartition("=")
        last = int(number) if sign and number.strip().lstrip("-").isdigit() else last + 1
        names[unquoted(name if sign else part)] = last
    by_number = {number: name for name, number in names.items()}

    def convert(value: Any) -> str:
        if value.__class__ is str:
            if value in names:
                return str(value)
            value = int(value) if value.isascii() and value.isdigit() else None
        if value.__class__ is int and value in by_number:
            return by_number[value]
        raise Unfit

    return convert


def _array_of(kind: DataType) -> Convert:
    return _array(converter(kind.part()))


def _array(item: Convert) -> Convert:
    def convert(value: Any) -> list[Any]:
        if value.__class__ is not list or len(value) > ARRAY_ITEMS_MAX:
            raise Unfit
        return [None if one is None else item(one) for one in value]

    return convert


def _map(kind: DataType) -> Convert:
    key, item = converter(kind.part(0)), converter(kind.part(1))

    def convert(value: Any) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise Unfit
        return {
            text_of(key(name)): None if one is None else item(one) for name, one in value.items()
        }

    return convert


def _tuple(kind: DataType) -> Convert:
    fields = [(name, converter(part)) for name, part in kind.fields()]
    named = all(name for name, _ in fields)

    def of_list(value: list[Any]) -> list[Any]:
        if len(value) != len(fields):
            raise Unfit
        return [
            None if one is None else item(one) for (_, item), one in zip(fields, value, strict=True)
        ]

    def convert(value: Any) -> Any:
        if value.__class__ is tuple:
            value = list(value)
        if value.__class__ is list:
            found = of_list(value)
            return dict(zip((n for n, _ in fields), found, strict=True)) if named else found
        if named and isinstance(value, dict):
            return {name: item(value[name]) for name, item in fields if value.get(name) is not None}
        raise Unfit

    return convert


_PLAIN: Final[dict[str, Convert]] = {
    "String": text_of,
    "Bool": _bool,
    "Float32": numbers.float_of,
    "Float64": numbers.float_of,
    "BFloat16": numbers.float_of,
    "UUID": _uuid,
    "IPv4": _ipv4,
    "IPv6": _ipv6,
    "Date": _date,
    "Date32": _date32,
    "DateTime": _datetime,
    "DateTime32": _datetime,
    "Time": _time,
    "Time64": _time64,
    "Dynamic": _dynamic,
    "JSON": _json,
    "Object": _json,
    "AggregateFunction": _state,
}
_PARAMETRIC: Final[dict[str, Callable[[DataType], Convert]]] = {
    "DateTime64": _datetime64,
    "FixedString": _fixed,
    "Enum": _enum,
    "Enum8": _enum,
    "Enum16": _enum,
    "Array": _array_of,
    "Map": _map,
    "Tuple": _tuple,
    "Variant": _variant,
}
