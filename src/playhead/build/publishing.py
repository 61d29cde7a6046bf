"""Publishing: an endpoint more or less in the live project, without a build of its tables.

It is read, rendered, seen by the guard and asked for its columns like every pipe of a folder; so is
what reads it. Then one file is switched.
"""

import asyncio
import re
from pathlib import Path
from typing import Final

import msgspec

from playhead.build.digest import digest_of
from playhead.build.draft import fault_of
from playhead.build.lock import locked
from playhead.build.manifest import live_manifest, path_of, read_built, write_live
from playhead.build.parameters import disagreements
from playhead.build.published import PipeText, hidden_by
from playhead.build.target import target_of
from playhead.clock import Clock
from playhead.config import Config
from playhead.errors import Conflict, DataDirBusy, NotFound, ProjectInvalid, Unavailable
from playhead.project.folder import read_texts
from playhead.project.manifest import UNREADABLE, Manifest
from playhead.project.names import name_fault
from playhead.project.problem import Problem
from playhead.project.resources import Pipe, Project
from playhead.store.async_client import AsyncStoreClient

PUBLISHED_MAX: Final = 1_000
WAIT_S: Final = 10.0
"""How long to wait for a build that is under way."""


class Publishing:
    """Changes what is published in one workspace; `folder` is the data folder when None."""

    def __init__(
        self, store: AsyncStoreClient, config: Config, clock: Clock, folder: Path | None = None
    ) -> None:
        self._store = store
        self._config = config
        self._clock = clock
        self._folder: Path = config.data_dir if folder is None else folder

    async def publish(
        self, name: str, said: PipeText, *, replace: bool, check: bool
    ) -> tuple[Project, tuple[Problem, ...]]:
        """Publish an endpoint.

        Args:
            name: What it is called.
            said: Its file.
            replace: One that was published under this name before makes way.
            check: Change nothing; only say what is wrong.

        Returns:
            The project with it, and warnings about it.

        Raises:
            ProjectInvalid: It cannot be one; the sentence says why, and where.
            Conflict: The name is taken.
            Unavailable: A build is under way, or the store is away.
        """
        fault = name_fault(name)
        if fault:
            raise ProjectInvalid(fault, hint="Send it as name=….")
        if len(said.text) > self._config.pipes.max_query_bytes:
            raise ProjectInvalid(
                f"The pipe has more than {self._config.pipes.max_query_bytes} characters.",
                hint="A shorter query; or raise pipes.max_query_bytes.",
            )
        if check:
            return await self._made(await self._live(), name, said, replace=replace)
        try:
            async with locked(self._folder, self._clock, WAIT_S):
                live = await self._live()
                found = await self._made(live, name, said, replace=replace)
                published = {**live.published, name: said.text}
                await self._switch(live, found[0], published)
        except DataDirBusy:
            raise _building() from None
        return found

    async def remove(self, name: str) -> None:
        """Take a published endpoint away.

        Raises:
            NotFound: Nothing of this name is published.
            Conflict: It is a file of the folder, or another pipe reads it.
            Unavailable: A build is under way, or the store is away.
        """
        try:
            async with locked(self._folder, self._clock, WAIT_S):
                live = await self._live()
                if name not in live.published:
                    raise _not_published(name, await _project_of(live))
                files = {path: text for path, text in live.files.items() if path != path_of(name)}
                project = await _project_of(msgspec.structs.replace(live, files=files))
                problem = await self._fault(live, project, _readers(project, name))
                if problem is not None:
                    other = Path(problem.file).stem
                    raise Conflict(
                        f"The pipe '{other}' reads '{name}'.", hint="Change that one first."
                    )
                published = {one: text for one, text in live.published.items() if one != name}
                await self._switch(live, project, published)
        except DataDirBusy:
            raise _building() from None

    async def _made(
        self, live: Manifest, name: str, said: PipeText, *, replace: bool
    ) -> tuple[Project, tuple[Problem, ...]]:
        before = await _project_of(live)
        self._check_name(live, before, name, replace=replace)
        path = path_of(name)
        files = {**live.files, path: said.text}
        project = await _project_of(msgspec.structs.replace(live, files=files))
        new = [one for one in project.problems if one not in before.problems and not one.warning]
        problem = next(iter(new), None) or _unfit(project.pipes[name])
        if problem is None:
            looked = [project.pipes[name], *_readers(project, name)]
            problem = await self._fault(live, project, looked)
        if problem is not None:
            raise _refused(problem, path, said)
        pipe = project.pipes[name]
        return project, (*pipe.warnings, *disagreements(pipe))

    def _check_name(self, live: Manifest, project: Project, name: str, *, replace: bool) -> None:
        if name not in live.published:
            taken = hidden_by(project, name, None)
            if taken:
                raise Conflict(f"'{name}' is taken: {taken}.", hint="Take another name.")
            if len(live.published) >= PUBLISHED_MAX:
                raise Conflict(
                    f"{PUBLISHED_MAX} endpoints are published, the limit.",
                    hint="Put some into the project's folder.",
                )
        elif path_of(name) not in live.files:
            raise Conflict(
                f"A file of the project has the name '{name}', or that of its node.",
                hint="Take another name.",
            )
        elif not replace:
            raise Conflict(
                f"An endpoint '{name}' is published already.", hint="Add replace=true to change it."
            )

    async def _fault(self, live: Manifest, project: Project, pipes: list[Pipe]) -> Problem | None:
        target = await target_of(self._store, self._config.pipes)
        target = msgspec.structs.replace(
            target, database=live.database, places=live.places, data_dir=self._folder
        )
        resolver = target.resolver(project, live.database)
        for pipe in pipes:
            found = await fault_of(target, resolver, pipe, database=live.database)
            if found is not None:
                return found
        return None

    async def _live(self) -> Manifest:
        try:
            return await asyncio.to_thread(live_manifest, self._folder)
        except UNREADABLE as error:
            raise Unavailable(
                "The live project cannot be read, so nothing can be added to it.",
                hint="Build the project again.",
            ) from error

    async def _switch(self, live: Manifest, project: Project, published: dict[str, str]) -> None:
        """Make the project live and let the next build know of it."""
        manifest = msgspec.structs.replace(
            live, files=project.files, published=published, built_at_ms=self._clock.now_ms()
        )
        built = await asyncio.to_thread(read_built, self._folder)
        names = {*live.published, *published}
        pipes = {name: digest for name, digest in built.pipes.items() if name not in names}
        pipes |= {
            name: digest_of(pipe.text) for name, pipe in project.pipes.items() if name in names
        }
        built = msgspec.structs.replace(built, pipes=pipes)
        await asyncio.to_thread(write_live, self._folder, manifest, built)


