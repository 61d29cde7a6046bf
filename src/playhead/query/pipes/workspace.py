"""What a query may be about: a project's resources beside Playhead's own tables."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, Protocol

import msgspec

from playhead.access.grant import QUARANTINE
from playhead.errors import NotFound
from playhead.project.homes import own_database_of
from playhead.project.resources import Node, Pipe, Project
from playhead.project.services import service_table
from playhead.template.rendering import Given

PLAYHEAD: Final = "playhead"
TABLES: Final = frozenset({
    "views", "events", "quarantine", "cdn_requests", "stream_frames", "cdn_minutes",
})  # fmt: skip
"""Playhead's own tables that a query may name. Those of rollups and migrations are nobody's."""
OUTPUT: Final = "_"
"""The endpoint, in a query put on top of it."""
NAME_CHARS_SHOWN: Final = 80
"""How much of an unknown name an answer repeats."""
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RELEASE: Final = re.compile(r"v\d+(?:_\d+)+")


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """A project as queries see it."""

    project: Project
    id: str = ""
    """Of which workspace it is; "" = the main one."""
    database: str = "project"
    """Where the tables of its data sources are, and those of their refused rows."""
    places: dict[str, str] = {}
    """Data sources whose table is in another database: `Manifest.places`."""
    secrets: dict[str, str] = {}
    clock_ms: int | None = None
    """The frozen clock; None = the engine's own."""
    tables: frozenset[str] = TABLES
    """Playhead's tables in reach, without their database."""
    test: bool = False
    """Queries run in one thread, so that rows come in the same order each time."""

    def database_of(self, datasource: str) -> str:
        """Return the database that holds the table of a data source."""
        return self.places.get(datasource, self.database)

    def databases(self) -> list[str]:
        """Return every database that holds a table of it."""
        return sorted({self.database, *self.places.values()})

    def own_database(self) -> str:
        """Return where Playhead's own tables are; a further workspace has empty ones of its own."""
        return own_database_of(self.id, PLAYHEAD)

    def stored_name(self, named: str) -> str:
        """Return the table, with its database, of a data source or a `playhead.` table."""
        database, _, table = named.rpartition(".")
        if database == PLAYHEAD:
            return f"{self.own_database()}.{table}"
        return named if database else f"{self.database_of(named)}.{named}"


class May(Protocol):
    """Whose resources the caller may name. What a pipe reads inside is the pipe's own affair."""

    def datasource(self, name: str) -> bool:
        """Return whether a data source, its quarantine or a `playhead.` table may be read."""
        ...

    def pipe(self, name: str) -> bool:
        """Return whether a pipe may be read."""
        ...

    def nodes(self) -> bool:
        """Return whether nodes before a pipe's output may be named: they hold what it leaves out."""
        ...


class Place(msgspec.Struct, frozen=True):
    """A node: the pipe's name and the node's position in it; pipe "" is the caller's own text."""

    pipe: str
    index: int = 0


class Table(msgspec.Struct, frozen=True):
    """A table of the store. `named` is what a token's scopes call it: `playhead.views`, `plays`."""

    database: str
    name: str
    named: str
    join: bool = False
    """It has the engine Join, which joins without asking for row filters."""
    quarantine: bool = False
    """It holds what the data source `named` refused."""


Meaning = Place | Table


class Terms(msgspec.Struct, frozen=True):
    """On which terms a caller reads."""

    tables: frozenset[str] = frozenset()
    """Data sources and `playhead.` tables of which it sees some rows only; the conditions go with
    the query's settings."""
    pipes: dict[str, str] = {}
    """The condition on the rows of a pipe."""
    fixed: dict[str, dict[str, str]] = {}
    """Parameters of a pipe that the caller cannot choose."""

    def key(self) -> tuple[object, ...]:
        """Return what the making of a query depends on besides its texts."""
        return (tuple(sorted(self.tables)), tuple(sorted(self.pipes.items())))

    def params(self, given: Mapping[str, Given], pipe: str | None) -> dict[str, Given]:
        """Return the parameters of a request with those that are fixed, of `pipe` first."""
        fixed: dict[str, str] = dict(self.fixed.get(pipe or "", {}))
        for values in self.fixed.values():
            for name, value in values.items():
                fixed.setdefault(name, value)
        return {**given, **fixed}

    def holds(self, given: Mapping[str, Given], pipe: str) -> bool:
        """Return whether parameters are as fixed for a pipe."""
        return all(given.get(name) == value for name, value in self.fixed.get(pipe, {}).items())


FREE: Final = Terms()


class Standpoint(msgspec.Struct, frozen=True, kw_only=True):
    """From where names are looked at."""

    pipe: str | None = None
    """Of a text from outside: the pipe whose nodes it may name."""
    terms: Terms = FREE
    copying: bool = False
    """The query fills a data source by a copy, which may read from elsewhere too."""

    def key(self) -> tuple[object, ...]:
        """Return what the making of a query depends on besides its texts."""
        return (self.pipe, self.copying, *self.terms.key())


