"""What a build makes and nothing runs or fills yet: sinks without a way out, connected data sources."""

import re
from collections.abc import Sequence
from typing import Final

from playhead.project.problem import Problem
from playhead.project.resources import Datasource, Node, Pipe, Project

_SERVICES: Final = {
    "KAFKA_CONNECTION_NAME": "Kafka",
    "PG_CONNECTION_NAME": "PostgreSQL",
    "IMPORT_TABLE_ARN": "DynamoDB",
    "IMPORT_CONNECTION_NAME": "its connection",
    "IMPORT_SERVICE": "its connection",
    "IMPORT_EXTERNAL_DATASOURCE": "its connection",
}
"""Instructions that connect a data source, and what to; the first that stands there counts."""
_KINDS: Final = {"s3": "S3", "gcs": "GCS"}


def idle(project: Project) -> list[Problem]:
    """Return a warning for each resource that is built and then rests, by their names."""
    found = []
    for _, source in sorted(project.datasources.items()):
        key = next((key for key in _SERVICES if source.options.get(key)), "")
        if key:
            found.append(_connected(source, key, project))
    for _, pipe in sorted(project.pipes.items()):
        for node in pipe.nodes:
            found += _sink(pipe, node, project) if node.kind == "sink" else []
    return found


def _connected(source: Datasource, key: str, project: Project) -> Problem:
    connection = project.connections.get(source.options.get("IMPORT_CONNECTION_NAME", ""))
    service = _KINDS.get(connection.kind, _SERVICES[key]) if connection else _SERVICES[key]
    message = f"'{source.name}' is built, but nothing fills it from {service} yet."
    line = _line(source.text, (key,), 1)
    return Problem(source.path, message, line, 1, "Rows come from fixtures until then.", True)


def _sink(pipe: Pipe, node: Node, project: Project) -> list[Problem]:
    """Return why a sink of the pipe cannot run; nothing when it can."""
    name = node.options.get("EXPORT_CONNECTION_NAME", "")
    if "EXPORT_KAFKA_TOPIC" in node.options:
        message = f"the sink '{pipe.name}' is built, but this release writes no rows to Kafka."
        hint = "Files can be written: EXPORT_BUCKET_URI."
    elif name not in project.connections:
        message = f"the sink '{pipe.name}' is built, but its connection '{name}' is not there."
        hint = f"Add {name}.connection; until then its runs fail."
    else:
        return []
    words = (rf"TYPE\s+{node.kind}", "EXPORT_")
    return [Problem(pipe.path, message, _line(pipe.text, words, node.line), 1, hint, True)]


def _line(text: str, words: Sequence[str], from_line: int) -> int:
    """Return the first line from one on that begins with a word; else that line."""
    lines = text.splitlines()
    for word in words:
        pattern = re.compile(rf"\s*{word}", re.IGNORECASE)
        for number, line in enumerate(lines[from_line - 1 :], from_line):
            if pattern.match(line):
                return number
    return from_line
