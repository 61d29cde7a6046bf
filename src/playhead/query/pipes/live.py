"""The project that is served: read from the data folder, and again whenever it was built anew."""

import asyncio
from pathlib import Path
from typing import Any, Final

import msgspec

from playhead.clock import Clock
from playhead.config import Pipes
from playhead.errors import PlayheadError, ProjectInvalid
from playhead.observe import logger
from playhead.project.folder import read_texts
from playhead.project.resources import Project
from playhead.query.guard.functions import function_list
from playhead.query.guard.trees import Trees
from playhead.query.pipes.resolve import Resolver
from playhead.query.pipes.texts import Bounds
from playhead.query.pipes.workspace import Workspace
from playhead.query.span import iso
from playhead.store.client import AsyncStoreClient

LIVE_FILE: Final = Path("project") / "live.json"
"""Inside the data folder."""
VERSION: Final = 1
UNREADABLE: Final = (ProjectInvalid, OSError, msgspec.DecodeError, RecursionError)
"""What reading it raises."""
_LOG = logger("pipes")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a build leaves for the server."""

    version: int = VERSION
    database: str = "project"
    files: dict[str, str] = {}
    """Relative path to text: data sources, pipes, connections; no fixtures, no tests."""
    secrets: dict[str, str] = {}
    built_at_ms: int = 0
    published: dict[str, str] = {}
    """Pipes that came over HTTP, name to text; those that a name of the folder hides are not in `files`."""


class Live(msgspec.Struct, frozen=True):
    """One version of the project, ready to answer."""

    workspace: Workspace
    resolver: Resolver
    version: int
    """Counts from 0 since the server started; 0 is the empty project."""
    built_at_ms: int = 0
    published: frozenset[str] = frozenset()
    """Names of pipes that came over HTTP."""


_Stamp = tuple[int, int, int] | None


class LiveProject:
    """Gives the newest version that can be read; while none is there, a project without files."""

    def __init__(
        self, data_dir: Path, store: AsyncStoreClient, limits: Pipes, clock: Clock
    ) -> None:
        self._path = data_dir / LIVE_FILE
        self._store = store
        self._limits = limits
        self._clock = clock
        self._bounds = bounds_of(limits)
        self._lock = asyncio.Lock()
        self._live: Live | None = None
        self._stamp: _Stamp = None
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
            stamp = await asyncio.to_thread(_stamp_of, self._path)
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
            manifest, project = await asyncio.to_thread(_read, self._path)
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
        workspace = Workspace(
            project=project,
            database=manifest.database,
            secrets={**project.secrets, **manifest.secrets},
        )
        functions = await function_list(self._store)
        trees = Trees(self._store, entries_max=self._limits.prepared_entries)
        resolver = Resolver(workspace, trees, functions, self._bounds)
        version = 0 if self._live is None and not manifest.files else self._next_version()
        published = frozenset(set(manifest.published) & set(project.pipes))
        return Live(workspace, resolver, version, manifest.built_at_ms, published)

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


def read_manifest(path: Path) -> Manifest:
    """Return what a build left.

    Raises:
        FileNotFoundError: There was none.
        ProjectInvalid: It is of another version of Playhead.
        OSError: It cannot be read.
        msgspec.DecodeError: It is not what a build writes.
        RecursionError: Nor this.
    """
    manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    if manifest.version != VERSION:
        raise ProjectInvalid(
            f"{path.name} is of version {manifest.version}; this release reads {VERSION}. "
            "Build the project again."
        )
    return manifest


def _stamp_of(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _read(path: Path) -> tuple[Manifest, Project]:
    """Return what is on disk; no file is a project without files. Raises as `read_manifest`."""
    try:
        manifest = read_manifest(path)
    except FileNotFoundError:
        return Manifest(), Project()
    return manifest, read_texts(manifest.files)
