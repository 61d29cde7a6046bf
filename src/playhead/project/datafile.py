"""Any data file by its name: which kind it is, what it is called, and what it says."""

import posixpath
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from playhead.project.connection import read_connection
from playhead.project.datasource import read_datasource
from playhead.project.include import ReadInclude, no_includes
from playhead.project.instructions import Kind
from playhead.project.names import name_fault
from playhead.project.pipe import read_pipe
from playhead.project.problem import Problem, Unreadable
from playhead.project.resources import Connection, Datasource, Pipe

KINDS: Final[Mapping[str, Kind]] = {
    ".datasource": "datasource",
    ".pipe": "pipe",
    ".connection": "connection",
}


def kind_of(path: str) -> Kind | None:
    """Return the kind of file a path's ending says; None = no data file."""
    return KINDS.get(posixpath.splitext(path)[1])


def read_data_file(
    text: str,
    *,
    path: str,
    secrets: Mapping[str, str] | None = {},
    environ: Mapping[str, str] = {},
    include: ReadInclude = no_includes,
) -> Datasource | Pipe | Connection:
    """Read a file as what its name says it is; arguments and errors as `read_datasource`."""
    name, ending = posixpath.splitext(posixpath.basename(path))
    kind = KINDS.get(ending)
    if kind is None:
        said = Problem(path, "This is no data file.", hint=f"Its name ends in {', '.join(KINDS)}.")
        raise Unreadable([said])
    fault = name_fault(name)
    if fault:
        raise Unreadable([Problem(path, fault, hint="Give the file another name.")])
    around: dict[str, Any] = {"name": name, "path": path, "environ": environ, "include": include}
    if kind == "pipe":
        return read_pipe(text, **around)
    if kind == "connection":
        return read_connection(text, secrets=secrets, **around)
    return read_datasource(text, secrets=secrets, **around)


def meaning(resource: Datasource | Pipe | Connection) -> Datasource | Pipe | Connection:
    """Return a resource without what only says how its file is written: text, lines, warnings."""
    if isinstance(resource, Datasource):
        columns = tuple(msgspec.structs.replace(one, line=0) for one in resource.columns)
        return msgspec.structs.replace(resource, text="", warnings=(), columns=columns)
    if isinstance(resource, Pipe):
        nodes = tuple(msgspec.structs.replace(one, line=0) for one in resource.nodes)
        return msgspec.structs.replace(resource, text="", warnings=(), nodes=nodes)
    return msgspec.structs.replace(resource, warnings=())
