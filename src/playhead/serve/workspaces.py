"""Workspaces: the main one, which is the data folder, and further ones below it.

A further workspace has a live project, databases and tokens of its own and sees nothing of the main
one; the log, the jobs and the store process are shared.
"""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import msgspec

from playhead.access import ADMIN_FILE, DATABASE_FILE, Grant, Tokens, looks_signed, named_in
from playhead.access.files import write_private
from playhead.build.lock import barrier, locked
from playhead.build.target import DATABASE
from playhead.clock import Clock
from playhead.config import Config
from playhead.errors import Conflict, InvalidRequest, NotFound, PlayheadError
from playhead.observe import logger
from playhead.project.homes import (
    FILE,
    FOLDER,
    ID_BYTES,
    Known,
    database_of,
    folder_of,
    is_id,
    known_of,
    own_database_of,
)
from playhead.project.manifest import LIVE_FILE, STAGING_FILE
from playhead.query.pipes.live import LiveProject
from playhead.query.pipes.workspace import PLAYHEAD, TABLES
from playhead.serve.workspace_leavings import (
    GONE,
    drop_databases,
    folders_in,
    left_in,
    remove_folder,
    unknown_databases,
)
from playhead.store.async_client import AsyncStoreClient

MAIN: Final = ""
MAIN_NAME: Final = "main"
NAME_CHARS_MAX: Final = 200
BUILD_WAIT_S: Final = 30.0
"""How long a deletion waits for a build of the workspace."""
_LOG = logger("workspaces")


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """One workspace."""

    id: str
    """"" = the main one."""
    name: str
    folder: Path
    database: str
    """Where the tables of its project are; those of deployments begin with it."""
    tokens: Tokens
    project: LiveProject
    staging: LiveProject
    """What a deployment has staged; without files while none is."""
    created_at_ms: int = 0
    test: bool = False
    """For one run of tests: see `Known.test`."""

    def secret(self) -> str:
        """Return the secret of its admin token, "" if its file is away."""
        try:
            return (self.folder / ADMIN_FILE).read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""


class Ending(Protocol):
    """Whoever ends the jobs of a workspace."""

    async def end(self, workspace: str) -> None:
        """Cancel its jobs and wait until none runs; raises Conflict."""
        ...


