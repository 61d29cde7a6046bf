"""The data sources of all workspaces, for the events door: a token says in which one to look."""

from playhead.access import Grant
from playhead.clock import Clock
from playhead.collect.project_sources import ProjectSources
from playhead.collect.sources import LIVE, ProjectSource
from playhead.errors import NotFound
from playhead.serve.workspaces import Workspaces

NAME_SHOWN_MAX = 64


class WorkspaceSources:
    """Finds data sources as `collect.sources.Sources` asks.

    Args:
        workspaces: All of them.
        reload_ms: How often to look whether a build has changed one.
        clock: For that.
    """

    def __init__(self, workspaces: Workspaces, reload_ms: int, clock: Clock) -> None:
        self._workspaces = workspaces
        self._reload_ms = reload_ms
        self._clock = clock
        self._found: dict[str, ProjectSources] = {}

    async def find(
        self, grant: Grant | None, name: str, deployment: str = LIVE
    ) -> ProjectSource | None:
        """Return a data source of the grant's workspace.

        Raises:
            NotFound: A further workspace has none of this name; Playhead's own are the main one's.
        """
        workspace = "" if grant is None else grant.workspace
        found = await self._sources(workspace).find(grant, name, deployment)
        if found is None and workspace:
            shown = name[:NAME_SHOWN_MAX]
            raise NotFound(
                f"There is no data source '{shown}' in this workspace. Nothing was stored.",
                hint="GET /v0/datasources lists them.",
            )
        return found

    def _sources(self, workspace: str) -> ProjectSources:
        for gone in set(self._found) - {"", *self._workspaces.ids()}:
            del self._found[gone]
        found = self._found.get(workspace)
        if found is None:
            folder = self._workspaces.of(workspace).folder
            found = ProjectSources(folder, self._reload_ms, self._clock, workspace)
            self._found[workspace] = found
        return found
