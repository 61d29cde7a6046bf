"""From the text of an expression to a tree whose every node is on a list.

Python's own parser makes the tree; nothing is ever compiled or run by Python. A tree that passed here holds
only constants, names, calls by name or by a listed method, and the operators below.
"""

import ast
from collections.abc import Callable, Container
from typing import Any, Literal, TypeVar

from playhead.template.methods import FORMAT_SPEC, METHODS
from playhead.template.rendering import TemplateInvalid
from playhead.template.syntax import Position, invalid
from playhead.template.weight import is_whole

_Tree = TypeVar("_Tree")

SOURCE_MAX = 65_536
"""Longest expression, in characters."""
DEPTH_MAX = 120
"""Deepest nesting of an expression; a sum of n terms is n deep."""
INTEGER_BITS_MAX = 1_024
"""Largest integer, in bits."""

Mode = Literal["output", "statement"]
"""`{{ }}` takes a short list of forms, `{% %}` a longer one (pipes.md 2.2)."""

OUTPUT_METHODS = frozenset({"split", "get", "join", "replace"})
_STATEMENT_ONLY = (
    ast.BoolOp, ast.Compare, ast.DictComp, ast.GeneratorExp, ast.Lambda, ast.ListComp, ast.SetComp,
    ast.Starred,
)  # fmt: skip
FUNCTION_AT = {"filter": 0, "isinstance": 1, "map": 0}
"""Which argument is a function, or kinds; so is every keyword `key`."""
_OPERATORS: dict[Mode, tuple[type[ast.operator], ...]] = {
    "output": (ast.Add, ast.Sub, ast.Mult),
    "statement": (
        ast.Add,
        ast.Sub,
        ast.Mult,
        ast.Div,
        ast.FloorDiv,
        ast.Mod,
        ast.Pow,
        ast.BitAnd,
        ast.BitOr,
        ast.BitXor,
    ),
}
_SIGNS: dict[Mode, tuple[type[ast.unaryop], ...]] = {
    "output": (ast.USub, ast.Not),
    "statement": (ast.USub, ast.UAdd, ast.Not),
}
_FRAMES = frozenset(
    {
        "ag_await", "ag_code", "ag_frame", "cr_await", "cr_code", "cr_frame", "cr_origin", "f_back",
        "f_builtins", "f_code", "f_globals", "f_locals", "f_trace", "func_code", "func_globals",
        "gi_code", "gi_frame", "gi_yieldfrom", "mro", "tb_frame", "tb_next",
    }
)  # fmt: skip
_PYTHON_ONLY = frozenset(
    {
        "breakpoint", "classmethod", "compile", "delattr", "dir", "eval", "exec", "exit", "getattr",
        "globals", "help", "input", "locals", "memoryview", "object", "open", "print", "property",
        "quit", "setattr", "staticmethod", "super", "type", "vars",
    }
)  # fmt: skip


def read_expression(
    source: str, position: Position, *, mode: Mode, functions: Container[str]
) -> ast.expr:
    """Return the checked tree of an expression; TemplateInvalid says what is not allowed in it.

    `functions` are the names a `{{ }}` may call.
    """
    tree = _parsed(source, position, lambda text: ast.parse(text, "<template>", "eval").body)
    _Check(position, functions).visit(tree, mode, 0)
    return tree


def read_statement(source: str, position: Position, *, functions: Container[str]) -> ast.stmt:
    """Return the one statement of a text, what it holds checked."""
    body = _parsed(source, position, lambda text: ast.parse(text, "<template>", "exec").body)
    if len(body) != 1:
        raise invalid(f"Invalid statement: {_short(source)}", position)
    statement = body[0]
    check = _Check(position, functions)
    for field in ("value", "iter"):
        inside = getattr(statement, field, None)
        if isinstance(inside, ast.expr):
            check.visit(inside, "statement", 0)
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            check.target(target, 0)
    elif isinstance(statement, ast.AugAssign | ast.For):
        check.target(statement.target, 0)
    return statement


def call_name(node: ast.Call) -> str | None:
    """Return the name of the function a call names, None for a method."""
    return node.func.id if isinstance(node.func, ast.Name) else None


def _parsed(source: str, position: Position, parse: Callable[[str], _Tree]) -> _Tree:
    if len(source) > SOURCE_MAX:
        raise invalid(f"An expression is longer than {SOURCE_MAX} characters", position)
    try:
        try:
            return parse(source)
        except SyntaxError:
            if "\n" not in source:
                raise
            # A condition over several lines needs no brackets here.
            return parse(source.replace("\n", " "))
    except SyntaxError as error:
        reason = _short(error.msg)[1:-1]
        raise invalid(f"Invalid syntax in {_short(source)}: {reason}", position) from None
    except (ValueError, RecursionError, MemoryError):
        raise invalid(f"Invalid syntax in {_short(source)}", position) from None


