"""The nodes a query's tree may hold, and the keys each may have; anything else is refused.

What is absent is refused by its absence: `settings`, `out_file`, `stream_settings`,
`recursive_with`, `is_compound_name`, an identifier that is a parameter (its `children`).
"""

from enum import IntEnum
from typing import Any, Final

Tree = dict[str, Any]
"""A query as the engine's `parseQueryToJSON` writes it."""


class Key(IntEnum):
    """What stands under a key of a node."""

    VALUE = 0
    """Text, number or flag."""
    NODE = 1
    """One node."""
    NODES = 2
    """A list of nodes."""
    OFF = 3
    """A flag that must not be set."""


_NAMES: Final = {"type": Key.VALUE, "name": Key.VALUE, "name_parts": Key.VALUE, "alias": Key.VALUE}


def _node(*, values: str = "", nodes: str = "", lists: str = "", off: str = "") -> dict[str, Key]:
    keys = {"type": Key.VALUE}
    for names, key in ((values, Key.VALUE), (nodes, Key.NODE), (lists, Key.NODES), (off, Key.OFF)):
        keys |= dict.fromkeys(names.split(), key)
    return keys


NODES: Final[dict[str, dict[str, Key]]] = {
    "SelectWithUnionQuery": _node(
        values="union_mode list_of_modes",
        nodes="list_of_selects",
        off="is_outfile_append is_outfile_truncate is_into_outfile_with_stdout",
    ),
    "SelectQuery": _node(
        values="distinct limit_with_ties limit_by_all order_by_all group_by_all "
        "group_by_with_rollup group_by_with_cube group_by_with_totals group_by_with_grouping_sets",
        nodes="with cte_aliases select tables prewhere where group_by having window qualify "
        "order_by limit_by limit_by_length limit_by_offset limit_length limit_offset interpolate",
    ),
    "ExpressionList": _node(lists="children"),
    "Literal": _node(values="value alias"),
    "Identifier": dict(_NAMES),
    "TablesInSelectQuery": _node(lists="children"),
    "TablesInSelectQueryElement": _node(nodes="table_expression table_join array_join"),
    "TableExpression": _node(
        values="final",
        nodes="database_and_table_name subquery table_function sample_size sample_offset "
        "column_aliases",
    ),
    "TableIdentifier": dict(_NAMES),
    "TableJoin": _node(
        values="kind strictness locality is_natural", nodes="on_expression using_expression_list"
    ),
    "ArrayJoin": _node(values="kind", nodes="expression_list"),
    "SampleRatio": _node(values="numerator denominator"),
    "Subquery": _node(values="alias", lists="children"),
    "WithElement": _node(values="name", nodes="subquery aliases"),
    "Function": _node(
        values="name alias is_operator is_lambda_function is_window_function kind window_name "
        "nulls_action",
        nodes="arguments parameters window_definition",
    ),
    "WindowDefinition": _node(
        values="frame_is_default frame_type frame_begin_type frame_begin_preceding "
        "frame_end_type frame_end_preceding parent_window_name",
        nodes="partition_by order_by frame_begin_offset frame_end_offset",
    ),
    "WindowListElement": _node(values="name", nodes="definition"),
    "OrderByElement": _node(
        values="direction nulls_direction nulls_direction_was_explicitly_specified with_fill",
        nodes="expression collation fill_from fill_to fill_step fill_staleness",
    ),
    "InterpolateElement": _node(values="column", nodes="expr"),
    "QueryParameter": _node(values="name param_type alias"),
    "Asterisk": _node(nodes="transformers"),
    "QualifiedAsterisk": _node(nodes="qualifier transformers"),
    "ColumnsRegexpMatcher": _node(values="pattern", nodes="transformers"),
    "ColumnsListMatcher": _node(nodes="column_list transformers"),
    "QualifiedColumnsRegexpMatcher": _node(values="pattern", nodes="qualifier transformers"),
    "QualifiedColumnsListMatcher": _node(nodes="qualifier column_list transformers"),
    "ColumnsTransformerList": _node(lists="children"),
    "ColumnsExceptTransformer": _node(values="pattern is_strict", lists="children"),
    "ColumnsReplaceTransformer": _node(values="is_strict", lists="children"),
    "ColumnsReplaceTransformerReplacement": _node(values="name", lists="children"),
    "ColumnsApplyTransformer": _node(
        values="func_name lambda_arg column_name_prefix", nodes="parameters lambda"
    ),
}
"""Type of a node → its keys."""


def parts_of(node: Tree) -> list[str]:
    """Return the parts of an identifier's name: one that holds a dot in quotes is one part."""
    parts: list[str] | None = node.get("name_parts")
    return [node["name"]] if parts is None else parts
