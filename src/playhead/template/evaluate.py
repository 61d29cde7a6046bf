"""From the checked tree of an expression to nested functions that compute it, made once per template.

Nothing is compiled or run by Python: a node becomes a function of ours that asks the functions of its parts.
"""

import ast
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from playhead.template import comprehension, stars
from playhead.template.callee import KINDS, Callee
from playhead.template.expression import FUNCTION_AT, Mode, format_spec
from playhead.template.methods import call_method, formatted, kind_of
from playhead.template.operators import BINARY, COMPARISONS, UNARY, Operator
from playhead.template.placeholders import Placeholder
from playhead.template.rendering import TemplateInvalid
from playhead.template.scope import Scope
from playhead.template.syntax import Position
from playhead.template.values import Named
from playhead.template.weight import weigh

Evaluate = Callable[[Scope], Any]
Function = Callable[..., Any]


class Functions(msgspec.Struct, frozen=True):
    """What a template may call, by name."""

    output: Mapping[str, Function]
    statement: Mapping[str, Function]


def evaluation(node: ast.expr, position: Position, mode: Mode, functions: Functions) -> Evaluate:
    """Return the function that computes a tree that `read_expression` has checked."""
    return _Evaluation(functions, position).of(node, mode)


class _Evaluation:
    """Makes the functions of one expression."""

    def __init__(self, functions: Functions, position: Position) -> None:
        self.functions = functions
        self.position = position

    def of(self, node: ast.expr, mode: Mode) -> Evaluate:
        return _MAKERS[type(node)](self, node, mode)

    def constant(self, node: ast.Constant, _mode: Mode) -> Evaluate:
        value = node.value
        return lambda _scope: value

    def name(self, node: ast.Name, _mode: Mode) -> Evaluate:
        name, line = node.id, self.position.line

        def run(scope: Scope) -> Any:
            value = scope.names.get(name)
            if value is None and name not in scope.names:
                return scope.context.absent(name, line)
            return value

        return run

    def call(self, node: ast.Call, mode: Mode) -> Evaluate:
        if isinstance(node.func, ast.Attribute):
            return self.method(node, node.func, mode)
        assert isinstance(node.func, ast.Name)  # noqa: S101 - what the check let through
        name = node.func.id
        table = self.functions.output if mode == "output" else self.functions.statement
        function = table.get(name)
        if function is None:
            return self.unknown(name, node, mode)
        first = node.args[0] if node.args else None
        if (
            isinstance(first, ast.Name)
            and name not in FUNCTION_AT
            and all(isinstance(argument, ast.Constant) for argument in node.args[1:])
            and all(
                keyword.arg is not None and isinstance(keyword.value, ast.Constant)
                for keyword in node.keywords
            )
        ):
            return self.plain_call(name, first.id, function, node)
        arguments = self.arguments(node, mode, FUNCTION_AT.get(name), named=True)

        def run(scope: Scope) -> Any:
            context = scope.context
            context.spend()
            given, named = arguments(scope)
            for value in (*given, *named.values()):
                weigh(value.value if isinstance(value, Named) else value, context)
            try:
                return function(context, *given, **named)
            except TypeError as error:
                raise _misfit(name) from error

        return run

    def plain_call(self, name: str, first: str, function: Function, node: ast.Call) -> Evaluate:
        """Return the call nearly every call is: a parameter, then constants."""
        rest = [part.value for part in node.args[1:] if isinstance(part, ast.Constant)]
        kwargs = {
            str(one.arg): one.value.value
            for one in node.keywords
            if isinstance(one.value, ast.Constant)
        }

        def run(scope: Scope) -> Any:
            context = scope.context
            context.spend()
            try:
                return function(context, Named(first, scope.names.get(first)), *rest, **kwargs)
            except TypeError as error:
                raise _misfit(name) from error

        return run

    def unknown(self, name: str, node: ast.Call, mode: Mode) -> Evaluate:
        """Return the call of a name that is no function of ours: a `lambda` may have been set to it."""
        line = self.position.line
        arguments = self.arguments(node, mode)

        def run(scope: Scope) -> Any:
            function = scope.names.get(name)
            if not isinstance(function, Callee):
                raise Placeholder(name, line).called()
            given, named = arguments(scope)
            if named:
                raise _misfit(name)
            return function.call(scope.context, *given)

        return run

    def arguments(
        self, node: ast.Call, mode: Mode, function_at: int | None = None, *, named: bool = False
    ) -> stars.Arguments:
        """Return the function of a call's arguments; with `named` the first one tells its name."""
        first = self.argument if named else self.of
        args = [
            (self.function_value if at == function_at else self.of if at else first)(part, mode)
            for at, part in enumerate(stars.unstarred(node.args))
        ]
        kwargs = [
            (
                one.arg,
                (self.function_value if one.arg == "key" else self.of)(one.value, "statement"),
            )
            for one in node.keywords
        ]
        marked = [isinstance(part, ast.Starred) for part in node.args]
        if any(marked) or any(key is None for key, _ in kwargs):
            return stars.spread(list(zip(marked, args, strict=True)), kwargs)
        plain = [(str(key), value) for key, value in kwargs]
        return lambda scope: (
            [argument(scope) for argument in args],
            {key: argument(scope) for key, argument in plain},
        )

    def function_value(self, node: ast.expr, mode: Mode) -> Evaluate:
        """Return the function of an argument that is a function: `len`, `str.lower`, a `lambda`."""
        if isinstance(node, ast.Attribute):
            method = node.attr
            by_method = Callee(
                method,
                lambda context, value, *args: call_method(method, value, context, list(args), {}),
            )
            return lambda _scope: by_method
        if isinstance(node, ast.Name) and node.id in self.functions.statement:
            name, function = node.id, self.functions.statement[node.id]
            built_in = Callee(name, function, KINDS.get(name, ()))
            return lambda scope: scope.names.get(name, built_in)
        if isinstance(node, ast.Tuple):
            parts = [self.function_value(part, mode) for part in stars.unstarred(node.elts)]
            return lambda scope: tuple(part(scope) for part in parts)
        return self.of(node, mode)

    def function(self, node: ast.Lambda, mode: Mode) -> Evaluate:
        return comprehension.function(node, lambda part: self.of(part, mode))

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, mode: Mode
    ) -> Evaluate:
        return comprehension.comprehension(node, lambda part: self.of(part, mode))

    def argument(self, node: ast.expr, mode: Mode) -> Evaluate:
        """Return the function of a first argument: of a bare name the callee learns the name too."""
        if not isinstance(node, ast.Name):
            return self.of(node, mode)
        name = node.id
        return lambda scope: Named(name, scope.names.get(name))

    def method(self, node: ast.Call, func: ast.Attribute, mode: Mode) -> Evaluate:
        value = self.of(func.value, mode)
        name = func.attr
        arguments = self.arguments(node, mode)

        def run(scope: Scope) -> Any:
            receiver = value(scope)
            given, named = arguments(scope)
            return call_method(name, receiver, scope.context, given, named)

        return run

    def binary(self, node: ast.BinOp, mode: Mode) -> Evaluate:
        left, right = self.of(node.left, mode), self.of(node.right, mode)
        compute = BINARY[type(node.op)]
        return lambda scope: applied(compute, left(scope), right(scope), scope)

    def unary(self, node: ast.UnaryOp, mode: Mode) -> Evaluate:
        operand = self.of(node.operand, mode)
        compute = UNARY[type(node.op)]
        return lambda scope: compute(operand(scope), scope.context)

    def boolean(self, node: ast.BoolOp, mode: Mode) -> Evaluate:
        parts = [self.of(value, mode) for value in node.values]
        ends_when_true = isinstance(node.op, ast.Or)

        def run(scope: Scope) -> Any:
            value: Any = None
            for part in parts:
                value = part(scope)
                if bool(value) is ends_when_true:
                    break
            return value

        return run

    def comparison(self, node: ast.Compare, mode: Mode) -> Evaluate:
        first = self.of(node.left, mode)
        rest = [
            (COMPARISONS[type(op)], self.of(right, mode))
            for op, right in zip(node.ops, node.comparators, strict=True)
        ]

        def run(scope: Scope) -> Any:
            left = first(scope)
            outcome: Any = True
            for compare, evaluate in rest:
                right = evaluate(scope)
                outcome = applied(compare, left, right, scope)
                if not outcome:
                    break
                left = right
            return outcome

        return run

    def choice(self, node: ast.IfExp, mode: Mode) -> Evaluate:
        test, body, other = (self.of(part, mode) for part in (node.test, node.body, node.orelse))
        return lambda scope: body(scope) if test(scope) else other(scope)

    def subscript(self, node: ast.Subscript, mode: Mode) -> Evaluate:
        value, index = self.of(node.value, mode), self.of(node.slice, mode)
        return lambda scope: _item(value(scope), index(scope), scope)

    def cut(self, node: ast.Slice, mode: Mode) -> Evaluate:
        ends = [self.of(end, mode) if end else None for end in (node.lower, node.upper, node.step)]
        return lambda scope: slice(*(end(scope) if end else None for end in ends))

    def sequence(self, node: ast.List | ast.Tuple | ast.Set, mode: Mode) -> Evaluate:
        parts = [self.of(part, mode) for part in stars.unstarred(node.elts)]
        marked = [isinstance(part, ast.Starred) for part in node.elts]
        spread = stars.spread(list(zip(marked, parts, strict=True)), []) if any(marked) else None
        kind: Callable[[list[Any]], Any] = _DISPLAYS[type(node)]

        def run(scope: Scope) -> Any:
            scope.context.spend(len(parts))
            items = spread(scope)[0] if spread else [part(scope) for part in parts]
            if kind is set:
                weigh(items, scope.context)
            return kind(items)

        return run

    def dictionary(self, node: ast.Dict, mode: Mode) -> Evaluate:
        pairs = [
            (self.of(key, mode) if key is not None else None, self.of(value, mode))
            for key, value in zip(node.keys, node.values, strict=True)
        ]

        def run(scope: Scope) -> Any:
            made: dict[Any, Any] = {}
            for key_of, value_of in pairs:
                if key_of is None:
                    made.update(stars.mapping(value_of(scope), scope))
                    continue
                key = key_of(scope)
                weigh(key, scope.context)
                made[key] = value_of(scope)
            return made

        return run

    def joined(self, node: ast.JoinedStr, mode: Mode) -> Evaluate:
        parts = [self.of(part, mode) for part in node.values]

        def run(scope: Scope) -> Any:
            texts = [part(scope) for part in parts]
            scope.context.make(sum(map(len, texts)))
            return "".join(texts)

        return run

    def formatted(self, node: ast.FormattedValue, mode: Mode) -> Evaluate:
        evaluate = self.of(node.value, mode)
        spec = format_spec(node) or ""
        quoted = node.conversion == ord("r")

        def run(scope: Scope) -> str:
            value = evaluate(scope)
            if quoted:
                weigh(value, scope.context)
                value = repr(value)
            return formatted(value, spec, scope.context)

        return run


