"""From a name and parameters to one query that names nothing but tables of the store.

Every node needed is rendered, then all are parsed in one round trip; each tree is examined by the
guard, and where it names a node or a pipe that one's tree is put in. What is run is the text of
the tree so made. A request whose texts were met before is answered from memory.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from playhead.access.grant import QUARANTINE
from playhead.errors import Forbidden, NotFound, QueryRefused
from playhead.query.guard.functions import FunctionList
from playhead.query.guard.nodes import Tree
from playhead.query.guard.trees import Trees
from playhead.query.pipes.splice import Splice
from playhead.query.pipes.texts import Bounds, Templates, Texts
from playhead.query.pipes.workspace import (
    COVER,
    FREE,
    OUTPUT,
    OUTSIDE,
    May,
    Meaning,
    Namespace,
    Place,
    Standpoint,
    Table,
    Terms,
    Workspace,
)
from playhead.template.rendering import Directives, Inputs

ALL: Final = f"SELECT * FROM {OUTPUT}"  # noqa: S608 (a name of ours)
ROUNDS_MAX: Final = 40
"""Rounds of parsing for names that no look at the texts finds; each finds one level at least."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A query ready to run."""

    sql: str
    bound: dict[str, str] = {}
    own_values: frozenset[str] = frozenset()
    """Names of bound values that are the caller's own; every other is a secret."""
    directives: Directives = Directives()
    format: str | None = None
    """The FORMAT the caller's own text asked for."""
    tables: frozenset[str] = frozenset()
    """Tables it reads, with their database."""


class _Made(msgspec.Struct, frozen=True):
    """What is kept of a query that was made; its tree, which is large, is not."""

    sql: str
    format: str | None
    tables: frozenset[str]
    named: frozenset[Meaning]


