"""A statement under construction: SQL text of ours and the values it binds.

Nothing from outside becomes text of a statement: it is added to `Params` and stands in the SQL as
`{name:Type}`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

FINAL_SETTINGS: dict[str, Any] = {
    # All versions of a view lie in one partition (first_seen_day never changes), so partitions are
    # merged apart from each other, and the partition condition may prune before the merge.
    "do_not_merge_across_partitions_select_final": 1,
}
LIGHT_SETTINGS: Final[Mapping[str, object]] = {
    # Some thousand rows: moving each condition before the others costs more than reading them all.
    "optimize_move_to_prewhere": 0,
    # Sums lie where the key says: what the engine keeps of columns leaves out no part more.
    "use_statistics_for_part_pruning": 0,
    # The engine compiles what it sees for the third time: a tenth of a second, once, to save nothing.
    "compile_expressions": 0,
    "compile_aggregate_expressions": 0,
    "compile_sort_description": 0,
}
"""For statements that read few rows of sums; views may be read beside them."""
ONE_THREAD: Final[Mapping[str, object]] = {**LIGHT_SETTINGS, "max_threads": 1}
"""For statements that read sums and hardly a view: a second thread would begin too late to help."""


class Params:
    """Values bound to a statement, named `p0`, `p1`, … in the order they were added."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def add(self, sql_type: str, value: Any) -> str:
        """Bind a value and return the placeholder that stands for it."""
        name = f"p{len(self._values)}"
        self._values[name] = value
        return f"{{{name}:{sql_type}}}"

    def values(self) -> dict[str, Any]:
        """Return what is bound, by name."""
        return dict(self._values)


class Statement(msgspec.Struct, frozen=True):
    """A finished statement, its bound values, and settings it is faster with."""

    sql: str
    params: dict[str, Any]
    settings: Mapping[str, object] = {}


class Conditions:
    """Conditions of a WHERE, joined by AND."""

    def __init__(self) -> None:
        self._all: list[str] = []

    def add(self, condition: str) -> None:
        """Add one condition."""
        self._all.append(condition)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def sql(self) -> str:
        """Return the conditions as one expression."""
        return " AND ".join(f"({condition})" for condition in self._all) or "true"
