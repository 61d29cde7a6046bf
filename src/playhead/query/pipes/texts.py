"""The texts of one request: every node it may need, rendered with its parameters."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import msgspec

from playhead.errors import PlayheadError, QueryRefused
from playhead.query.pipes.workspace import COVER, OUTPUT, OUTSIDE, Namespace, Place
from playhead.template.rendering import Directives, Inputs, Rendered
from playhead.template.template import Template

EVERYTHING: Final = 9_223_372_036_854_775_807
"""A limit that limits nothing."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of making one query; the settings of `[pipes]` fill them."""

    query_bytes: int = 262_144
    query_depth: int = 200
    query_nodes: int = 20_000
    pipe_depth: int = 20
    template_steps: int = 100_000
    template_bytes: int = 1_048_576
    prepared_entries: int = 2_000
    units: int = 2_000
    """Most nodes one query may be made of."""


class Templates:
    """Compiled templates of one project; each is compiled when it is first needed."""

    def __init__(self, namespace: Namespace, bounds: Bounds) -> None:
        self._namespace = namespace
        self._bounds = bounds
        self._nodes: dict[Place, Template] = {}
        self._outside: OrderedDict[str, Template] = OrderedDict()

    def of(self, place: Place) -> Template:
        """Return the template of a node; raises TemplateInvalid."""
        found = self._nodes.get(place)
        if found is None:
            node = self._namespace.node(place)
            found = self._nodes[place] = Template.compile(node.sql, name=node.name)
        return found

    def of_text(self, text: str) -> Template:
        """Return the template of a text from outside, without its `%`; raises TemplateInvalid."""
        found = self._outside.get(text)
        if found is None:
            found = self._outside[text] = Template.compile(text, name="query")
            while len(self._outside) > self._bounds.prepared_entries:
                self._outside.popitem(last=False)
        return found


class Texts:
    """Renders for one request. A node that only seems to be needed may fail: it is kept as failed."""

    def __init__(
        self,
        namespace: Namespace,
        templates: Templates,
        bounds: Bounds,
        *,
        params: Inputs | None,
        secrets: Mapping[str, str],
        pipe: str | None = None,
    ) -> None:
        self._namespace = namespace
        self._templates = templates
        self._bounds = bounds
        self._checking = params is None
        self._secrets = secrets
        self._inputs = msgspec.structs.replace(params or Inputs(), secrets=secrets)
        self._pipe = pipe
        self.params = self._inputs.params
        self.done: dict[Place, Rendered] = {}
        self.failed: dict[Place, PlayheadError] = {}

    def outside(
        self, text: str, *, trusted: bool = False, values: Mapping[str, str] | None = None
    ) -> Rendered:
        """Enter a text from outside, which may be a template; with `values` it is plain SQL.

        Only a trusted one, such as a test of the project, may use secrets. From others tb_secret()
        is refused with a default too: its name would stand for the secret of a node put in.

        Raises:
            QueryRefused: It uses secrets; others as its template raises them.
        """
        if values is not None:
            made = Rendered(sql=text, bound=dict(values))
        elif text.lstrip().startswith("%"):
            secrets = self._secrets if trusted else {}
            inputs = msgspec.structs.replace(self._inputs, secrets=secrets)
            made = self._rendered(self._templates.of_text(text.lstrip()[1:]), inputs)
            if made.bound and not trusted:
                raise QueryRefused("A query from outside cannot use secrets.", hint=_NO_SECRETS)
        else:
            made = Rendered(sql=text)
        self.done[OUTSIDE] = made
        return made

    def cover(self, pipe: str, condition: str) -> None:
        """Enter what shows a caller some rows of a pipe only."""
        # The limit keeps the caller's own conditions outside: inside they would meet hidden rows.
        sql = f"SELECT * FROM {OUTPUT} WHERE ({condition}) LIMIT {EVERYTHING}"  # noqa: S608 (guarded)
        self.done[Place(pipe, COVER)] = Rendered(sql=sql)

    def one(self, place: Place) -> Rendered:
        """Return a node's text; raises what its template raises."""
        if place in self.failed:
            raise self.failed[place]
        if place not in self.done:
            if len(self.done) >= self._bounds.units:
                raise QueryRefused(f"The query is made of more than {self._bounds.units} nodes.")
            self.done[place] = self._node(place)
        return self.done[place]

    def gather(self, start: Place) -> None:
        """Render everything `start` seems to name, and what that seems to name, and so on."""
        todo = [start]
        while todo:
            place = todo.pop()
            text = self.done[place].sql
            for found in self._namespace.mentioned(text, at=place, pipe=self._pipe):
                if found in self.done or found in self.failed:
                    continue
                try:
                    self.one(found)
                except PlayheadError as error:
                    self.failed[found] = error
                else:
                    todo.append(found)

    def key(self) -> tuple[object, ...]:
        """Return what the query depends on: every text, which nodes have none, whose values they are.

        The names of the caller's values are among it: a text that was let through with a value of
        its own must not be met again where that name stands for a secret.
        """
        texts = sorted((p.pipe, p.index, made.sql) for p, made in self.done.items())
        failed = sorted((p.pipe, p.index) for p in self.failed)
        return (tuple(texts), tuple(failed), tuple(sorted(self.own_values())))

    def bound(self) -> dict[str, str]:
        """Return the values of every text's `{name:String}`.

        Raises:
            QueryRefused: The caller's own text gives a value the name of a node's secret.
        """
        found: dict[str, str] = {}
        for place, made in self.done.items():
            if place != OUTSIDE:
                found |= made.bound
        own = self.done[OUTSIDE].bound if OUTSIDE in self.done else {}
        if own.keys() & found.keys():
            name = min(own.keys() & found.keys())
            raise QueryRefused(
                f"The value '{name}' has the name of one that a pipe uses.",
                hint="Give the parameter another name.",
            )
        return found | own

    def own_values(self) -> frozenset[str]:
        """Return the names of the values that the caller brought."""
        return frozenset(self.done[OUTSIDE].bound) if OUTSIDE in self.done else frozenset()

    def directives(self) -> Directives:
        """Return what the texts ask of the query; of several that differ, the first rendered."""
        every = [made.directives for made in self.done.values()]
        if all(one == _NONE for one in every):
            return _NONE
        return Directives(
            max_threads=_first(every, lambda one: one.max_threads),
            cache_ttl_s=_first(every, lambda one: one.cache_ttl_s),
            backend_hint=_first(every, lambda one: one.backend_hint),
            activate=tuple(dict.fromkeys(name for one in every for name in one.activate)),
            disable=tuple(dict.fromkeys(name for one in every for name in one.disable)),
        )

    def _node(self, place: Place) -> Rendered:
        node = self._namespace.node(place)
        if not node.template:
            return Rendered(sql=node.sql)
        template = self._templates.of(place)
        if self._checking:
            return template.check(secrets=self._secrets)
        return self._rendered(template, self._inputs)

    def _rendered(self, template: Template, inputs: Inputs) -> Rendered:
        return template.render(
            inputs,
            steps_max=self._bounds.template_steps,
            bytes_max=self._bounds.template_bytes,
        )


_NONE = Directives()
_NO_SECRETS = "Use tb_secret() in a node of the project."
T = TypeVar("T")


def _first(every: list[Directives], pick: Callable[[Directives], T | None]) -> T | None:
    return next((value for one in every if (value := pick(one)) is not None), None)
