"""Names of columns and tables that come from a request: checked, never quoted on trust."""

import re
from typing import Any

from playhead.template.context import Context
from playhead.template.placeholders import Placeholder
from playhead.template.rendering import TemplateInvalid, TemplateRefused
from playhead.template.types import (
    NULL_KINDS,
    SHOWN_CHARS,
    chosen,
    invalid,
    only_known,
    text_of,
    unnamed,
)
from playhead.template.values import Raw

NAME_MAX_CHARS = 255
COLUMNS_MAX = 1_000
"""Most names of one columns()."""
PLACEHOLDER = "placeholder"

_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}(?:\.[A-Za-z_][A-Za-z0-9_]{0,254})?")
_FUNCTION = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_COLUMN = re.compile(r"[^`'\"\\\x00-\x1f\x7f]{1,255}")
_EXPECTED_COLUMN = "the name of a column, without quotes, backticks and backslashes"


def backticked(text: str, name: str, kind: str) -> str:
    """Return a column's name between backticks; raise TemplateRefused if it can be none."""
    text = text.strip().replace('"', "")
    if _COLUMN.fullmatch(text) is None:
        raise invalid(text, kind, name, _EXPECTED_COLUMN)
    return f"`{text}`"


def symbol(
    context: Context, x: Any = None, default: Any = None, defined: Any = True, *_: Any, **words: Any
) -> Raw | None:
    """Return one name between backticks; a `.` stays inside."""
    words.pop("quote", None)
    only_known("symbol", words)
    value, name = unnamed(x)
    if isinstance(default, str) and default in {"`", '"'}:
        default = None
    value = chosen(context, value, default, defined=defined)
    if value is None:
        return None
    if isinstance(value, Placeholder):
        return Raw(f"`{PLACEHOLDER}`")
    return Raw(backticked(text_of(value, context), name, "symbol"))


def column(context: Context, x: Any = None, default: Any = None, *_: Any, **words: Any) -> Raw:
    """Return a column's name, each part between the dots in backticks of its own."""
    only_known("column", words)
    value, name = _named(context, "column", x, default)
    context.make(len(value))
    return Raw(_dotted(value, name))


def columns(
    context: Context, x: Any = None, default: Any = None, fn: Any = None, *_: Any, **words: Any
) -> Raw:
    """Return the names of columns, each in `fn(…) as name` when a function is given."""
    only_known("columns", words)
    value, name = _named(context, "columns", x, default)
    context.make(2 * len(value))
    texts = value.split(",")
    if len(texts) > COLUMNS_MAX:
        raise TemplateRefused(
            f"columns() got {len(texts)} names; {COLUMNS_MAX} are allowed.",
            hint="Ask for fewer columns.",
        )
    names = [_dotted(text, name) for text in texts]
    if fn is None:
        return Raw(",".join(names))
    function = text_of(unnamed(fn)[0])
    if _FUNCTION.fullmatch(function) is None:
        raise invalid(function, "function", "", "the name of a function of the engine")
    context.make(len(names) * (len(function) + 8) + 2 * len(value))
    return Raw(",".join(f"{function}({one}) as {one}" for one in names))


def table(
    context: Context, x: Any = None, default: Any = None, defined: Any = True, *_: Any, **words: Any
) -> Raw | None:
    """Return the name of a table, `name` or `database.name`; nothing else gets through."""
    only_known("table", words)
    value, name = unnamed(x)
    value = chosen(context, value, default, defined=defined)
    if value is None:
        return None
    if isinstance(value, Placeholder):
        return Raw(PLACEHOLDER)
    text = text_of(value)
    if _TABLE.fullmatch(text) is None:
        raise invalid(text, "table", name, "the name of a table: letters, digits and _")
    return Raw(text)


def _named(context: Context, function: str, x: Any, default: Any) -> tuple[str, str]:
    """Return what the request or the default names, and the parameter's name."""
    value, name = unnamed(x)
    if not isinstance(value, NULL_KINDS):
        return text_of(value, context), name
    if isinstance(default, NULL_KINDS):
        of = f" for '{name}'" if name else ""
        raise TemplateInvalid(
            f"{function}() needs a default{of}, so that the pipe can run without the parameter.",
            hint=f"Write {function}({name[:SHOWN_CHARS] or 'name'}, 'event_time').",
        )
    return text_of(default), name


def _dotted(text: str, name: str) -> str:
    return ".".join(backticked(part, name, "column") for part in text.split("."))
