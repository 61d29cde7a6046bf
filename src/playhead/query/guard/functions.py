"""The functions a query may call, made from the engine's own list."""

from collections.abc import Iterable, Mapping
from typing import Final
from weakref import WeakKeyDictionary

import msgspec

from playhead.store.async_client import AsyncStoreClient

CATEGORIES: Final = frozenset({
    "Aggregate Functions", "Arithmetic", "Arrays", "Bit", "Bitmap", "Comparison", "Conditional",
    "Dates and Times", "Distance", "Encoding", "Encryption", "Financial", "Geo", "Geo Polygon",
    "Hash", "IP Address", "JSON", "Logical", "Map", "Mathematical", "Null", "NumericIndexedVector",
    "QBit", "Random Number", "Rounding", "String", "String Replacement", "String Search",
    "String Splitting", "Time Series", "Time Window", "Tuple", "Type Conversion", "URL", "UUID",
})  # fmt: skip
"""Kinds of functions that compute from their arguments alone. Absent, so refused: AI, Dictionary,
Embedded Dictionary, Internal, Introspection, Machine Learning, and any kind yet to come."""
OTHERS: Final = frozenset({
    "MACNumToString", "MACStringToNum", "MACStringToOUI", "bar", "blockNumber", "blockSize",
    "byteSize", "caseWithExpression", "colorOKLABToSRGB", "colorOKLCHToSRGB", "colorSRGBToOKLAB",
    "colorSRGBToOKLCH", "countDigits", "defaultValueOfArgumentType", "defaultValueOfTypeName",
    "digits", "finalizeAggregation", "flipCoordinates", "formatReadableDecimalSize",
    "formatReadableQuantity", "formatReadableSize", "formatReadableTimeDelta", "getSizeOfEnumType",
    "getSubcolumn", "identity", "ignore", "initializeAggregation", "isConstant",
    "isDecimalOverflow", "joinGet", "joinGetOrNull", "lowCardinalityIndices", "lowCardinalityKeys",
    "materialize", "minSampleSizeContinuous", "minSampleSizeConversion", "neighbor",
    "parseISO8601Duration", "parseReadableSize", "parseReadableSizeOrNull",
    "parseReadableSizeOrZero", "parseTimeDelta", "rowNumberInAllBlocks", "rowNumberInBlock",
    "runningAccumulate", "runningConcurrency", "runningDifference",
    "runningDifferenceStartingWithFirstValue", "toColumnTypeName", "toTypeName", "transform",
    "variantElement", "variantType", "version", "visibleWidth",
})  # fmt: skip
"""The named few of kind Other, and the form CASE x WHEN takes in the tree."""
DENIED: Final = frozenset({
    "aggThrow", "chdb", "file", "flameGraph", "formatRow", "formatRowNoNewline", "groupFormat",
    "inIgnoreSet", "notInIgnoreSet", "nullInIgnoreSet", "notNullInIgnoreSet", "globalInIgnoreSet",
    "globalNotInIgnoreSet", "globalNullInIgnoreSet", "globalNotNullInIgnoreSet",
    "timeSeriesStoreTags", "timeSeriesThrowDuplicateSeriesIf",
})  # fmt: skip
"""Refused although their kind is allowed: they read files, or fail on purpose."""
OF_THE_PARSER: Final = frozenset({"lambda", "grouping", "untuple", "exists"})
"""Names the engine knows without listing them as functions."""
_REMEMBERED_MAX: Final = 4096
_NAME_CHARS_MAX: Final = 200
_LIST = (
    "SELECT name, alias_to, categories, is_aggregate, case_insensitive, toString(origin)"
    " FROM system.functions ORDER BY name"
)
_COMBINATORS = "SELECT name FROM system.aggregate_function_combinators WHERE NOT is_internal"


