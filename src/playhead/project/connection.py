"""A `.connection` file as a `Connection`."""

from collections.abc import Mapping
from typing import Final

import msgspec

from playhead.project.include import ReadInclude, no_includes
from playhead.project.instructions import suggestion
from playhead.project.lines import Instruction
from playhead.project.reading import Around, Reading
from playhead.project.resources import Connection

KINDS: Final[Mapping[str, str]] = {
    "kafka": "KAFKA_",
    "s3": "S3_",
    "gcs": "GCS_",
    "dynamodb": "DYNAMODB_",
    "postgres": "PG_",
    "file": "FILE_",
}
"""What can be connected to, and what its options begin with. `file` is Playhead's own: folders below
`jobs.export_dir`."""
_REQUIRED: Final[Mapping[str, tuple[tuple[tuple[str, ...], ...], ...]]] = {
    "kafka": ((("KAFKA_BOOTSTRAP_SERVERS",),),),
    "s3": ((("S3_REGION",),), (("S3_ARN",), ("S3_ACCESS_KEY", "S3_SECRET"))),
    "gcs": (
        (
            ("GCS_SERVICE_ACCOUNT_CREDENTIALS_JSON",),
            ("GCS_HMAC_ACCESS_ID", "GCS_HMAC_SECRET"),
        ),
    ),
    "dynamodb": (),
    "postgres": (),
    "file": (),
}
"""Of each kind: every line of it is needed, by one of its alternatives."""


def read_connection(
    text: str,
    *,
    name: str,
    path: str,
    secrets: Mapping[str, str] | None = {},
    environ: Mapping[str, str] = {},
    include: ReadInclude = no_includes,
) -> Connection:
    """Read a `.connection` file; arguments and errors as `read_datasource`."""
    around = Around(secrets=secrets, environ=environ, include=include)
    reading = Reading(text, kind="connection", path=path, around=around)
    options: dict[str, str] = {}
    kind, at = "", None
    for known, item in reading.instructions():
        if known.name == "TYPE":
            kind, at = reading.value(item).lower(), item
            if kind not in KINDS:
                near = suggestion(kind, KINDS) or f"It is one of {', '.join(KINDS)}."
                reading.error(item, f"There is no connection of TYPE '{kind[:80]}'.", hint=near)
        elif known.name != "DESCRIPTION":
            options[known.name] = reading.value(item)
    if at is None:
        reading.findings.whole("A connection has a TYPE.", f"It is one of {', '.join(KINDS)}.")
    elif kind in KINDS:
        _check(reading, at, kind, options)
    found = Connection(name=name, path=path, kind=kind, options=options)
    return msgspec.structs.replace(found, warnings=reading.findings.checked())


def _check(reading: Reading, at: Instruction, kind: str, options: Mapping[str, str]) -> None:
    for alternatives in _REQUIRED[kind]:
        if not any(all(name in options for name in names) for names in alternatives):
            said = ", or ".join(" and ".join(names) for names in alternatives)
            reading.error(at, f"A {kind} connection needs {said}.")
    for name in options:
        if not name.startswith(KINDS[kind]):
            reading.warn(at, f"{name} has no effect in a connection of TYPE {kind}.")
