"""From the pieces of a template to the steps of a rendering, made once per template.

A step is given the `Scope` of one rendering and adds to it; it returns whether a loop is to be left or gone
on with. What Python raises in an expression leaves a step as a TemplateInvalid with its line.
"""

import ast
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import TypeVar

from playhead.template.evaluate import Evaluate, Functions, applied, evaluation
from playhead.template.expression import Mode, read_expression
from playhead.template.methods import walked
from playhead.template.operators import BINARY
from playhead.template.rendering import CustomRefusal, TemplateInvalid, TemplateRefused
from playhead.template.scope import Scope
from playhead.template.statement import (
    Handler,
    Loop,
    Setting,
    read_handler,
    read_loop,
    read_setting,
)
from playhead.template.syntax import (
    Assignment,
    Block,
    Branch,
    Output,
    Piece,
    Position,
    Text,
    invalid,
)
from playhead.template.target import giving
from playhead.template.values import wrapped
from playhead.template.weight import SCALARS, weigh

REASON_MAX = 200
"""Longest reason taken from an error of an expression, in characters."""


class Signal(Enum):
    """How a step leaves the body it stands in."""

    BREAK = 1
    CONTINUE = 2


T = TypeVar("T")
Step = Callable[[Scope], Signal | None]

_PYTHON = (
    TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RuntimeError, MemoryError,
)  # fmt: skip


class Trees:
    """The checked trees of a template's expressions, each read once."""

    def __init__(self, node: str, functions: Functions) -> None:
        self.node = node
        self.functions = functions
        self._expressions: dict[tuple[str, int, Mode], ast.expr] = {}
        self._loops: dict[tuple[str, int], Loop] = {}
        self._settings: dict[tuple[str, int], Setting] = {}

    def position(self, line: int) -> Position:
        """Return the position of a line of this template."""
        return Position(self.node, line)

    def expression(self, source: str, line: int, mode: Mode) -> ast.expr:
        """Return the tree of an expression; TemplateInvalid when there is none."""
        key = (source, line, mode)
        if key not in self._expressions:
            self._expressions[key] = read_expression(
                source, self.position(line), mode=mode, functions=self.functions.output
            )
        return self._expressions[key]

    def loop(self, source: str, line: int) -> Loop:
        """Return the head of a `for`."""
        key = (source, line)
        if key not in self._loops:
            self._loops[key] = read_loop(source, self.position(line), self.functions.output)
        return self._loops[key]

    def setting(self, source: str, line: int) -> Setting:
        """Return what a `set` says."""
        key = (source, line)
        if key not in self._settings:
            self._settings[key] = read_setting(source, self.position(line), self.functions.output)
        return self._settings[key]


def program(pieces: tuple[Piece, ...], trees: Trees) -> Step:
    """Return the one step that renders a template."""
    return _Program(trees).body(pieces)