async def _project_of(live: Manifest) -> Project:
    # A thousand files take a fifth of a second, in which nobody else would be answered.
    project = await asyncio.to_thread(read_texts, live.files)
    return msgspec.structs.replace(project, secrets={**project.secrets, **live.secrets})


def _unfit(pipe: Pipe) -> Problem | None:
    """Return why a pipe cannot be published although a folder may have it; None if it can."""
    other = next((one for one in pipe.nodes if one.kind not in {"standard", "endpoint"}), None)
    if other is not None:
        said = f"node '{other.name}' is of the type {other.kind}; only endpoints are published."
        return Problem(pipe.path, said, other.line, 1, "Put it into the project's folder.")
    if pipe.endpoint is None:
        return Problem(pipe.path, "The pipe has no endpoint.", 1, 1, "Add TYPE endpoint.")
    if pipe.tokens:
        said = "TOKEN makes tokens in a project's folder only."
        hint = f"Make one with the scope PIPES:READ:{pipe.name}."
        return Problem(pipe.path, said, 1, 1, hint)
    return None


def _readers(project: Project, name: str) -> list[Pipe]:
    """Return the pipes that seem to read another, directly or through others."""
    found: dict[str, Pipe] = {}
    todo = [name]
    while todo:
        word = re.compile(rf"(?<!\w){re.escape(todo.pop())}(?!\w)")
        for pipe in project.pipes.values():
            is_new = pipe.name not in found and pipe.name != name
            if is_new and any(word.search(node.sql) for node in pipe.nodes):
                found[pipe.name] = pipe
                todo.append(pipe.name)
    return list(found.values())


def _refused(problem: Problem, path: str, said: PipeText) -> ProjectInvalid:
    """Return the error for what stands in the way: with its place if it is in what was sent."""
    hint = problem.hint or "Change the query and send it again."
    if problem.file == path:
        return ProjectInvalid(f"{said.place(problem)}{problem.message}", hint=hint)
    return ProjectInvalid(f"The pipe '{Path(problem.file).stem}' would fail: {problem.message}")


def _not_published(name: str, project: Project) -> NotFound | Conflict:
    if name in project.pipes:
        return Conflict(
            f"The pipe '{name}' is a file of the project: {project.pipes[name].path}.",
            hint="Remove the file and build.",
        )
    return NotFound(
        f"There is no published endpoint '{name[:80]}'.", hint="GET /v0/pipes lists them."
    )


def _building() -> Unavailable:
    return Unavailable("A build of the project is under way.", hint="Try again in a few seconds.")
