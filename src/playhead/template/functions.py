"""Every function templates may call, by name."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from playhead.template import builtin, directives, identifiers
from playhead.template.context import Context
from playhead.template.dates import difference
from playhead.template.placeholders import Placeholder
from playhead.template.rendering import CustomRefusal, TemplateInvalid, TemplateRefused
from playhead.template.secrets import tb_secret
from playhead.template.types import (
    NULL_KINDS,
    SHOWN_CHARS,
    TYPES,
    array,
    boolean,
    chosen,
    invalid,
    only_known,
    text_of,
    typed,
    unnamed,
)
from playhead.template.values import NESTING_MAX, UNESCAPABLE, ArrayValue, Raw, Unescaped, wrapped
from playhead.template.weight import is_whole

REFUSAL_STATUS = range(400, 600)
MUTED = "-- {x} \n"
"""What error() leaves in check mode, as it always was."""
OPERATORS = {
    "in": "IN", "not_in": "NOT IN", "gt": ">", "lt": "<", "gte": ">=", "lte": "<=",
}  # fmt: skip

_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")


def error(context: Context, message: Any = "") -> Raw:
    """Refuse the request with a sentence of the template's own; muted in check mode."""
    if context.checking:
        return Raw(MUTED)
    raise TemplateRefused(text_of(unnamed(message)[0], context))


def custom_error(context: Context, answer: Any = "", status: Any = 400) -> Raw:
    """Refuse the request with a body and a status of the template's own; muted in check mode."""
    if context.checking:
        return Raw(MUTED)
    if isinstance(status, bool) or not isinstance(status, int) or status not in REFUSAL_STATUS:
        raise TemplateInvalid(
            "custom_error() takes a status from 400 to 599 as its second argument.",
            hint="Write custom_error({'error': 'No such title'}, 404).",
        )
    raise CustomRefusal(_answer(context, unnamed(answer)[0], 0), int(status))


