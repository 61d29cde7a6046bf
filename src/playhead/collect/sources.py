"""The data sources of projects, as the doors see them."""

from typing import Final, Protocol

from playhead.access import Grant
from playhead.errors import Forbidden, Unauthenticated
from playhead.project.rows import RowReader

APPEND: Final = "DATASOURCES:APPEND"
LIVE: Final = ""
STAGING: Final = "staging"
"""What a request may say as `__tb__deployment`."""


class ProjectSource:
    """A data source of a project, ready to read rows.

    Args:
        name: What the log calls it; `staging:<name>` for that of a staged deployment.
        reader: Makes rows.
        workspace: "" = the main one.
    """

    def __init__(self, name: str, reader: RowReader, workspace: str = "") -> None:
        self.name = name
        self.reader = reader
        self.workspace = workspace
        self.shape_id = reader.shape_id

    @property
    def key(self) -> str:
        """Return what routes its rows in the log."""
        return f"{self.workspace}/{self.name}"


class Sources(Protocol):
    """Finds the data sources of projects."""

    async def find(
        self, grant: Grant | None, name: str, deployment: str = LIVE
    ) -> ProjectSource | None:
        """Return a data source as it is live now, by its name or second name; None if there is none.

        Args:
            grant: Who asks: it says in which workspace to look; None = the main one.
            name: As the request says it.
            deployment: `LIVE` or `STAGING`.

        Raises:
            Unavailable: It is there, and cannot take rows at this moment.
            InvalidRequest: It cannot take rows as its file stands.
        """
        ...


def require_append(grant: Grant | None, name: str) -> None:
    """Refuse a request without a token that may append to a project's data source.

    A write key is none: it stands in pages for everybody to read, and is for telemetry.

    Raises:
        Unauthenticated: There is no token.
        Forbidden: It may not.
    """
    hint = f"Make one with 'playhead token create --scope {APPEND}:{name}'."
    if grant is None:
        raise Unauthenticated(f"Rows of '{name}' need a token. Nothing was stored.", hint=hint)
    if not grant.may(APPEND, name):
        raise Forbidden(f"This token may not append to '{name}'. Nothing was stored.", hint=hint)
