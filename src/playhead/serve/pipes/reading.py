"""What a token may read, as the resolver asks: names, row filters, fixed parameters."""

from collections.abc import Mapping

import msgspec

from playhead.access import Grant
from playhead.access.scopes import APPEND, CREATE, PIPES_READ, READ, READ_ALL
from playhead.query.pipes.workspace import PLAYHEAD, TABLES, Terms
from playhead.query.source import BOUND_TABLES


class Reading(msgspec.Struct, frozen=True):
    """A grant, as one who reads."""

    grant: Grant

    def datasource(self, name: str) -> bool:
        """Return whether a data source, its quarantine or a `playhead.` table may be read."""
        if self.grant.property is not None and name not in BOUND_TABLES:
            return False  # a table without a property would show those of others
        return self.grant.may(READ, name)

    def pipe(self, name: str) -> bool:
        """Return whether a pipe may be read."""
        return self.grant.may(PIPES_READ, name)

    def nodes(self) -> bool:
        """Return whether the nodes inside pipes may be read, and not their output alone."""
        return self.all()

    def all(self) -> bool:
        """Return whether everything of the project may be read, the text of its files too."""
        return self.grant.may(READ_ALL)

    def sends_files(self) -> bool:
        """Return whether files may be sent for some data source; which one, the body may say."""
        grant = self.grant
        return grant.may(CREATE) or any(scope.type == APPEND for scope in grant.scopes)

    def terms(self) -> Terms:
        """Return on which terms it reads."""
        grant = self.grant
        tables = set(self._filters())
        if grant.property is not None:
            tables.update(BOUND_TABLES)
        fixed: dict[str, dict[str, str]] = {}
        for scope in grant.scopes:
            if scope.type == PIPES_READ and scope.fixed_params:
                fixed[scope.resource] = grant.fixed_params(scope.resource)
        return Terms(frozenset(tables), grant.pipe_filters(), fixed)

    def conditions(self) -> Mapping[str, str]:
        """Return the row filter of each data source and `playhead.` table that has one."""
        found = self._filters()
        bound = self.grant.property_filter()
        if bound is not None:
            found |= {
                table: f"({found[table]}) AND ({bound})" if table in found else bound
                for table in BOUND_TABLES
            }
        return found

    def _filters(self) -> dict[str, str]:
        """Return the filters of scopes; one on `views` is on `playhead.views` too, its other name."""
        found = dict(self.grant.filters())
        for name in TABLES & found.keys():
            found.setdefault(f"{PLAYHEAD}.{name}", found[name])
        return found
