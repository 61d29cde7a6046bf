"""Parameters of endpoints: the same name should mean the same type in every node."""

from playhead.errors import PlayheadError
from playhead.project.problem import Problem
from playhead.project.resources import Pipe
from playhead.template.names import warnings
from playhead.template.template import Template


def disagreements(pipe: Pipe) -> list[Problem]:
    """Return warnings about a pipe's parameters: types that differ, names that are reserved."""
    found: list[Problem] = []
    types: dict[str, tuple[str, str]] = {}
    for node in pipe.nodes:
        if not node.template:
            continue
        try:
            parameters = Template.compile(node.sql, name=node.name).parameters
        except PlayheadError:
            continue  # the check of the node itself says it
        for parameter in parameters:
            kind = f"Array({parameter.item_type})" if parameter.item_type else parameter.type
            first, where = types.setdefault(parameter.name, (kind, node.name))
            if kind != first and parameter.listed:
                message = (
                    f"parameter '{parameter.name}' is {first} in node '{where}' and {kind} in node"
                    f" '{node.name}'."
                )
                found.append(Problem(pipe.path, message, node.line, 1, warning=True))
    reserved = (Problem(pipe.path, said, warning=True) for said in warnings(list(types)))
    return [*found, *reserved]