def _answer(context: Context, value: Any, depth: int) -> Any:
    """Return a value as JSON can hold it."""
    context.spend()
    if depth > NESTING_MAX:
        raise TemplateRefused(f"The answer is nested deeper than {NESTING_MAX} levels.")
    if isinstance(value, dict):
        return {text_of(k): _answer(context, v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_answer(context, one, depth + 1) for one in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    return text_of(value)


def defined(context: Context, x: Any = None) -> bool:
    """Return whether the parameter was sent; an empty text counts. False in check mode."""
    del context
    return not isinstance(unnamed(x)[0], NULL_KINDS)


def read_json(context: Context, x: Any = None, default: Any = None, *_: Any, **words: Any) -> Any:
    """Return what the JSON text of a parameter means; `{}` when it is absent."""
    only_known("JSON", words)
    value, name = unnamed(x)
    if isinstance(value, NULL_KINDS) and not context.checking:
        value = "{}" if default is None else default
    value = chosen(context, value, default)
    if isinstance(value, Placeholder):
        raise TemplateInvalid(
            f"JSON() needs a default{f' for {name!r}' if name else ''}, so that the pipe can be "
            "checked without a request.",
            hint=f"Write JSON({name or 'name'}, '{{}}').",
        )
    if isinstance(value, dict | list) and not isinstance(value, ArrayValue):
        return value
    text = text_of(value, context)
    context.make(len(text))
    context.spend(len(text) // 8)
    try:
        return _loaded(text)
    except (ValueError, RecursionError) as wrong:
        raise invalid(text, "JSON", name, 'a JSON text such as {"a": 1}') from wrong


def _loaded(text: str) -> Any:
    found = json.loads(text)
    if "\\ud" in text.lower() and not is_whole(json.dumps(found, ensure_ascii=False)):
        raise ValueError("half a character")
    return found


def sql_and(context: Context, /, *args: Any, **conditions: Any) -> Raw:
    """Return conditions joined by AND: `device__in=Array(device)`; what is None is left out."""
    if args:
        raise TemplateInvalid(
            "sql_and() takes conditions by keyword only.",
            hint="Write sql_and(device=String(device), minute__gte=DateTime(since)).",
        )
    out = []
    for key, value in conditions.items():
        column, between, operator = key.partition("__")
        sign = OPERATORS.get(operator) if between else "="
        if sign is None or _COLUMN.fullmatch(column) is None:
            column, sign = _column_of(key)
        if value is not None:
            out.append(f"{column} {sign} {wrapped(value, context, key)}")
    context.make(sum(map(len, out)))
    return Raw(" AND ".join(out))


def _column_of(key: str) -> tuple[str, str]:
    """Return column and sign of a key whose column has `__` in its own name."""
    column, _, operator = key.rpartition("__")
    if operator in OPERATORS and _COLUMN.fullmatch(column):
        return column, OPERATORS[operator]
    raise TemplateInvalid(
        f"sql_and() does not know the condition '{key[:SHOWN_CHARS]}'.",
        hint=f"Write a column and one of {', '.join(f'__{one}' for one in OPERATORS)}.",
    )


def split_to_array(
    context: Context, x: Any = None, default: Any = "", separator: Any = ",", **words: Any
) -> list[Any]:
    """Return the parts of a text, trimmed."""
    only_known("split_to_array", words)
    value = unnamed(x)[0]
    if isinstance(value, NULL_KINDS):
        value = "" if isinstance(default, NULL_KINDS) else default
    if isinstance(value, list):
        return list(value)
    text, by = text_of(value, context), text_of(separator)
    if not by:
        raise TemplateInvalid("split_to_array() needs a separator that is not empty.")
    context.make(len(text))
    context.spend(text.count(by) // 8)
    return [part.strip() for part in text.split(by)]


def enumerate_with_last(context: Context, values: Any = None) -> list[tuple[bool, Any]]:
    """Return each value with whether it is the last one: `for last, x in …`."""
    every = builtin.IN_EXPRESSIONS["list"](context, values)
    return [(i == len(every), one) for i, one in enumerate(every, 1)]


def sql_unescape(context: Context, x: Any = None, characters: Any = "") -> Any:
    """Return a text in which `characters` are not escaped, for LIKE: `sql_unescape(x, '%')`."""
    value = unnamed(x)[0]
    if isinstance(value, NULL_KINDS):
        return context.absent("")
    keep = frozenset(text_of(characters)) - {"\\"}
    if not keep <= UNESCAPABLE:
        raise TemplateInvalid(
            f"sql_unescape() leaves {' '.join(sorted(UNESCAPABLE))} as they are, nothing else: "
            "any other character could end the text.",
            hint="Write sql_unescape(String(name), '%').",
        )
    return Unescaped(text_of(value, context), keep)


EXPRESSION_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **{name: typed(kind) for name, kind in TYPES.items() if name != "Boolean"},
    "Boolean": boolean,
    "Array": array,
    "JSON": read_json,
    "columns": identifiers.columns,
    "column": identifiers.column,
    "symbol": identifiers.symbol,
    "table": identifiers.table,
    "TABLE": identifiers.table,
    "error": error,
    "custom_error": custom_error,
    "sql_and": sql_and,
    "defined": defined,
    "enumerate_with_last": enumerate_with_last,
    "split_to_array": split_to_array,
    "day_diff": difference("day_diff", 86_400),
    "date_diff_in_days": difference("date_diff_in_days", 86_400),
    "date_diff_in_hours": difference("date_diff_in_hours", 3_600),
    "date_diff_in_minutes": difference("date_diff_in_minutes", 60),
    "date_diff_in_seconds": difference("date_diff_in_seconds", 1),
    "sql_unescape": sql_unescape,
    "max_threads": directives.max_threads,
    "backend_hint": directives.backend_hint,
    "cache_ttl": directives.cache_ttl,
    "activate": directives.activate,
    "disable": directives.disable,
    "tb_secret": tb_secret,
    "tb_var": tb_secret,
    **builtin.IN_EXPRESSIONS,
}
"""Callable in {{ }}: `f(context, *args, **keywords)`, the first argument perhaps `Named`."""

STATEMENT_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **EXPRESSION_FUNCTIONS,
    **builtin.IN_STATEMENTS,
    "bool": boolean,
    "Symbol": identifiers.symbol,
    "Column": identifiers.symbol,
}
"""Callable in {% %}."""
