"""The resources of many files put together: names, versions, fixtures, what is missing."""

import posixpath
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from playhead.project.connection import read_connection
from playhead.project.datasource import read_datasource
from playhead.project.names import name_fault
from playhead.project.pipe import read_pipe
from playhead.project.problem import Problem, Unreadable
from playhead.project.resources import (
    Connection,
    Datasource,
    Fixture,
    Pipe,
    Project,
)

SECRETS_MAX: Final = 1_000
"""Most lines of `.env.local` that count."""
_FORMATS: Final = ("ndjson", "csv", "sql")
"""In the order of choice: a generator runs only when there are no rows."""
_CONNECTED: Final = ("KAFKA_CONNECTION_NAME", "IMPORT_CONNECTION_NAME", "PG_CONNECTION_NAME")


class Assembly:
    """Takes the files of a project in the order of their paths, and makes the project."""

    def __init__(
        self, root: str, environ: Mapping[str, str], secrets: Mapping[str, str] = {}
    ) -> None:
        self._root = root
        self._environ = environ
        self._texts: dict[str, str] = {}
        self._fixtures: list[str] = []
        self._tests: list[str] = []
        self._secrets: dict[str, str] = dict(secrets)
        self._problems: list[Problem] = []
        self._datasources: dict[str, Datasource] = {}
        self._pipes: dict[str, Pipe] = {}
        self._connections: dict[str, Connection] = {}

    def problem(self, problem: Problem) -> None:
        """Add what is wrong with a file."""
        self._problems.append(problem)

    def add_text(self, path: str, text: str) -> None:
        """Add a data file, or a file that is included."""
        self._texts[path] = text

    def add_fixture(self, path: str) -> None:
        """Add a file of rows."""
        self._fixtures.append(path)

    def add_test(self, path: str) -> None:
        """Add a file of tests."""
        self._tests.append(path)

    def add_secrets(self, text: str) -> None:
        """Add what `.env.local` says: `NAME=value`, one a line."""
        for line in text.splitlines()[:SECRETS_MAX]:
            name, sign, value = line.strip().removeprefix("export ").partition("=")
            if sign and not name.startswith("#"):
                value = value.strip()
                if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]:
                    value = value[1:-1]
                self._secrets[name.strip()] = value

    def project(self) -> Project:
        """Read every file and return the project."""
        for path in self._texts:
            self._read(path)
        self._refuse_shared_names()
        aliases = self._aliases()
        self._warn_of_connections()
        return Project(
            root=self._root,
            datasources=self._datasources,
            pipes=self._pipes,
            connections=self._connections,
            fixtures=self._chosen_fixtures(aliases),
            tests=tuple(self._tests),
            secrets=self._secrets,
            files=self._texts,
            aliases=aliases,
            problems=tuple(self._problems),
        )

    def _read(self, path: str) -> None:
        name, _, kind = posixpath.basename(path).rpartition(".")
        if kind == "incl":
            return
        fault = name_fault(name)
        kinds: Mapping[str, Mapping[str, Datasource | Pipe | Connection]] = {
            "datasource": self._datasources,
            "pipe": self._pipes,
            "connection": self._connections,
        }
        found = kinds[kind]
        if not fault and name in found:
            fault = f"There is another {kind} '{name}': {found[name].path}."
        if fault:
            self.problem(Problem(path, fault, hint="Give the file another name."))
            return
        around: dict[str, Any] = {
            "name": name,
            "path": path,
            "environ": self._environ,
            "include": self._texts.get,
        }
        text = self._texts[path]
        try:
            if kind == "datasource":
                self._datasources[name] = read_datasource(text, secrets=self._secrets, **around)
            elif kind == "pipe":
                self._pipes[name] = read_pipe(text, **around)
            else:
                self._connections[name] = read_connection(text, secrets=self._secrets, **around)
        except Unreadable as error:
            self._problems += error.problems

    def _refuse_shared_names(self) -> None:
        """A query names data sources, pipes and nodes in the same way: one name is one thing."""
        for name in [name for name in self._pipes if name in self._datasources]:
            pipe = self._pipes.pop(name)
            other = self._datasources[name].path
            said = f"The pipe '{name}' has the name of a data source: {other}."
            self.problem(Problem(pipe.path, said, hint="Give one of the files another name."))
        for name, pipe in list(self._pipes.items()):
            for node in pipe.nodes:
                if node.name not in self._pipes and node.name not in self._datasources:
                    continue
                said = f"The node '{node.name}' has the name of another resource of the project."
                problem = Problem(pipe.path, said, hint="Give the node another name.")
                if node.target == node.name:
                    # Seen in older projects: nobody can mean anything but the data source.
                    warning = msgspec.structs.replace(problem, warning=True)
                    self._pipes[name] = msgspec.structs.replace(
                        self._pipes[name], warnings=(*self._pipes[name].warnings, warning)
                    )
                    continue
                self.problem(problem)
                self._pipes.pop(name)
                break

    def _aliases(self) -> dict[str, str]:
        named = {*self._datasources, *self._pipes}
        versioned = [
            *((one.name, one.version) for one in self._datasources.values()),
            *((one.name, one.version) for one in self._pipes.values()),
        ]
        return {
            f"{name}__v{version}": name
            for name, version in versioned
            if version is not None and f"{name}__v{version}" not in named
        }

    def _warn_of_connections(self) -> None:
        for name, source in self._datasources.items():
            missing = [
                source.options[key]
                for key in _CONNECTED
                if source.options.get(key) and source.options[key] not in self._connections
            ]
            if missing:
                warnings = (*source.warnings, _without(source.path, missing[0]))
                self._datasources[name] = msgspec.structs.replace(source, warnings=warnings)
        for name, pipe in self._pipes.items():
            for node in pipe.nodes:
                connection = node.options.get("EXPORT_CONNECTION_NAME", "")
                if node.kind == "sink" and connection and connection not in self._connections:
                    warnings = (*pipe.warnings, _without(pipe.path, connection))
                    self._pipes[name] = msgspec.structs.replace(pipe, warnings=warnings)

    def _chosen_fixtures(self, aliases: Mapping[str, str]) -> dict[str, Fixture]:
        """Return one fixture for each data source that has any; the project's own folder first."""
        found: dict[str, Fixture] = {}
        ranks: dict[str, tuple[int, bool, str]] = {}
        for path in self._fixtures:
            stem, _, form = posixpath.basename(path).removesuffix(".gz").rpartition(".")
            name = aliases.get(stem, stem)
            if name not in self._datasources:
                continue
            rank = (_FORMATS.index(form), posixpath.dirname(path) != "fixtures", path)
            if name not in ranks or rank < ranks[name]:
                ranks[name] = rank
                found[name] = Fixture(name, path, form)  # type: ignore[arg-type]
        return found


def _without(path: str, connection: str) -> Problem:
    said = f"The project has no connection '{connection}'."
    return Problem(path, said, warning=True)