class Listed(msgspec.Struct, frozen=True):
    """One row of the engine's list."""

    name: str
    alias_to: str
    category: str
    aggregate: bool
    folded: bool
    """Found in any mix of upper and lower case."""
    origin: str = "System"


class FunctionList:
    """Decides about names as the engine finds them: exact, else in lower case, else combined."""

    def __init__(self, listed: Iterable[Listed], combinators: Iterable[str]) -> None:
        rows = {row.name: row for row in listed}
        self._combinators = tuple(sorted(combinators, key=len, reverse=True))
        self._exact: dict[str, bool] = {}
        self._folded: dict[str, bool] = {}
        self._aggregates: set[str] = set()
        for row in rows.values():
            self._enter(row.name, row, allowed=_allowed(row), folded=row.folded)
        for row in rows.values():
            if row.alias_to:
                self._enter(row.name, row, allowed=self._alias(row, rows), folded=row.folded)
        for name in OF_THE_PARSER:
            self._exact.setdefault(name, True)
        self._verdicts: dict[str, bool] = {}

    def allows(self, name: str) -> bool:
        """Return whether a query may call this function."""
        verdict = self._verdicts.get(name)
        if verdict is None:
            verdict = self._decide(name) is True
            if len(self._verdicts) < _REMEMBERED_MAX:
                self._verdicts[name] = verdict
        return verdict

    def knows(self, name: str) -> bool:
        """Return whether the engine has a function of this name, allowed or not."""
        return self._decide(name) is not None

    def aggregate(self, name: str) -> bool:
        """Return whether this is an allowed aggregate function, combined or not."""
        return self.allows(name) and self._combined(name) is not None

    def _enter(self, name: str, row: Listed, *, allowed: bool, folded: bool) -> None:
        self._exact[name] = allowed
        if folded:
            self._folded[name.lower()] = allowed
        if row.aggregate:
            self._aggregates |= {name, name.lower()} if folded else {name}

    def _alias(self, row: Listed, rows: Mapping[str, Listed]) -> bool:
        target = rows.get(row.alias_to)
        if row.origin != "System" or row.name in DENIED:
            return False
        return _allowed(target) if target else self._combined(row.alias_to) is True

    def _decide(self, name: str) -> bool | None:
        """Return True or False as the engine's name for it is allowed, None if it has none."""
        if len(name) > _NAME_CHARS_MAX:
            return None
        found = self._exact.get(name)
        if found is None:
            found = self._folded.get(name.lower())
        return self._combined(name) if found is None else found

    def _combined(self, name: str) -> bool | None:
        """Return the verdict on an aggregate function with combinators after its name."""
        if name in self._aggregates:
            return self._exact[name] if name in self._exact else self._folded[name]
        if name.lower() in self._aggregates and name.lower() in self._folded:
            return self._folded[name.lower()]
        verdicts = [
            self._combined(name.removesuffix(suffix))
            for suffix in self._combinators
            if name.endswith(suffix) and name != suffix
        ]
        found = [verdict for verdict in verdicts if verdict is not None]
        return all(found) if found else None


def _allowed(row: Listed) -> bool:
    if row.origin != "System" or row.name in DENIED or row.alias_to:
        return False
    return row.category in CATEGORIES or row.name in OTHERS


_LISTS: WeakKeyDictionary[AsyncStoreClient, FunctionList] = WeakKeyDictionary()


async def function_list(store: AsyncStoreClient) -> FunctionList:
    """Return the list of this store's engine; asked once per client.

    Raises:
        PlayheadError: As `AsyncStoreClient.rows`.
    """
    found = _LISTS.get(store)
    if found is None:
        rows = (await store.rows(_LIST)).rows
        combinators = (await store.rows(_COMBINATORS)).rows
        found = FunctionList(
            [
                Listed(name, alias, category, bool(aggregate), bool(folded), origin)
                for name, alias, category, aggregate, folded, origin in rows
            ],
            [row[0] for row in combinators],
        )
        _LISTS[store] = found
    return found