def applied(compute: Operator, left: Any, right: Any, scope: Scope) -> Any:
    """Return what an operator makes of two values; TypeError, in words for an author."""
    try:
        return compute(left, right, scope.context)
    except TypeError as error:
        # Said here, not by Python: the classes behind the values tell an author nothing.
        raise TypeError(f"{kind_of(left)} and {kind_of(right)} do not go together here") from error


def _item(value: Any, index: Any, scope: Scope) -> Any:
    if isinstance(value, Placeholder):
        return value[0]
    if not isinstance(value, str | list | tuple | dict | range):
        raise TypeError(f"{kind_of(value)} has no parts")
    if isinstance(index, slice):
        scope.context.make(len(value))
    else:
        weigh(index, scope.context)
    return value[index]


def _misfit(name: str) -> TemplateInvalid:
    """Return the error of a call; Python's text names our own functions, so it stays inside."""
    return TemplateInvalid(
        f"{name}() does not take these arguments.",
        hint=f"docs/reference/templates.md says what {name} takes.",
    )


_DISPLAYS: dict[type[ast.expr], Callable[[list[Any]], Any]] = {
    ast.List: list,
    ast.Tuple: tuple,
    ast.Set: set,
}
_MAKERS: dict[type[ast.expr], Callable[[_Evaluation, Any, Mode], Evaluate]] = {
    ast.BinOp: _Evaluation.binary,
    ast.BoolOp: _Evaluation.boolean,
    ast.Call: _Evaluation.call,
    ast.Compare: _Evaluation.comparison,
    ast.Constant: _Evaluation.constant,
    ast.Dict: _Evaluation.dictionary,
    ast.DictComp: _Evaluation.comprehension,
    ast.FormattedValue: _Evaluation.formatted,
    ast.GeneratorExp: _Evaluation.comprehension,
    ast.IfExp: _Evaluation.choice,
    ast.JoinedStr: _Evaluation.joined,
    ast.Lambda: _Evaluation.function,
    ast.List: _Evaluation.sequence,
    ast.ListComp: _Evaluation.comprehension,
    ast.Name: _Evaluation.name,
    ast.Set: _Evaluation.sequence,
    ast.SetComp: _Evaluation.comprehension,
    ast.Slice: _Evaluation.cut,
    ast.Subscript: _Evaluation.subscript,
    ast.Tuple: _Evaluation.sequence,
    ast.UnaryOp: _Evaluation.unary,
}
