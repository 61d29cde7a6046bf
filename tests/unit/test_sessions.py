import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead.access import Grant, Tokens
from playhead.clock import ManualClock
from playhead.errors import Unavailable
from playhead.sessions import Sessions

KEEP_MS = 60_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def tokens(tmp_path: Path, clock: ManualClock) -> Iterator[Tokens]:
    made = Tokens(tmp_path / "access.db", clock)
    yield made
    made.close()


@pytest.fixture
def grant(tokens: Tokens) -> Grant:
    return tokens.create("read", "page", "shop")[0]


def opened(tokens: Tokens, clock: ManualClock, most: int = 10) -> Sessions:
    return Sessions(tokens, clock, keep_ms=KEEP_MS, max_sessions=most)


def test_a_session_stands_for_its_token(tokens: Tokens, clock: ManualClock, grant: Grant) -> None:
    sessions = opened(tokens, clock)
    secret, session = sessions.begin(grant)
    assert sessions.find(secret) == session
    assert sessions.grant_of(session) == grant


def test_a_session_outlives_a_restart(tokens: Tokens, clock: ManualClock, grant: Grant) -> None:
    secret, session = opened(tokens, clock).begin(grant)
    assert opened(tokens, clock).find(secret) == session


def test_only_the_hash_is_kept(tokens: Tokens, clock: ManualClock, grant: Grant) -> None:
    secret, _ = opened(tokens, clock).begin(grant)
    assert tokens.path.read_bytes().find(secret.encode()) == -1


@pytest.mark.parametrize("secret", ["", "unknown", "x" * 10_000, "é\udcff"])
def test_what_is_no_session_is_none(tokens: Tokens, clock: ManualClock, secret: str) -> None:
    assert opened(tokens, clock).find(secret) is None


def test_a_session_ends_with_its_time(tokens: Tokens, clock: ManualClock, grant: Grant) -> None:
    sessions = opened(tokens, clock)
    secret, session = sessions.begin(grant)
    clock.advance(KEEP_MS)
    assert sessions.find(secret) is None
    assert sessions.grant_of(session) is None


def test_a_session_ends_with_its_token(tokens: Tokens, clock: ManualClock, grant: Grant) -> None:
    sessions = opened(tokens, clock)
    secret, _ = sessions.begin(grant)
    tokens.revoke(grant.id)
    assert sessions.find(secret) is None


def test_an_ended_session_stays_ended(tokens: Tokens, clock: ManualClock, grant: Grant) -> None:
    sessions = opened(tokens, clock)
    secret, session = sessions.begin(grant)
    sessions.end(session)
    assert sessions.find(secret) is None
    assert opened(tokens, clock).find(secret) is None


def test_expired_sessions_are_removed(tokens: Tokens, clock: ManualClock, grant: Grant) -> None:
    sessions = opened(tokens, clock)
    sessions.begin(grant)
    clock.advance(KEEP_MS)
    sessions.begin(grant)
    with sqlite3.connect(tokens.path) as database:
        assert database.execute("SELECT count(*) FROM sessions").fetchone() == (1,)


def test_at_the_limit_a_tokens_oldest_makes_room(
    tokens: Tokens, clock: ManualClock, grant: Grant
) -> None:
    sessions = opened(tokens, clock, most=2)
    made = []
    for _ in range(3):
        made.append(sessions.begin(grant)[0])
        clock.advance(1)
    assert [sessions.find(secret) is not None for secret in made] == [False, True, True]


def test_one_token_does_not_end_anothers_sessions(
    tokens: Tokens, clock: ManualClock, grant: Grant
) -> None:
    sessions = opened(tokens, clock, most=1)
    secret, _ = sessions.begin(grant)
    with pytest.raises(Unavailable):
        sessions.begin(tokens.create("read")[0])
    assert sessions.find(secret) is not None


def test_a_file_that_cannot_be_written_is_said_so(
    tokens: Tokens, clock: ManualClock, grant: Grant
) -> None:
    sessions = opened(tokens, clock)
    with sqlite3.connect(tokens.path) as database:
        database.execute("DROP TABLE sessions")
    with pytest.raises(Unavailable):
        sessions.begin(grant)
