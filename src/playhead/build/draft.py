"""A project laid out in a database of its own and looked at from every side, before it is live.

Whatever is wrong shows here, so a build that fails leaves nothing behind.
"""

import re
from collections.abc import Iterable
from pathlib import PurePath

import msgspec

from playhead.build.columns import described, misfits
from playhead.build.definition import Definition, definitions
from playhead.build.order import Circle
from playhead.build.parameters import disagreements
from playhead.build.sentence import in_node, one_a_file, reads
from playhead.build.tables import draft_tables, make_quarantine, make_table
from playhead.build.target import Target
from playhead.build.views import (
    View,
    arranged,
    create_view,
    materialized,
    problem_of,
    target_missing,
    view_of,
)
from playhead.errors import PlayheadError, Unavailable
from playhead.project.problem import Problem
from playhead.project.resources import Column, Datasource, Engine, Node, Pipe, Project
from playhead.query.pipes.resolve import Resolver
from playhead.template.rendering import Inputs


class Draft(msgspec.Struct, kw_only=True):
    """What came of laying a project out."""

    project: Project
    """What of it builds."""
    definitions: dict[str, Definition] = {}
    """Its tables as the engine says them."""
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


class Drafting:
    """One laying out."""

    def __init__(self, target: Target, project: Project, database: str) -> None:
        self._target = target
        self._project = project
        self._database = database
        self._problems: list[Problem] = []
        self._warnings: list[Problem] = []
        self._tables: dict[str, Definition] = {}

    async def draft(self) -> Draft:
        """Make the tables, resolve and ask every node, make the views."""
        every = self._project.problems
        self._problems += [one for one in every if not one.warning]
        self._warnings += [one for one in every if one.warning]
        self._look_at_names()
        sources = self._project.datasources
        failed = await draft_tables(self._target, sources, self._database)
        self._problems += failed
        bad = {problem.file for problem in failed}
        self._keep(sources={n: s for n, s in sources.items() if s.path not in bad})
        await self._make_targets()
        self._tables = await definitions(self._target.store, self._database)
        resolver = self._target.resolver(self._project, self._database)
        for pipe in sorted(self._project.pipes.values(), key=lambda one: one.name):
            await self._look_at_pipe(resolver, pipe)
        await self._make_views(resolver)
        return self._outcome()

    def _outcome(self) -> Draft:
        problems = one_a_file(self._problems)
        bad = {problem.file for problem in problems}
        project = msgspec.structs.replace(
            self._project,
            pipes={n: p for n, p in self._project.pipes.items() if p.path not in bad},
        )
        problems = tuple(self._with_cause(one, problems) for one in problems)
        warnings = tuple(dict.fromkeys(self._warnings))
        return Draft(
            project=project, definitions=self._tables, problems=problems, warnings=warnings
        )

    def _keep(self, *, sources: dict[str, Datasource]) -> None:
        self._project = msgspec.structs.replace(self._project, datasources=sources)

    def _look_at_names(self) -> None:
        project = self._project
        for source in project.datasources.values():
            self._warnings += source.warnings
        for pipe in project.pipes.values():
            self._warnings += pipe.warnings
            self._warnings += disagreements(pipe)
            if pipe.name in project.datasources:
                path = project.datasources[pipe.name].path
                message = f"'{pipe.name}' is also the name of the data source {path}."
                self._problems.append(Problem(pipe.path, message, 1, 1, "Rename one of the two."))

    async def _make_targets(self) -> None:
        """Make the targets that Classic pipes describe themselves, each as its columns are known."""
        missing = [
            (pipe, node)
            for pipe, node in materialized(self._project)
            if node.engine is not None and node.target not in self._project.datasources
        ]
        for _ in range(len(missing)):
            for pipe, node in list(missing):
                if node.target in self._project.datasources or await self._make_one(pipe, node):
                    missing.remove((pipe, node))

    async def _make_one(self, pipe: Pipe, node: Node) -> bool:
        """Make one target; False when its node cannot be asked (yet)."""
        resolver = self._target.resolver(self._project, self._database)
        try:
            prepared = await resolver.node(pipe.name, node.name, Inputs())
            columns = await described(self._target.store, prepared, checked=False)
            source = Datasource(
                name=node.target,
                path=pipe.path,
                columns=tuple(Column(name=n, type=t) for n, t in (columns or {}).items()),
                engine=node.engine or Engine(),
            )
            await make_table(self._target, source, self._database)
            await make_quarantine(self._target, source, self._database)
        except Unavailable:
            raise
        except PlayheadError:
            return False
        self._keep(sources={**self._project.datasources, source.name: source})
        return True

    async def _look_at_pipe(self, resolver: Resolver, pipe: Pipe) -> None:
        found = await fault_of(self._target, resolver, pipe, database=self._database)
        if found is not None:
            self._problems.append(found)

    async def _make_views(self, resolver: Resolver) -> None:
        bad = {problem.file for problem in self._problems}
        views: dict[str, View] = {}
        for pipe, node in materialized(self._project):
            if pipe.path in bad:
                continue
            view = await self._view(resolver, pipe, node)
            if view is not None:
                views[view.name] = view
        for view in self._without_circle(views):
            try:
                await create_view(self._target, view, database=self._database)
            except Unavailable:
                raise
            except PlayheadError as error:
                self._problems.append(problem_of(view, error, database=self._database))

    async def _view(self, resolver: Resolver, pipe: Pipe, node: Node) -> View | None:
        """Return a node as a view, or None when something stands in the way."""
        names = list(self._project.datasources)
        if node.target not in self._tables or node.target not in self._project.datasources:
            self._problems.append(target_missing(pipe, node, names))
            return None
        try:
            view = await view_of(self._target, resolver, pipe, node, database=self._database)
            prepared = await resolver.node(pipe.name, node.name, Inputs())
            made = await described(self._target.store, prepared, checked=False)
        except Unavailable:
            raise
        except PlayheadError as error:
            self._problems.append(self._in_node(resolver, pipe, node, error))
            return None
        found = misfits(pipe, node, made or {}, self._tables[node.target])
        self._warnings += [one for one in found if one.warning]
        problems = [one for one in found if not one.warning]
        self._problems += problems
        return None if problems else view

    def _in_node(self, resolver: Resolver, pipe: Pipe, node: Node, error: PlayheadError) -> Problem:
        known = resolver.namespace
        return in_node(pipe, node, error, database=self._database, known=known)

    def _without_circle(self, views: dict[str, View]) -> Iterable[View]:
        """Return the views in order; those that go round are problems, and the others remain."""
        remaining = dict(views)
        while remaining:
            try:
                return arranged(remaining)
            except Circle as circle:
                steps = set(zip(circle.path[1:], circle.path, strict=False))
                steps |= {(one, other) for other, one in steps}
                ring = [v for v in remaining.values() if (v.source, v.target) in steps]
                path = " → ".join(reversed(circle.path))
                for view in ring:
                    message = f"node '{view.node.name}': rows would go round for ever: {path}."
                    self._problems.append(Problem(view.pipe.path, message, view.node.line, 1))
                    del remaining[view.name]
        return ()

    def _with_cause(self, problem: Problem, problems: tuple[Problem, ...]) -> Problem:
        """Say of a pipe that only fails because it reads one that fails that this is why."""
        pipe = next((p for p in self._project.pipes.values() if p.path == problem.file), None)
        if pipe is None:
            return problem
        for other in problems:
            name = PurePath(other.file).stem
            if other.file == problem.file or not _names(pipe, name):
                continue
            mutual = name in self._project.pipes and _names(self._project.pipes[name], pipe.name)
            same = _bare(other.message) == _bare(problem.message) and not mutual
            unknown = f"'{name}'" in problem.message and other.file.endswith(".datasource")
            if same or unknown:
                return reads(pipe, name, problem.line)
        return problem


async def fault_of(
    target: Target, resolver: Resolver, pipe: Pipe, *, database: str
) -> Problem | None:
    """Return what is wrong with a pipe over the tables of `database`: the first node that fails.

    Each is rendered without parameters, seen by the guard, and asked for its columns.
    """
    for node in pipe.nodes:
        try:
            prepared = await resolver.node(pipe.name, node.name, None)
            await described(target.store, prepared, checked=True)
        except Unavailable:
            raise
        except PlayheadError as error:
            return in_node(pipe, node, error, database=database, known=resolver.namespace)
    return None


def _names(pipe: Pipe, name: str) -> bool:
    """Return whether a pipe's SQL seems to name something."""
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    return any(word.search(node.sql) for node in pipe.nodes)


def _bare(message: str) -> str:
    """Return a message without the node it names."""
    return message.partition(": ")[2] or message