class Resolver:
    """Makes queries about one workspace."""

    def __init__(
        self, workspace: Workspace, trees: Trees, functions: FunctionList, limits: Bounds
    ) -> None:
        self.workspace = workspace
        self.namespace = Namespace(workspace)
        self.templates = Templates(self.namespace, limits)
        self._trees = trees
        self._functions = functions
        self._bounds = limits
        self._made: OrderedDict[tuple[object, ...], _Made] = OrderedDict()

    async def endpoint(
        self,
        pipe: str,
        inputs: Inputs,
        *,
        q: str | None = None,
        may: May | None = None,
        terms: Terms = FREE,
    ) -> Prepared:
        """Return the query of a pipe's endpoint, with `q` on top of it when that is given.

        Args:
            pipe: Its name.
            inputs: Parameters of the request.
            q: SQL in which `_` and the pipe's name stand for the endpoint.
            may: What else `q` may name; None = everything.
            terms: On which terms the caller reads.

        Raises:
            NotFound: There is no such pipe, or it has no endpoint.
            QueryRefused: The query is no query or not allowed.
            InvalidRequest: A template refuses the parameters or is not valid.
        """
        found = self.namespace.known(pipe)
        if found.endpoint is None:
            raise NotFound(
                f"The pipe '{pipe}' has no endpoint.",
                hint="Give one of its nodes 'TYPE endpoint' and build the project.",
            )
        if q is not None and q.strip():
            return await self._outside(q, inputs, pipe=found.name, may=may, terms=terms)
        if found.name in terms.pipes:  # its rows are seen through a condition
            return await self._outside(ALL, inputs, pipe=found.name, may=may, terms=terms)
        own = Terms(fixed={found.name: terms.fixed.get(found.name, {})})
        inputs = msgspec.structs.replace(inputs, params=own.params(inputs.params, found.name))
        texts = self._texts(inputs, pipe=None)
        made = await self._prepared(texts, self.namespace.output(found), Standpoint(terms=terms))
        # A FORMAT in the node's file is not the caller's: who asks for .csv gets CSV.
        return msgspec.structs.replace(made, format=None)

    async def node(self, pipe: str, node: str, inputs: Inputs | None) -> Prepared:
        """Return the query of one node; with `inputs` None in check mode. Raises as `endpoint`."""
        found = self.namespace.pipe(pipe)
        place = self.namespace.place(found.name, node) if found else None
        if place is None:
            raise NotFound(f"There is no node '{node}' in a pipe '{pipe}'.")
        kind = self.namespace.node(place).kind
        texts = self._texts(inputs, pipe=None)
        return await self._prepared(texts, place, Standpoint(copying=kind == "copy"))

    async def sql(
        self,
        text: str,
        inputs: Inputs,
        *,
        pipeline: str | None = None,
        may: May | None = None,
        terms: Terms = FREE,
        values: Mapping[str, str] | None = None,
    ) -> Prepared:
        """Return the query of a text from outside; with `pipeline` it may name that pipe's nodes.

        A text that begins with `%` is a template, unless `values` for its `{name:Type}` are given.
        Raises as `endpoint`.
        """
        own = None
        if pipeline:
            found = self.namespace.known(pipeline)
            if may is not None and not may.pipe(found.name):
                raise Forbidden(
                    f"This token may not read the pipe '{pipeline}'.",
                    hint=f"Use a token with the scope PIPES:READ:{found.name}.",
                )
            own = found.name
        return await self._outside(text, inputs, pipe=own, may=may, terms=terms, values=values)

    async def _outside(
        self,
        text: str,
        inputs: Inputs,
        *,
        pipe: str | None,
        may: May | None,
        terms: Terms,
        values: Mapping[str, str] | None = None,
    ) -> Prepared:
        if len(text.encode("utf-8", "surrogatepass")) > self._bounds.query_bytes:
            raise QueryRefused(
                f"The query is longer than {self._bounds.query_bytes} bytes.",
                hint="Ask a shorter one, or raise pipes.max_query_bytes.",
            )
        inputs = msgspec.structs.replace(inputs, params=terms.params(inputs.params, pipe))
        texts = self._texts(inputs, pipe=pipe)
        texts.outside(text, trusted=may is None, values=values)
        for name, condition in terms.pipes.items():
            if self.namespace.pipe(name) is not None:
                texts.cover(name, condition)
        return await self._prepared(texts, OUTSIDE, Standpoint(pipe=pipe, terms=terms), may)

    def _texts(self, inputs: Inputs | None, *, pipe: str | None) -> Texts:
        return Texts(
            self.namespace,
            self.templates,
            self._bounds,
            params=inputs,
            secrets=self.workspace.secrets,
            pipe=pipe,
        )

    async def _prepared(
        self, texts: Texts, start: Place, standpoint: Standpoint, may: May | None = None
    ) -> Prepared:
        texts.one(start)
        texts.gather(start)
        key = (start, standpoint.key(), texts.key())
        made = self._made.get(key)
        if made is None:
            made = await self._make(texts, start, standpoint)
            self._keep((start, standpoint.key(), texts.key()), made)
        else:
            self._made.move_to_end(key)
        self._admit(made.named, may, standpoint.pipe)
        for named in made.named:
            if isinstance(named, Place) and not standpoint.terms.holds(texts.params, named.pipe):
                raise Forbidden(
                    "This token fixes parameters of these pipes to different values.",
                    hint="Ask each of the endpoints by itself.",
                )
        return Prepared(
            sql=made.sql,
            bound=texts.bound(),
            own_values=texts.own_values(),
            directives=texts.directives(),
            format=made.format,
            tables=made.tables,
        )

    async def _make(self, texts: Texts, start: Place, standpoint: Standpoint) -> _Made:
        splice = Splice(
            self.namespace,
            self._functions,
            self._bounds,
            standpoint=standpoint,
            clock_ms=self.workspace.clock_ms,
        )
        await self._parse(splice, texts, start)
        spliced = splice.whole(start)
        sql = await self._trees.text(spliced.tree)
        if len(sql.encode("utf-8", "surrogatepass")) > self._bounds.query_bytes:
            raise QueryRefused(
                f"With its pipes put in the query is longer than {self._bounds.query_bytes} bytes.",
                hint="Read fewer pipes, or each only once, or raise pipes.max_query_bytes.",
            )
        return _Made(sql, spliced.format, spliced.tables, spliced.named)

    async def _parse(self, splice: Splice, texts: Texts, start: Place) -> None:
        """Parse and examine until every name leads to a tree; one round trip as a rule."""
        # Everything that seems to be needed comes along in the first round.
        wanted = [start, *(place for place in texts.done if place != start)]
        for _ in range(ROUNDS_MAX):
            for place, tree in zip(wanted, await self._trees_of(wanted, texts), strict=True):
                splice.enter(place, tree, texts.done[place].bound)
            wanted = splice.missing(start)
            if not wanted:
                return
            for place in wanted:
                texts.one(place)
                texts.gather(place)
        raise QueryRefused("The query's pipes stand on each other in too many levels.")

    async def _trees_of(
        self, places: Sequence[Place], texts: Texts
    ) -> Sequence[Tree | QueryRefused]:
        """Return the tree of each node; an error for one that cannot be parsed."""
        every = [texts.done[place].sql for place in places]
        try:
            return list(await self._trees.parse_many(every))
        except QueryRefused as error:
            if len(every) == 1:
                return [error]
        found: list[Tree | QueryRefused] = []
        for sql in every:  # which of them it was; the trees of the others are kept by now
            try:
                found.append(await self._trees.parse(sql))
            except QueryRefused as error:
                found.append(error)
        return found

    def _admit(self, named: frozenset[Meaning], may: May | None, pipe: str | None) -> None:
        """Raise Forbidden when a text from outside names what the caller may not read."""
        if may is None:
            return
        for one in named:
            if isinstance(one, Table):
                name = one.named + (QUARANTINE if one.quarantine else "")
                if not may.datasource(name):
                    raise Forbidden(
                        f"This token may not read '{name}'.",
                        hint=f"Use a token with the scope DATASOURCES:READ:{one.named}.",
                    )
            elif one.pipe != pipe and not may.pipe(one.pipe):
                raise Forbidden(
                    f"This token may not read the pipe '{one.pipe}'.",
                    hint=f"Use a token with the scope PIPES:READ:{one.pipe}.",
                )
            elif not may.nodes() and self._is_inner(one):
                raise Forbidden(
                    f"This token may read what the pipe '{one.pipe}' gives, not the nodes inside it.",
                    hint="Name the pipe itself, or use a token that may read the whole project.",
                )

    def _is_inner(self, place: Place) -> bool:
        pipe = self.namespace.pipe(place.pipe)
        return pipe is not None and place.index != COVER and place != self.namespace.output(pipe)

    def _keep(self, key: tuple[object, ...], made: _Made) -> None:
        self._made[key] = made
        while len(self._made) > self._bounds.prepared_entries:
            self._made.popitem(last=False)
