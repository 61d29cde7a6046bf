"""The operators of expressions, each charged before it does anything."""

import ast
import operator
from collections.abc import Callable
from typing import Any

from playhead.template.context import Context
from playhead.template.expression import INTEGER_BITS_MAX
from playhead.template.methods import filled
from playhead.template.rendering import TemplateRefused
from playhead.template.weight import SCALARS, weigh

Operator = Callable[[Any, Any, Context], Any]


def add(left: Any, right: Any, context: Context) -> Any:
    """Return the sum of numbers, or two texts or lists one after the other."""
    _room_for(left, right, context)
    return left + right


def subtract(left: Any, right: Any, context: Context) -> Any:
    """Return the difference of numbers (or of sets)."""
    _room_for(left, right, context)
    return left - right


def multiply(left: Any, right: Any, context: Context) -> Any:
    """Return the product of numbers, or a text or list repeated."""
    if isinstance(left, int) and isinstance(right, int):
        if left.bit_length() + right.bit_length() > INTEGER_BITS_MAX:
            raise _too_large()
    elif isinstance(left, str | list | tuple) and isinstance(right, int):
        context.make(len(left) * max(right, 0))
    elif isinstance(right, str | list | tuple) and isinstance(left, int):
        context.make(len(right) * max(left, 0))
    return left * right


def divide(left: Any, right: Any, _context: Context) -> Any:
    """Return the quotient of numbers."""
    return left / right


def floor_divide(left: Any, right: Any, _context: Context) -> Any:
    """Return the whole part of the quotient of numbers."""
    return left // right


def remainder(left: Any, right: Any, context: Context) -> Any:
    """Return the rest of a division of numbers, or a text with its `%s` filled in."""
    return filled(left, right, context) if isinstance(left, str) else left % right


def power(left: Any, right: Any, _context: Context) -> Any:
    """Return a number to the power of another."""
    if (
        isinstance(left, int)
        and isinstance(right, int)
        and left.bit_length() * max(right, -right) > INTEGER_BITS_MAX
    ):
        raise _too_large()
    raised = left**right
    if isinstance(raised, complex):
        raise ArithmeticError("a root of a negative number is no number here")  # noqa: TRY004
    return raised


def _of_bits(compute: Callable[[Any, Any], Any]) -> Operator:
    def run(left: Any, right: Any, context: Context) -> Any:
        weigh(left, context)
        weigh(right, context)
        return compute(left, right)

    return run


def negative(value: Any, _context: Context) -> Any:
    """Return a number with the other sign."""
    return -value


def positive(value: Any, _context: Context) -> Any:
    """Return a number as it is."""
    return +value


def inverse(value: Any, _context: Context) -> Any:
    """Return whether a value is false, empty, zero or absent."""
    return not value


def contains(item: Any, holder: Any, context: Context) -> bool:
    """Return whether a text holds a text, or a list, tuple, set or dictionary a value."""
    weigh(item, context)
    if isinstance(holder, dict | set):
        context.spend()
    else:
        weigh(holder, context)
    return item in holder


def _compared(compare: Callable[[Any, Any], Any]) -> Operator:
    def run(left: Any, right: Any, context: Context) -> Any:
        if type(left) not in SCALARS:
            weigh(left, context)
            weigh(right, context)
        return compare(left, right)

    return run


def same(left: Any, right: Any, context: Context) -> bool:
    """Return whether both are None, or the same truth value, or equal values of one kind."""
    if isinstance(left, str | int | float) and type(left) is type(right):
        weigh(left, context)
        return bool(left == right)
    return left is right


def _room_for(left: Any, right: Any, context: Context) -> None:
    if isinstance(left, int) and isinstance(right, int):
        if max(left.bit_length(), right.bit_length()) >= INTEGER_BITS_MAX:
            raise _too_large()
    elif isinstance(left, str | list | tuple | set) and isinstance(right, str | list | tuple | set):
        context.make(len(left) + len(right))
        if isinstance(left, set):
            weigh(left, context)


def _too_large() -> TemplateRefused:
    return TemplateRefused(
        f"The template computes a number of more than {INTEGER_BITS_MAX} bits.",
        hint="Send smaller numbers.",
    )


BINARY: dict[type[ast.operator], Operator] = {
    ast.Add: add,
    ast.Sub: subtract,
    ast.Mult: multiply,
    ast.Div: divide,
    ast.FloorDiv: floor_divide,
    ast.Mod: remainder,
    ast.Pow: power,
    ast.BitAnd: _of_bits(operator.and_),
    ast.BitOr: _of_bits(operator.or_),
    ast.BitXor: _of_bits(operator.xor),
}
UNARY: dict[type[ast.unaryop], Callable[[Any, Context], Any]] = {
    ast.USub: negative,
    ast.UAdd: positive,
    ast.Not: inverse,
}
COMPARISONS: dict[type[ast.cmpop], Operator] = {
    ast.Eq: _compared(operator.eq),
    ast.NotEq: _compared(operator.ne),
    ast.Lt: _compared(operator.lt),
    ast.LtE: _compared(operator.le),
    ast.Gt: _compared(operator.gt),
    ast.GtE: _compared(operator.ge),
    ast.In: contains,
    ast.NotIn: lambda item, holder, context: not contains(item, holder, context),
    ast.Is: same,
    ast.IsNot: lambda left, right, context: not same(left, right, context),
}
