"""Which names a query has given by WITH and AS, at one place of it."""

import msgspec

from playhead.query.guard.nodes import Tree


class Scope(msgspec.Struct, frozen=True):
    """What can be named here besides tables and columns."""

    queries: frozenset[str] = frozenset()
    """Sub-queries named by WITH: they stand where tables stand."""
    lambdas: frozenset[str] = frozenset()
    """Functions named by WITH."""
    values: frozenset[str] = frozenset()
    """Expressions named by WITH, here and in the queries around."""
    columns: frozenset[str] = frozenset()
    """Expressions of this query's own SELECT list."""

    def with_query(self, name: str) -> "Scope":
        """Return the scope in which this sub-query is named too."""
        return msgspec.structs.replace(self, queries=self.queries | {name})

    def with_expression(self, node: Tree) -> "Scope":
        """Return the scope in which this expression is named too, if it has a name."""
        name = node.get("alias")
        if not name:
            return self
        if node.get("is_lambda_function"):
            return msgspec.structs.replace(self, lambdas=self.lambdas | {name})
        return msgspec.structs.replace(self, values=self.values | _valued(node))

    def selecting(self, select: Tree) -> "Scope":
        """Return the scope of a query with this SELECT list."""
        names = frozenset(
            name for node in select.get("children", ()) if "alias" in node for name in _valued(node)
        )
        if names == self.columns:
            return self
        return msgspec.structs.replace(self, columns=names)

    def holds_value(self, name: str) -> bool:
        """Return whether the engine takes this name for an expression before any table."""
        return name in self.values or name in self.columns


def _valued(node: Tree) -> frozenset[str]:
    """Return the name of an expression with a value; a name for another name is none."""
    if node["type"] in {"Identifier", "QueryParameter"} or node.get("is_lambda_function"):
        return frozenset()
    return frozenset({node["alias"]})
