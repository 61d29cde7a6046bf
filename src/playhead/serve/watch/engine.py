"""How the store's engine does: parts, merges, mutations, what it set aside as damaged."""

from typing import Any, Final

import msgspec

from playhead.store.client import AsyncStoreClient, Limits

MINIMUM: Final = (26, 8)
"""Oldest engine that has everything the queries need; the embedded one is newer."""
BROKEN_SHOWN: Final = 5
_TEXT_CHARS_MAX: Final = 300
_TIMEOUT_MS: Final = 5_000
_SQL: Final = f"""
SELECT version(), p.total, p.most, p.place, m.running, u.waiting, u.failing, u.said,
       d.total, d.broken, d.names
FROM (
  SELECT sum(n) AS total, max(n) AS most, argMax(where_, n) AS place FROM (
    SELECT count() AS n, concat(database, '.', table, ' ', partition) AS where_
    FROM system.parts WHERE active GROUP BY database, table, partition
  )
) AS p
CROSS JOIN (SELECT count() AS running FROM system.merges) AS m
CROSS JOIN (
  SELECT countIf(NOT is_done) AS waiting,
         countIf(NOT is_done AND latest_fail_reason != '') AS failing,
         anyIf(concat(database, '.', table, ': ', latest_fail_reason),
               NOT is_done AND latest_fail_reason != '') AS said
  FROM system.mutations
) AS u
CROSS JOIN (
  SELECT count() AS total, countIf(startsWith(ifNull(reason, ''), 'broken')) AS broken,
         groupArrayIf({BROKEN_SHOWN})(concat(database, '.', table, ' ', name),
                                      startsWith(ifNull(reason, ''), 'broken')) AS names
  FROM system.detached_parts
) AS d
"""  # noqa: S608 (a number of ours)


class EngineHealth(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine says of itself. `most_parts` are those of `fullest`, a table's partition."""

    version: str
    parts: int
    most_parts: int
    fullest: str
    merges: int
    mutations: int
    failing_mutations: int
    mutation_error: str
    detached_parts: int
    broken_parts: int
    broken: list[str]

    def told(self) -> dict[str, Any]:
        """Return it as `/v1/status` shows it."""
        return {**msgspec.to_builtins(self), "minimum_version": ".".join(map(str, MINIMUM))}


async def engine_health(store: AsyncStoreClient) -> EngineHealth:
    """Ask the engine; a few ms, for it knows all this by heart.

    Raises:
        PlayheadError: It does not answer, or refuses.
    """
    found = await store.rows(_SQL, limits=Limits(timeout_ms=_TIMEOUT_MS))
    row = found.rows[0]
    return EngineHealth(
        version=str(row[0]),
        parts=int(row[1]),
        most_parts=int(row[2]),
        fullest=str(row[3]),
        merges=int(row[4]),
        mutations=int(row[5]),
        failing_mutations=int(row[6]),
        mutation_error=str(row[7])[:_TEXT_CHARS_MAX],
        detached_parts=int(row[8]),
        broken_parts=int(row[9]),
        broken=[str(name) for name in row[10]],
    )
