"""The ENGINE instructions of a file: gathered, then checked against the columns."""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from playhead.project.expression import parts, tokens
from playhead.project.findings import Findings
from playhead.project.instructions import suggestion
from playhead.project.lines import Instruction, unquoted
from playhead.project.resources import Column, Engine

ENGINES: Final = (
    "MergeTree", "ReplacingMergeTree", "SummingMergeTree", "AggregatingMergeTree",
    "CollapsingMergeTree", "VersionedCollapsingMergeTree", "Null", "Join",
)  # fmt: skip
_SORTED: Final = ("ReplacingMergeTree", "CollapsingMergeTree", "VersionedCollapsingMergeTree")
"""Engines that find rows of one key: without a sorting key they would keep one row in all."""
_AGGREGATES: Final = frozenset({
    "count", "sum", "avg", "min", "max", "any", "anyLast", "uniq", "uniqExact", "uniqCombined",
    "quantile", "quantiles", "argMin", "argMax", "groupArray", "groupUniqArray", "topK", "median",
})  # fmt: skip
_AGGREGATE_ENDS: Final = ("State", "Merge", "If")
_COLUMN_FIELDS: Final = {
    "ver": "ENGINE_VER",
    "is_deleted": "ENGINE_IS_DELETED",
    "sign": "ENGINE_SIGN",
    "version": "ENGINE_VERSION",
}
_FIELD_OF: Final = {
    "ver": ("ReplacingMergeTree",),
    "is_deleted": ("ReplacingMergeTree",),
    "columns": ("SummingMergeTree",),
    "sign": ("CollapsingMergeTree", "VersionedCollapsingMergeTree"),
    "version": ("VersionedCollapsingMergeTree",),
    "join_strictness": ("Join",),
    "join_type": ("Join",),
    "key_columns": ("Join",),
}
_NAME: Final = re.compile(r"`[^`]+`|[A-Za-z_][A-Za-z0-9_.]*", re.ASCII)


