"""Trees by hand: the forms the engine's parser never writes are refused too."""

from typing import Any

import pytest

from playhead.errors import QueryRefused
from playhead.query.guard.examine import TreeLimits, examine
from playhead.query.guard.functions import FunctionList, Listed
from playhead.query.guard.reference import TableRef

FUNCTIONS = FunctionList([Listed("lower", "", "String", False, True)], ["If"])


class Nothing:
    def table(self, database: str, name: str) -> TableRef | None:  # noqa: ARG002
        return None


def literal(value: Any, kind: str = "UInt64") -> dict[str, Any]:
    return {"type": "Literal", "value": {"field_type": kind, "value": value}}


def select(*children: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"type": "SelectQuery", "select": {"type": "ExpressionList", "children": [*children]}}
    return {
        "type": "SelectWithUnionQuery",
        "union_mode": "UNION_DEFAULT",
        "list_of_selects": {"type": "ExpressionList", "children": [body | more]},
        "is_outfile_append": False,
    }


def refusal(tree: dict[str, Any], limits: TreeLimits | None = None) -> str:
    with pytest.raises(QueryRefused) as caught:
        examine(tree, Nothing(), functions=FUNCTIONS, limits=limits)
    return caught.value.message


def test_a_plain_tree_passes_without_its_format() -> None:
    tree = select(literal(1)) | {"format_ast": {"type": "Identifier", "name": "json"}}
    examined = examine(tree, Nothing(), functions=FUNCTIONS)
    assert examined.format == "JSON"
    assert "format_ast" not in examined.tree


@pytest.mark.parametrize(
    "tree",
    [
        {"type": "SelectQuery"},
        {"type": "Subquery"},
        {},
        select({"type": "Hologram"}),
        select({"type": "Identifier", "name": "a", "extra": 1}),
        select(literal(1) | {"custom": "x"}),
        select({"type": "TableIdentifier", "name": "secret"}),
        select({"type": "Function", "name": "lower", "subquery": {}}),
        select(literal(1), settings={"type": "SetQuery"}),
        select(literal(1), into={"type": "Identifier", "name": "x"}),
        select(literal(1)) | {"is_outfile_append": True},
        select(literal(1)) | {"out_file": literal("x", "String")},
        select({"type": "Subquery", "children": [{"type": "InsertQuery"}]}),
        select({"type": "QueryParameter", "name": "a", "param_type": "Identifier"}),
    ],
)
def test_unknown_types_and_keys_are_refused_by_absence(tree: dict[str, Any]) -> None:
    assert refusal(tree).endswith(".")


def test_inner_format_is_refused() -> None:
    inner = select(literal(1)) | {"format_ast": {"type": "Identifier", "name": "JSON"}}
    tree = select({"type": "Subquery", "children": [inner]})
    assert refusal(tree) == "FORMAT can only stand at the end of the whole query."


def test_parts_and_depth_are_counted() -> None:
    elements = [{"field_type": "UInt64", "value": 1}] * 50
    assert "more than 40 parts" in refusal(select(literal(elements, "Array")), TreeLimits(9, 40))
    tree = literal(1)
    for _ in range(11):
        arguments = {"type": "ExpressionList", "children": [tree]}
        tree = {"type": "Function", "name": "lower", "arguments": arguments}
    assert "nested more than 9 levels" in refusal(select(tree), TreeLimits(9, 400))


def test_lists_inside_lists_are_counted() -> None:
    inner = {"field_type": "Array", "value": [{"field_type": "UInt64", "value": 1}] * 30}
    tree = select(literal([inner, inner], "Array"))
    assert "more than 40 parts" in refusal(tree, TreeLimits(9, 40))
    assert examine(tree, Nothing(), functions=FUNCTIONS, limits=TreeLimits(9, 80)).references == ()