COVER: Final = -1
"""Index of what stands before a pipe's output for a caller who sees some of its rows only."""
OUTSIDE: Final = Place("")


class Namespace:
    """What a name means to a node or to a text from outside; made once a project."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.workspace_id = workspace.id
        self._global: dict[str, Meaning] = {}
        self._nodes = {
            pipe.name: {node.name: index for index, node in enumerate(pipe.nodes)}
            for pipe in workspace.project.pipes.values()
        }
        self._fill()

    def pipe(self, name: str) -> Pipe | None:
        """Return a pipe by its name or its second name."""
        project = self._workspace.project
        return project.pipes.get(project.aliases.get(name, name)) or project.pipes.get(name)

    def known(self, name: str) -> Pipe:
        """Return a pipe as `pipe` does; raises NotFound."""
        found = self.pipe(name)
        if found is None:
            shown = name[:NAME_CHARS_SHOWN]
            raise NotFound(f"There is no pipe '{shown}'.", hint="GET /v0/pipes lists them.")
        return found

    def output(self, pipe: Pipe) -> Place:
        """Return the node that stands for a pipe."""
        wanted = pipe.output
        index = next(i for i, node in enumerate(pipe.nodes) if node is wanted)
        return Place(pipe.name, index)

    def node(self, place: Place) -> Node:
        """Return the node at a place."""
        return self._workspace.project.pipes[place.pipe].nodes[place.index]

    def place(self, pipe: str, node: str) -> Place | None:
        """Return where a node is, or None if there is no such node."""
        index = self._nodes.get(pipe, {}).get(node)
        return None if index is None else Place(pipe, index)

    def meaning(
        self, database: str, name: str, *, at: Place, pipe: str | None = None
    ) -> Meaning | None:
        """Return what a name means.

        Args:
            database: What stands before the dot, or "".
            name: The name.
            at: The node that uses it; only nodes before it are seen.
            pipe: For a text from outside: the pipe whose nodes it may name, and which is `_`.
        """
        if database:
            return self._qualified(database, name)
        if at.index == COVER:
            return self.output(self._workspace.project.pipes[at.pipe]) if name == OUTPUT else None
        own = pipe if at == OUTSIDE else at.pipe
        if own is not None:
            index = self._nodes.get(own, {}).get(name)
            if index is not None and (at == OUTSIDE or index < at.index):
                return Place(own, index)
            if at == OUTSIDE and name == OUTPUT:
                return self.output(self._workspace.project.pipes[own])
        return self._global.get(name)

    def mentioned(self, text: str, *, at: Place, pipe: str | None = None) -> Iterator[Place]:
        """Yield the nodes a text seems to name: what it says anywhere, taken for a name."""
        seen: set[str] = set()
        for word in _WORD.findall(text):
            if word not in seen:
                seen.add(word)
                found = self.meaning("", word, at=at, pipe=pipe)
                if isinstance(found, Place) and found != at:
                    yield found

    def sentence(self, database: str, name: str) -> str:
        """Return what to say about a name that means nothing here."""
        if _RELEASE.fullmatch(database):
            return f"'{database}.{name}' is a table of an earlier release; there is none here."
        if database and database != PLAYHEAD:
            return f"'{database}.{name}' belongs to another workspace; there is none here."
        shown = f"{database}.{name}" if database else name
        return f"There is no data source, pipe or node '{shown}' here."

    def names(self) -> tuple[str, ...]:
        """Return every name that means something without a pipe around it."""
        return tuple(self._global)

    def serves(self, name: str) -> bool:
        """Return whether a service table ("tinybird.jobs_log") is to be seen in this workspace."""
        own = name.startswith("tinybird.")
        return service_table(name) and (own or not self.workspace_id)

    def _qualified(self, database: str, name: str) -> Meaning | None:
        if database == PLAYHEAD and name in self._workspace.tables:
            return Table(self._workspace.own_database(), name, f"{PLAYHEAD}.{name}")
        if self.serves(f"{database}.{name}"):
            return Table(database, name, f"{database}.{name}")
        return None

    def _fill(self) -> None:
        """Enter every name, the weakest first: what comes later takes the name."""
        project, database = self._workspace.project, self._workspace.database
        of = self._workspace.database_of
        for name in self._workspace.tables:
            own = self._workspace.own_database()
            self._global[name] = Table(own, name, f"{PLAYHEAD}.{name}")
        for source in project.datasources:
            self._global[source + QUARANTINE] = Table(
                database, source + QUARANTINE, source, quarantine=True
            )
        for pipe in project.pipes.values():
            for node in pipe.nodes:
                if node.kind == "materialized" and node.target:
                    self._global[node.target] = Table(of(node.target), node.target, node.target)
        for pipe in project.pipes.values():
            if pipe.nodes:
                self._global[pipe.name] = self.output(pipe)
        for name, datasource in project.datasources.items():
            join = datasource.engine.kind == "Join"
            self._global[name] = Table(of(name), name, name, join)
        for second, name in project.aliases.items():
            if second not in self._global and name in self._global:
                self._global[second] = self._global[name]
