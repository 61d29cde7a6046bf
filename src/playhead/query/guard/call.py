"""Calls whose arguments name more than values: a table, a function, a type."""

import re
from typing import Final, Literal

from playhead.errors import QueryRefused
from playhead.query.guard.functions import FunctionList
from playhead.query.guard.nodes import Tree

IN_FAMILY: Final = frozenset({
    "in", "notin", "globalin", "globalnotin", "nullin", "notnullin", "globalnullin",
    "globalnotnullin",
})  # fmt: skip
JOIN_GET: Final = frozenset({"joinget", "joingetornull"})
BY_NAME: Final = frozenset({"arrayreduce", "arrayreduceinranges", "initializeaggregation"})
"""Functions whose first argument is the name of an aggregate function."""
TYPED: Final = frozenset({
    "cast", "accuratecast", "accuratecastornull", "accuratecastordefault", "reinterpret",
    "kqlparametercast",
})  # fmt: skip
"""Functions whose second argument is the name of a type."""
TYPED_LAST: Final = frozenset({
    "defaultvalueoftypename", "jsonextract", "jsonextractcaseinsensitive",
    "jsonextractkeysandvalues", "jsonextractkeysandvaluescaseinsensitive",
})  # fmt: skip
UNSTOPPABLE: Final = frozenset({
    "arraylevenshteindistance", "arraylevenshteindistanceweighted", "arraysimilarity",
    "dameraulevenshteindistance", "editdistance", "editdistanceutf8", "geometryintersectcartesian",
    "geometryintersectspherical", "jarosimilarity", "jarowinklersimilarity", "levenshteindistance",
    "levenshteindistanceutf8", "polygonsdistancecartesian", "polygonsdistancespherical",
    "polygonsequalscartesian", "polygonsintersectcartesian", "polygonsintersectionspherical",
    "polygonsintersectioncartesian", "polygonsintersectspherical", "polygonssymdifferencecartesian",
    "polygonssymdifferencespherical", "polygonsunioncartesian", "polygonsunionspherical",
    "polygonswithincartesian", "polygonswithinspherical", "seriesdecomposestl",
})  # fmt: skip
"""Functions whose one call can outlast any limit of time: the engine looks at it between calls."""
JSON_PATHS: Final = frozenset({"json_exists", "json_query", "json_value"})
"""Functions that outlast it for paths with wildcards and ranges."""
_PLAIN_PATH: Final = re.compile(r"\$(?:\.[\w-]+|\[\d+\]|\[\"[^\"*]+\"\])*", re.ASCII)
_SPECIAL: Final = IN_FAMILY | JOIN_GET | BY_NAME | TYPED | TYPED_LAST | UNSTOPPABLE | JSON_PATHS
_JOIN_NAME: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?", re.ASCII)
_AGGREGATE_NAME: Final = re.compile(r"(\w+)(?:\([-\w.,' ]*\))?", re.ASCII)
_STATE_TYPE: Final = re.compile(r"(Simple)?AggregateFunction\s*\(\s*(?:\d+\s*,\s*)?[`\"]?(\w*)")

Form = Literal["plain", "operand", "join"]


def check_call(node: Tree, functions: FunctionList, *, strict: bool) -> Form:
    """Return what the arguments of an allowed function are, if they may be that.

    "operand": the second may be a table; "join": the first is the text of a table's name.

    Raises:
        QueryRefused: A name in them is not written out, or is not allowed.
    """
    name = node["name"].lower()
    if name not in _SPECIAL:
        return "plain"
    arguments = node.get("arguments", {}).get("children", ())
    if name in UNSTOPPABLE or name in JSON_PATHS:
        if strict:
            _check_stoppable(node["name"], _text(arguments, 1))
        return "plain"
    if name in IN_FAMILY:
        if len(arguments) != 2:
            raise QueryRefused(f"{node['name']} takes two arguments.")
        return "operand"
    if name in JOIN_GET:
        text = _text(arguments, 0)
        if text is None or not _JOIN_NAME.fullmatch(text):
            raise QueryRefused(f"{node['name']} needs the name of its table as plain text.")
        return "join"
    if name in BY_NAME:
        _check_aggregate(node["name"], _text(arguments, 0), functions)
        return "plain"
    place = 1 if name in TYPED else len(arguments) - 1
    text = _text(arguments, place)
    if text is None:
        raise QueryRefused(f"{node['name']} needs its type as plain text.")
    check_type_text(text, functions, strict=strict)
    return "plain"


def check_type_text(text: str, functions: FunctionList, *, strict: bool) -> None:
    """Refuse a type that holds an aggregate function which is not allowed.

    Args:
        text: A type's name, or any text that may be one.
        functions: Who decides about functions.
        strict: Whether stored states of aggregate functions are refused as well: the engine
            reads their bytes without checking them.

    Raises:
        QueryRefused: It does.
    """
    for simple, name in _STATE_TYPE.findall(text):
        if strict and not simple:
            raise QueryRefused("States of aggregate functions cannot be made from text here.")
        if not functions.aggregate(name):
            raise QueryRefused(f"Function {name} is not allowed in a type here.")


def _check_stoppable(name: str, path: str | None) -> None:
    if name.lower() in UNSTOPPABLE:
        raise QueryRefused(
            f"Function {name} is not allowed here: one call may run without end.",
            hint="Use it in a pipe of the project.",
        )
    if path is None or not _PLAIN_PATH.fullmatch(path):
        raise QueryRefused(
            f"{name} needs a plain path here, without wildcards: it may run without end.",
            hint="Use it in a pipe of the project, or JSONExtract.",
        )


def _check_aggregate(caller: str, text: str | None, functions: FunctionList) -> None:
    found = _AGGREGATE_NAME.fullmatch(text) if text is not None else None
    if found is None:
        raise QueryRefused(f"{caller} needs the name of its function as plain text.")
    if not functions.aggregate(found[1]):
        raise QueryRefused(f"Function {found[1]} is not allowed here.")


def _text(arguments: list[Tree], place: int) -> str | None:
    """Return an argument that is a text literal, else None."""
    if not 0 <= place < len(arguments) or arguments[place]["type"] != "Literal":
        return None
    value = arguments[place]["value"].get("value")
    is_text = arguments[place]["value"].get("field_type") == "String"
    return value if is_text and isinstance(value, str) else None
