"""What is asked when the process starts."""

from typing import Any, cast

import pytest

from playhead.clock import ManualClock
from playhead.config import Config
from playhead.errors import StoreUnavailable
from playhead.query import readiness
from playhead.query.catalogue import catalogue
from playhead.query.reader import Reader
from playhead.query.readiness import make_ready
from playhead.query.rolled_days import RolledDays
from playhead.query.scope import Scope
from playhead.query.span import DAY_MS, Span
from playhead.query.statement import Statement
from playhead.store.rollup import HELD, PARTS, STATES

TODAY = 20_000


class StartingReader:
    """A store that answers from the third statement on; sums of the days given."""

    def __init__(self, *days: int, away: int = 2) -> None:
        self.config = Config()
        self.catalogue = catalogue()
        self.rolled_days = RolledDays(ManualClock(), "layout", keep_ms=500)
        self.away = away
        self.asked: list[str] = []
        self._days = [{"day": day, "made": 100 + day} for day in days]

    def now_ms(self) -> int:
        return TODAY * DAY_MS

    def keep_ms(self, _span: Span) -> int:
        return 0

    async def rows(self, statement: Statement, _scope: Scope, *, keep_ms: int) -> Any:
        assert keep_ms == 0
        self.asked.append(statement.sql)
        if len(self.asked) <= self.away:
            raise StoreUnavailable("Not yet.")
        blocks = {"first_block": 1, "last_block": 1, "last_mutation": 0}
        states = {"table": "view_rollup_state", "day": 0, "parts": 1}
        views = {"table": "views", "parts": 1}
        hours: dict[str, Any] = {"dimensions": ["country"], "starts": [], "ends": []}
        return {
            PARTS: [states, *(views | one | blocks for one in self._days)],
            STATES: [one | blocks | {"of": []} for one in self._days],
            HELD: [one | hours for one in self._days],
        }.get(statement.sql, [])


async def asked_by(reader: StartingReader, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(readiness, "AGAIN_S", 0)
    monkeypatch.setattr(readiness, "TRIES_MAX", 5)
    await make_ready(cast("Reader", reader))
    return reader.asked


async def test_once_the_store_answers_it_looks_and_asks_for_sums(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = await asked_by(StartingReader(TODAY - 1, TODAY - 2, TODAY - 9), monkeypatch)
    assert asked[:5] == [PARTS, PARTS, PARTS, STATES, HELD]
    assert ["playhead.view_rollup " in sql for sql in asked[5:]] == [True]


async def test_without_sums_nothing_is_asked_and_a_store_that_stays_away_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await asked_by(StartingReader(), monkeypatch) == [PARTS, PARTS, PARTS, STATES]
    assert await asked_by(StartingReader(away=9), monkeypatch) == [PARTS] * 5
