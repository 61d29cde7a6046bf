"""The types of parameters: what is valid, what stands for nothing, how it is written."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import msgspec

from playhead.template.context import Context
from playhead.template.placeholders import NO_VALUE, Placeholder
from playhead.template.rendering import Given, Parameter, TemplateInvalid, TemplateRefused
from playhead.template.values import ArrayValue, Named, TypedFloat, TypedInt
from playhead.template.weight import is_whole, weigh

KEYWORDS = frozenset({"description", "required", "enum", "example", "format"})
"""Accepted by every type: they document the parameter and change nothing in the SQL."""
DIGITS_MAX = 80
"""Longest whole number read: 256 bits are 78 digits."""
SHOWN_CHARS = 100
"""How much of a refused value an error repeats."""
SCALARS = (str, int, float)
NULL_KINDS = (type(None), Placeholder)

_INT = re.compile(rf"[+-]?[0-9]{{1,{DIGITS_MAX}}}")
_UINT = re.compile(rf"[0-9]{{1,{DIGITS_MAX}}}")
_FLOAT = re.compile(
    r"[+-]?(?:(?:[0-9]{1,400}\.?[0-9]{0,400}|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,5})?"
    r"|nan|inf|infinity)",
    re.IGNORECASE,
)
_DAY = r"(?:[0-9]{4}.[0-9]{2}.[0-9]{2}|[0-9]{2}.[0-9]{2}.[0-9]{4})"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(_DAY + r"[T ][0-9]{2}:[0-9]{2}:[0-9]{2}")
_DATETIME64 = re.compile(_DATETIME.pattern + r"\.[0-9]{3}")


class Type(msgspec.Struct, frozen=True, kw_only=True):
    """One type: `read` gives the value of a text, None when the text is not valid."""

    name: str
    read: Callable[[str], Any]
    expects: str
    """What is valid, for the hint."""
    empty: Any = NO_VALUE
    """What stands for an absent parameter in check mode."""
    empty_items: tuple[Any, ...] = ("",)
    """The same for an Array of it."""
    item: Callable[[Any], Any] | None = None
    """What an element of an Array is made of the value; None = as it is."""


def _integer(name: str, bits: int, *, signed: bool) -> Type:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    pattern = _INT if signed else _UINT

    def read(text: str) -> TypedInt | None:
        if pattern.fullmatch(text) is None or not low <= (value := int(text)) <= high:
            return None
        return TypedInt(value, name)

    expects = f"a whole number from {low} to {high}"
    return Type(name=name, read=read, expects=expects, empty=0, empty_items=(0, 0), item=int)


def _bare_integer(name: str) -> Type:
    def read(text: str) -> int | None:
        return None if _INT.fullmatch(text) is None else int(text)

    expects = f"a whole number of at most {DIGITS_MAX} digits"
    return Type(name=name, read=read, expects=expects, empty=0, empty_items=(0, 0))


def _float(name: str) -> Type:
    def read(text: str) -> TypedFloat | None:
        return None if _FLOAT.fullmatch(text) is None else TypedFloat(float(text), name)

    expects = "a number such as 1.5 or 1e3"
    return Type(
        name=name, read=read, expects=expects, empty=0.0, empty_items=(0.0, 0.0), item=float
    )


def _date(text: str) -> str | None:
    if _DATE.fullmatch(text) is None:
        return None
    try:
        date.fromisoformat(text)
    except ValueError:
        return None
    return text


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    return lambda text: None if pattern.match(text) is None else text


def _boolean(text: str) -> int:
    return 0 if text == "0" or text.lower() == "false" else 1


_DATE_EMPTY, _DATETIME_EMPTY = "2019-01-01", "2019-01-01 00:00:00"
_DATETIME64_EMPTY = f"{_DATETIME_EMPTY}.000"
_OTHERS = (
    Type(name="String", read=str, expects="any text"),
    Type(name="Boolean", read=_boolean, expects="0, 1, true or false", empty=0, empty_items=(0, 0)),
    Type(
        name="Date", read=_date, expects="a day such as 2025-01-31",
        empty=_DATE_EMPTY, empty_items=(_DATE_EMPTY,) * 2,
    ),
    Type(
        name="DateTime", read=_matching(_DATETIME), expects="a time such as 2025-01-31 08:00:00",
        empty=_DATETIME_EMPTY, empty_items=(_DATETIME_EMPTY,) * 2,
    ),
    Type(
        name="DateTime64", read=_matching(_DATETIME64),
        expects="a time with milliseconds such as 2025-01-31 08:00:00.000",
        empty=_DATETIME64_EMPTY, empty_items=(_DATETIME64_EMPTY,) * 2,
    ),
)  # fmt: skip
BITS = (8, 16, 32, 64, 128, 256)

TYPES: Mapping[str, Type] = {
    kind.name: kind
    for kind in (
        *_OTHERS,
        *(_integer(f"Int{bits}", bits, signed=True) for bits in BITS),
        *(_integer(f"UInt{bits}", bits, signed=False) for bits in BITS),
        _float("Float32"),
        _float("Float64"),
        _bare_integer("Int"),
        _bare_integer("Integer"),
    )
}
"""By the name a template calls them; an Array's elements are of one of them."""


def prepared(given: Given, parameter: Parameter | None) -> Given | list[Any]:
    """Return a parameter of a request as templates see it.

    It is a list when its first discovery is `Array(x, 'T')` and every element is valid, else text.
    A key that was repeated is a list of its texts; a key sent once is split at each comma.
    """
    if not all(map(is_whole, (given,) if isinstance(given, str) else given)):
        raise TemplateRefused("A parameter holds half a character.", hint="Send it as UTF-8.")
    if parameter is not None and parameter.type == "Array":
        kind = TYPES.get(parameter.item_type or "String")
        texts = split(given)
        items = None if kind is None else [element(kind, text) for text in texts]
        if items is not None and None not in items:
            return items
    return given if isinstance(given, str) else ",".join(given)