def _short(source: str) -> str:
    return repr(source if len(source) <= 80 else source[:77] + "...")


def _written(node: ast.expr) -> str:
    """Return the source of a node, shortened; it may be deeper than Python can write."""
    try:
        return _short(ast.unparse(node))
    except RecursionError:
        return "too deep"


def _refuse_hidden(name: str, what: str, position: Position) -> None:
    if (name.startswith("__") and not name.startswith("__tb__")) or name in _FRAMES:
        raise invalid(f"Invalid {what}: {name}", position)


class _Check:
    """Visits every node once and refuses what is on no list."""

    def __init__(self, position: Position, functions: Container[str]) -> None:
        self.position = position
        self.functions = functions

    def visit(self, node: ast.AST, mode: Mode, depth: int) -> None:
        """Check a node and what it holds."""
        if depth > DEPTH_MAX:
            raise self.problem(f"An expression is nested deeper than {DEPTH_MAX} levels")
        check = _CHECKS.get(type(node))
        if check is None:
            raise self.problem(f"Invalid expression: {type(node).__name__}")
        if mode == "output" and isinstance(node, _STATEMENT_ONLY):
            raise self.problem(f"Invalid expression in {{{{ }}}}: {type(node).__name__}")
        check(self, node, mode, depth)

    def problem(self, message: str) -> TemplateInvalid:
        return invalid(message, self.position)

    def children(self, node: ast.AST, mode: Mode, depth: int) -> None:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, _SILENT):
                self.visit(child, mode, depth + 1)

    def part(self, node: ast.expr, mode: Mode, depth: int) -> None:
        """Check an argument or an item, which may have a star in `{% %}`."""
        starred = isinstance(node, ast.Starred) and mode == "statement"
        self.visit(node.value if starred else node, mode, depth + 1)  # type: ignore[attr-defined]

    def sequence(self, node: ast.List | ast.Set | ast.Tuple, mode: Mode, depth: int) -> None:
        for part in node.elts:
            self.part(part, mode, depth)

    def constant(self, node: ast.Constant, _mode: Mode, _depth: int) -> None:
        value = node.value
        if not (value is None or isinstance(value, str | int | float)):
            raise self.problem(f"Invalid constant: {_short(repr(value))}")
        if isinstance(value, str) and not is_whole(value):
            raise self.problem("Invalid constant: half a character")
        if isinstance(value, int) and value.bit_length() > INTEGER_BITS_MAX:
            raise self.problem(f"A number has more than {INTEGER_BITS_MAX} bits")

    def name(self, node: ast.Name, _mode: Mode, _depth: int) -> None:
        _refuse_hidden(node.id, "name", self.position)

    def binary(self, node: ast.BinOp, mode: Mode, depth: int) -> None:
        if not isinstance(node.op, _OPERATORS[mode]):
            raise self.problem(f"Invalid BinOp: {ast.dump(node.op)}")
        self.children(node, mode, depth)

    def unary(self, node: ast.UnaryOp, mode: Mode, depth: int) -> None:
        if not isinstance(node.op, _SIGNS[mode]):
            raise self.problem(f"Invalid UnaryOp: {ast.dump(node.op)}")
        self.children(node, mode, depth)

    def subscript(self, node: ast.Subscript, mode: Mode, depth: int) -> None:
        index = node.slice
        if mode == "output" and not isinstance(index, ast.Constant | ast.Subscript | ast.Slice):
            raise self.problem(f"Invalid index: {_written(index)}")
        self.children(node, mode, depth)

    def call(self, node: ast.Call, mode: Mode, depth: int) -> None:
        if isinstance(node.func, ast.Name):
            self.function(node.func.id, mode)
        elif isinstance(node.func, ast.Attribute):
            self.method(node.func, mode, depth)
        else:
            raise self.problem(f"Invalid function: {_written(node.func)}")
        function_at = FUNCTION_AT.get(call_name(node) or "")
        for at, argument in enumerate(node.args):
            if at != function_at or not self.is_method_of_a_type(argument):
                self.part(argument, mode, depth)
        seen: set[str] = set()
        for keyword in node.keywords:
            self.keyword(keyword, seen, mode)
            # The reference's allow-list of {{ }} does not look at the values of keywords.
            if keyword.arg != "key" or not self.is_method_of_a_type(keyword.value):
                self.visit(keyword.value, "statement", depth + 1)

    def keyword(self, keyword: ast.keyword, seen: set[str], mode: Mode) -> None:
        if keyword.arg is None:
            if mode == "output":
                raise self.problem("Invalid keyword: **")
        elif keyword.arg in seen or keyword.arg.startswith("_"):
            raise self.problem(f"Invalid keyword: {keyword.arg}")
        else:
            seen.add(keyword.arg)

    def is_method_of_a_type(self, node: ast.expr) -> bool:
        """Whether a function is named as `str.lower`."""
        return (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in {"str", "dict", "list"}
            and node.attr in METHODS
        )

    def function(self, name: str, mode: Mode) -> None:
        hidden = name.startswith("__") or name in _PYTHON_ONLY
        if hidden or (mode == "output" and name not in self.functions):
            raise self.problem(f"Invalid function name: {name}")

    def method(self, node: ast.Attribute, mode: Mode, depth: int) -> None:
        _refuse_hidden(node.attr, "attribute", self.position)
        if node.attr not in (OUTPUT_METHODS if mode == "output" else METHODS):
            raise self.problem(f"Invalid method name: {node.attr}")
        self.visit(node.value, mode, depth + 1)

    def attribute(self, node: ast.Attribute, _mode: Mode, _depth: int) -> None:
        raise self.problem(f"Invalid attribute: {node.attr}")

    def dictionary(self, node: ast.Dict, mode: Mode, depth: int) -> None:
        if mode == "output" and None in node.keys:
            raise self.problem("Invalid dictionary: ** is not allowed")
        self.children(node, mode, depth)

    def comprehension(
        self,
        node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp,
        mode: Mode,
        depth: int,
    ) -> None:
        for part in node.generators:
            if part.is_async:
                raise self.problem("Invalid expression: async")
            self.target(part.target, depth + 1, names_only=True)
            for inside in (part.iter, *part.ifs):
                self.visit(inside, mode, depth + 1)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for inside in parts:
            self.visit(inside, mode, depth + 1)

    def function_value(self, node: ast.Lambda, mode: Mode, depth: int) -> None:
        taken = node.args
        if taken.vararg or taken.kwarg or taken.kwonlyargs:
            raise self.problem("Invalid lambda: it takes plain names")
        for one in (*taken.posonlyargs, *taken.args):
            _refuse_hidden(one.arg, "name", self.position)
        for inside in (*taken.defaults, node.body):
            self.visit(inside, mode, depth + 1)

    def target(self, node: ast.expr, depth: int, *, names_only: bool = False) -> None:
        """Check what is given a value: names, tuples of names, `x['key']`."""
        if depth > DEPTH_MAX:
            raise self.problem(f"An expression is nested deeper than {DEPTH_MAX} levels")
        if isinstance(node, ast.Name):
            _refuse_hidden(node.id, "name", self.position)
        elif isinstance(node, ast.Tuple | ast.List):
            for part in node.elts:
                inner = part.value if isinstance(part, ast.Starred) else part
                self.target(inner, depth + 1, names_only=names_only)
            if sum(isinstance(part, ast.Starred) for part in node.elts) > 1:
                raise self.problem("Only one name of a tuple can have a star")
        elif isinstance(node, ast.Subscript) and not names_only:
            self.visit(node, "statement", depth + 1)
        else:
            raise self.problem("Only names can be given a value")

    def formatted(self, node: ast.FormattedValue, mode: Mode, depth: int) -> None:
        if format_spec(node) is None or node.conversion not in _CONVERSIONS:
            raise self.problem("Invalid format in an f-string")
        self.visit(node.value, mode, depth + 1)


