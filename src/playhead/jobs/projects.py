"""The live projects of workspaces, for jobs: what a job reads is what is live when it runs."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from playhead.errors import PlayheadError, ProjectInvalid
from playhead.jobs.work import Desk
from playhead.observe import logger
from playhead.project.resources import Node, NodeKind, Pipe, Project
from playhead.query.pipes.live import Live, LiveProject

_LOG = logger("jobs")


class Workspaces(Protocol):
    """Whoever lists the workspaces beside the main one."""

    def ids(self) -> list[str]:
        """Return their ids."""
        ...


class Projects:
    """Gives the live project of a workspace.

    Args:
        desk: Where folders, store and settings are.
        others: Workspaces beside the main one; None = there is none.
    """

    def __init__(self, desk: Desk, others: Workspaces | None = None) -> None:
        self._desk = desk
        self._others = others
        self._projects: dict[str, LiveProject] = {}

    async def newest(self, workspace: str) -> Live:
        """Return what is live in a workspace at this moment.

        Raises:
            NotFound: There is no such workspace.
            StoreUnavailable: The store does not answer.
        """
        desk = self._desk
        folder = desk.folder(workspace)
        project = self._projects.get(workspace)
        if project is None:
            project = LiveProject(folder, desk.store, desk.config.pipes, desk.clock)
            self._projects[workspace] = project
        return await project.newest()

    async def each(self) -> AsyncIterator[tuple[str, Path, Project]]:
        """Yield the id, folder and project of every workspace that can be read, the main one first."""
        ids = ["", *(self._others.ids() if self._others else ())]
        for gone in set(self._projects) - set(ids):
            del self._projects[gone]
        for workspace in ids:
            try:
                live = await self.newest(workspace)
                folder = self._desk.folder(workspace)
            except (PlayheadError, OSError) as error:
                _LOG.warning("project_not_read", workspace=workspace, reason=str(error))
                continue
            yield workspace, folder, live.workspace.project


def node_of(live: Live, pipe: str, kind: NodeKind, node: str = "") -> tuple[Pipe, Node]:
    """Return a pipe and its node of a kind, the first when no name is given.

    Raises:
        NotFound: There is no such pipe.
        ProjectInvalid: It has no such node.
    """
    found = live.resolver.namespace.known(pipe)
    for one in found.nodes:
        if one.kind == kind and node in {"", one.name}:
            return found, one
    named = f" '{node}'" if node else ""
    raise ProjectInvalid(
        f"The pipe '{found.name}' has no node{named} of TYPE {kind}.",
        hint="Change its file and build the project.",
    )