class Workspaces:
    """All workspaces of a data folder. One process makes and deletes them: the web process.

    Args:
        config: The settings; `pipes.max_workspaces` limits the further ones.
        store: Where their databases are.
        tokens: Those of the main workspace.
        clock: The clock.
    """

    def __init__(
        self, config: Config, store: AsyncStoreClient, tokens: Tokens, clock: Clock
    ) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._lock = asyncio.Lock()
        self.ending: Ending | None = None
        """Asked when a workspace goes; None where no jobs are run."""
        self.main = Home(
            id=MAIN,
            name=MAIN_NAME,
            folder=config.data_dir,
            database=DATABASE,
            tokens=tokens,
            project=self._project(config.data_dir),
            staging=self._project(config.data_dir, STAGING_FILE),
        )
        self._folder = config.data_dir / FOLDER
        named = known_of(self._folder)
        self._main_name = MAIN_NAME if named is None else named.name
        self._homes = {home.id: home for home in self._found()}
        self._used_s = dict.fromkeys(self._homes, clock.monotonic_s())

    def of(self, id: str) -> Home:  # noqa: A002 (the word of the API)
        """Return a workspace by its id, "" for the main one.

        Raises:
            NotFound: There is none (any more).
        """
        found = self._homes.get(id) if id else self.main
        if found is None:
            raise NotFound(f"There is no workspace '{id[:NAME_CHARS_MAX]}'.", hint=_HINT)
        return found

    def ids(self) -> list[str]:
        """Return the ids of the further workspaces."""
        return list(self._homes)

    def main_name(self) -> str:
        """Return what the main workspace is called: as `tb --local` calls its folder, if it has come."""
        return self._main_name

    def take_name(self, name: str) -> bool:
        """Call the main workspace so if it has no name yet; return whether it is called so now."""
        if self._main_name == MAIN_NAME:
            known = Known(name=name, created_at_ms=self._clock.now_ms())
            write_private(self._folder / FILE, msgspec.json.encode(known).decode())
            self._main_name = name
        return self._main_name == name

    def further(self) -> list[Home]:
        """Return the further workspaces, oldest first."""
        return sorted(self._homes.values(), key=lambda home: (home.created_at_ms, home.id))

    def named(self, text: str) -> Home | None:
        """Return the further workspace of a name, an id or the id that JWTs name; None if none is."""
        for home in self._homes.values():
            if text in {home.id, home.name, home.tokens.workspace_id}:
                return home
        return None

    def resolve(self, secret: str) -> Grant | None:
        """Return what a secret allows, in whichever workspace; None if it is no token (any more).

        Raises:
            Forbidden: It is a JWT, and not one to be taken; the sentence says why.
        """
        if looks_signed(secret):
            named = named_in(secret)
            found = next(
                (one for one in self._homes.values() if one.tokens.workspace_id == named), self.main
            )
            return self._used(found.tokens.resolve(secret))
        grant = self.main.tokens.resolve(secret)
        for home in list(self._homes.values()) if grant is None else ():
            grant = grant or home.tokens.resolve(secret)
        return self._used(grant)

    def holds(self, grant: Grant) -> bool:
        """Return whether a token that was resolved is still good."""
        if not grant.workspace:
            return self.main.tokens.holds(grant)
        home = self._homes.get(grant.workspace)
        return home is not None and home.tokens.holds(grant)

    async def create(self, name: str, *, test: bool = False) -> Home:
        """Make a workspace, its databases and its admin token.

        Raises:
            InvalidRequest: A name that cannot be.
            Conflict: The name is taken, or there are as many workspaces as allowed.
            StoreUnavailable: The store is away; nothing was made.
        """
        if not name.strip() or not name.isprintable() or len(name) > NAME_CHARS_MAX:
            raise InvalidRequest(
                f"A workspace has a name of 1 to {NAME_CHARS_MAX} letters that can be seen."
            )
        await self.sweep()
        async with self._lock:
            self._check_room(name)
            id_ = secrets.token_hex(ID_BYTES)
            await self._make_databases(id_)
            home = await asyncio.to_thread(self._make_folder, id_, name, test=test)
            self._homes[id_] = home
            self._used_s[id_] = self._clock.monotonic_s()
        _LOG.info("workspace_made", workspace=id_, name=name, test=test)
        return home

    async def delete(self, id: str) -> None:  # noqa: A002 (the word of the API)
        """Delete a further workspace: from now on nobody finds it; then what it held is removed.

        First its jobs end, its build, and the rows on their way into its tables.

        Raises:
            NotFound: There is none.
            Conflict, DataDirBusy, RowsUnsettled: One of them does not end. It is there as before.
            StoreUnavailable: Its databases are still there; they go at the next start.
        """
        async with self._lock:
            home = self.of(id)
            if not home.id:
                raise Conflict("The main workspace stays: it is the data folder.")
            del self._homes[home.id]
            used_s = self._used_s.pop(home.id, self._clock.monotonic_s())
            try:
                gone = await self._put_away(home)
            except BaseException:
                self._homes[home.id], self._used_s[home.id] = home, used_s
                raise
            home.tokens.close()
            await self._remove(home.id, gone)
        _LOG.info("workspace_deleted", workspace=home.id, name=home.name)

    async def sweep(self) -> None:
        """Delete what nobody uses any more: test runs' workspaces, and what a stop left half deleted.

        A store that is away leaves them for the next time.
        """
        idle_s = self._config.pipes.test_workspace_idle_ms / 1000
        now_s = self._clock.monotonic_s()
        for home in self.further():
            if home.test and now_s - self._used_s.get(home.id, now_s) > idle_s:
                await self._swept(home.id)
        async with self._lock:
            left = await asyncio.to_thread(lambda: list(left_in(self._folder, self._homes)))
            try:
                for id_, path in left:
                    await self._remove(id_, path)
                await self._drop_unknown()
            except PlayheadError as error:
                _LOG.warning("workspaces_not_removed", reason=error.message)

    async def close(self) -> None:
        """Close the files of the further ones."""
        for home in self._homes.values():
            home.tokens.close()

    async def _put_away(self, home: Home) -> Path:
        """End what works in a workspace that nobody finds any more, and rename its folder."""
        if self.ending is not None:
            await self.ending.end(home.id)
        gone = home.folder.with_name(home.folder.name + GONE)
        async with (
            locked(home.folder, self._clock, BUILD_WAIT_S),
            barrier(home.folder, self._clock),
        ):
            await asyncio.to_thread(home.folder.rename, gone)
        return gone

    async def _drop_unknown(self) -> None:
        """Drop databases whose workspace is gone: a job or a row may have come too late for it."""
        if self._config.store.kind != "embedded":
            return  # of a store beside others it cannot be told whose they are
        unknown = await unknown_databases(self._store, self._folder)
        for id_ in unknown - self._homes.keys():
            await drop_databases(self._store, id_)
            _LOG.info("databases_removed", workspace=id_)

    async def _swept(self, id_: str) -> None:
        try:
            await self.delete(id_)
        except PlayheadError as error:
            _LOG.warning("workspace_not_removed", workspace=id_, reason=error.message)

    def _used(self, grant: Grant | None) -> Grant | None:
        if grant is not None and grant.workspace in self._used_s:
            self._used_s[grant.workspace] = self._clock.monotonic_s()
        return grant

    def _check_room(self, name: str) -> None:
        if name in {MAIN_NAME, self._main_name} or self.named(name) is not None:
            raise Conflict(f"There is a workspace '{name}' already.", hint="Take another name.")
        most = self._config.pipes.max_workspaces
        if len(self._homes) >= most:
            raise Conflict(
                f"There are {most} workspaces beside the main one, the limit.",
                hint="Delete one by DELETE /v1/workspaces/{id}, or raise pipes.max_workspaces.",
            )

    async def _make_databases(self, id_: str) -> None:
        own = own_database_of(id_, PLAYHEAD)
        for database in (database_of(id_, DATABASE), own):
            await self._store.command(f"CREATE DATABASE IF NOT EXISTS {database}")
        for table in sorted(TABLES):
            # Empty for ever: pipes that read Playhead's own tables can be built and tried here.
            await self._store.command(
                f"CREATE TABLE IF NOT EXISTS {own}.{table} AS {PLAYHEAD}.{table}"
            )

    def _make_folder(self, id_: str, name: str, *, test: bool) -> Home:
        folder = folder_of(self._config.data_dir, id_)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = Known(name=name, created_at_ms=self._clock.now_ms(), test=test)
        write_private(folder / FILE, msgspec.json.encode(known).decode())
        return self._home(folder, known)

    def _home(self, folder: Path, known: Known) -> Home:
        tokens = Tokens(folder / DATABASE_FILE, self._clock, folder.name)
        tokens.ensure_admin(folder)
        return Home(
            id=folder.name,
            name=known.name,
            folder=folder,
            database=database_of(folder.name, DATABASE),
            tokens=tokens,
            project=self._project(folder),
            staging=self._project(folder, STAGING_FILE),
            created_at_ms=known.created_at_ms,
            test=known.test,
        )

    def _project(self, folder: Path, file: Path = LIVE_FILE) -> LiveProject:
        return LiveProject(folder, self._store, self._config.pipes, self._clock, file)

    def _found(self) -> Iterator[Home]:
        """Yield the further workspaces that are on disk."""
        for folder in folders_in(self._folder):
            known = known_of(folder) if is_id(folder.name) else None
            if known is not None:
                yield self._home(folder, known)

    async def _remove(self, id_: str, folder: Path) -> None:
        """Drop the databases of a workspace, then its folder: in this order nothing is forgotten."""
        await drop_databases(self._store, id_)
        await asyncio.to_thread(remove_folder, folder)


_HINT: Final = "GET /v1/user/workspaces lists them."
