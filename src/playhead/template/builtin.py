"""The built-ins of Python that templates may call, each within the budget of its rendering."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from playhead.template.callee import Callee, called
from playhead.template.comprehension import Drawn
from playhead.template.context import Context
from playhead.template.methods import in_order, kind_of
from playhead.template.operators import floor_divide, power, remainder
from playhead.template.placeholders import ITERATIONS, Placeholder
from playhead.template.rendering import TemplateRefused
from playhead.template.types import SHOWN_CHARS, unnamed
from playhead.template.weight import is_whole, weigh

DIGITS_MAX = 400
"""Longest number that is read from a text or written as one."""
_NUMBER_MAX = 10**DIGITS_MAX
_SIZED = (str, list, tuple, dict, set)
_NOTHING = object()


def _sized(context: Context, value: Any) -> Any:
    """Charge for going over a value once."""
    if isinstance(value, Placeholder):
        return [Placeholder(value.name, value.line)] * ITERATIONS
    if isinstance(value, _SIZED):
        context.make(len(value))
        weigh(value, context)
        return value
    return _wrong(value)


def _wrong(value: Any) -> Any:
    kind = "nothing" if value is None else f"a value of the kind '{type(value).__name__}'"
    raise TypeError(f"it takes a list or a text, not {kind}")


def _plain(context: Context, x: Any) -> Any:
    """Return an argument; an absent parameter is a placeholder in check mode."""
    value = unnamed(x)[0]
    return context.absent("") if value is None and context.checking else value


def _number(value: Any) -> Any:
    """Refuse a number that is too long to be worth computing with."""
    if isinstance(value, int) and not -_NUMBER_MAX < value < _NUMBER_MAX:
        raise OverflowError(f"a number has more than {DIGITS_MAX} digits")
    return value


def _length(context: Context, value: Any) -> int:
    return len(_sized(context, value))


def _int(_: Context, value: Any = 0, base: Any = None) -> int:
    if isinstance(value, Placeholder):
        return 0
    if isinstance(value, str) and len(value) > DIGITS_MAX:
        raise OverflowError(f"a number has more than {DIGITS_MAX} digits")
    return int(_number(value)) if base is None else int(value, base)


def _float(_: Context, value: Any = 0.0) -> float:
    if isinstance(value, Placeholder):
        return 0.0
    if isinstance(value, str) and len(value) > DIGITS_MAX:
        raise OverflowError(f"a number has more than {DIGITS_MAX} digits")
    return float(value)


def _str(context: Context, value: Any = "") -> str:
    if isinstance(value, str | int | float | None | Placeholder):
        return str(_number(value))
    weigh(value, context)
    out = str(value)
    context.make(len(out))
    return out


def _range(context: Context, *bounds: Any) -> list[int]:
    numbers = range(*(int(one) for one in bounds))
    try:
        size = len(numbers)
    except OverflowError:
        size = context.bytes_max + 1
    context.make(size)
    context.spend(size // 8)
    return list(numbers)


def _sum(context: Context, values: Any, start: Any = 0) -> Any:
    total = _number(start)
    for one in _sized(context, values):
        if not isinstance(one, int | float):
            raise TypeError("sum() adds numbers only")
        total = _number(total + one)
    return total


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    def call(context: Context, *values: Any, default: Any = _NOTHING, key: Any = None) -> Any:
        if len(values) == 1:
            values = tuple(_sized(context, values[0]))
            if not values and default is not _NOTHING:
                return default
        plain = [_plain(context, one) for one in values]
        if key is None:
            return choose(plain)
        keys = [called(context, key, one) for one in plain]
        weigh(keys, context)
        return plain[choose(range(len(plain)), key=keys.__getitem__)]

    return call


def _sorted(context: Context, values: Any, key: Any = None, reverse: Any = False) -> list[Any]:
    return in_order(context, _sized(context, values), key=key, reverse=reverse)


def _map(context: Context, function: Any, *values: Any) -> list[Any]:
    rows = zip(*(_sized(context, _plain(context, one)) for one in values), strict=False)
    return [called(context, function, *row) for row in rows]


def _filter(context: Context, function: Any, values: Any) -> list[Any]:
    items = _sized(context, _plain(context, values))
    return [one for one in items if (one if function is None else called(context, function, one))]


def _next(context: Context, values: Any, default: Any = _NOTHING) -> Any:
    """Return the first of what a generator expression still has, and take it off."""
    if not isinstance(values, Drawn):
        return _wrong(values)
    context.make(len(values))
    if values:
        return values.pop(0)
    if default is _NOTHING:
        raise ValueError("there is nothing left")
    return default


def _isinstance(_: Context, value: Any, kinds: Any) -> bool:
    every = kinds if isinstance(kinds, tuple) else (kinds,)
    if not all(isinstance(one, Callee) and one.kinds for one in every):
        raise TypeError("isinstance() takes str, int, float, bool, list, tuple, dict or set")
    return any(isinstance(value, one.kinds) for one in every)


def _divmod(context: Context, left: Any, right: Any) -> tuple[Any, Any]:
    return floor_divide(left, right, context), remainder(_number(left), right, context)


def _repr(context: Context, value: Any) -> str:
    weigh(value, context)
    out = repr(_number(value))
    context.make(len(out))
    return out


def _enumerate(context: Context, values: Any, start: Any = 0) -> list[tuple[int, Any]]:
    return list(enumerate(_sized(context, values), int(start)))


def _zip(context: Context, *values: Any) -> list[tuple[Any, ...]]:
    return list(zip(*(_sized(context, _plain(context, one)) for one in values), strict=False))


def _collecting(make: Callable[[Iterable[Any]], Any]) -> Callable[..., Any]:
    def call(context: Context, values: Any = ()) -> Any:
        return make(_sized(context, values))

    return call


def _dict(context: Context, values: Any = (), **named: Any) -> dict[Any, Any]:
    return dict(_sized(context, values), **named)


def _round(_: Context, value: Any, digits: Any = None) -> Any:
    if isinstance(digits, int) and abs(digits) > DIGITS_MAX:
        # Python would compute the power of ten, however large.
        raise OverflowError(f"more than {DIGITS_MAX} digits")
    return round(_number(value), digits)


def _chr(_: Context, value: Any) -> str:
    found = chr(value)
    if not is_whole(found):
        raise ValueError("half a character")
    return found


def _guarded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with Python's errors as a sentence that names it."""

    def call(context: Context, /, *args: Any, **keywords: Any) -> Any:
        first = args[:1]
        if args:
            args = (_plain(context, args[0]), *args[1:])
        try:
            return function(context, *args, **keywords)
        except (TypeError, ValueError, OverflowError, RecursionError) as wrong:
            raise _misfit(name, first, args) from wrong

    return call


