"""Trees put into each other: where one names a node, that node's tree takes the name's place."""

from typing import Final

import msgspec

from playhead.errors import Forbidden, QueryRefused
from playhead.query.guard.clock import frozen
from playhead.query.guard.examine import Examined, Purpose, TreeLimits, examine
from playhead.query.guard.functions import FunctionList
from playhead.query.guard.nodes import Tree
from playhead.query.guard.prewhere import without_prewhere
from playhead.query.guard.reference import Reference, TableRef
from playhead.query.guard.walk import nodes_of
from playhead.query.pipes.hiding import check_hiding
from playhead.query.pipes.service import is_service, kept_as, service_query
from playhead.query.pipes.texts import Bounds
from playhead.query.pipes.workspace import (
    COVER,
    OUTSIDE,
    Meaning,
    Namespace,
    Place,
    Standpoint,
    Table,
)

_OF_THE_ENGINE: Final = frozenset({"system", "information_schema", "default"})


class Spliced(msgspec.Struct, frozen=True, kw_only=True):
    """A whole query as a tree."""

    tree: Tree
    tables: frozenset[str]
    """Tables it reads, with their database."""
    named: frozenset[Meaning]
    """What the text from outside names itself."""
    format: str | None = None


class Splice:
    """The trees of one query, from their parsing to the whole."""

    def __init__(
        self,
        namespace: Namespace,
        functions: FunctionList,
        bounds: Bounds,
        *,
        standpoint: Standpoint,
        clock_ms: int | None = None,
    ) -> None:
        self._namespace = namespace
        self._functions = functions
        self._bounds = bounds
        self._pipe = standpoint.pipe
        self._terms = standpoint.terms
        self._copying = standpoint.copying
        self._clock_ms = clock_ms
        self._trees: dict[Place, Tree | QueryRefused] = {}
        self._bound: dict[Place, frozenset[str]] = {}
        self._examined: dict[Place, Examined] = {}
        self._whole: dict[Place, tuple[Tree, int]] = {}
        self._tables: set[str] = set()

    def enter(self, place: Place, tree: Tree | QueryRefused, bound: dict[str, str]) -> None:
        """Take a node's tree, or why it has none, and the values its text brings."""
        self._trees[place] = tree
        self._bound[place] = frozenset(bound)

    def missing(self, start: Place) -> list[Place]:
        """Return the nodes that are named, from `start` on, and have no tree yet.

        Raises:
            QueryRefused: A tree that is needed could not be parsed, or the guard refuses it.
        """
        todo, seen, missing = [start], {start}, []
        while todo:
            place = todo.pop()
            if place not in self._trees:
                missing.append(place)
                continue
            for reference in self._examine(place).references:
                found = self._meaning(reference, place)
                if isinstance(found, Place) and found not in seen:
                    seen.add(found)
                    todo.append(found)
        return missing

    def whole(self, start: Place) -> Spliced:
        """Return the query with every name resolved; nothing may be missing.

        Raises:
            QueryRefused: Pipes name each other in a circle, or the whole is too large or deep.
        """
        tree, _ = self._put(start, ())
        if self._clock_ms is not None:
            tree = frozen(tree, self._clock_ms)
        if self._terms.tables:
            tree = without_prewhere(tree)
            check_hiding(tree, self._tables)
        examined = self._examine(start)
        named = frozenset[Meaning]()
        if start == OUTSIDE:
            meanings = (self._meaning(one, start) for one in examined.references)
            named = frozenset(one for one in meanings if one is not None)
        return Spliced(
            tree=tree, tables=frozenset(self._tables), named=named, format=examined.format
        )

    def _examine(self, place: Place) -> Examined:
        examined = self._examined.get(place)
        if examined is not None:
            return examined
        tree = self._trees[place]
        try:
            if isinstance(tree, QueryRefused):
                raise tree
            examined = examine(
                tree,
                _Names(self, place),
                functions=self._functions,
                limits=TreeLimits(
                    depth_max=self._bounds.query_depth, nodes_max=self._bounds.query_nodes
                ),
                purpose=self._purpose(place),
            )
            self._check_values(examined.tree, place)
        except QueryRefused as error:
            raise self._located(error, place) from error
        self._examined[place] = examined
        return examined

    def _put(self, place: Place, above: tuple[Place, ...]) -> tuple[Tree, int]:
        """Return a node's tree with everything put in, and of how many parts it is."""
        done = self._whole.get(place)
        if done is not None:
            return done
        self._check_above(place, above)
        examined = self._examine(place)
        parts = sum(1 for _ in nodes_of(examined.tree))
        for reference in examined.references:
            found = self._meaning(reference, place)
            if isinstance(found, Place):
                inner, count = self._put(found, (*above, place))
                parts += count
                if parts > self._bounds.query_nodes:
                    raise QueryRefused(
                        f"With its pipes put in the query has more than {self._bounds.query_nodes} "
                        "parts.",
                        hint="Read fewer pipes, or each only once, or raise pipes.max_query_nodes.",
                    )
                reference.replace_by_query(inner)
            elif found is not None:
                self._put_table(reference, found)
        self._whole[place] = (examined.tree, parts)
        return examined.tree, parts

    def _put_table(self, reference: Reference, table: Table) -> None:
        """Put a table's whole name in, or a sub-query where row filters would not reach."""
        hidden = table.named in self._terms.tables
        if is_service(table.database):
            self._put_service(reference, table, hidden=hidden)
            return
        if hidden and table.quarantine:
            raise Forbidden(
                f"This token sees some rows of '{table.named}' only; its quarantine cannot be "
                "told apart by rows.",
                hint="Use a token without a filter on it.",
            )
        if hidden and table.join:
            if reference.place == "text":
                raise QueryRefused(
                    f"This token sees some rows of '{table.named}' only, and joinGet would see all.",
                    hint="Join the data source instead.",
                )
            reference.replace_by_query(_everything_of(table))
        else:
            reference.replace_by_table(table.database, table.name)
        self._tables.add(f"{table.database}.{table.name}")

    def _put_service(self, reference: Reference, table: Table, *, hidden: bool) -> None:
        """Put the query in that shows a service table's rows; a token's filter reaches inside it."""
        holder = kept_as(table.database, table.name)
        if hidden and holder[0] != table.database:
            raise Forbidden(
                f"'{table.named}' cannot be read through a filter.",
                hint=f"Give the token a filter on '{holder[0]}.{holder[1]}' instead.",
            )
        workspace = self._namespace.workspace_id
        reference.replace_by_query(service_query(table.database, table.name, workspace))
        self._tables.add(".".join(holder))

    def _check_above(self, place: Place, above: tuple[Place, ...]) -> None:
        if place in above:
            circle = [one.pipe for one in above[above.index(place) :]] + [place.pipe]
            names = " → ".join(dict.fromkeys(circle[:-1])) + f" → {circle[-1]}"
            raise QueryRefused(
                f"The pipes name each other in a circle: {names}.",
                hint="Let one of them read a data source.",
            )
        pipes = dict.fromkeys(one.pipe for one in (*above, place) if one != OUTSIDE)
        if len(pipes) > self._bounds.pipe_depth or len(above) > self._bounds.query_depth:
            raise QueryRefused(
                f"More than {self._bounds.pipe_depth} pipes stand on each other.",
                hint="Read fewer of them, or raise pipes.max_pipe_depth.",
            )

    def _meaning(self, reference: Reference, place: Place) -> Meaning | None:
        return self.meaning(reference.database, reference.name, place)

    def meaning(self, database: str, name: str, place: Place) -> Meaning | None:
        """Return what a name means to a node, as this caller sees it."""
        found = self._namespace.meaning(database, name, at=place, pipe=self._pipe)
        if place != OUTSIDE or not isinstance(found, Place) or found.pipe not in self._terms.pipes:
            return found
        # A pipe with a condition on its rows is seen through it, and its inner nodes not at all.
        pipe = self._namespace.pipe(found.pipe)
        if pipe is None or found != self._namespace.output(pipe):
            return None
        return Place(found.pipe, COVER)

    def sentence(self, database: str, name: str) -> str:
        """Return what to say about a name that means nothing."""
        return self._namespace.sentence(database, name)

    def _check_values(self, tree: Tree, place: Place) -> None:
        """Refuse `{name:Type}` without a value of its own text: another's may be a secret."""
        unknown = next(iter(sorted(_values_in(tree) - self._bound[place])), None)
        if unknown is not None:
            raise QueryRefused(
                f"The value {{{unknown}}} has none.",
                hint="Write the value itself, or make the query a template: % … {{String(name)}}.",
            )

    def _purpose(self, place: Place) -> Purpose:
        if place == OUTSIDE:
            return "query"
        return "copy" if self._copying else "node"

    def _located(self, error: QueryRefused, place: Place) -> QueryRefused:
        if place == OUTSIDE or place.index == COVER:
            return error
        node = self._namespace.node(place)
        return QueryRefused(
            f"Node '{node.name}' of pipe '{place.pipe}': {error.message}", hint=error.hint
        )


