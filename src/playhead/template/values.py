"""What an expression of a template may be worth, and the SQL text of it."""

from collections.abc import Iterable
from typing import Any, Self

from playhead.template.context import Context
from playhead.template.methods import kind_of
from playhead.template.placeholders import NO_VALUE, Placeholder
from playhead.template.rendering import TemplateInvalid, TemplateRefused
from playhead.template.weight import weigh

NESTING_MAX = 32
"""Deepest list or dictionary that is written."""
UNESCAPABLE = frozenset('%`"')
"""What may stand bare between quotes: none of it ends them."""

_ESCAPES = {
    "\0": "\\0", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x1a": "\\z",
    '"': '\\"', "'": "\\'", "\\": "\\\\", "`": "\\`", "%": "\\%",
}  # fmt: skip
_TABLE = str.maketrans(_ESCAPES)
_PLAIN_TABLE = str.maketrans({c: e for c, e in _ESCAPES.items() if c not in UNESCAPABLE})


class Named:
    """The first argument of a call when it is a bare name: the function learns the name too."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value
        """None when the parameter is absent; a `Placeholder` in check mode."""


class Raw(str):
    """SQL that a function made and vouches for: it goes out as it is.

    Whatever is done to it (`+`, slices, methods) makes an ordinary text again, which is quoted.
    """

    __slots__ = ()


class Unescaped(str):  # noqa: SLOT000 - a text subclass cannot have slots of its own
    """A text in which some characters of `UNESCAPABLE` are not escaped."""

    keep: frozenset[str]

    def __new__(cls, text: str, keep: frozenset[str] = UNESCAPABLE) -> Self:
        """Make one that leaves the characters of `keep` as they are."""
        made = super().__new__(cls, text)
        made.keep = keep & UNESCAPABLE
        return made


class TypedInt(int):
    """A whole number that is written with its type; what is computed from it is bare."""

    type: str

    def __new__(cls, value: int, type: str) -> Self:  # noqa: A002 - as templates call it
        """Make one of a type, `Int32`."""
        made = super().__new__(cls, value)
        made.type = type
        return made


class TypedFloat(float):
    """A number that is written with its type."""

    type: str

    def __new__(cls, value: float, type: str) -> Self:  # noqa: A002
        """Make one of a type, `Float64`."""
        made = super().__new__(cls, value)
        made.type = type
        return made


class ArrayValue(list[Any]):
    """What Array() gives: texts or numbers, written without spaces."""


def quoted(text: str, keep: frozenset[str] = frozenset()) -> str:
    """Return a text between quotes; `keep` of `%`, `` ` `` and `"` stays as it is."""
    if not keep:
        return f"'{text.translate(_TABLE)}'"
    return f"'{text.translate({ord(c): e for c, e in _ESCAPES.items() if c not in keep})}'"


def wrapped(value: Any, context: Context, expression: str = "") -> str:
    """Return the text of the result of one {{ }}; `expression` is its source, for the error."""
    weigh(value, context)
    text = _text(value, expression)
    context.make(len(text))
    return text


def _text(value: Any, expression: str) -> str:
    if isinstance(value, str):
        return _text_of_text(value)
    if value is None:
        raise TemplateRefused(
            f'expression "{expression}" evaluated to null',
            hint="Send the parameter, or give it a default with a type: {{ String(name, 'x') }}.",
        )
    if isinstance(value, Placeholder):
        return f"'{NO_VALUE}'"
    if isinstance(value, TypedInt):
        return f"to{value.type}('{int(value)}')"
    if isinstance(value, TypedFloat):
        return f"to{value.type}('{float(value)!r}')"
    if isinstance(value, ArrayValue):
        return f"[{','.join(_item(one) for one in value)}]"
    return _python(value, 0)


def _text_of_text(value: str) -> str:
    if isinstance(value, Raw):
        return str(value)
    return quoted(value, value.keep if isinstance(value, Unescaped) else frozenset())


def _item(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    return _python(value, 1)


def _python(value: Any, depth: int) -> str:  # noqa: PLR0911 - a case a kind
    """Write a value as Python does, but with every text in quotes the engine reads as a text."""
    if depth > NESTING_MAX:
        raise TemplateRefused(f"A value is nested deeper than {NESTING_MAX} levels.")
    if isinstance(value, str):
        return f"'{value.translate(_PLAIN_TABLE)}'"
    if isinstance(value, Placeholder):
        return f"'{NO_VALUE}'"
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, list):
        return f"[{_joined(value, depth)}]"
    if isinstance(value, tuple):
        return f"({_joined(value, depth)}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        pairs = (f"{_python(k, depth + 1)}: {_python(v, depth + 1)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, set):
        # In an order of its own: the same request has to make the same SQL.
        written = sorted(_python(one, depth + 1) for one in value)
        return f"{{{', '.join(written)}}}" if value else "set()"
    raise TemplateInvalid(
        f"It is {kind_of(value)}, which cannot be written into SQL.",
        hint="Write texts, numbers, lists or what the functions of the language give.",
    )


def _joined(values: Iterable[Any], depth: int) -> str:
    return ", ".join(_python(one, depth + 1) for one in values)
