"""Browser sessions: a random id in a cookie stands for a token, so that no page keeps the token.

Only hashes of ids are kept, beside the tokens; a session ends with its token.
"""

import contextlib
import secrets
import sqlite3
import threading
from collections.abc import Generator
from typing import Final

import msgspec

from playhead.access import Grant, Tokens, hash_of
from playhead.clock import Clock
from playhead.errors import Unavailable

SECRET_BYTES: Final = 32
SECRET_CHARS_MAX: Final = 128
_BUSY_S: Final = 5.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
  hash BLOB PRIMARY KEY, token_id TEXT NOT NULL, expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID
"""


class Session(msgspec.Struct, frozen=True):
    """One session; `expires_at` is UTC ms."""

    hash: bytes
    token_id: str
    expires_at: int


class Sessions:
    """The sessions of one data folder; they outlive a restart. One process writes them.

    Args:
        tokens: What sessions stand for; the sessions lie in the same file.
        clock: The clock.
        keep_ms: How long a session lasts.
        max_sessions: How many there may be; a token's oldest makes room for its newest.
    """

    def __init__(self, tokens: Tokens, clock: Clock, *, keep_ms: int, max_sessions: int) -> None:
        self._tokens = tokens
        self._clock = clock
        self._keep_ms = keep_ms
        self._max_sessions = max_sessions
        self._lock = threading.Lock()
        with self._database() as database:
            database.execute(_SCHEMA)
            rows = database.execute(
                "SELECT hash, token_id, expires_at FROM sessions ORDER BY expires_at"
            ).fetchall()
        self._sessions = {bytes(row[0]): Session(bytes(row[0]), *row[1:]) for row in rows}

    def begin(self, grant: Grant) -> tuple[str, Session]:
        """Begin a session and return its secret, which is shown this once only; blocks to write it.

        Raises:
            Unavailable: As many sessions of other tokens as allowed, or the file cannot be written.
        """
        secret = secrets.token_urlsafe(SECRET_BYTES)
        session = Session(hash_of(secret), grant.id, self._clock.now_ms() + self._keep_ms)
        with self._lock:
            over = self._over()
            if len(self._sessions) - len(over) >= self._max_sessions:
                over.append(self._oldest_of(grant))
            with self._database() as database, database:
                _delete(database, over)
                database.execute(
                    "INSERT INTO sessions (hash, token_id, expires_at) VALUES (?, ?, ?)",
                    (session.hash, session.token_id, session.expires_at),
                )
            for one in over:
                del self._sessions[one.hash]
            self._sessions[session.hash] = session
        return secret, session

    def find(self, secret: str) -> Session | None:
        """Return the session of a secret, or None if there is none (any more)."""
        if not secret or len(secret) > SECRET_CHARS_MAX:
            return None
        session = self._sessions.get(hash_of(secret))
        return session if session is not None and self.grant_of(session) else None

    def grant_of(self, session: Session) -> Grant | None:
        """Return what a session allows: what its token does; None once either has ended."""
        if session.hash not in self._sessions or session.expires_at <= self._clock.now_ms():
            return None
        return self._tokens.granted(session.token_id)

    def end(self, session: Session) -> None:
        """End a session; blocks to write it.

        Raises:
            Unavailable: The file cannot be written; the session goes on.
        """
        with self._lock:
            with self._database() as database, database:
                _delete(database, [session])
            self._sessions.pop(session.hash, None)

    def _over(self) -> list[Session]:
        return [one for one in self._sessions.values() if self.grant_of(one) is None]

    def _oldest_of(self, grant: Grant) -> Session:
        """Return the session that makes room; they stand in the order they began."""
        for session in self._sessions.values():
            if session.token_id == grant.id and self.grant_of(session) is not None:
                return session
        raise Unavailable(
            "There are as many sessions as allowed.",
            hint="Use the token itself, or raise query.max_sessions.",
            retry_after_s=60,
        )

    @contextlib.contextmanager
    def _database(self) -> Generator[sqlite3.Connection, None, None]:
        """Yield a connection of its own: sessions begin and end seldom."""
        try:
            with contextlib.closing(sqlite3.connect(self._tokens.path, timeout=_BUSY_S)) as opened:
                opened.execute("PRAGMA synchronous=FULL")
                yield opened
        except sqlite3.Error as error:
            raise Unavailable("Sessions cannot be written at the moment.") from error


def _delete(database: sqlite3.Connection, sessions: list[Session]) -> None:
    database.executemany("DELETE FROM sessions WHERE hash = ?", [(one.hash,) for one in sessions])
