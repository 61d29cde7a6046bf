"""The table of jobs, `jobs.db`: every change is on disk when the call returns."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from playhead.clock import Clock
from playhead.errors import Conflict, NotFound, QueueFull, SchemaTooNew
from playhead.jobs.job import Job, State
from playhead.log.database import connect, make_durable, read_error, write_error

DATABASE_FILE: Final = "jobs.db"
VERSION: Final = 1
LISTED_MAX: Final = 1_000
"""Most jobs of one list."""
ERROR_CHARS_MAX: Final = 2_000
_SCHEMA: Final = """
BEGIN;
CREATE TABLE jobs (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, workspace TEXT NOT NULL, name TEXT NOT NULL,
  writes TEXT NOT NULL, state TEXT NOT NULL, created_at INTEGER NOT NULL,
  started_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, detail TEXT NOT NULL,
  kept TEXT NOT NULL, done INTEGER NOT NULL, total INTEGER NOT NULL, error TEXT NOT NULL,
  token TEXT NOT NULL, token_name TEXT NOT NULL, cancelling INTEGER NOT NULL,
  runs INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE INDEX jobs_state ON jobs (state, id);
PRAGMA user_version=1;
COMMIT;
"""
_FIELDS: Final = tuple(field.name for field in msgspec.structs.fields(Job))
_NAMES: Final = ", ".join(_FIELDS)
_ENDED: Final = "('done', 'error', 'cancelled')"
T = TypeVar("T")


class Jobs:
    """Remembers jobs. Calls touch the disk: make them in a thread where a loop runs.

    Args:
        path: The file; made if it is missing.
        clock: Marks changes.
        kept_max: So many are remembered; the oldest that ended are forgotten first.
        waiting_max: So many may wait.

    Raises:
        SchemaTooNew: A newer release wrote the file.
        LogCorrupt, LogUnavailable, DiskLow: It cannot be opened.
    """

    def __init__(self, path: Path, clock: Clock, *, kept_max: int, waiting_max: int) -> None:
        self._path = path
        self._clock = clock
        self._kept_max = kept_max
        self._waiting_max = waiting_max
        self._mutex = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = connect(path, mode="rwc")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.executescript(_SCHEMA)
            make_durable(self._db)
        except sqlite3.Error as error:
            raise read_error(error, path) from error
        if version > VERSION:
            self._db.close()
            raise SchemaTooNew(f"{path.name} has version {version}; this release reads {VERSION}.")

    def add(self, job: Job) -> Job:
        """Add a job that waits, and forget the oldest beyond the limit.

        Raises:
            QueueFull: As many as allowed wait already.
            DiskLow, LogUnavailable: It was not added.
        """
        now_ms = self._clock.now_ms()
        made = msgspec.structs.replace(job, state="waiting", created_at=now_ms, updated_at=now_ms)

        def do() -> None:
            (waiting,) = self._db.execute(
                "SELECT count(*) FROM jobs WHERE state = 'waiting'"
            ).fetchone()
            if waiting >= self._waiting_max:
                raise QueueFull(
                    f"{waiting} jobs wait already; this one was not taken.", retry_after_s=10
                )
            marks = ", ".join("?" * len(_FIELDS))
            self._db.execute(f"INSERT INTO jobs ({_NAMES}) VALUES ({marks})", _values(made))  # noqa: S608
            self._db.execute(
                f"DELETE FROM jobs WHERE state IN {_ENDED} AND id IN (SELECT id FROM jobs"  # noqa: S608
                " ORDER BY id DESC LIMIT -1 OFFSET ?)",
                (self._kept_max,),
            )

        self._write(do)
        return made

    def find(self, id_: str) -> Job | None:
        """Return a job, None when there is none of this id."""
        found = self._ask("WHERE id = ?", (id_,))
        return found[0] if found else None

    def known(self, id_: str) -> Job:
        """Return a job; raises NotFound."""
        found = self.find(id_)
        if found is None:
            raise NotFound(f"There is no job '{id_[:80]}'.", hint="GET /v0/jobs lists them.")
        return found

    def newest(
        self,
        *,
        workspace: str | None = None,
        state: str = "",
        kind: str = "",
        limit: int = LISTED_MAX,
    ) -> list[Job]:
        """Return jobs, newest first; "" and None are any."""
        wheres, values = ["1"], []
        for name, value in (
            ("workspace", workspace),
            ("state", state or None),
            ("kind", kind or None),
        ):
            if value is not None:
                wheres.append(f"{name} = ?")
                values.append(value)
        return self._ask(
            f"WHERE {' AND '.join(wheres)} ORDER BY id DESC LIMIT ?",
            (*values, min(limit, LISTED_MAX)),
        )

    def unfinished(self) -> list[Job]:
        """Return the jobs that wait or work, oldest first."""
        return self._ask("WHERE state IN ('waiting', 'working') ORDER BY id", ())

    def changed_since(self, since_ms: int, limit: int) -> list[Job]:
        """Return the jobs that changed at or after a time, those first that changed first."""
        return self._ask("WHERE updated_at >= ? ORDER BY updated_at, id LIMIT ?", (since_ms, limit))

    def keep(self, id_: str, kept: dict[str, Any]) -> None:
        """Keep where a job is; raises as `add` where it was not kept."""
        self._set(id_, kept=_text(kept))

    def progress(self, id_: str, done: int, total: int) -> None:
        """Keep how far a job is."""
        self._set(id_, done=done, total=total)

    def begin(self, id_: str) -> Job:
        """Mark a job as working, once more; one that has ended meanwhile stays as it is."""
        self._change(
            id_,
            "state = 'working', error = '', runs = runs + 1,"
            " started_at = iif(started_at = 0, ?, started_at)",
            (self._clock.now_ms(),),
            unless=_ENDED,
        )
        return self.known(id_)

    def end(self, id_: str, state: State, error: str = "") -> None:
        """Mark a job as ended."""
        self._set(id_, state=state, error=error[:ERROR_CHARS_MAX], cancelling=0)

    def cancel(self, id_: str) -> Job:
        """Cancel a job that waits; mark one that works, so that it ends where it may.

        Raises:
            NotFound: There is none.
            Conflict: It has ended.
        """
        fresh = "state = 'waiting' AND runs = 0"
        sets = f"cancelling = iif({fresh}, 0, 1), state = iif({fresh}, 'cancelled', state)"
        changed = self._change(id_, sets, (), unless=_ENDED)
        job = self.known(id_)
        if not changed:
            raise Conflict(f"The job has ended ({job.state}); there is nothing to cancel.")
        return job

    def retry(self, id_: str) -> Job:
        """Let a job that failed or was cancelled go on from where it was.

        Raises:
            NotFound: There is none.
            Conflict: It has not failed.
        """
        sets = "state = 'waiting', error = '', cancelling = 0"
        changed = self._change(id_, sets, (), unless="('waiting', 'working', 'done')")
        job = self.known(id_)
        if not changed:
            raise Conflict(f"The job is {job.state}; only one that failed can be tried again.")
        return job

    def forget(self, before_ms: int) -> None:
        """Forget the jobs that ended before a time; raises as `add`."""
        self._write(
            lambda: self._db.execute(
                f"DELETE FROM jobs WHERE state IN {_ENDED} AND updated_at < ?",  # noqa: S608
                (before_ms,),
            )
        )

    def close(self) -> None:
        """Release the file."""
        with self._mutex:
            self._db.close()

    def _set(self, id_: str, **values: Any) -> None:
        values["updated_at"] = self._clock.now_ms()
        sets = ", ".join(f"{name} = ?" for name in values)
        self._write(
            lambda: self._db.execute(
                f"UPDATE jobs SET {sets} WHERE id = ?",  # noqa: S608 (names of ours)
                (*values.values(), id_),
            )
        )

    def _change(self, id_: str, sets: str, values: Sequence[Any], *, unless: str) -> bool:
        """Change a job in one statement unless it is in one of some states; return whether it was."""
        changed = 0

        def do() -> None:
            nonlocal changed
            changed = self._db.execute(
                f"UPDATE jobs SET {sets}, updated_at = ?"  # noqa: S608 (texts of ours)
                f" WHERE id = ? AND state NOT IN {unless}",
                (*values, self._clock.now_ms(), id_),
            ).rowcount

        self._write(do)
        return changed > 0

    def _ask(self, where: str, values: Sequence[Any]) -> list[Job]:
        with self._mutex:
            try:
                rows = self._db.execute(f"SELECT {_NAMES} FROM jobs {where}", values).fetchall()  # noqa: S608
            except sqlite3.Error as error:
                raise read_error(error, self._path) from error
        return [_job(row) for row in rows]

    def _write(self, do: Callable[[], object]) -> None:
        with self._mutex:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    do()
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                raise write_error(error, self._path) from error


def _text(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()


def _values(job: Job) -> tuple[Any, ...]:
    found = (getattr(job, name) for name in _FIELDS)
    return tuple(_text(one) if isinstance(one, dict) else one for one in found)


def _job(row: Sequence[Any]) -> Job:
    values = dict(zip(_FIELDS, row, strict=True))
    values["detail"] = msgspec.json.decode(values["detail"])
    values["kept"] = msgspec.json.decode(values["kept"])
    values["cancelling"] = bool(values["cancelling"])
    return Job(**values)