def split(given: Given) -> list[str]:
    """Return the elements of an array as a request sends it."""
    if isinstance(given, str):
        return given.split(",")
    return given[0].split(",") if len(given) == 1 else list(given)


def element(kind: Type, value: Any) -> Any:
    """Return an element of an Array: a text or a bare number; None when it is not valid."""
    read = kind.read(text_of(value))
    return read if read is None or kind.item is None else kind.item(read)


def text_of(value: Any, context: Context | None = None) -> str:
    """Return the text a value was or would have been sent as.

    A list or dictionary is written only with a context, which pays for it.
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list | tuple | dict | set):
        if context is None:
            raise TemplateRefused("A list stands where one value is expected.")
        weigh(value, context)
        if isinstance(value, list):
            return ",".join(text_of(one, context) for one in value)
    return str(value)


def unnamed(value: Any) -> tuple[Any, str]:
    """Return the first argument of a call and the parameter's name, "" for another expression."""
    return (value.value, value.name) if isinstance(value, Named) else (value, "")


def required(context: Context) -> TemplateRefused:
    """Return the error of a parameter without value and default."""
    sentence = "Required parameter is not defined"
    if context.names:
        *first, last = context.names
        named = f"{', '.join(first)} and {last}" if first else last
        sentence += (
            f". Check the parameters {named}. "
            "Please provide a value or set a default value in the pipe code."
        )
    return TemplateRefused(sentence, hint="Send the parameter, or give it a default in the pipe.")


def invalid(value: object, kind: str, name: str, expects: str) -> TemplateRefused:
    """Return the error of a value that is not of its type."""
    shown = str(value) if isinstance(value, SCALARS) else f"a {type(value).__name__}"
    if len(shown) > SHOWN_CHARS:
        shown = f"{shown[: SHOWN_CHARS - 1]}…"
    of = f" of the parameter '{name}'" if name else ""
    return TemplateRefused(
        f"Error validating '{shown}' to type {kind}{of}", hint=f"Send {expects}."
    )


def only_known(function: str, keywords: Mapping[str, Any]) -> None:
    """Refuse keywords no type knows: a misspelt `default` would be lost without a word."""
    for keyword in keywords:
        if keyword not in KEYWORDS:
            raise TemplateInvalid(
                f"{function}() does not know the keyword '{keyword}'.",
                hint=f"It knows default, defined, {', '.join(sorted(KEYWORDS))}.",
            )


def chosen(context: Context, value: Any, default: Any, *, defined: Any = True) -> Any:
    """Return the value, else the default; None when neither is there and none is asked for.

    In check mode a Placeholder says that there is neither; a falsy default counts as none then.
    """
    if not isinstance(value, NULL_KINDS):
        return value
    if context.checking:
        return default if default and not isinstance(default, Placeholder) else Placeholder()
    if default is not None and not isinstance(default, Placeholder):
        return default
    if defined:
        raise required(context)
    return None


def typed(kind: Type) -> Callable[..., Any]:
    """Return the function of a type: `Int32(x, 7, description='…', required=True)`."""

    def call(
        context: Context,
        x: Any = None,
        default: Any = None,
        defined: Any = True,
        *_: Any,
        **words: Any,
    ) -> Any:
        only_known(kind.name, words)
        value, name = unnamed(x)
        value = chosen(context, value, default, defined=defined)
        if value is None:
            return None
        if isinstance(value, Placeholder):
            return kind.empty
        text = text_of(value, context)
        context.make(len(text))
        if (read := kind.read(text)) is None:
            raise invalid(value, kind.name, name, kind.expects)
        return read

    return call


def boolean(
    context: Context, x: Any = None, default: Any = None, defined: Any = True, *_: Any, **words: Any
) -> int | None:
    """Return 0 or 1; a parameter that is absent and has no default is 0."""
    only_known("Boolean", words)
    value, _name = unnamed(x)
    if isinstance(value, NULL_KINDS):
        if not defined and default is None and not context.checking:
            return None
        value = (
            0 if isinstance(default, NULL_KINDS) or (context.checking and not default) else default
        )
    return _boolean(text_of(value, context))


def array(
    context: Context,
    x: Any = None,
    item_type: Any = "String",
    default: Any = None,
    defined: Any = True,
    *_: Any,
    **words: Any,
) -> ArrayValue | None:
    """Return the elements, each checked; a text is split at each comma and not trimmed."""
    only_known("Array", words)
    kind = TYPES.get(text_of(item_type))
    if kind is None:
        raise TemplateInvalid(
            f"Array() does not know the type '{text_of(item_type)[:SHOWN_CHARS]}'.",
            hint="Write Array(name, 'String'), or 'Int32', 'Float64', 'Date', 'DateTime', ….",
        )
    given, name = unnamed(x)
    value = chosen(context, given, default, defined=defined)
    if value is None:
        return None
    if isinstance(value, Placeholder):
        return ArrayValue(kind.empty_items)
    if isinstance(given, NULL_KINDS) and value == "" and kind.name != "String":
        return ArrayValue()
    weigh(value, context)
    items = list(value) if isinstance(value, list | tuple) else text_of(value).split(",")
    context.make(sum(len(text_of(one)) + 3 for one in items))
    out = ArrayValue()
    for one in items:
        if (read := element(kind, one)) is None:
            raise invalid(one, kind.name, name, f"{kind.expects} for each element")
        out.append(read)
    return out
