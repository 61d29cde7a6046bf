"""Numbers of JSON and CSV, checked against the range of their column."""

import re
from collections.abc import Callable
from decimal import Context, Decimal, InvalidOperation
from typing import Any, Final

from playhead.project.unfit import Unfit

TEXT_MAX: Final = 128
"""Longest text that is tried as a number."""
INTEGERS: Final[dict[str, tuple[int, int]]] = {
    f"{sign}Int{bits}": (0, 2**bits - 1) if sign else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    for sign in ("", "U")
    for bits in (8, 16, 32, 64, 128, 256)
}
"""The smallest and largest value of each."""
DECIMALS: Final = {"Decimal32": 9, "Decimal64": 18, "Decimal128": 38, "Decimal256": 76}
_INTEGER: Final = re.compile(r"[+-]?\d+", re.ASCII)
_FLOAT: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_SPECIAL: Final = {
    "nan": "nan", "inf": "inf", "+inf": "inf", "-inf": "-inf",
    "infinity": "inf", "+infinity": "inf", "-infinity": "-inf",
}  # fmt: skip
_EXACT: Final = Context(prec=200)


def integer(low: int, high: int) -> Callable[[Any], int]:
    """Return the function for integers from `low` to `high`: numbers, whole floats, texts."""

    def convert(value: Any) -> int:
        kind = value.__class__
        if kind is int and low <= value <= high:
            return value  # type: ignore[no-any-return]
        return slow(value, kind)

    def slow(value: Any, kind: type) -> int:
        if kind is bool:
            return int(value)
        if kind is str:
            if len(value) > TEXT_MAX or not _INTEGER.fullmatch(value):
                raise Unfit
        elif not (kind is float and value.is_integer()) and not (
            kind is Decimal and value.is_finite() and value.adjusted() < TEXT_MAX and value % 1 == 0
        ):
            raise Unfit
        number = int(value)
        if not low <= number <= high:
            raise Unfit
        return number

    return convert


def float_of(value: Any) -> float | str:
    """Return a float, or the text of one that JSON has no number for: nan, inf, -inf."""
    kind = value.__class__
    if kind is float and value - value == 0:
        return value  # type: ignore[no-any-return]
    if kind is int and -(2**63) <= value < 2**63:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return int(value)
    if kind is not str:
        if kind not in (int, float, Decimal):
            raise Unfit
        value = str(value)
    if value.lower() in _SPECIAL:
        return _SPECIAL[value.lower()]
    if len(value) > TEXT_MAX or not _FLOAT.fullmatch(value):
        raise Unfit
    number = float(value)
    return number if number - number == 0 else str(number)


def precision(name: str, parts: tuple[str, ...]) -> tuple[int, int]:
    """Return how many digits a decimal type holds, and how many of them after the point.

    Raises:
        ValueError: The type says it wrongly.
    """
    given = [int(part) for part in parts]
    if name in DECIMALS:
        return DECIMALS[name], given[0] if given else 0
    return given[0] if given else 10, given[1] if len(given) > 1 else 0


def decimal(digits: int, scale: int) -> Callable[[Any], str]:
    """Return the function for decimals; digits after the scale are cut off, as the engine does."""
    limit = Decimal(10) ** (digits - scale)
    unit = Decimal(1).scaleb(-scale)

    def convert(value: Any) -> str:
        kind = value.__class__
        if kind not in (int, float, str, Decimal):
            raise Unfit
        text = str(value)
        if len(text) > TEXT_MAX or not _FLOAT.fullmatch(text):
            raise Unfit
        number = Decimal(text)
        if not -TEXT_MAX < number.adjusted() < TEXT_MAX or abs(number) >= limit:
            raise Unfit
        try:
            cut = number.quantize(unit, rounding="ROUND_DOWN", context=_EXACT)
        except InvalidOperation as error:
            raise Unfit from error
        return format(cut, "f")

    return convert
