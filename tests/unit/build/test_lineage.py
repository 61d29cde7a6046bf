from typing import Any

from playhead.build.lineage import is_union, source_of


def select(table: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    element = {"type": "TablesInSelectQueryElement", "table_expression": table}
    tables = {"type": "TablesInSelectQuery", "children": [element]}
    return {"type": "SelectQuery", **({"tables": tables} if table else {}), **more}


def union(*selects: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "SelectWithUnionQuery",
        "list_of_selects": {"type": "ExpressionList", "children": list(selects)},
    }


def named(*parts: str) -> dict[str, Any]:
    found = {"type": "TableIdentifier", "name": ".".join(parts)}
    if len(parts) > 1:
        found["name_parts"] = list(parts)  # type: ignore[assignment]
    return {"type": "TableExpression", "database_and_table_name": found}


def nested(query: dict[str, Any]) -> dict[str, Any]:
    return {"subquery": {"type": "Subquery", "children": [query]}}


def test_a_view_follows_the_leftmost_table() -> None:
    inner = union(select(named("project", "plays")), select(named("project", "other")))
    assert source_of(union(select(nested(inner)))) == ("project", "plays")
    assert source_of(union(select(named("plays")))) == ("", "plays")


def test_a_with_query_is_looked_into() -> None:
    element = {
        "type": "WithElement",
        "name": "x",
        "subquery": {"type": "Subquery", "children": [union(select(named("project", "plays")))]},
    }
    tree = union(select(named("x"), **{"with": {"children": [element]}}))
    assert source_of(tree) == ("project", "plays")


def test_a_query_without_a_table_follows_nothing() -> None:
    assert source_of(union(select(None))) is None
    assert source_of({}) is None


def test_a_with_query_that_names_itself_ends() -> None:
    element = {"type": "WithElement", "name": "x", "subquery": {"type": "Subquery"}}
    element["subquery"] = {"children": [union(select(named("x")))]}
    assert source_of(union(select(named("x"), **{"with": {"children": [element]}}))) == ("", "x")


def test_a_union_is_told() -> None:
    one = select(named("plays"))
    assert (is_union(union(one, one)), is_union(union(one))) == (True, False)
