"""Prepared queries run against the store: settings, limits, cache."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Final

import msgspec

from playhead.clock import Clock
from playhead.config import Config
from playhead.errors import PlayheadError, QueryFailed
from playhead.query.cache import Cache, key_of
from playhead.query.pipes import prometheus
from playhead.query.pipes.fault import told
from playhead.query.pipes.hiding import HIDING, HIDING_AGAIN, without_counts
from playhead.query.pipes.resolve import Prepared
from playhead.query.pipes.times import MENDED_MAX, mended
from playhead.store.client import Answered, AsyncStoreClient, Limits

SETTINGS: Final = {
    "allow_suspicious_types_in_group_by": "1",
    "allow_suspicious_types_in_order_by": "1",
    "joined_subquery_requires_alias": "0",
    "join_algorithm": "hash",
    "join_use_nulls": "0",
    "cast_string_to_date_time_mode": "best_effort",
    "output_format_json_escape_forward_slashes": "1",
    "output_format_json_quote_denormals": "0",
}
"""What queries of projects need to run as they were written."""
_ACTIVATED: Final = {"optimize_aggregation_in_order": "optimize_aggregation_in_order"}
_QUERY_BYTES_SPARE: Final = 65_536
"""The engine counts its own words to the query too."""


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """How a prepared query is run."""

    format: str
    """A format of the engine."""
    filters: Mapping[str, str] = {}
    """Row filters: table with its database to a condition."""
    hidden: bool = False
    """Whether rows are hidden from the caller in another way, such as by a condition on a pipe."""
    output: Mapping[str, str] = {}
    """Settings of the output the caller asked for."""
    single_thread: bool = False
    version: int = 0
    """Of the project: an answer kept is of one version."""


class Runs:
    """Runs prepared queries; equal ones at the same time run once."""

    def __init__(self, store: AsyncStoreClient, config: Config, clock: Clock) -> None:
        self._store = store
        self._config = config
        pipes = config.pipes
        self._cache: Cache[Answered] = Cache(
            clock,
            max_entries=pipes.cache_entries,
            max_bytes=pipes.cache_bytes,
            size_of=lambda answered: len(answered.body) + 200,
        )

    def forget_answers(self) -> None:
        """Forget the answers that are kept: rows they were made of were deleted."""
        self._cache.clear()

    async def answer(
        self,
        prepared: Prepared,
        running: Running,
        *,
        turn: AbstractAsyncContextManager[None] | None = None,
    ) -> Answered:
        """Return the result as text of the format.

        Args:
            prepared: The query.
            running: How it runs.
            turn: Held while it runs, not while it waits for the answer of an equal one.

        Raises:
            QueryRefused: The engine cannot run it; the sentence says what to change.
            QueryTimeout: It took longer than `pipes.timeout_ms`.
            ResultTooLarge: It crossed a limit of rows, bytes or memory.
            StoreBusy: Too many queries run and wait.
            StoreUnavailable: The store does not answer.
        """
        settings = self.settings(prepared, running)
        keep_ms = (prepared.directives.cache_ttl_s or 0) * 1000
        # With the time in it: who asks for no cache gets nothing that another asked to keep.
        values = {name: str(value) for name, value in prepared.bound.items()}
        own = sorted(prepared.own_values)
        key = key_of(prepared.sql, values, own, running, settings, keep_ms)

        async def run() -> Answered:
            async with turn or nullcontext():
                return await self._run_mended(prepared, running, settings)

        try:
            return await self._cache.get(key, run, keep_ms=keep_ms)
        except PlayheadError as error:
            hidden = running.hidden or bool(running.filters)
            # Every bound value of a prepared query is a secret, but for those the caller brought.
            secret = not prepared.bound.keys() <= prepared.own_values
            raise told(error, hidden=hidden, secret=secret) from error

    async def _run_mended(
        self, prepared: Prepared, running: Running, settings: Mapping[str, str]
    ) -> Answered:
        """Run, and again where the engine refuses what can be written another way."""
        again, cast = prepared, False
        for _ in range(MENDED_MAX):
            try:
                return await self._run(again, running, settings)
            except QueryFailed as error:
                sql = mended(again.sql, error)
                if sql is not None:
                    again = msgspec.structs.replace(again, sql=sql)
                elif prometheus.wants_casts(error) and not cast:
                    again, cast = await self._cast(again, running, settings), True
                else:
                    raise
        return await self._run(again, running, settings)

    async def _run(
        self, prepared: Prepared, running: Running, settings: Mapping[str, str]
    ) -> Answered:
        async def ask(more: Mapping[str, str]) -> Answered:
            return await self._store.answer(
                prepared.sql,
                prepared.bound,
                format=running.format,
                limits=self._limits(running),
                settings={**settings, **more},
            )

        if not running.filters and not running.hidden:
            return await ask({})
        try:
            return without_counts(await ask(HIDING))
        except QueryFailed:
            return without_counts(await ask(HIDING_AGAIN))

    async def _cast(
        self, prepared: Prepared, running: Running, settings: Mapping[str, str]
    ) -> Prepared:
        """Return the query with its columns in the types the Prometheus form takes."""
        described = await self._store.rows(
            f"DESCRIBE ({prepared.sql})",
            prepared.bound,
            limits=self._limits(running),
            settings=settings,
        )
        sql = prometheus.cast(prepared.sql, {row[0]: row[1] for row in described.rows})
        return msgspec.structs.replace(prepared, sql=sql)

    def settings(self, prepared: Prepared, running: Running) -> dict[str, str]:
        """Return the engine's settings for a query."""
        directives, pipes = prepared.directives, self._config.pipes
        threads = min(directives.max_threads or pipes.max_threads, self._config.store.max_threads)
        settings = {
            **SETTINGS,
            "max_threads": str(1 if running.single_thread else max(1, threads)),
            "max_query_size": str(pipes.max_query_bytes + _QUERY_BYTES_SPARE),
            **running.output,
        }
        settings |= {_ACTIVATED[name]: "1" for name in directives.activate if name in _ACTIVATED}
        return settings

    def _limits(self, running: Running) -> Limits:
        pipes = self._config.pipes
        return Limits(
            timeout_ms=pipes.timeout_ms,
            max_result_rows=pipes.max_result_rows,
            max_result_bytes=pipes.max_result_bytes,
            max_rows_to_read=pipes.max_rows_to_read,
            max_memory_bytes=min(pipes.max_memory_bytes, self._config.store.max_query_memory_bytes),
            row_filters=running.filters,
        )
