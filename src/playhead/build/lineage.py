"""What a query tree says of where its rows come from."""

from collections.abc import Mapping
from typing import Any, Final

DEPTH_MAX: Final = 200
Tree = dict[str, Any]
Name = tuple[str, str]
"""Database ("" = none) and table."""


def source_of(tree: Tree) -> Name | None:
    """Return the table whose inserts a materialized view of this query sees: its leftmost.

    None when the query reads no table at all.
    """
    return _leftmost(tree, {}, 0)


def is_union(tree: Tree) -> bool:
    """Return whether the query is several SELECTs: a view would only follow the first."""
    children = (tree.get("list_of_selects") or {}).get("children", ())
    return len(children) > 1


def _leftmost(tree: Any, named: Mapping[str, Tree], depth: int) -> Name | None:
    """Go down the first SELECT of everything; `named` are the WITH queries in scope."""
    if depth > DEPTH_MAX or not isinstance(tree, dict):
        return None
    if tree.get("type") != "SelectQuery":
        children = (tree.get("list_of_selects") or tree).get("children") or [None]
        return _leftmost(children[0], named, depth + 1)
    named = {**named, **_with(tree)}
    elements = (tree.get("tables") or {}).get("children") or [{}]
    table = elements[0].get("table_expression") or {}
    if "subquery" in table:
        return _leftmost(table["subquery"], named, depth + 1)
    found = table.get("database_and_table_name") or {}
    parts = found.get("name_parts") or ([found["name"]] if "name" in found else [])
    if len(parts) == 1 and parts[0] in named:
        within = {name: one for name, one in named.items() if name != parts[0]}
        return _leftmost(named[parts[0]], within, depth + 1)
    if not parts:
        return None
    return ("", parts[0]) if len(parts) == 1 else (parts[0], parts[1])


def _with(select: Tree) -> dict[str, Tree]:
    """Return the queries of the WITH clause by name."""
    children = (select.get("with") or {}).get("children", ())
    return {one["name"]: one["subquery"] for one in children if one.get("type") == "WithElement"}
