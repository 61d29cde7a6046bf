"""Swaps of tables and partitions by a command: all of them, or none."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from playhead.errors import Conflict, NotFound, QueryTimeout, RequestError, StoreError, Unavailable
from playhead.model.command import Place, Swap
from playhead.process.patience import Patience
from playhead.project.table import CREATE_SETTINGS, qualified
from playhead.store.client import StoreClient

PASSING: Final = (Unavailable, QueryTimeout)
"""What may be otherwise in a moment; the engine may even go on with what took too long."""
_UUID_SQL: Final = (
    "SELECT toString(uuid) FROM system.tables"
    " WHERE database = {database:String} AND name = {table:String}"
)
_KEYS_SQL: Final = (
    "SELECT engine, partition_key, sorting_key, primary_key FROM system.tables"
    " WHERE database = {database:String} AND name = {table:String}"
)
_COLUMNS_SQL: Final = (
    "SELECT name, type, default_kind, default_expression FROM system.columns"
    " WHERE database = {database:String} AND table = {table:String} ORDER BY position"
)
_PARTITIONS_SQL: Final = "SELECT DISTINCT _partition_id FROM {table}"
_TOUCHED_SQL: Final = (
    "SELECT _partition_id, count(), countIf({condition}) FROM {table} GROUP BY _partition_id"
)


class Swapping:
    """Lets new tables take the place of live ones; nothing else writes those meanwhile.

    Every call may be repeated after a stop at any step. What fails for good leaves everything as it
    was: what was swapped already is swapped back.
    """

    def __init__(self, store: StoreClient, patience: Patience) -> None:
        self._store = store
        self._patience = patience

    def exchange(self, swaps: Sequence[Swap]) -> None:
        """Exchange tables; what is exchanged already stays.

        Raises:
            NotFound: One of them is gone.
            Conflict: A live one has other columns or keys than when the new one was made.
            StoreError: The engine refuses it.
            Unavailable, QueryTimeout: Repeat it.
        """
        waiting = [swap for swap in swaps if self._uuid(swap.live) != swap.uuid]
        self._check(waiting)
        for swap in waiting:
            if self._uuid(swap.new) != swap.uuid:
                raise NotFound(
                    f"The new rows of {_named(swap.live)} are gone; nothing was replaced."
                )

        def all_of_them() -> None:
            for swap in waiting:
                self._exchange(swap)

        def back() -> None:
            for swap in reversed(swaps):
                if self._uuid(swap.live) == swap.uuid:
                    self._exchange(swap)

        self._or_back(all_of_them, back)

    def replace_partitions(self, swaps: Sequence[Swap]) -> str:
        """Replace partitions of the first table, and the same ones of those behind it.

        Nothing is done where a partition holds rows besides that the condition is not about. The
        first table comes last: while it is as it was, all of it can be repeated.

        Returns:
            Why it can never be done; "" when it is done.
        """
        self._check(swaps)
        affected, reason = self._affected(swaps[0])
        made = [self._partitions(swap.new) for swap in swaps]
        for swap, new in zip(swaps, made, strict=True):
            if not new <= affected and not reason:
                reason = (
                    f"New rows of {_named(swap.live)} are in partitions that are not replaced;"
                    " nothing was replaced."
                )
        if reason:
            return reason
        for swap in swaps:
            self._set_aside(swap, affected)

        def all_of_them() -> None:
            for swap, new in zip(reversed(swaps), reversed(made), strict=True):
                self._take_over(swap.live, swap.new, affected, new)

        def back() -> None:
            for swap, new in zip(swaps, made, strict=True):
                old = self._partitions(_aside(swap))
                self._take_over(swap.live, _aside(swap), old | new, old)

        self._or_back(all_of_them, back)
        return ""

    def _or_back(self, act: Callable[[], None], back: Callable[[], None]) -> None:
        try:
            act()
        except PASSING:
            raise
        except (StoreError, RequestError):
            # Whoever waits drops what lies beside: the old rows must not be there by then.
            self._patience.until_done(back)
            raise

    def _check(self, swaps: Iterable[Swap]) -> None:
        """Look whether new tables still fit the live ones: a build may have changed those."""
        for swap in swaps:
            if not self._uuid(swap.live):
                raise NotFound(f"The table {_named(swap.live)} is gone; nothing was replaced.")
            for sql in (_COLUMNS_SQL, _KEYS_SQL):
                if self._about(sql, swap.live) != self._about(sql, swap.new):
                    raise Conflict(
                        f"The columns or keys of {_named(swap.live)} were changed while its new rows"
                        " were made, or those are gone. Nothing was replaced; send them again."
                    )

    def _affected(self, first: Swap) -> tuple[set[str], str]:
        """Return the partitions that are replaced, and why they cannot be."""
        affected = self._partitions(first.new)
        if not first.condition:
            return affected, ""
        for found in self._ask(_TOUCHED_SQL, first.live, first.condition):
            partition, rows, meant = str(found[0]), int(found[1]), int(found[2])
            if meant < rows and (meant or partition in affected):
                return affected, (
                    f"Partition {partition} of {_named(first.live)} holds rows that the"
                    " condition is not about; nothing was replaced."
                )
            if meant:
                affected.add(partition)
        return affected, ""

    def _set_aside(self, swap: Swap, affected: set[str]) -> None:
        """Keep partitions as they are, by hard links; done once, before the first is replaced."""
        aside = _aside(swap)
        if self._uuid(aside):
            return
        making = Place(aside.database, f"{aside.table}.making")
        self._store.command(f"DROP TABLE IF EXISTS {_named(making)} SYNC")
        self._store.command(
            f"CREATE TABLE {_named(making)} AS {_named(swap.live)}", settings=CREATE_SETTINGS
        )
        there = affected & self._partitions(swap.live)
        self._take_over(making, swap.live, there, there)
        self._store.command(f"RENAME TABLE {_named(making)} TO {_named(aside)}")

    def _take_over(self, into: Place, source: Place, wanted: set[str], there: set[str]) -> None:
        """Make partitions of a table those of another; what is not `there` goes."""
        for partition in sorted(wanted):
            if partition in there:
                does = f"REPLACE PARTITION ID '{partition}' FROM {_named(source)}"
            else:
                does = f"DROP PARTITION ID '{partition}'"
            self._store.command(f"ALTER TABLE {_named(into)} {does}")

    def _exchange(self, swap: Swap) -> None:
        self._store.command(f"EXCHANGE TABLES {_named(swap.live)} AND {_named(swap.new)}")

    def _uuid(self, place: Place) -> str:
        found = self._about(_UUID_SQL, place)
        return str(found[0][0]) if found else ""

    def _about(self, sql: str, place: Place) -> list[Any]:
        bound = {"database": place.database, "table": place.table}
        return list(self._store.rows(sql, bound).rows)

    def _partitions(self, place: Place) -> set[str]:
        return {str(row[0]) for row in self._ask(_PARTITIONS_SQL, place)}

    def _ask(self, sql: str, place: Place, condition: str = "") -> list[Any]:
        text = sql.format(table=_named(place), condition=condition)
        return list(self._store.rows(text).rows)


def _aside(swap: Swap) -> Place:
    """Return where partitions are kept as they were; no data source can have this name."""
    return Place(swap.new.database, f".old.{swap.new.table}")


def _named(place: Place) -> str:
    return qualified(place.database, place.table)
