"""Where a build goes, and what it has found."""

from pathlib import Path
from typing import Literal

import msgspec

from playhead.config import Pipes
from playhead.project.homes import id_of
from playhead.project.problem import Problem
from playhead.project.resources import Project
from playhead.query.guard.functions import FunctionList, function_list
from playhead.query.guard.trees import Trees
from playhead.query.pipes.live import bounds_of
from playhead.query.pipes.resolve import Resolver
from playhead.query.pipes.workspace import Workspace
from playhead.store.async_client import AsyncStoreClient

DATABASE = "project"
Kind = Literal["data source", "pipe", "materialized view", "fixture", "token"]
Deed = Literal["created", "changed", "recreated", "removed", "filled", "loaded"]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The store a project is built in, and how."""

    store: AsyncStoreClient
    trees: Trees
    functions: FunctionList
    limits: Pipes = Pipes()
    database: str = DATABASE
    places: dict[str, str] = {}
    """Data sources whose table is in another database: `Manifest.places`."""
    data_dir: Path | None = None
    """Where `project/live.json` is switched; None = nothing is served (a test run)."""
    clock_ms: int | None = None
    """The frozen clock, for everything that asks the time."""
    keeps_expired: bool = False
    """Tables get no TTL: a test run removes what is expired at its own clock."""
    partial: bool = False
    """What builds is built although other resources do not."""

    def database_of(self, datasource: str) -> str:
        """Return the database that holds the table of a data source, and the views that fill it."""
        return self.places.get(datasource, self.database)

    def databases(self) -> list[str]:
        """Return every database that holds a table of the project."""
        return sorted({self.database, *self.places.values()})

    def resolver(self, project: Project, database: str) -> Resolver:
        """Return who turns this project's nodes into queries over `database`.

        Over the target's own they find each data source in its place.
        """
        workspace = Workspace(
            id="" if self.data_dir is None else id_of(self.data_dir),
            project=project,
            database=database,
            places=self.places if database == self.database else {},
            secrets=project.secrets,
            clock_ms=self.clock_ms,
            test=self.partial,
        )
        return Resolver(workspace, self.trees, self.functions, bounds_of(self.limits))


async def target_of(store: AsyncStoreClient, limits: Pipes) -> Target:
    """Return a store as a target, with the functions it has; raises as `AsyncStoreClient.rows`."""
    trees = Trees(store, entries_max=limits.prepared_entries)
    return Target(store=store, trees=trees, functions=await function_list(store), limits=limits)


class Change(msgspec.Struct, frozen=True):
    """One thing a build has done."""

    deed: Deed
    kind: Kind
    name: str
    detail: str = ""

    def __str__(self) -> str:
        """Return `created   data source plays`."""
        more = f" ({self.detail})" if self.detail else ""
        return f"{self.deed:<9} {self.kind} {self.name}{more}"


class BuildResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a build has found and done."""

    problems: tuple[Problem, ...] = ()
    """One per resource that cannot be built."""
    warnings: tuple[Problem, ...] = ()
    changes: tuple[Change, ...] = ()
    project: Project = Project()
    """What was built of the project."""
    switched: bool = False
    """Whether it is live now."""
