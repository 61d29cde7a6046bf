"""PREWHERE folded into WHERE, for tokens whose rows are filtered."""

from playhead.query.guard.nodes import Tree
from playhead.query.guard.walk import nodes_of


def without_prewhere(tree: Tree) -> Tree:
    """Return the tree with every PREWHERE as the first condition of WHERE; it is changed in place.

    A condition in PREWHERE is worked out before the filter of the token, so its errors and its
    time could tell of hidden rows.
    """
    for node in nodes_of(tree):
        condition = node.pop("prewhere", None) if node["type"] == "SelectQuery" else None
        if condition is not None:
            other = node.get("where")
            node["where"] = condition if other is None else _both(condition, other)
    return tree


def _both(first: Tree, second: Tree) -> Tree:
    return {
        "type": "Function",
        "name": "and",
        "arguments": {"type": "ExpressionList", "children": [first, second]},
        "is_operator": True,
    }
