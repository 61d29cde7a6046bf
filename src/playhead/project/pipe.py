"""A `.pipe` file as a `Pipe`."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from playhead.project.include import ReadInclude, no_includes
from playhead.project.instructions import Known
from playhead.project.lines import Instruction
from playhead.project.names import name_fault
from playhead.project.node import NodeSaid
from playhead.project.reading import Around, Reading
from playhead.project.resources import Node, Pipe, TokenGrant

NODES_MAX: Final = 200
"""Most nodes of a pipe."""


def read_pipe(
    text: str,
    *,
    name: str,
    path: str,
    environ: Mapping[str, str] = {},
    include: ReadInclude = no_includes,
) -> Pipe:
    """Read a `.pipe` file; arguments and errors as `read_datasource`."""
    around = Around(environ=environ, include=include)
    return _Pipe(Reading(text, kind="pipe", path=path, around=around), name).read(text, path)


class _Pipe:
    def __init__(self, reading: Reading, name: str) -> None:
        self._reading = reading
        self._name = name
        self._fields: dict[str, Any] = {}
        self._tokens: list[TokenGrant] = []
        self._nodes: dict[str, NodeSaid] = {}
        self._last: NodeSaid | None = None

    def read(self, text: str, path: str) -> Pipe:
        findings = self._reading.findings
        for known, item in self._reading.instructions():
            self._take(known, item)
        if not self._nodes:
            findings.whole("A pipe has at least one NODE.", "Write 'NODE name' and 'SQL >' below.")
        return Pipe(
            name=self._name,
            path=path,
            text=text,
            nodes=self._checked_nodes(),
            tokens=tuple(self._tokens),
            version=self._reading.version,
            warnings=findings.checked(),
            **self._fields,
        )

    def _take(self, known: Known, item: Instruction) -> None:
        reading = self._reading
        if known.name == "NODE":
            self._begin(item)
        elif known.name == "TOKEN":
            grant = reading.token(item, ("READ",))
            self._tokens += [grant] if grant else []
        elif known.name == "TAGS":
            self._fields["tags"] = reading.tags(item)
        elif self._last is not None:
            self._last.take(reading, known, item)
        elif known.name == "DESCRIPTION":
            self._fields["description"] = reading.value(item)
        elif known.group:
            reading.error(item, f"{known.name} stands below a NODE.", hint="Write 'NODE name'.")

    def _begin(self, item: Instruction) -> None:
        reading, name = self._reading, self._reading.value(item)
        fault = name_fault(name)
        if fault:
            reading.error(item, fault, hint="Write 'NODE views_per_minute'.")
        elif name in self._nodes:
            reading.error(item, f"There are two nodes '{name}'.")
        elif name == self._name:
            reading.error(
                item,
                f"The node '{name}' has the name of its pipe.",
                hint=f"Call it '{name}_endpoint', or anything else.",
            )
        self._last = NodeSaid(name, item, reading.findings)
        self._nodes[name] = self._last
        if len(self._nodes) > NODES_MAX:
            reading.error(item, f"A pipe has at most {NODES_MAX} nodes.")
            raise reading.findings.unreadable()

    def _checked_nodes(self) -> tuple[Node, ...]:
        """Return the nodes; without any kind said, the last is the endpoint."""
        reading = self._reading
        nodes = [node.checked(reading) for node in self._nodes.values()]
        special = [node for node in self._nodes.values() if node.kind != "standard"]
        for node in special[1:]:
            reading.error(
                node.at.get("TYPE", node.item),
                f"A pipe has one node with a TYPE; '{special[0].name}' has one already.",
                hint="Move this node into a pipe of its own.",
            )
        said = any("TYPE" in node.at for node in self._nodes.values())
        if nodes and not special and not said:
            nodes[-1] = msgspec.structs.replace(nodes[-1], kind="endpoint")
        return tuple(nodes)