class _Program:
    def __init__(self, trees: Trees) -> None:
        self.trees = trees

    def body(self, pieces: tuple[Piece, ...]) -> Step:
        steps = tuple(self.step(piece) for piece in pieces)
        count = len(steps)

        def run(scope: Scope) -> Signal | None:
            scope.context.spend(count)
            for step in steps:
                signal = step(scope)
                if signal is not None:
                    return signal
            return None

        return run

    def step(self, piece: Piece) -> Step:
        if isinstance(piece, Text):
            return _text(piece.text)
        if isinstance(piece, Output):
            return self.output(piece)
        if isinstance(piece, Assignment):
            return self.assignment(piece)
        if isinstance(piece, Block):
            return {
                "if": self.condition, "for": self.loop, "while": self.repetition,
                "try": self.attempt,
            }[piece.kind](piece)  # fmt: skip
        signal = Signal.BREAK if piece.kind == "break" else Signal.CONTINUE
        return lambda _scope: signal

    def evaluate(self, source: str, line: int, mode: Mode) -> Evaluate:
        tree = self.trees.expression(source, line, mode)
        return evaluation(tree, self.trees.position(line), mode, self.trees.functions)

    def part(self, position: Position, tree: ast.expr) -> Evaluate:
        """Return the function of a part of a statement's head."""
        return evaluation(tree, position, "statement", self.trees.functions)

    def output(self, piece: Output) -> Step:
        evaluate = self.evaluate(piece.source, piece.line, "output")
        source, position = piece.source, self.trees.position(piece.line)

        def run(scope: Scope) -> None:
            value = evaluate(scope)
            if type(value) not in SCALARS:
                weigh(value, scope.context)
            scope.put_value(wrapped(value, scope.context, source))

        return _located(run, source, position)

    def test(self, branch: Branch) -> Evaluate:
        if not branch.source:
            raise invalid(f"{branch.word} without a condition", self.trees.position(branch.line))
        evaluate = self.evaluate(branch.source, branch.line, "statement")
        source, position = branch.source, self.trees.position(branch.line)

        def run(scope: Scope) -> bool:
            return bool(evaluate(scope))

        return _located(run, source, position)

    def condition(self, block: Block) -> Step:
        _no_more_after(block, ("else",), self.trees)
        arms = [
            (self.test(branch) if branch.word != "else" else None, self.body(branch.body))
            for branch in block.branches
        ]

        def run(scope: Scope) -> Signal | None:
            for test, body in arms:
                if test is None or test(scope):
                    return body(scope)
            return None

        return run

    def assignment(self, piece: Assignment) -> Step:
        setting = self.trees.setting(piece.source, piece.line)
        position = self.trees.position(piece.line)
        evaluate = evaluation(setting.value, position, "statement", self.trees.functions)
        compute = BINARY[setting.operator] if setting.operator else None
        source = piece.source
        evaluates = partial(self.part, position)
        gives = [giving(target, evaluates) for target in setting.targets]
        old_of = evaluates(setting.targets[0]) if compute else None

        def run(scope: Scope) -> None:
            value = evaluate(scope)
            if compute is not None and old_of is not None:
                value = applied(compute, old_of(scope), value, scope)
            for give in gives:
                give(value, scope)

        return _located(run, source, position)

    def loop(self, block: Block) -> Step:
        first, after = self.with_else(block)
        head = self.trees.loop(first.source, first.line)
        position = self.trees.position(first.line)
        evaluates = partial(self.part, position)
        items, give = evaluates(head.items), giving(head.target, evaluates)
        body = self.body(first.body)

        def run(scope: Scope) -> Signal | None:
            try:
                for item in walked(items(scope)):
                    scope.context.spend()
                    give(item, scope)
                    if body(scope) is Signal.BREAK:
                        return None
            except _PYTHON as error:
                raise _broken(f"for {first.source}", position, error) from error
            return after(scope) if after else None

        return run

    def repetition(self, block: Block) -> Step:
        first, after = self.with_else(block)
        test, body = self.test(first), self.body(first.body)

        def run(scope: Scope) -> Signal | None:
            while test(scope):
                scope.context.spend()
                if body(scope) is Signal.BREAK:
                    return None
            return after(scope) if after else None

        return run

    def with_else(self, block: Block) -> tuple[Branch, Step | None]:
        _no_more_after(block, ("else",), self.trees)
        branches = block.branches
        return branches[0], self.body(branches[1].body) if len(branches) > 1 else None

    def attempt(self, block: Block) -> Step:
        _in_order(block, self.trees)
        body = self.body(block.branches[0].body)
        handlers: list[tuple[Handler, Step]] = []
        other = last = None
        for branch in block.branches[1:]:
            if branch.word == "except":
                head = read_handler(branch.source, self.trees.position(branch.line))
                handlers.append((head, self.body(branch.body)))
            elif branch.word == "else":
                other = self.body(branch.body)
            else:
                last = self.body(branch.body)
        guarded = _guarded(body, handlers, other)
        return _finally(guarded, last) if last else guarded


def _text(text: str) -> Step:
    return lambda scope: scope.put_text(text)


def _guarded(body: Step, handlers: list[tuple[Handler, Step]], other: Step | None) -> Step:
    def run(scope: Scope) -> Signal | None:
        try:
            signal = body(scope)
        except (TemplateInvalid, TemplateRefused, CustomRefusal) as error:
            for head, handle in handlers:
                if head.catches(error):
                    if head.name is not None:
                        scope.names[head.name] = error.message
                    return handle(scope)
            raise
        return other(scope) if other is not None and signal is None else signal

    return run


def _finally(guarded: Step, last: Step) -> Step:
    def run(scope: Scope) -> Signal | None:
        try:
            signal = guarded(scope)
        except (TemplateInvalid, TemplateRefused, CustomRefusal):
            ending = last(scope)
            if ending is None:
                raise
            return ending
        return last(scope) or signal

    return run


def _no_more_after(block: Block, words: tuple[str, ...], trees: Trees) -> None:
    """Refuse what follows an `else`, and an `else` with a condition."""
    ended = False
    for branch in block.branches:
        if ended:
            raise invalid(f"{branch.word} after else", trees.position(branch.line))
        if branch.word in words:
            ended = True
            if branch.source:
                raise invalid("else takes no condition: use elif", trees.position(branch.line))


def _in_order(block: Block, trees: Trees) -> None:
    """Refuse parts of a `try` in an order Python does not know."""
    order = {"try": 0, "except": 1, "else": 2, "finally": 3}
    words = [order[branch.word] for branch in block.branches]
    for branch, word, before in zip(block.branches[1:], words[1:], words[:-1], strict=True):
        if word < before or (word == before and word != 1) or (word == 2 and before != 1):
            raise invalid(f"{branch.word} in the wrong place", trees.position(branch.line))
    if len(words) == 1:
        first = block.branches[0]
        raise invalid("try without except or finally", trees.position(first.line))


def _located(run: Callable[[Scope], T], source: str, position: Position) -> Callable[[Scope], T]:
    """Return a step whose faults say where in the template they are."""

    def located(scope: Scope) -> T:
        try:
            return run(scope)
        except TemplateInvalid as error:
            error.line = error.line or position.line
            raise
        except _PYTHON as error:
            raise _broken(source, position, error) from error

    return located


def _broken(source: str, position: Position, error: Exception) -> TemplateInvalid:
    """Return the error of an expression that cannot be computed with these parameters."""
    reason = str(error)[:REASON_MAX] or type(error).__name__
    if isinstance(error, KeyError):
        reason = f"there is no {reason}"
    if isinstance(error, RecursionError | MemoryError):
        reason = "it is too deep or too large"
    return invalid(f"{source[:REASON_MAX]!r} cannot be computed: {reason}", position)
