"""The data sources of the project in a folder, read again whenever a build has changed it."""

import asyncio
from pathlib import Path
from typing import Final

import msgspec

from playhead.access import Grant
from playhead.clock import Clock
from playhead.collect.sources import LIVE, STAGING, ProjectSource
from playhead.errors import InvalidRequest, PlayheadError, ProjectInvalid, Unavailable
from playhead.observe import logger
from playhead.project.folder import read_texts
from playhead.project.manifest import LIVE_FILE, STAGING_FILE, UNREADABLE, read_manifest
from playhead.project.resources import Project
from playhead.project.routes import ROUTES_FILE, Routes, read_routes, stamp_of
from playhead.project.rows import RowReader
from playhead.project.variables import read_variables

RETRY_S: Final = 2
_LOG = logger("collect")
_Stamps = tuple[tuple[int, int, int] | None, ...]


class _Loaded(msgspec.Struct, frozen=True):
    """One version of the project."""

    project: Project = Project()
    routes: Routes | None = None
    """None: an earlier release has built the project, and said nothing of rows."""
    sources: dict[str, ProjectSource] = {}
    """Those asked for so far."""


class ProjectSources:
    """Finds the data sources of one folder's project.

    Args:
        folder: The data folder, or that of a workspace.
        reload_ms: How often to look whether a build has changed it.
        clock: For that.
        workspace: Whose folder it is.
    """

    def __init__(self, folder: Path, reload_ms: int, clock: Clock, workspace: str = "") -> None:
        self._workspace = workspace
        self._clock = clock
        self._versions = {
            LIVE: _Version(folder, LIVE_FILE, reload_ms, clock),
            STAGING: _Version(folder, STAGING_FILE, reload_ms, clock),
        }

    async def find(
        self,
        grant: Grant | None,  # noqa: ARG002 (one folder)
        name: str,
        deployment: str = LIVE,
    ) -> ProjectSource | None:
        """Return a data source; as `Sources.find`."""
        version = self._versions.get(deployment)
        if version is None:
            raise InvalidRequest("__tb__deployment is staging, or left out. Nothing was stored.")
        loaded = await version.current()
        name = loaded.project.aliases.get(name, name)
        found = loaded.sources.get(name)
        if found is None and name in loaded.project.datasources:
            found = loaded.sources[name] = self._made(loaded, name, deployment)
        return found

    def _made(self, loaded: _Loaded, name: str, deployment: str) -> ProjectSource:
        kept = f"{deployment}:{name}" if deployment else name
        if loaded.routes is None:
            raise Unavailable(
                f"An earlier release of Playhead has built the project with '{name}', and it takes"
                " no rows until it is built again. Nothing was stored.",
                hint="Run 'playhead build' in the project's folder.",
                retry_after_s=RETRY_S,
            )
        try:
            reader = RowReader(loaded.project.datasources[name], loaded.routes.types.get(kept, {}))
        except ProjectInvalid as error:
            raise InvalidRequest(f"'{name}' takes no rows: {error.message}") from error
        if loaded.routes.shape(kept, reader.shape_id) is None:
            raise Unavailable(
                f"'{name}' is being changed by a build. Nothing was stored.",
                hint="Send it again in a moment; if it stays so, build the project again.",
                retry_after_s=RETRY_S,
            )
        return ProjectSource(kept, reader, self._workspace)


class _Version:
    """What is live in a folder, or staged."""

    def __init__(self, folder: Path, file: Path, reload_ms: int, clock: Clock) -> None:
        self._folder = folder
        self._paths = (folder / file, folder / ROUTES_FILE)
        self._reload_s = reload_ms / 1_000
        self._clock = clock
        self._lock = asyncio.Lock()
        self._looked_s = float("-inf")
        self._stamps: _Stamps | None = None
        self._loaded = _Loaded()

    async def current(self) -> _Loaded:
        """Return what a build left last; the version before while the newest cannot be read."""
        now_s = self._clock.monotonic_s()
        known = self._stamps is not None
        if known and (now_s - self._looked_s < self._reload_s or self._lock.locked()):
            return self._loaded
        async with self._lock:
            stamps = await asyncio.to_thread(self._look)
            self._looked_s = self._clock.monotonic_s()
            if stamps != self._stamps:
                await self._load(stamps)
        return self._loaded

    def _look(self) -> _Stamps:
        return tuple(stamp_of(path) for path in self._paths)

    async def _load(self, stamps: _Stamps) -> None:
        try:
            self._loaded = await asyncio.to_thread(self._read)
        except OSError as error:  # of the moment (no file left to open): looked at again
            _LOG.error("project_not_read", reason=str(error), kept="the version before")
            if self._stamps is None:
                raise Unavailable(
                    "The project's files cannot be read at the moment. Nothing was stored.",
                    hint="Send it again in a moment; the server's log says what is wrong.",
                    retry_after_s=RETRY_S,
                ) from error
            return
        except UNREADABLE as error:
            reason = error.message if isinstance(error, PlayheadError) else str(error)
            _LOG.error("project_not_read", reason=reason, kept="the version before")
        self._stamps = stamps

    def _read(self) -> _Loaded:
        """Read both files; raises what `UNREADABLE` names."""
        live, routes = self._paths
        try:
            manifest = read_manifest(live)
        except FileNotFoundError:
            return _Loaded()
        values = {**manifest.secrets, **read_variables(self._folder).plain()}
        project = read_texts(manifest.files, secrets=values)
        try:
            return _Loaded(project, read_routes(routes), {})
        except FileNotFoundError:
            return _Loaded(project, None, {})
