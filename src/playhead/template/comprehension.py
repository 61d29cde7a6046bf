"""Comprehensions and `lambda`: what gives names a value for a while."""

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playhead.template.callee import Callee
from playhead.template.context import Context
from playhead.template.methods import walked
from playhead.template.scope import Scope
from playhead.template.target import Give, giving, names_in
from playhead.template.weight import weigh

Evaluate = Callable[[Scope], Any]
Of = Callable[[ast.expr], Evaluate]
_Level = tuple[Give, Evaluate, tuple[Evaluate, ...]]
_Add = Callable[[Scope], None]
_GONE = object()


class Drawn(list[Any]):
    """What a generator expression gives: all of it, made at once, within the budget."""


_KINDS: dict[type[ast.expr], Callable[[list[Any]], Any]] = {
    ast.ListComp: list,
    ast.SetComp: set,
    ast.GeneratorExp: Drawn,
    ast.DictComp: dict,
}


def comprehension(
    node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, of: Of
) -> Evaluate:
    """Return the function that makes the list, set or dictionary; its names end with it."""
    levels: list[_Level] = [
        (giving(part.target, of), of(part.iter), tuple(of(test) for test in part.ifs))
        for part in node.generators
    ]
    names = tuple(name for part in node.generators for name in names_in(part.target))
    kind = _KINDS[type(node)]
    key_of = of(node.key) if isinstance(node, ast.DictComp) else None
    value_of = of(node.value if isinstance(node, ast.DictComp) else node.elt)
    hashes = kind is set

    def run(scope: Scope) -> Any:
        made: list[Any] = []

        def add(scope: Scope) -> None:
            if key_of is not None:
                key = key_of(scope)
                weigh(key, scope.context)
                made.append((key, value_of(scope)))
                return
            value = value_of(scope)
            if hashes:
                weigh(value, scope.context)
            made.append(value)

        with _lent(scope, names):
            _fill(scope, levels, 0, add)
        return kind(made)

    return run


def _fill(scope: Scope, levels: list[_Level], level: int, add: _Add) -> None:
    if level == len(levels):
        add(scope)
        return
    give, items, tests = levels[level]
    for item in walked(items(scope)):
        scope.context.spend()
        give(item, scope)
        if all(test(scope) for test in tests):
            _fill(scope, levels, level + 1, add)


def function(node: ast.Lambda, of: Of) -> Evaluate:
    """Return the function that makes a `lambda`."""
    names = tuple(one.arg for one in (*node.args.posonlyargs, *node.args.args))
    defaults = [of(one) for one in node.args.defaults]
    body = of(node.body)

    def run(scope: Scope) -> Callee:
        usual = [default(scope) for default in defaults]

        def call(_: Context, *args: Any) -> Any:
            missing = len(names) - len(args)
            if not 0 <= missing <= len(usual):
                raise ValueError(f"a lambda of {len(names)} arguments got {len(args)}")
            given = [*args, *usual[len(usual) - missing :]]
            with _lent(scope, names):
                scope.names.update(zip(names, given, strict=True))
                return body(scope)

        return Callee("lambda", call)

    return run


@contextmanager
def _lent(scope: Scope, names: tuple[str, ...]) -> Iterator[None]:
    """Give names back what they had before."""
    before = [(name, scope.names.get(name, _GONE)) for name in names]
    try:
        yield
    finally:
        for name, value in before:
            if value is _GONE:
                scope.names.pop(name, None)
            else:
                scope.names[name] = value