def _misfit(name: str, first: tuple[Any, ...], args: tuple[Any, ...]) -> TemplateRefused:
    _, parameter = unnamed(first[0]) if first else (None, "")
    if parameter and args[0] is None:
        said = f"{name}() needs the parameter '{parameter}', which was not sent."
    else:
        said = f"{name}() cannot take {', '.join(map(_shown, args)) or 'nothing'}."
    return TemplateRefused(
        said, hint="Ask 'if defined(name)' first, or give a type and a default: Int32(name, 0)."
    )


def _shown(value: Any) -> str:
    if value is None:
        return "an absent value"
    if isinstance(value, str):
        return f"'{value[:SHOWN_CHARS]}'"
    if isinstance(value, int | float):
        return str(value) if not isinstance(value, int) or abs(value) < _NUMBER_MAX else "a number"
    return kind_of(value)


_IN_EXPRESSIONS: dict[str, Callable[..., Any]] = {
    "len": _length,
    "list": _collecting(list),
    "min": _extreme(min),
    "max": _extreme(max),
    "int": _int,
    "float": _float,
}
_IN_STATEMENTS: dict[str, Callable[..., Any]] = {
    "abs": lambda _, value: abs(value),
    "all": lambda context, values: all(_sized(context, values)),
    "any": lambda context, values: any(_sized(context, values)),
    "chr": _chr,
    "dict": _dict,
    "divmod": _divmod,
    "enumerate": _enumerate,
    "filter": _filter,
    "isinstance": _isinstance,
    "map": _map,
    "next": _next,
    "ord": lambda _, value: ord(value),
    "pow": lambda context, left, right: power(left, right, context),
    "range": _range,
    "repr": _repr,
    "reversed": lambda context, values: list(reversed(_sized(context, values))),
    "round": _round,
    "set": _collecting(set),
    "sorted": _sorted,
    "str": _str,
    "sum": _sum,
    "tuple": _collecting(tuple),
    "zip": _zip,
}

IN_EXPRESSIONS: Mapping[str, Callable[..., Any]] = {
    name: _guarded(name, function) for name, function in _IN_EXPRESSIONS.items()
}
IN_STATEMENTS: Mapping[str, Callable[..., Any]] = {
    name: _guarded(name, function) for name, function in _IN_STATEMENTS.items()
}
