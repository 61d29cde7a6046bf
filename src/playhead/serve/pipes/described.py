"""Pipes as their clients read them: nodes, parameters, addresses."""

from typing import Any

from playhead.project.resources import Node, Pipe
from playhead.query.pipes.live import Live
from playhead.query.pipes.parameters import Parameters
from playhead.query.pipes.workspace import Place
from playhead.query.span import iso
from playhead.template.rendering import Parameter


def described(live: Live, parameters: Parameters, pipe: Pipe, *, whole: bool) -> dict[str, Any]:
    """Return a pipe.

    Args:
        live: The project it is of.
        parameters: Finds parameters.
        pipe: It.
        whole: Whether the caller sees the SQL of nodes too.
    """
    endpoint = pipe.endpoint
    built_at = iso(live.built_at_ms) if live.built_at_ms else None
    return {
        "id": pipe.name,
        "name": pipe.name,
        "description": pipe.description,
        "type": kind_of(pipe),
        "endpoint": endpoint.name if endpoint else None,
        "path": f"/v0/pipes/{pipe.name}.json" if endpoint else None,
        "url": f"/v0/pipes/{pipe.name}.json" if endpoint else None,
        "params": [_parameter(one) for one in parameters.of_pipe(pipe)],
        "tags": list(pipe.tags),
        "published": pipe.name in live.published,
        "created_at": built_at,
        "updated_at": built_at,
        "nodes": [
            _node(parameters, pipe, index, node, whole=whole)
            for index, node in enumerate(pipe.nodes)
        ],
    }


def kind_of(pipe: Pipe) -> str:
    """Return what a pipe is for: endpoint, materialized, copy, sink or default."""
    return next((node.kind for node in pipe.nodes if node.kind != "standard"), "default")


def _node(
    parameters: Parameters, pipe: Pipe, index: int, node: Node, *, whole: bool
) -> dict[str, Any]:
    place = Place(pipe.name, index)
    reads = [
        pipe.nodes[one.index].name if one.pipe == pipe.name else one.pipe
        for one in parameters.reads(place)
    ]
    said: dict[str, Any] = {
        "id": f"{pipe.name}.{node.name}",
        "name": node.name,
        "description": node.description,
        "node_type": node.kind,
        "params": [_parameter(one) for one in parameters.of_node(place)],
    }
    if node.target:
        said["datasource"] = node.target
        if node.kind == "materialized":
            said["materialized"] = node.target
    if whole:
        said["sql"] = f"%\n{node.sql}" if node.template else node.sql
        said["dependencies"] = list(dict.fromkeys(reads))
    return said


def _parameter(one: Parameter) -> dict[str, Any]:
    said: dict[str, Any] = {"name": one.name, "type": one.type, "required": one.required}
    if one.has_default:
        said["default"] = one.default
    for name in ("description", "example", "format", "item_type"):
        if getattr(one, name):
            said[name] = getattr(one, name)
    if one.enum:
        said["enum"] = list(one.enum)
    return said