class _Names:
    """Names as the guard asks for them."""

    def __init__(self, splice: Splice, place: Place) -> None:
        self._splice = splice
        self._place = place

    def table(self, database: str, name: str) -> TableRef | None:
        """Return what a name leads to, None when it leads nowhere."""
        found = self._splice.meaning(database, name, self._place)
        if found is None and database and database not in _OF_THE_ENGINE:
            raise QueryRefused(self._splice.sentence(database, name))
        if found is None:
            return None
        return TableRef(database, name)


def _everything_of(table: Table) -> Tree:
    """Return the tree of `SELECT * FROM table`."""
    name = f"{table.database}.{table.name}"
    select = {
        "type": "SelectQuery",
        "select": {"type": "ExpressionList", "children": [{"type": "Asterisk"}]},
        "tables": {
            "type": "TablesInSelectQuery",
            "children": [
                {
                    "type": "TablesInSelectQueryElement",
                    "table_expression": {
                        "type": "TableExpression",
                        "database_and_table_name": {
                            "type": "TableIdentifier",
                            "name": name,
                            "name_parts": [table.database, table.name],
                        },
                    },
                }
            ],
        },
    }
    return {
        "type": "SelectWithUnionQuery",
        "union_mode": "UNION_DEFAULT",
        "list_of_selects": {"type": "ExpressionList", "children": [select]},
        "is_outfile_append": False,
        "is_outfile_truncate": False,
        "is_into_outfile_with_stdout": False,
    }


def _values_in(tree: Tree) -> set[str]:
    return {str(one.get("name")) for one in nodes_of(tree) if one["type"] == "QueryParameter"}
