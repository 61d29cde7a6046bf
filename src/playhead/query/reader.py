"""The reader: statements of this folder run against the store, within limits, through the cache."""

import contextlib
import copy
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Protocol

import msgspec

from playhead.clock import Clock
from playhead.config import Config
from playhead.query.cache import AnswerCache, key_of
from playhead.query.catalogue import Catalogue
from playhead.query.pieces import layout_of
from playhead.query.rolled_days import RolledDays
from playhead.query.scope import Scope, flat
from playhead.query.span import Span
from playhead.query.statement import FINAL_SETTINGS, Params, Statement
from playhead.store.client import AsyncStoreClient, Limits, Rows


class Asked(Protocol):
    """A question: over which span, about which rows."""

    @property
    def span(self) -> Span:
        """Return when."""
        ...

    @property
    def scope(self) -> Scope:
        """Return which rows, and whose."""
        ...


class Reader:
    """Answers statements; everything of this folder that reads the store does it here."""

    def __init__(
        self, store: AsyncStoreClient, config: Config, clock: Clock, catalogue: Catalogue
    ) -> None:
        self.config = config
        self.catalogue = catalogue
        self._timeout_ms = config.query.timeout_ms
        # Groups beyond half of a query's memory go to the disk instead of ending the query.
        self._spill_bytes = config.store.max_query_memory_bytes // 2
        self._store = store
        self._clock = clock
        query = config.query
        self.rolled_days = RolledDays(
            clock, layout_of(catalogue).digest(), keep_ms=query.cache_open_ms
        )
        self._cache = AnswerCache(
            clock, max_entries=query.cache_entries, max_bytes=query.cache_bytes
        )

    def patient(self, timeout_ms: int) -> "Reader":
        """Return this reader with another limit of time: for answers made of many statements."""
        other = copy.copy(self)
        other._timeout_ms = timeout_ms  # noqa: SLF001 (a copy of itself)
        return other

    def forget_answers(self) -> None:
        """Forget the answers that are kept: rows they were made of were deleted."""
        self._cache.clear()
        self.rolled_days.forget_look()

    def now_ms(self) -> int:
        """Return what questions mean by now: never in the past, less than `cache_open_ms` ahead.

        It stands still for that time, so that callers who ask together share an answer.
        """
        grid_ms = max(1, self.config.query.cache_open_ms)
        return -(-self._clock.now_ms() // grid_ms) * grid_ms

    def keep_ms(self, span: Span) -> int:
        """Return how long an answer about the span may be kept."""
        query = self.config.query
        return query.cache_open_ms if self.is_open(span) else query.cache_ms

    def is_open(self, span: Span) -> bool:
        """Return whether views of the span may still change: it ends within the view's idle time."""
        return span.to_ms > self._clock.now_ms() - self.config.process.view_idle_ms

    async def about(self, asked: Asked, sql: str, params: Params) -> list[dict[str, Any]]:
        """Run a statement about a question's span and scope; raises as `rows`.

        The answer is kept as long as one about that span may be.
        """
        statement = Statement(sql, params.values())
        return await self.rows(statement, asked.scope, keep_ms=self.keep_ms(asked.span))

    async def rows(
        self, statement: Statement, scope: Scope, *, keep_ms: int
    ) -> list[dict[str, Any]]:
        """Run a statement and return its rows as objects.

        Raises:
            QueryTimeout: It took longer than `query.timeout_ms`.
            ResultTooLarge: It gives more than `query.max_result_rows` or bytes.
            StoreBusy: Too many queries wait.
            StoreUnavailable: The store does not answer.
        """
        filters = scope.row_filters()
        key = key_of(statement.sql, statement.params, filters)

        async def run() -> Rows:
            return await self._store.rows(
                statement.sql,
                statement.params,
                limits=self._limits(filters),
                settings={
                    **FINAL_SETTINGS,
                    **statement.settings,
                    "max_bytes_before_external_group_by": self._spill_bytes,
                },
            )

        rows = await (self._cache.get(key, run, keep_ms=keep_ms) if keep_ms else run())
        return [{name: flat(value) for name, value in row.items()} for row in rows.dicts()]

    async def converted(self, lines: bytes, structure: str, format_name: str) -> bytes:
        """Return rows, one JSON object a line, in a format of the engine.

        Raises:
            ResultTooLarge: The file would be larger than `query.max_result_bytes`.
            PlayheadError: As `rows`.
        """
        limits = self._limits(None)
        return await self._store.converted(lines, structure, format=format_name, limits=limits)

    async def stream(
        self,
        statement: Statement,
        scope: Scope,
        *,
        format_name: str,
        limits: Limits,
        settings: Mapping[str, object],
    ) -> AsyncGenerator[bytes, None]:
        """Yield a result as text in a format of the engine, as it is computed.

        Args:
            statement: What to run.
            scope: What the token may see; goes into the limits.
            format_name: A format of the engine.
            limits: Bounds.
            settings: More settings of the engine, for the format.

        Raises:
            PlayheadError: As `rows`; after pieces were yielded, the result is not complete.
        """
        pieces = self._store.stream(
            statement.sql,
            statement.params,
            format=format_name,
            limits=msgspec.structs.replace(limits, row_filters=scope.row_filters() or {}),
            settings={**FINAL_SETTINGS, **settings},
        )
        async with contextlib.aclosing(pieces):
            async for piece in pieces:
                yield piece

    def _limits(self, row_filters: dict[str, str] | None) -> Limits:
        query = self.config.query
        return msgspec.structs.replace(
            Limits(),
            timeout_ms=self._timeout_ms,
            max_result_rows=query.max_result_rows,
            max_result_bytes=query.max_result_bytes,
            max_rows_to_read=query.max_rows_to_read,
            max_memory_bytes=self.config.store.max_query_memory_bytes,
            row_filters=row_filters or {},
        )