class EngineSaid:
    """What the ENGINE instructions of one table say, and where."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._values: dict[str, str] = {}
        self._at: dict[str, Instruction] = {}

    def __bool__(self) -> bool:
        return bool(self._values)

    def take(self, field: str, value: str, item: Instruction) -> None:
        """Add one instruction."""
        if field in self._values:
            self._findings.warn(
                item.line, f"{item.key} stands twice; this one counts.", column=item.column
            )
        self._values[field] = value
        self._at[field] = item

    def engine(self) -> Engine:
        """Return what was said; an engine that there is none of is an error."""
        kind = self._values.get("kind", "") or "MergeTree"
        known = {name.lower(): name for name in ENGINES}
        found = known.get(kind.removesuffix("()").strip().lower())
        if found is None:
            hint = suggestion(kind[:64], ENGINES, cutoff=0.5) or f"Take {', '.join(ENGINES)}."
            if "(" in kind:
                hint = "Options of an engine are instructions: ENGINE_VER, ENGINE_SIGN, …."
            self._error("kind", f"'{kind[:80]}' is no engine that can be used.", hint)
        values: dict[str, Any] = self._values | {"kind": found or "MergeTree"}
        return Engine(given="kind" in self._values, **values)

    def _error(self, field: str, message: str, hint: str = "") -> None:
        item = self._at.get(field) or self._at.get("kind")
        if item is None:
            self._findings.whole(message, hint)
            return
        column = item.words[0].column if item.words else item.column
        self._findings.error(item.line, message, column=column, hint=hint)

    def check(self, engine: Engine, columns: Sequence[Column]) -> None:
        """Check the options against the columns; says every fault."""
        by_name = {column.name: column for column in columns}
        if engine.kind == "Join":
            self._warn_of_join()
        for field, kinds in _FIELD_OF.items():
            item = self._at.get(field)
            if item and self._values[field] and engine.kind not in kinds:
                self._findings.warn(
                    item.line,
                    f"{item.key} has no effect with {engine.kind}; it belongs to "
                    f"{' and '.join(kinds)}.",
                    column=item.column,
                )
        for field, instruction in _COLUMN_FIELDS.items():
            name = self._values.get(field, "").strip("`")
            if name and engine.kind in _FIELD_OF[field] and name not in by_name:
                self._error(
                    field,
                    f"{instruction} names '{name[:80]}', which is no column.",
                    near(name, by_name),
                )
        for field in ("ver", "sign", "version"):
            required = engine.kind in _FIELD_OF[field] and field != "ver"
            if required and not self._values.get(field):
                self._error("kind", f"{engine.kind} needs {_COLUMN_FIELDS[field]}.")
        if engine.kind in _SORTED and engine.sorting_key.replace(" ", "") in ("", "tuple()", "()"):
            self._error(
                "sorting_key",
                f"{engine.kind} needs ENGINE_SORTING_KEY: the columns that name a row.",
            )
        self._check_sorting_key(engine, by_name)
        self._check_expressions()

    def _warn_of_join(self) -> None:
        said = [item for field, item in self._at.items() if _FIELD_OF.get(field) == ("Join",)]
        if said:
            *others, last = [item.key for item in said]
            names = f"{', '.join(others)} and {last} are" if others else f"{last} is"
            self._findings.warn(
                said[0].line,
                f"{names} of the older dialect; the table is built with what is said.",
                column=said[0].column,
            )

    def _check_expressions(self) -> None:
        for field in ("partition_key", "primary_key", "sampling_key", "ttl", "settings"):
            text = self._values.get(field, "").strip()
            try:
                parts(text)
            except ValueError as error:
                self._error(field, f"{self._at[field].key} {error}.")

    def _check_sorting_key(self, engine: Engine, columns: Mapping[str, Column]) -> None:
        try:
            items = key_items(engine.sorting_key)
        except ValueError as error:
            self._error("sorting_key", f"ENGINE_SORTING_KEY {error}.")
            return
        for item in items:
            call = _aggregate_in(item)
            if call:
                self._error(
                    "sorting_key", f"ENGINE_SORTING_KEY cannot call the aggregate function {call}."
                )
            elif _NAME.fullmatch(item):
                self._check_sorting_column(engine, item.strip("`"), columns)

    def _check_sorting_column(
        self, engine: Engine, name: str, columns: Mapping[str, Column]
    ) -> None:
        column = columns.get(name)
        if column is None:
            if name.split(".", 1)[0] not in columns:
                self._error(
                    "sorting_key",
                    f"ENGINE_SORTING_KEY names '{name[:80]}', which is no column.",
                    near(name, columns),
                )
            return
        kind = column.type.removeprefix("LowCardinality(")
        if kind.startswith("Nullable("):
            self._error(
                "sorting_key",
                f"ENGINE_SORTING_KEY cannot name '{name}': it is Nullable.",
                f"Write coalesce({name}, …), or give the column a DEFAULT and a plain type.",
            )
        elif kind.startswith("AggregateFunction("):
            self._error(
                "sorting_key",
                f"ENGINE_SORTING_KEY cannot name '{name}': it is an AggregateFunction.",
            )
        elif engine.kind == "ReplacingMergeTree" and name == engine.ver.strip("`"):
            self._error(
                "sorting_key",
                f"ENGINE_SORTING_KEY cannot name '{name}': it is ENGINE_VER.",
                "Rows of one key differ in their version; inside the key nothing is replaced.",
            )


def near(name: str, columns: Mapping[str, object]) -> str:
    """Return "Did you mean X?", or "" when no column is near."""
    found = difflib.get_close_matches(name[:64], list(columns)[:200], n=1, cutoff=0.7)
    return f"Did you mean {found[0]}?" if found else ""


def key_items(text: str) -> list[str]:
    """Return the parts of a key: `(a, b)`, `tuple(a, b)` and `a, b` are the same two.

    Raises:
        ValueError: It is no expression; the message is the end of a sentence.
    """
    text = unquoted(text.strip())
    inner = text.removeprefix("tuple").strip()
    if inner.startswith("("):
        closes = [t.at for t in tokens(inner) if t.kind == "close" and t.depth == 0]
        if closes and closes[0] == len(inner) - 1:
            text = inner[1:-1]
    return [item for item in parts(text) if item]


def _aggregate_in(item: str) -> str:
    """Return the first aggregate function an expression calls; "" = none."""
    previous = ""
    for token in tokens(item):
        if token.kind == "open" and token.text == "(" and _is_aggregate(previous):
            return previous
        if token.kind != "space":
            previous = token.text if token.kind == "word" else ""
    return ""


def _is_aggregate(name: str) -> bool:
    if name in _AGGREGATES:
        return True
    return any(
        name.endswith(end) and name.removesuffix(end) in _AGGREGATES for end in _AGGREGATE_ENDS
    )
