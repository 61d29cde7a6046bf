"""What a token allows."""

from typing import Final, Literal

import msgspec

from playhead.access.condition import both, is_text
from playhead.access.scopes import (
    ADMIN,
    APPEND,
    CREATE,
    PIPES_READ,
    READ,
    READ_ALL,
    Scope,
    fixed_params,
)

Kind = Literal["admin", "read", "write", "scoped", "jwt"]
KINDS: Final[tuple[str, ...]] = ("admin", "read", "write")
"""What can be made without scopes."""
OWN: Final = "playhead."
"""Before the name of a table of Playhead's own."""
QUARANTINE: Final = "_quarantine"
_READS: Final = frozenset({READ, PIPES_READ, READ_ALL})
READING: Final = _READS | {ADMIN}
"""Types of scopes that let a token read something."""


class Grant(msgspec.Struct, frozen=True):
    """What a token allows. `property` None means every property; times are UTC ms."""

    id: str
    name: str
    kind: str
    property: str | None
    created_at: int
    scopes: tuple[Scope, ...] = ()
    rps: int | None = None
    """Requests a second; None = as the server's settings say."""
    expires_at: int | None = None
    description: str = ""
    workspace: str = ""
    """Whose it is: the id of a further workspace; "" = of the main one."""
    origins: tuple[str, ...] = ()
    """Pages that may send with it, in place of the server's list; empty = as the server's."""

    def is_whole(self) -> bool:
        """Return whether it is an admin token of its whole workspace; the main one is the server."""
        return self.kind == "admin" and self.property is None

    def reads(self) -> bool:
        """Return whether it may read anything; one that only sends is public as a rule."""
        if self.kind in {"scoped", "jwt"}:
            return any(one.type in READING for one in self.scopes)
        return self.kind in {"admin", "read"}

    def may(self, type: str, resource: str = "") -> bool:  # noqa: A002 (the scopes' own word)
        """Return whether it allows something: `may("PIPES:READ", "top_titles")`.

        A data source's quarantine goes with it, unless a filter hides rows of it: quarantined rows
        have no columns that a filter could be trusted with.
        """
        if self.kind in {"scoped", "jwt"}:
            return self._scoped(type, resource)
        if self.is_whole():
            return True
        if self.kind not in {"admin", "read"}:
            return False
        if self.property is None:
            return type in _READS
        return type == READ and resource.startswith(OWN)

    def filters(self) -> dict[str, str]:
        """Return the condition on each data source that has one; several must all hold."""
        return {name: both(list(each)) for name, each in self.conditions(READ).items()}

    def pipe_filters(self) -> dict[str, str]:
        """Return the condition on the rows of each pipe that has one."""
        return {name: both(list(each)) for name, each in self.conditions(PIPES_READ).items()}

    def property_filter(self) -> str | None:
        """Return the condition on every table of Playhead's own; None where all rows show."""
        return None if self.property is None else is_text("property", self.property)

    def fixed_params(self, pipe: str) -> dict[str, str]:
        """Return the parameters of a pipe that a request cannot choose."""
        return fixed_params(self.scopes, pipe)

    def conditions(self, type: str) -> dict[str, tuple[str, ...]]:  # noqa: A002 (as `may`)
        """Return the conditions of the scopes of a type, each once, by resource."""
        found: dict[str, dict[str, None]] = {}
        for scope in self.scopes:
            if scope.type == type and scope.filter:
                found.setdefault(scope.resource, {})[scope.filter] = None
        return {name: tuple(each) for name, each in found.items()}

    def all_scopes(self) -> tuple[Scope, ...]:
        """Return its scopes; what a kind without scopes amounts to."""
        if self.is_whole():
            return (Scope(ADMIN),)
        if self.kind == "read" and self.property is None:
            return (Scope(READ_ALL),)
        return self.scopes

    def _scoped(self, type: str, resource: str) -> bool:  # noqa: A002 (as `may`)
        if any(one.type == type and one.resource in {"", resource} for one in self.scopes):
            return True
        types = {one.type for one in self.scopes}
        if ADMIN in types or (type == APPEND and CREATE in types):
            return True
        base = resource.removesuffix(QUARANTINE) if type == READ else resource
        if base != resource and base in self.conditions(READ):
            return False
        if READ_ALL in types and type in _READS:
            return True
        return base != resource and any(
            one.type == READ and one.resource == base for one in self.scopes
        )
