"""Which parameters a template asks for, found by reading it (pipes.md 7, 14 and 15).

The order is the reference's, because an error sentence lists names in it: `{{ }}` as they come, a block's body
before its own condition, `elif` and `set` in place, and within an expression breadth first.
"""

import ast
from collections import deque
from collections.abc import Iterator
from typing import Any

import msgspec

from playhead.template.program import Trees
from playhead.template.rendering import Parameter
from playhead.template.syntax import Assignment, Block, Output, Piece
from playhead.template.target import names_in

DECLARING = frozenset(
    {"Array", "Boolean", "Date", "DateTime", "DateTime64", "Float32", "Float64", "JSON", "String"}
    | {f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64, 128, 256)}
)
"""A call of one of these declares its first argument, with its default."""
MENTIONING = frozenset(
    {
        "column", "columns", "date_diff_in_days", "date_diff_in_hours", "date_diff_in_minutes",
        "date_diff_in_seconds", "day_diff", "defined", "enumerate_with_last", "split_to_array",
        "sql_and",
    }
)  # fmt: skip
"""A call of one of these names its first argument, which is then never asked for."""
_WITH_DEFAULT = frozenset({"column", "columns"})


def discovered(pieces: tuple[Piece, ...], trees: Trees) -> tuple[Parameter, ...]:
    """Return every discovery in order; a name may be met more than once."""
    return tuple(_Discovery(trees).of(pieces))


def assigned(pieces: tuple[Piece, ...], trees: Trees) -> frozenset[str]:
    """Return the names a template gives a value itself, by `set`, `for` or in an expression."""
    names: set[str] = set()
    for piece in pieces:
        if isinstance(piece, Assignment):
            setting = trees.setting(piece.source, piece.line)
            for target in setting.targets:
                names.update(names_in(target))
            names |= _lent(setting.tree)
        elif isinstance(piece, Output):
            names |= _lent(trees.expression(piece.source, piece.line, "output"))
        elif isinstance(piece, Block):
            if piece.kind == "for":
                first = piece.branches[0]
                loop = trees.loop(first.source, first.line)
                names |= {*names_in(loop.target), *_lent(loop.tree)}
            for branch in piece.branches:
                if branch.word in ("if", "elif", "while"):
                    names |= _lent(trees.expression(branch.source, branch.line, "statement"))
                names |= assigned(branch.body, trees)
    return frozenset(names)


def _lent(tree: ast.AST) -> set[str]:
    """Return the names of comprehensions and lambdas, which have a value only within them."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.comprehension):
            names.update(names_in(node.target))
        elif isinstance(node, ast.Lambda):
            names.update(one.arg for one in (*node.args.posonlyargs, *node.args.args))
    return names


def merged(discoveries: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    """Return one parameter a name, in order: what its first declaration says, else its first mention."""
    found: dict[str, Parameter] = {}
    for one in discoveries:
        known = found.get(one.name)
        if known is None or (_weight(one) > _weight(known)):
            found[one.name] = one
    # A name that no type is asked for is a text.
    return tuple(
        one if one.type else msgspec.structs.replace(one, type="String") for one in found.values()
    )


def required_names(discoveries: tuple[Parameter, ...]) -> tuple[str, ...]:
    """Return the names the sentence about required parameters lists, in order."""
    return tuple(
        dict.fromkeys(one.name for one in discoveries if one.listed and not one.has_default)
    )


def _weight(parameter: Parameter) -> int:
    """Say how much a discovery knows: a name alone, a mention, a declaration."""
    if not parameter.listed:
        return 1
    return 2 if parameter.type != "" else 0


class _Discovery:
    def __init__(self, trees: Trees) -> None:
        self.trees = trees
        self.met: set[str] = set()
        """Names of earlier `{{ }}`: conditions do not declare them again."""

    def of(self, pieces: tuple[Piece, ...]) -> Iterator[Parameter]:
        for piece in pieces:
            if isinstance(piece, Output):
                tree = self.trees.expression(piece.source, piece.line, "output")
                if not isinstance(tree, ast.Name):
                    for one in _in_expression(tree):
                        self.met.add(one.name)
                        yield one
            elif isinstance(piece, Assignment):
                yield from self.unmet(self.trees.setting(piece.source, piece.line).tree)
            elif isinstance(piece, Block):
                yield from self.block(piece)

    def block(self, block: Block) -> Iterator[Parameter]:
        first, *others = block.branches
        yield from self.of(first.body)
        for branch in others:
            if branch.word == "elif":
                yield from self.unmet(
                    self.trees.expression(branch.source, branch.line, "statement")
                )
            yield from self.of(branch.body)
        if block.kind == "for":
            yield from self.unmet(self.trees.loop(first.source, first.line).tree)
        elif block.kind in ("if", "while"):
            yield from self.unmet(self.trees.expression(first.source, first.line, "statement"))

    def unmet(self, tree: ast.AST) -> Iterator[Parameter]:
        return (one for one in _in_expression(tree) if one.name not in self.met)


def _in_expression(tree: ast.AST) -> Iterator[Parameter]:
    waiting: deque[tuple[ast.AST, bool]] = deque([(tree, False)])
    while waiting:
        node, in_call = waiting.popleft()
        if isinstance(node, ast.Call):
            yield from _of_call(node)
            in_call = True
        elif isinstance(node, ast.Name) and not in_call:
            yield Parameter(name=node.id, type="")
        waiting.extend((child, in_call) for child in ast.iter_child_nodes(node))


def _of_call(call: ast.Call) -> Iterator[Parameter]:
    first = call.args[0] if call.args else None
    if not (isinstance(call.func, ast.Name) and isinstance(first, ast.Name)):
        return
    function = call.func.id
    keywords = {str(one.arg): one.value for one in call.keywords}
    if function in MENTIONING:
        default = _default(call, keywords, 1) if function in _WITH_DEFAULT else None
        yield _parameter(first.id, function, default, keywords, listed=False)
    elif function in DECLARING:
        default = _default(call, keywords, 2 if function == "Array" else 1)
        if function == "Array" and isinstance(default, ast.Constant) and not default.value:
            default = None
        item_type = _literal(call.args[1]) if function == "Array" and call.args[1:] else ""
        yield _parameter(
            first.id, function, default, keywords, item_type=str(item_type or "String")
        )


def _parameter(
    name: str,
    function: str,
    default: ast.expr | None,
    keywords: dict[str, ast.expr],
    *,
    listed: bool = True,
    item_type: str = "",
) -> Parameter:
    words = {key: _literal(value) for key, value in keywords.items()}
    choices = words.get("enum")
    return Parameter(
        name=name,
        type=function if listed else "String",
        default=None if default is None else _literal(default),
        has_default=default is not None,
        required=bool(words.get("required", False)),
        description=_text(words.get("description")),
        enum=tuple(map(str, choices)) if isinstance(choices, list | tuple) else (),
        example=_text(words.get("example")),
        format=_text(words.get("format")),
        item_type=item_type if function == "Array" else "",
        listed=listed,
    )


def _default(call: ast.Call, keywords: dict[str, ast.expr], place: int) -> ast.expr | None:
    """Return the default of a call; one that is None is none."""
    given = call.args[place] if len(call.args) > place else keywords.get("default")
    if isinstance(given, ast.Constant) and given.value is None:
        return None
    return given


def _literal(node: ast.expr) -> Any:
    """Return a constant, or a list, tuple or dictionary of constants; None for what is computed."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None


def _text(value: Any) -> str:
    return "" if value is None else str(value)
