"""The methods a value of a template has: those of texts, lists, tuples, dictionaries and sets that do no harm.

A method is `f(context, value, *args, **kwargs)`; it charges what it makes before it makes it. Python's own
attribute look-up is never asked, so a name that is not in `METHODS` reaches nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from string import Formatter
from typing import Any

from playhead.template.callee import Callee, called
from playhead.template.context import CHARS_A_STEP, Context
from playhead.template.placeholders import Placeholder
from playhead.template.placeholders import method as of_placeholder
from playhead.template.weight import weigh

Method = Callable[..., Any]

WIDTH_MAX = 999
"""Widest text that zfill, ljust, rjust and center fill up."""
FORMAT_SPEC = re.compile(r"[<>^]?0?\d{0,3},?(\.\d{1,2})?[bdeEfFgGnosxX%]?")
"""What may stand after the colon of a field: no width above 999, no field inside a field."""

_PERCENT = re.compile(r"%(?:\([^)]*\))?[^a-zA-Z%]*[a-zA-Z%]?")
_PERCENT_FIELD = re.compile(r"%(?:\(\w{1,255}\))?[-+ 0#]{0,5}\d{0,3}(?:\.\d{1,2})?[sdifFeEgGuxXo%]")


def call_method(name: str, value: Any, context: Context, args: list[Any], kwargs: Any) -> Any:
    """Call a method of `METHODS` on a value; AttributeError when values of its kind have none."""
    context.spend()
    if isinstance(value, Placeholder):
        return of_placeholder(value, name, *args, **kwargs)
    for kind, methods in _KINDS:
        if isinstance(value, kind):
            found = methods.get(name)
            if found is not None:
                return found(context, value, *args, **kwargs)
            break
    raise AttributeError(f"{kind_of(value)} has no method {name}")


def kind_of(value: Any) -> str:
    """Return what a value is, in words for an error."""
    if value is None:
        return "an absent parameter"
    for kind, word in _WORDS:
        if isinstance(value, kind):
            return word
    return "this value"


def drawn(items: Any, context: Context) -> list[Any]:
    """Return the items of something a `for` may walk, each charged as a step."""
    if not isinstance(items, Iterable):
        raise TypeError(f"{kind_of(items)} cannot be walked")
    found = []
    for item in items:
        context.spend()
        found.append(item)
    return found


def walked(items: Any) -> Iterator[Any]:
    """Return what walks over a value; whoever walks charges each step."""
    try:
        return iter(items)
    except TypeError:
        raise TypeError(f"{kind_of(items)} cannot be walked") from None


def formatted(value: Any, spec: str, context: Context) -> str:
    """Return a value as text, by a format of the kind `FORMAT_SPEC`."""
    if not FORMAT_SPEC.fullmatch(spec):
        raise ValueError(f"the format {spec[:20]!r} is not allowed")
    weigh(value, context)
    if isinstance(value, Placeholder):
        return str(value)
    text = format(value, spec) if spec else str(value)
    context.make(len(text))
    return text


def _unchanged_size(make: Callable[..., Any]) -> Method:
    def run(context: Context, value: str, *args: Any) -> Any:
        context.make(len(value))
        return make(value, *args)

    return run


def _stripped(make: Callable[..., str]) -> Method:
    def run(context: Context, value: str, chars: str | None = None) -> str:
        context.make(len(value))
        # Every character is looked for among all of `chars`.
        context.spend(len(value) * len(chars or "") // CHARS_A_STEP)
        return make(value, chars)

    return run


def _looked_at(look: Callable[..., Any]) -> Method:
    def run(context: Context, value: Any, *args: Any) -> Any:
        weigh(value, context)
        for argument in args:
            weigh(argument, context)
        return look(value, *args)

    return run


def _filled(make: Callable[..., str]) -> Method:
    def run(context: Context, value: str, width: int, *args: Any) -> str:
        if width > WIDTH_MAX:
            raise ValueError(f"a width above {WIDTH_MAX} is not allowed")
        context.make(max(len(value), width))
        return make(value, width, *args)

    return run


def _cut(make: Callable[..., Any]) -> Method:
    def run(context: Context, value: str, *args: Any, **kwargs: Any) -> Any:
        context.make(len(value))
        parts = make(value, *args, **kwargs)
        context.spend(len(parts))
        return parts

    return run


def _replace(context: Context, value: str, old: str, new: str, count: int = -1) -> str:
    times = value.count(old)
    if count >= 0:
        times = min(times, count)
    context.make(len(value) + times * (len(new) - len(old)) + len(old))
    return value.replace(old, new, count)


def _join(context: Context, value: str, items: Any) -> str:
    parts = drawn(items, context)
    parts = [str(part) if isinstance(part, Placeholder) else part for part in parts]
    if not all(isinstance(part, str) for part in parts):
        raise TypeError("join takes texts only: use str() or f-strings for numbers")
    context.make(sum(map(len, parts)) + len(value) * len(parts))
    return value.join(parts)


def _format(context: Context, value: str, *args: Any, **kwargs: Any) -> str:
    """Fill `{}`, `{0}` and `{name}`; fields of fields do not exist here."""
    context.make(len(value))
    made = []
    place = 0
    for text, field, spec, conversion in Formatter().parse(value):
        made.append(text)
        if field is None:
            continue
        if conversion or not (field.isidentifier() or field.isdecimal() or not field):
            raise ValueError(f"the field {field[:20]!r} is not allowed in a format")
        if not field:
            field, place = str(place), place + 1  # noqa: PLW2901 - the field it stands for
        filled = args[int(field[:4])] if field.isdecimal() else kwargs[field]
        made.append(formatted(filled, spec or "", context))
    context.make(sum(map(len, made)))
    return "".join(made)


def filled(text: str, given: Any, context: Context) -> str:
    """Return a text with its `%s`, `%d` and `%(name)s` filled in."""
    for at in _PERCENT.finditer(text):
        if not _PERCENT_FIELD.fullmatch(at[0]):
            raise ValueError(f"the format {at[0][:20]!r} is not allowed")
    weigh(given, context)
    # A field makes at most its width of every text given, and a name can stand in each of them.
    fields = text.count("%")
    context.make(len(text) + fields * (len(str(given)) + WIDTH_MAX))
    return str(text % given)


def _append(context: Context, value: list[Any], item: Any) -> None:
    context.make(len(value) + 1)
    value.append(item)


def _extend(context: Context, value: list[Any], items: Any) -> None:
    found = drawn(items, context)
    context.make(len(value) + len(found))
    value.extend(found)


def _insert(context: Context, value: list[Any], index: int, item: Any) -> None:
    context.make(len(value) + 1)
    value.insert(index, item)


def _pop(context: Context, value: list[Any], index: int = -1) -> Any:
    context.spend(len(value) // CHARS_A_STEP)
    return value.pop(index)


def _sort(context: Context, value: list[Any], *, key: Any = None, reverse: Any = False) -> None:
    value[:] = in_order(context, value, key=key, reverse=reverse)


def in_order(context: Context, values: Iterable[Any], *, key: Any, reverse: Any) -> list[Any]:
    """Return values sorted, by what a function of the template makes of each."""
    found = list(values)
    weigh(found, context)
    context.spend(len(found))
    if key is None:
        return sorted(found, reverse=bool(reverse))
    keys = [called(context, key, one) for one in found]
    weigh(keys, context)
    order = sorted(range(len(found)), key=keys.__getitem__, reverse=bool(reverse))
    return [found[at] for at in order]


def _update(context: Context, value: dict[Any, Any], other: dict[Any, Any]) -> None:
    if not isinstance(other, dict):
        raise TypeError("update takes a dictionary")
    context.make(len(value) + len(other))
    context.spend(len(other))
    value.update(other)


def _listed(take: Callable[[Any], Iterable[Any]]) -> Method:
    def run(context: Context, value: Any) -> list[Any]:
        return drawn(take(value), context)

    return run


def _keyed(act: Callable[..., Any]) -> Method:
    def run(context: Context, value: Any, *args: Any) -> Any:
        if args:
            weigh(args[0], context)
        return act(value, *args)

    return run


def _of_sets(act: Callable[..., Any]) -> Method:
    def run(context: Context, value: Any, *others: Any) -> Any:
        weigh(value, context)
        drawn_others = [drawn(one, context) for one in others]
        weigh(drawn_others, context)
        return act(value, *drawn_others)

    return run


_CHANGED: dict[str, Callable[..., Any]] = {
    "capitalize": str.capitalize, "casefold": str.casefold, "lower": str.lower,
    "partition": str.partition, "removeprefix": str.removeprefix,
    "removesuffix": str.removesuffix, "rpartition": str.rpartition, "swapcase": str.swapcase,
    "title": str.title, "upper": str.upper,
}  # fmt: skip
_ASKED: dict[str, Callable[..., Any]] = {
    "count": str.count, "endswith": str.endswith, "find": str.find, "index": str.index,
    "isalnum": str.isalnum, "isalpha": str.isalpha, "isascii": str.isascii,
    "isdecimal": str.isdecimal, "isdigit": str.isdigit, "isidentifier": str.isidentifier,
    "islower": str.islower, "isnumeric": str.isnumeric, "isspace": str.isspace,
    "istitle": str.istitle, "isupper": str.isupper, "rfind": str.rfind, "rindex": str.rindex,
    "startswith": str.startswith,
}  # fmt: skip
_TEXT: dict[str, Method] = {
    **{name: _unchanged_size(make) for name, make in _CHANGED.items()},
    **{name: _looked_at(look) for name, look in _ASKED.items()},
    "center": _filled(str.center), "ljust": _filled(str.ljust), "rjust": _filled(str.rjust),
    "zfill": _filled(str.zfill),
    "strip": _stripped(str.strip), "lstrip": _stripped(str.lstrip), "rstrip": _stripped(str.rstrip),
    "split": _cut(str.split), "rsplit": _cut(str.rsplit), "splitlines": _cut(str.splitlines),
    "format": _format, "join": _join, "replace": _replace,
}  # fmt: skip
_LIST: dict[str, Method] = {
    "append": _append, "extend": _extend, "insert": _insert, "pop": _pop, "sort": _sort,
    "clear": _keyed(list.clear), "copy": _listed(iter), "count": _looked_at(list.count),
    "index": _looked_at(list.index), "remove": _looked_at(list.remove),
    "reverse": _looked_at(list.reverse),
}  # fmt: skip
_TUPLE: dict[str, Method] = {"count": _looked_at(tuple.count), "index": _looked_at(tuple.index)}
_DICTIONARY: dict[str, Method] = {
    "clear": _keyed(dict.clear), "copy": _looked_at(dict.copy), "get": _keyed(dict.get),
    "items": _listed(dict.items), "keys": _listed(dict.keys), "pop": _keyed(dict.pop),
    "setdefault": _keyed(dict.setdefault), "update": _update, "values": _listed(dict.values),
}  # fmt: skip
_SET: dict[str, Method] = {
    "add": _keyed(set.add), "clear": _keyed(set.clear), "copy": _looked_at(set.copy),
    "difference": _of_sets(set.difference), "discard": _keyed(set.discard),
    "intersection": _of_sets(set.intersection), "isdisjoint": _of_sets(set.isdisjoint),
    "issubset": _of_sets(set.issubset), "issuperset": _of_sets(set.issuperset),
    "remove": _keyed(set.remove),
    "symmetric_difference": _of_sets(set.symmetric_difference), "union": _of_sets(set.union),
    "update": _of_sets(set.update),
}  # fmt: skip
_KINDS: tuple[tuple[type, dict[str, Method]], ...] = (
    (str, _TEXT), (dict, _DICTIONARY), (list, _LIST), (tuple, _TUPLE), (set, _SET),
)  # fmt: skip
_WORDS: tuple[tuple[type, str], ...] = (
    (str, "a text"), (bool, "a truth value"), (int, "a number"), (float, "a number"),
    (dict, "a dictionary"), (list, "a list"), (tuple, "a tuple"), (set, "a set"),
    (Placeholder, "a parameter without a value"), (Callee, "a function"),
)  # fmt: skip
METHODS = frozenset[str]().union(*(methods for _, methods in _KINDS))
"""Every name that may stand after a dot in `{% %}`."""
