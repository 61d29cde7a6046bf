"""A place in a query's tree that names a table, and what may be put there instead."""

from typing import Final, Literal, Protocol

import msgspec

from playhead.errors import QueryRefused
from playhead.query.guard.nodes import Tree

Place = Literal["table", "operand", "text"]
"""After FROM or JOIN; after IN; as text in joinGet."""
SYSTEM_TABLES: Final = frozenset({"functions", "numbers", "numbers_mt", "one"})
"""Tables of the engine that every query may read; they hold no data."""


class TableRef(msgspec.Struct, frozen=True):
    """What a name stands for, as the owner of the names says it."""

    database: str
    name: str
    kind: str = "table"


class Names(Protocol):
    """Who decides which tables there are for this query."""

    def table(self, database: str, name: str) -> TableRef | None:
        """Return what the name stands for; None if there is nothing or it may not be read.

        `database` is "" for a name that stands alone.
        """


class Reference:
    """A name of a table in a tree; replacing it changes the tree."""

    def __init__(self, place: Place, holder: Tree, parts: list[str], found: TableRef) -> None:
        self.place = place
        self.found = found
        self.database = parts[0] if len(parts) > 1 else ""
        self.name = parts[-1]
        self._holder = holder

    @property
    def alias(self) -> str:
        """The name the query gives it by AS; "" if none."""
        if self.place != "table":
            return ""
        return str(self._holder["database_and_table_name"].get("alias", ""))

    @property
    def final(self) -> bool:
        """Whether FINAL is asked of it."""
        return bool(self._holder.get("final")) if self.place == "table" else False

    @property
    def sample(self) -> bool:
        """Whether SAMPLE is asked of it."""
        return "sample_size" in self._holder if self.place == "table" else False

    def replace_by_table(self, database: str, name: str) -> None:
        """Put a table of a database there; columns written `name.column` still find it."""
        if self.place == "text":
            self._holder["value"] = {"field_type": "String", "value": f"{database}.{name}"}
            return
        put: Tree = {
            "type": "TableIdentifier" if self.place == "table" else "Identifier",
            "name": f"{database}.{name}",
            "name_parts": [database, name],
        }
        if self.place == "table":
            alias = self.alias or ("" if self.database else self.name)
            if alias:
                put["alias"] = alias
            self._holder["database_and_table_name"] = put
        else:
            self._holder["children"][1] = put

    def replace_by_query(self, tree: Tree) -> None:
        """Put a query there, as a sub-query under the same name.

        Args:
            tree: A `SelectWithUnionQuery` that stands nowhere else; it becomes part of this tree.

        Raises:
            QueryRefused: FINAL, SAMPLE or joinGet is asked of it, which only a table can do.
        """
        asked = "FINAL" if self.final else "SAMPLE" if self.sample else ""
        if asked:
            raise QueryRefused(
                f"{asked} can only be asked of a data source, and {self.name} is a query.",
                hint=f"Take {asked} away here, or put it where the query reads its data source.",
            )
        if self.place == "text":
            raise QueryRefused(f"joinGet reads a table, and {self.name} is a query.")
        put: Tree = {"type": "Subquery", "children": [tree]}
        if self.place == "table":
            put["alias"] = self.alias or self.name
            del self._holder["database_and_table_name"]
            self._holder["subquery"] = put
        else:
            self._holder["children"][1] = put
