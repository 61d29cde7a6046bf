"""The project that is served: read from the data folder, and again whenever it was built anew."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from playhead.clock import Clock
from playhead.config import Pipes
from playhead.errors import PlayheadError
from playhead.observe import logger
from playhead.project.folder import read_texts
from playhead.project.homes import database_of, id_of, known_of
from playhead.project.manifest import LIVE_FILE, UNREADABLE, Manifest, read_manifest
from playhead.project.resources import Project
from playhead.project.routes import stamp_of
from playhead.project.variables import FILE as VARIABLES_FILE
from playhead.project.variables import read_variables
from playhead.query.guard.functions import function_list
from playhead.query.guard.trees import Trees
from playhead.query.pipes.resolve import Resolver
from playhead.query.pipes.texts import Bounds
from playhead.query.pipes.workspace import Workspace
from playhead.query.span import iso
from playhead.store.client import AsyncStoreClient

_LOG = logger("pipes")


class Live(msgspec.Struct, frozen=True):
    """One version of the project, ready to answer."""

    workspace: Workspace
    resolver: Resolver
    version: int
    """Counts from 0 since the server started; 0 is the empty project."""
    built_at_ms: int = 0
    published: frozenset[str] = frozenset()
    """Names of pipes that came over HTTP."""
    deployment: str = ""
    """The deployment it is; "" = what a build made."""


_Stamp = tuple[tuple[int, int, int] | None, ...]


class LiveProject:
    """Gives the newest version that can be read; while none is there, a project without files."""

    def __init__(
        self,
        data_dir: Path,
        store: AsyncStoreClient,
        limits: Pipes,
        clock: Clock,
        file: Path = LIVE_FILE,
    ) -> None:
        self._folder = data_dir
        self._id = id_of(data_dir)
        self._path = data_dir / file
        self._store = store
        self._limits = limits
        self._clock = clock
        self._bounds = bounds_of(limits)
        self._lock = asyncio.Lock()
        self._live: Live | None = None
        self._stamp: _Stamp = ()
        self._looked_s = float("-inf")
        self.problem = ""
        """Why the newest version on disk is not the one that is served; "" = it is."""

    async def current(self) -> Live:
        """Return the project as it is served now.

        Raises:
            StoreUnavailable: Before the first answer the store has to say what functions it has.
        """
        live = self._live
        now_s = self._clock.monotonic_s()
        if live is not None and (
            now_s - self._looked_s < self._limits.reload_ms / 1000 or self._lock.locked()
        ):
            return live
        return await self.newest()

    async def newest(self) -> Live:
        """Return the project as it is on disk at this moment; raises as `current`."""
        async with self._lock:
            self._looked_s = self._clock.monotonic_s()
            stamp = await asyncio.to_thread(_stamps_of, self._path, self._folder / VARIABLES_FILE)
            if self._live is None or stamp != self._stamp:
                await self._load(stamp)
            assert self._live is not None  # noqa: S101 (set by _load)
            return self._live

    async def state(self) -> dict[str, Any]:
        """Return what is served, for the server's status: counts, when it was built, and the problem."""
        try:
            live = await self.current()
        except PlayheadError as error:
            return {"pipes": 0, "datasources": 0, "built_at": None, "problem": error.message}
        project = live.workspace.project
        return {
            "pipes": len(project.pipes),
            "datasources": len(project.datasources),
            "built_at": iso(live.built_at_ms) if live.built_at_ms else None,
            "problem": self.problem or None,
        }

    async def _load(self, stamp: _Stamp) -> None:
        try:
            manifest, project = await asyncio.to_thread(_read, self._path, self._folder)
        except UNREADABLE as error:
            self.problem = error.message if isinstance(error, PlayheadError) else str(error)
            _LOG.error("project_not_read", reason=self.problem, kept="the version before")
            manifest, project = Manifest(), Project()
            if self._live is not None:
                self._stamp = stamp
                return
        else:
            bad = [one for one in project.problems if not one.warning]
            self.problem = f"Not served: {bad[0]}" if bad else ""
        live = await self._made(manifest, project)
        self._live, self._stamp = live, stamp
        if manifest.files:
            _LOG.info(
                "project_live",
                pipes=len(project.pipes),
                datasources=len(project.datasources),
                built_at_ms=manifest.built_at_ms,
            )

    async def _made(self, manifest: Manifest, project: Project) -> Live:
        known = known_of(self._folder) if self._id else None
        workspace = Workspace(
            id=self._id,
            project=project,
            test=known is not None and known.test,
            database=database_of(self._id, manifest.database),
            places=manifest.places,
            secrets={**project.secrets, **manifest.secrets},
        )
        functions = await function_list(self._store)
        trees = Trees(self._store, entries_max=self._limits.prepared_entries)
        resolver = Resolver(workspace, trees, functions, self._bounds)
        version = 0 if self._live is None and not manifest.files else self._next_version()
        published = frozenset(set(manifest.published) & set(project.pipes))
        return Live(
            workspace, resolver, version, manifest.built_at_ms, published, manifest.deployment
        )

    def _next_version(self) -> int:
        return 1 if self._live is None else self._live.version + 1


def bounds_of(limits: Pipes) -> Bounds:
    """Return the limits of making queries as the settings say."""
    return Bounds(
        query_bytes=limits.max_query_bytes,
        query_depth=limits.max_query_depth,
        query_nodes=limits.max_query_nodes,
        pipe_depth=limits.max_pipe_depth,
        template_steps=limits.max_template_steps,
        template_bytes=limits.max_template_bytes,
        prepared_entries=limits.prepared_entries,
    )


def _stamps_of(*paths: Path) -> _Stamp:
    return tuple(stamp_of(path) for path in paths)


def _read(path: Path, folder: Path) -> tuple[Manifest, Project]:
    """Return what is on disk; no file is a project without files. Raises as `read_manifest`.

    What was set on the server since stands above what a build found in `.env.local`.
    """
    try:
        manifest = read_manifest(path)
    except FileNotFoundError:
        return Manifest(), Project()
    secrets = read_variables(folder).over(manifest.secrets, manifest.built_at_ms)
    manifest = msgspec.structs.replace(manifest, secrets=secrets)
    return manifest, read_texts(manifest.files, secrets=secrets)
