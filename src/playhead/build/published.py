"""Pipes that were published over HTTP, beside those of a project's folder. The folder's names win."""

from collections.abc import Mapping
from typing import Final

import msgspec

from playhead.access.grant import QUARANTINE
from playhead.build.manifest import path_of
from playhead.project.folder import read_texts
from playhead.project.problem import Problem
from playhead.project.resources import Pipe, Project
from playhead.query.pipes.workspace import PLAYHEAD, TABLES

INDENT: Final = 4
_DOCUMENT: Final = "openapi"


class Joined(msgspec.Struct, frozen=True):
    """A folder's project and what was published, as one project."""

    project: Project
    published: dict[str, str] = {}
    """What stays published; without what the folder has taken over to the letter."""
    warnings: tuple[Problem, ...] = ()


class PipeText(msgspec.Struct, frozen=True):
    """The text of a pipe's file, and where in it the SQL of a request stands."""

    text: str
    line: int = 1
    indent: int = 0

    def place(self, problem: Problem) -> str:
        """Return where a problem is, in what the request sent; "" = nowhere in particular."""
        line = problem.line - self.line + 1
        if not problem.line or line < 1:
            return ""
        return f"line {line}, column {max(1, problem.column - self.indent)}: "


def pipe_text(name: str, sql: str, description: str = "") -> PipeText:
    """Return the file of an endpoint with one node, which is this SQL."""
    head = ["DESCRIPTION >", *_indented(description), ""] if description.strip() else []
    head += [f"NODE {name}_0", "SQL >"]
    text = "\n".join([*head, *_indented(sql.strip()), "", "TYPE endpoint", ""])
    return PipeText(text, len(head) + 1, INDENT)


def joined(project: Project, published: Mapping[str, str]) -> Joined:
    """Return a folder's project with the published pipes beside its own.

    What a name of the folder hides is kept and served again when that name has gone.
    """
    pipes, files = dict(project.pipes), dict(project.files)
    problems, warnings = list(project.problems), []
    kept: dict[str, str] = {}
    for name, text in sorted(published.items()):
        if name in project.pipes and project.pipes[name].text.strip() == text.strip():
            continue
        kept[name] = text
        path = path_of(name)
        read = read_texts({path: text})
        hidden = hidden_by(project, name, read.pipes.get(name))
        if hidden:
            said = f"the published endpoint '{name}' is not served: {hidden}."
            hint = f"DELETE /v0/pipes/{name} takes it away."
            warnings.append(Problem(path, said, 0, 0, hint, warning=True))
            continue
        pipes |= read.pipes
        problems += read.problems
        files[path] = text
    found = msgspec.structs.replace(
        project, pipes=pipes, files=files, problems=tuple(problems)
    )  # fmt: skip
    return Joined(found, kept, tuple(warnings))


def explained(problem: Problem, published: Mapping[str, str]) -> Problem:
    """Return a problem of a published pipe with a way out; any other as it is."""
    name = next((one for one in published if path_of(one) == problem.file), "")
    if not name:
        return problem
    way = (
        f"It was published over HTTP: DELETE /v0/pipes/{name} takes it away,"
        " POST /v0/pipes with replace=true changes it."
    )
    return msgspec.structs.replace(problem, hint=f"{problem.hint} {way}".strip())


def hidden_by(project: Project, name: str, pipe: Pipe | None) -> str:
    """Return what has a name that a published pipe uses; "" = nothing.

    A folder may take the names of Playhead's own tables; what comes over HTTP would change what
    every query means that was written before.
    """
    meant = _means(project, name)
    if meant:
        return meant
    for there in (project.pipes, project.datasources):
        if name in there:
            return f"{there[name].path} has its name"
    for other in project.pipes.values():
        if any(node.name == name for node in other.nodes):
            return f"a node of {other.path} has its name"
    for node in pipe.nodes if pipe else ():
        for there in (project.pipes, project.datasources):
            if node.name in there:
                return f"{there[node.name].path} has the name of its node '{node.name}'"
    return ""


def _means(project: Project, name: str) -> str:
    """Return what queries call by a name that no file bears; "" = nothing."""
    if name in TABLES:
        return f"it is Playhead's own table {PLAYHEAD}.{name}"
    if name == _DOCUMENT:
        return "GET /v0/pipes/openapi.json is something else"
    source = name.removesuffix(QUARANTINE)
    if source != name and source in project.datasources:
        return f"it is the quarantine of {project.datasources[source].path}"
    if name in project.aliases:
        return f"'{project.aliases[name]}' is called so, too"
    for other in project.pipes.values():
        if any(node.target == name for node in other.nodes if node.kind == "materialized"):
            return f"{other.path} fills a data source of its name"
    return ""


def _indented(text: str) -> list[str]:
    # Not splitlines(): what a text of the query holds besides line feeds stays as it is.
    return [f"{' ' * INDENT}{line}" for line in text.replace("\r\n", "\n").split("\n")]