def format_spec(node: ast.FormattedValue) -> str | None:
    """Return what stands after the colon of a field, None when it is not allowed."""
    if node.format_spec is None:
        return ""
    parts = node.format_spec.values if isinstance(node.format_spec, ast.JoinedStr) else []
    if len(parts) != 1 or not isinstance(parts[0], ast.Constant):
        return None
    spec = str(parts[0].value)
    return spec if FORMAT_SPEC.fullmatch(spec) else None


_CONVERSIONS = (-1, ord("s"), ord("r"))
_SILENT = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
_CHECKS: dict[type[ast.AST], Callable[[_Check, Any, Mode, int], None]] = {
    ast.Attribute: _Check.attribute,
    ast.BinOp: _Check.binary,
    ast.BoolOp: _Check.children,
    ast.Call: _Check.call,
    ast.Compare: _Check.children,
    ast.DictComp: _Check.comprehension,
    ast.GeneratorExp: _Check.comprehension,
    ast.Lambda: _Check.function_value,
    ast.ListComp: _Check.comprehension,
    ast.SetComp: _Check.comprehension,
    ast.Constant: _Check.constant,
    ast.Dict: _Check.dictionary,
    ast.FormattedValue: _Check.formatted,
    ast.IfExp: _Check.children,
    ast.JoinedStr: _Check.children,
    ast.List: _Check.sequence,
    ast.Name: _Check.name,
    ast.Set: _Check.sequence,
    ast.Slice: _Check.children,
    ast.Subscript: _Check.subscript,
    ast.Tuple: _Check.sequence,
    ast.UnaryOp: _Check.unary,
}
