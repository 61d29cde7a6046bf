"""The guard over CREATE TABLE: expressions of a data source name no more than a query may.

The statement is made of a file's own texts (defaults, keys, TTL, settings), so what is looked at
is the engine's tree of the whole statement, and what runs is the text of that tree.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from playhead.errors import QueryRefused
from playhead.query.guard.functions import FunctionList
from playhead.query.guard.nodes import Tree

ENGINES: Final = frozenset({
    "MergeTree", "ReplacingMergeTree", "SummingMergeTree", "AggregatingMergeTree",
    "CollapsingMergeTree", "VersionedCollapsingMergeTree", "Null", "Join",
})  # fmt: skip
SETTINGS_REFUSED: Final = frozenset({"disk", "storage_policy", "table_disk", "merge_workload"})
"""Settings that name places outside the data folder, or do not concern a table of one machine."""
DEPTH_MAX: Final = 200
_ROOT: Final = frozenset({
    "type", "database", "table", "database_ast", "table_ast", "columns_list", "storage", "comment",
})  # fmt: skip
_STORAGE: Final = frozenset({
    "type", "engine", "partition_by", "order_by", "primary_key", "sample_by", "ttl_table",
    "settings",
})  # fmt: skip
_OWN_NAMES: Final = frozenset({"codec", "index_type", "data_type"})
"""Keys under which functions are names of codecs, indexes and types, not of functions."""
_TYPES: Final = frozenset({
    "Function", "Identifier", "Literal", "ExpressionList", "TTLElement", "OrderByElement",
    "StorageOrderByElement", "Lambda",
})  # fmt: skip


def examine_table(tree: Tree, functions: FunctionList) -> None:
    """Check the tree of a CREATE TABLE.

    Raises:
        QueryRefused: It holds something else, or names what it may not.
    """
    if tree.get("type") != "CreateQuery":
        raise QueryRefused("A data source makes a table and nothing else.")
    _only(tree, _ROOT)
    storage = tree.get("storage") or {}
    _only(storage, _STORAGE)
    engine = storage.get("engine") or {}
    if engine.get("name") not in ENGINES:
        raise QueryRefused(f"There is no engine '{engine.get('name', '')}' for data sources.")
    for change in (storage.get("settings") or {}).get("changes", ()):
        if change.get("name") in SETTINGS_REFUSED:
            raise QueryRefused(f"The setting '{change['name']}' may not be set here.")
    for expression in _expressions(tree, storage, engine):
        _examine(expression, functions, 0)


def _only(tree: Mapping[str, Any], allowed: frozenset[str]) -> None:
    """Refuse keys that are not known, unless they say no."""
    for key, value in tree.items():
        if key not in allowed and value not in (False, None):
            raise QueryRefused(f"A data source's table may not have '{key}'.")


def _expressions(tree: Tree, storage: Tree, engine: Tree) -> Iterator[Any]:
    lists = tree.get("columns_list") or {}
    for column in (lists.get("columns") or {}).get("children", ()):
        yield {key: value for key, value in column.items() if key not in _OWN_NAMES}
    for index in (lists.get("indices") or {}).get("children", ()):
        yield index.get("expression")
    for key in ("partition_by", "order_by", "primary_key", "sample_by", "ttl_table"):
        yield storage.get(key)
    yield engine.get("arguments")


def _examine(part: Any, functions: FunctionList, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise QueryRefused(f"An expression is nested deeper than {DEPTH_MAX} levels.")
    if isinstance(part, list):
        for one in part:
            _examine(one, functions, depth + 1)
    elif isinstance(part, dict):
        kind = part.get("type")
        if isinstance(kind, str) and kind != "ColumnDeclaration" and kind not in _TYPES:
            raise QueryRefused(f"An expression of a data source may not hold a {kind}.")
        if kind == "Function":
            _allow(str(part.get("name", "")), functions)
        for key, value in part.items():
            if key != "value":
                _examine(value, functions, depth + 1)


def _allow(name: str, functions: FunctionList) -> None:
    # joinGet reads a table whose name is a text, which nothing here would resolve.
    if not functions.allows(name) or name.lower().startswith("joinget"):
        raise QueryRefused(f"The function '{name}' is not allowed.")
