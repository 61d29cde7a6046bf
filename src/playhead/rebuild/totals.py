"""Metrics before and after a rebuild: sums of a day's rows as they are, and as they would be.

Only metrics that are made of plain sums (counts, shares, means): those add up over days, so each day is
read once, right after it was folded. Medians and numbers of different viewers are not among them.
"""

# ruff: noqa: S608 (days, numbers and the SQL of the catalogue: nothing of it comes from outside)

from collections.abc import Mapping
from typing import Final

import msgspec

from playhead.query.catalogue import Catalogue, Metric
from playhead.query.pieces import Taken, taken
from playhead.rebuild.live import LIMITS, SETTINGS
from playhead.rebuild.side import GONE, ROWS
from playhead.store.client import StoreClient

_ALWAYS: Final = ("avg", "sum", "count")
"""Measurements to take where the default one is no plain sum."""


class Difference(msgspec.Struct, frozen=True):
    """A metric before and after; None where no view takes part."""

    id: str
    name: str
    measurement: str
    unit: str
    old: float | None
    new: float | None

    @property
    def change_percent(self) -> float | None:
        """Return by how much it changes, in percent of what it was; None where that is no number."""
        if self.old is None or self.new is None or not self.old:
            return None
        return 100.0 * (self.new - self.old) / abs(self.old)

    @property
    def is_changed(self) -> bool:
        """Return whether it changes at all."""
        if self.old is None or self.new is None:
            return self.old is not self.new
        return abs(self.new - self.old) > 1e-9 * max(abs(self.old), abs(self.new))


class Totals:
    """Sums of days and the metrics made of them.

    Args:
        client: The store.
        catalogue: What metrics there are.
    """

    def __init__(self, client: StoreClient, catalogue: Catalogue) -> None:
        self._client = client
        self._taken: dict[str, tuple[Metric, str, Taken]] = {}
        self._made: dict[str, str] = {}
        for metric in catalogue.metrics.values():
            found = _plain(metric)
            if found is not None:
                self._taken[metric.id] = (metric, *found)
                for piece in found[1].pieces:
                    self._made[piece.column.name] = piece.column.made

    def of_day(self, day: str, *, is_changed: bool) -> tuple[dict[str, float], dict[str, float]]:
        """Return the sums over a day's views as they are, and with the rebuilt rows."""
        day_is = f"first_seen_day = '{day}'"
        live = f"SELECT * FROM playhead.views FINAL WHERE {day_is}"
        old = self._sums(live)
        if not is_changed:
            return old, old
        anew = f"SELECT * FROM playhead.{ROWS} FINAL WHERE {day_is}"
        without = (
            f"(view_id, property) NOT IN (SELECT view_id, property FROM playhead.{ROWS}"
            f" WHERE {day_is} UNION ALL SELECT view_id, property FROM playhead.{GONE}"
            f" WHERE {day_is})"
        )
        return old, self._sums(f"{live} AND {without} UNION ALL {anew}")

    def differences(self, old: Mapping[str, float], new: Mapping[str, float]) -> list[Difference]:
        """Return every metric before and after, in the catalogue's order."""
        if not old:
            return []
        before, after = self._values(old), self._values(new)
        return [
            Difference(
                id_, metric.name, measured, metric.unit_of(measured), before[id_], after[id_]
            )
            for id_, (metric, measured, _) in self._taken.items()
        ]

    def _sums(self, rows: str) -> dict[str, float]:
        columns = ", ".join(
            f"ifNull(toFloat64({made}), 0) AS {name}" for name, made in self._made.items()
        )
        found = self._client.rows(
            f"SELECT {columns} FROM ({rows})", limits=LIMITS, settings=SETTINGS
        )
        return {name: float(value) for name, value in zip(self._made, found.rows[0], strict=True)}

    def _values(self, sums: Mapping[str, float]) -> dict[str, float | None]:
        """Return the metrics that sums make, by the catalogue's own SQL."""
        given = ", ".join(f"toFloat64({sums.get(name, 0.0)!r}) AS {name}" for name in self._made)
        parts = []
        for id_, (_, _, found) in self._taken.items():
            pieces = ", ".join(f"{piece.kept} AS p{at}" for at, piece in enumerate(found.pieces))
            value = f"toNullable(toFloat64({found.value}))"
            parts.append(f"SELECT '{id_}' AS id, {value} AS v FROM (SELECT {pieces} FROM sums)")
        sql = f"WITH sums AS (SELECT {given}) {' UNION ALL '.join(parts)}"
        return dict(self._client.rows(sql, limits=LIMITS).rows)


def add(sums: dict[str, float], more: Mapping[str, float]) -> None:
    """Add sums of one more day, in place."""
    for name, value in more.items():
        sums[name] = sums.get(name, 0.0) + value


def _plain(metric: Metric) -> tuple[str, Taken] | None:
    """Return the first measurement of a metric that is made of plain sums, and what of."""
    allowed = metric.allowed()
    for measurement in (*allowed[:1], *(one for one in _ALWAYS if one in allowed)):
        found = taken(metric, measurement)
        if found is not None and not any(piece.column.is_state for piece in found.pieces):
            return measurement, found
    return None
