"""Parameters of an endpoint: those of its own nodes and of everything they read."""

from playhead.errors import PlayheadError
from playhead.project.resources import Pipe
from playhead.query.pipes.texts import Templates
from playhead.query.pipes.workspace import Namespace, Place
from playhead.template.rendering import Parameter


class Parameters:
    """Finds parameters without rendering; one for each project, since files do not change in it."""

    def __init__(self, namespace: Namespace, templates: Templates) -> None:
        self._namespace = namespace
        self._templates = templates
        self._found: dict[str, tuple[Parameter, ...]] = {}

    def of_node(self, place: Place) -> tuple[Parameter, ...]:
        """Return what one node's template asks for; nothing where it cannot be compiled."""
        if not self._namespace.node(place).template:
            return ()
        try:
            return self._templates.of(place).parameters
        except PlayheadError:
            return ()

    def of_pipe(self, pipe: Pipe) -> tuple[Parameter, ...]:
        """Return what an endpoint asks for: of a name met twice the first that says more."""
        found = self._found.get(pipe.name)
        if found is None:
            found = self._found[pipe.name] = self._gathered(pipe)
        return found

    def reads(self, place: Place) -> tuple[Place, ...]:
        """Return the nodes a node seems to read."""
        node = self._namespace.node(place)
        return tuple(self._namespace.mentioned(node.sql, at=place))

    def _gathered(self, pipe: Pipe) -> tuple[Parameter, ...]:
        start = [Place(pipe.name, index) for index in range(len(pipe.nodes))]
        seen, todo = dict.fromkeys(start), list(start)
        while todo:
            for place in self.reads(todo.pop(0)):
                if place not in seen:
                    seen[place] = None
                    todo.append(place)
        found: dict[str, Parameter] = {}
        for place in seen:
            for one in self.of_node(place):
                before = found.get(one.name)
                if before is None or (_says(one) > _says(before)):
                    found[one.name] = one
        return tuple(found.values())


def _says(parameter: Parameter) -> int:
    """Return how much a declaration says."""
    return sum((
        parameter.has_default, parameter.required, bool(parameter.description),
        bool(parameter.enum), bool(parameter.example), parameter.type != "String",
    ))  # fmt: skip
