import ast

import pytest

from playhead.template.context import Context
from playhead.template.rendering import Inputs
from playhead.template.scope import Scope
from playhead.template.target import giving, names_in


def given(source: str, value: object, **names: object) -> dict[str, object]:
    statement = ast.parse(f"{source} = 0").body[0]
    assert isinstance(statement, ast.Assign)
    scope = Scope(Context(Inputs()))
    scope.names.update(names)
    give = giving(statement.targets[0], lambda node: lambda scope: eval_of(node, scope))
    give(value, scope)
    return scope.names


def eval_of(node: ast.expr, scope: Scope) -> object:
    return scope.names[node.id] if isinstance(node, ast.Name) else ast.literal_eval(node)


def test_names_get_values() -> None:
    assert given("a", 1) == {"a": 1}
    assert given("a, (b, *c)", [1, (2, 3, 4)]) == {"a": 1, "b": 2, "c": [3, 4]}
    assert given("*a, b", "x") == {"a": [], "b": "x"}


def test_items_get_values() -> None:
    assert given("a['k']", 1, a={}) == {"a": {"k": 1}}
    assert given("a[0]", 1, a=[0]) == {"a": [1]}


@pytest.mark.parametrize(
    ("source", "value"), [("a, b", [1]), ("a, *b, c", [1]), ("a, b", 5), ("a[0]", 1)]
)
def test_what_does_not_fit(source: str, value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        given(source, value, a="text")


def test_names_of_a_target() -> None:
    target = ast.parse("a, (b, *c), d[0]", mode="eval").body
    assert names_in(target) == ("a", "b", "c")
    assert names_in(ast.parse("d[0]", mode="eval").body) == ()
