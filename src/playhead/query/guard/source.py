"""Table functions: what may stand after FROM besides tables and queries."""

from typing import Final

from playhead.errors import QueryRefused
from playhead.query.guard.nodes import Tree

SOURCES: Final = frozenset({
    "SQLStandardValues", "generateRandom", "generateSeries", "generate_series", "null", "numbers",
    "numbers_mt", "values", "VALUES", "zeros", "zeros_mt",
})  # fmt: skip
"""They make rows from nothing; `SQLStandardValues` is how the engine writes (VALUES …)."""
COPY_SOURCES: Final = frozenset({
    "azureBlobStorage", "deltaLake", "gcs", "iceberg", "mongodb", "mysql", "postgresql", "s3", "url",
})  # fmt: skip
"""Places outside, which only copy pipes may read."""
_STRUCTURED: Final = frozenset({"generateRandom", "null", "values", "VALUES"})
RANDOM_TEXT_MAX: Final = 10_000
RANDOM_ARRAY_MAX: Final = 100


def check_source(node: Tree, *, copying: bool) -> None:
    """Refuse a table function that is not listed, or asks for rows of any size.

    Raises:
        QueryRefused: The sentence names it.
    """
    name = node["name"]
    arguments: list[Tree] = node.get("arguments", {}).get("children", [])
    if copying and name in COPY_SOURCES:
        if any(argument["type"] not in {"Literal", "QueryParameter"} for argument in arguments):
            raise QueryRefused(f"{name}() takes only values written out, or secrets.")
        return
    if name not in SOURCES:
        raise QueryRefused(
            f"{name}() cannot be read from here.",
            hint="FROM takes data sources, pipes and the functions numbers, values, zeros, null, "
            "generate_series and generateRandom.",
        )
    if name in _STRUCTURED and arguments and not _is_plain(arguments[0]):
        raise QueryRefused(f"{name}() needs its columns as plain text, or rows.")
    if name == "generateRandom":
        _check_random(arguments)


def as_query(holder: Tree) -> bool:
    """Write zeros(n) as a query over numbers(n); return whether it was one.

    The engine counts zeros among the functions that a read-only query may not use.
    """
    function = holder["table_function"]
    numbers = {"zeros": "numbers", "zeros_mt": "numbers_mt"}.get(function["name"])
    if numbers is None:
        return False
    made: Tree = {"type": "Function", "name": numbers}
    if "arguments" in function:
        made["arguments"] = function["arguments"]
    zero: Tree = {
        "type": "Function",
        "name": "toUInt8",
        "arguments": _list({"type": "Literal", "value": {"field_type": "UInt64", "value": 0}}),
        "alias": "zero",
    }
    source: Tree = {
        "type": "TablesInSelectQueryElement",
        "table_expression": {"type": "TableExpression", "table_function": made},
    }
    select: Tree = {
        "type": "SelectQuery",
        "select": _list(zero),
        "tables": {"type": "TablesInSelectQuery", "children": [source]},
    }
    query: Tree = {
        "type": "SelectWithUnionQuery",
        "union_mode": "UNION_DEFAULT",
        "list_of_selects": _list(select),
        "is_outfile_append": False,
        "is_outfile_truncate": False,
        "is_into_outfile_with_stdout": False,
    }
    put: Tree = {"type": "Subquery", "children": [query]}
    if "alias" in function:
        put["alias"] = function["alias"]
    del holder["table_function"]
    holder["subquery"] = put
    return True


def _list(*children: Tree) -> Tree:
    return {"type": "ExpressionList", "children": list(children)}


def _is_plain(argument: Tree) -> bool:
    """Return whether it is a literal or a row: a structure is never computed."""
    return argument["type"] == "Literal" or argument.get("name") in {"tuple", "array"}


def _check_random(arguments: list[Tree]) -> None:
    """Only numbers may follow the structure, and the sizes among them are bounded."""
    numbers: list[int] = []
    for argument in arguments[1:]:
        value = argument.get("value", {}).get("value")
        if argument["type"] != "Literal" or not isinstance(value, int | None):
            raise QueryRefused("generateRandom takes plain numbers after its structure.")
        numbers.append(value or 0)
    sizes = (*numbers[1:3], 0, 0)
    if sizes[0] > RANDOM_TEXT_MAX or sizes[1] > RANDOM_ARRAY_MAX:
        raise QueryRefused(
            f"generateRandom makes texts of at most {RANDOM_TEXT_MAX} bytes and arrays of at most "
            f"{RANDOM_ARRAY_MAX} elements here."
        )
