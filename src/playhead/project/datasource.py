"""A `.datasource` file as a `Datasource`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from playhead.project.engine import EngineSaid
from playhead.project.expression import tokens
from playhead.project.implicit import every_column
from playhead.project.include import ReadInclude, no_includes
from playhead.project.indexes import read_indexes
from playhead.project.instructions import Known
from playhead.project.lines import Instruction
from playhead.project.reading import Around, Reading, listed
from playhead.project.resources import Column, Datasource, Engine, Index, TokenGrant
from playhead.project.schema import read_schema

_KAFKA_REQUIRED: Final = ("KAFKA_CONNECTION_NAME", "KAFKA_TOPIC", "KAFKA_GROUP_ID")
_DYNAMODB_REQUIRED: Final = ("IMPORT_CONNECTION_NAME", "IMPORT_TABLE_ARN", "IMPORT_EXPORT_BUCKET")
_FILES_REQUIRED: Final = ("IMPORT_CONNECTION_NAME", "IMPORT_BUCKET_URI", "IMPORT_SCHEDULE")
_POSTGRES_REQUIRED: Final = ("PG_CONNECTION_NAME", "PG_TABLE")
_OLD_IMPORTS: Final = ("IMPORT_SERVICE", "IMPORT_EXTERNAL_DATASOURCE", "IMPORT_QUERY")
_SCHEDULES: Final = ("@once", "@on-demand", "@auto")
CRON_FIELDS: Final = 5


def read_datasource(
    text: str,
    *,
    name: str,
    path: str,
    secrets: Mapping[str, str] | None = {},
    environ: Mapping[str, str] = {},
    include: ReadInclude = no_includes,
) -> Datasource:
    """Read a `.datasource` file.

    Args:
        text: What the file says.
        name: What the data source is called.
        path: The file's path, as problems name it; an INCLUDE counts from it.
        secrets: Of `tb_secret`; None leaves those calls as they are written.
        environ: For `$NAME` in values.
        include: Gives the text of an included file.

    Raises:
        Unreadable: With every problem that was found.
    """
    around = Around(secrets=secrets, environ=environ, include=include)
    return _Datasource(Reading(text, kind="datasource", path=path, around=around)).read(
        text, name, path
    )


class _Datasource:
    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._engine = EngineSaid(reading.findings)
        self._fields: dict[str, Any] = {}
        self._columns: tuple[Column, ...] = ()
        self._indexes: tuple[Index, ...] = ()
        self._tokens: list[TokenGrant] = []
        self._options: dict[str, str] = {}
        self._at: dict[str, Instruction] = {}

    def read(self, text: str, name: str, path: str) -> Datasource:
        findings = self._reading.findings
        for known, item in self._reading.instructions():
            self._take(known, item)
        if "SCHEMA" not in self._at:
            findings.whole("A data source has a SCHEMA.", "Write 'SCHEMA >' and its columns below.")
        self._check_connectors()
        engine = self._engine.engine() if self._engine else Engine()
        found = Datasource(
            name=name,
            path=path,
            text=text,
            columns=self._columns,
            indexes=self._indexes,
            engine=engine,
            tokens=tuple(self._tokens),
            options=self._options,
            version=self._reading.version,
            **self._fields,
        )
        if self._engine and self._columns:
            self._engine.check(engine, every_column(found))
        return msgspec.structs.replace(found, warnings=findings.checked())

    def _take(self, known: Known, item: Instruction) -> None:
        name, reading = known.name, self._reading
        if known.field:
            self._engine.take(known.field, reading.value(item), item)
            return
        if name == "TOKEN":
            grant = reading.token(item, ("READ", "APPEND", "CREATE"))
            self._tokens += [grant] if grant else []
            return
        if name in self._at:
            self._again(name, item)
        self._at[name] = item
        if name == "SCHEMA":
            self._take_schema(item)
        elif name == "INDEXES":
            self._indexes = read_indexes(reading.content(item), reading.findings)
        elif name in ("TAGS", "SHARED_WITH"):
            self._fields[name.lower()] = listed(reading.value(item))
        elif name == "DESCRIPTION":
            self._fields["description"] = reading.value(item)
        elif name == "FORWARD_QUERY":
            self._take_forward_query(item)
        elif name == "BACKFILL":
            self._take_backfill(item)
        else:
            self._options[name] = reading.value(item)

    def _again(self, name: str, item: Instruction) -> None:
        if name == "SCHEMA":
            self._reading.error(item, "A data source has one SCHEMA.")
        else:
            self._reading.warn(item, f"{name} stands twice; this one counts.")

    def _take_schema(self, item: Instruction) -> None:
        lines = self._reading.content(item)
        if not lines:
            self._reading.error(item, "The SCHEMA is empty.", hint="Write one column a line.")
            return
        self._columns = read_schema(lines, self._reading.findings)

    def _take_forward_query(self, item: Instruction) -> None:
        query = self._reading.value(item)
        self._fields["forward_query"] = query
        fault = _forward_fault(query)
        if fault:
            self._reading.error(
                item, fault, hint="Write 'SELECT view_id, toUInt32(stalls) AS stalls' and no more."
            )

    def _take_backfill(self, item: Instruction) -> None:
        value = self._reading.value(item)
        if value.lower() != "skip":
            self._reading.error(item, f"BACKFILL is 'skip', not '{value[:80]}'.")
        self._fields["backfill"] = value.lower()

    def _check_connectors(self) -> None:
        options = self._options
        if any(name in options for name in _KAFKA_REQUIRED):
            self._require("Kafka", _KAFKA_REQUIRED)
        if "IMPORT_TABLE_ARN" in options or "IMPORT_EXPORT_BUCKET" in options:
            self._require("DynamoDB", _DYNAMODB_REQUIRED)
        elif any(name in options for name in _FILES_REQUIRED) and not any(
            name in options for name in _OLD_IMPORTS
        ):
            self._require("file", _FILES_REQUIRED)
        if any(name.startswith("PG_") for name in options):
            self._require("PostgreSQL", _POSTGRES_REQUIRED)
        self._check_schedule()

    def _require(self, what: str, names: Sequence[str]) -> None:
        missing = [name for name in names if name not in self._options]
        if missing:
            first = next(item for name, item in self._at.items() if name in names)
            self._reading.error(
                first,
                f"A {what} source lacks {' and '.join(missing)}.",
                hint=f"{', '.join(names)} stand together.",
            )

    def _check_schedule(self) -> None:
        schedule = self._options.get("IMPORT_SCHEDULE")
        if not schedule or schedule.lower() in _SCHEDULES or "{{" in schedule:
            return
        item = self._at["IMPORT_SCHEDULE"]
        if len(schedule.split()) == CRON_FIELDS:
            self._reading.warn(item, "A schedule of cron is of the older dialect; take @auto.")
        else:
            self._reading.error(
                item,
                f"IMPORT_SCHEDULE cannot be '{schedule[:80]}'.",
                hint=f"Write one of {', '.join(_SCHEDULES)}.",
            )


def _forward_fault(query: str) -> str:
    """Return why this is no list of a SELECT, as a sentence; "" = it is."""
    try:
        words = [t.text.upper() for t in tokens(query) if t.kind == "word" and t.depth == 0]
    except ValueError as error:
        return f"FORWARD_QUERY {error}."
    if words[:1] != ["SELECT"]:
        return "FORWARD_QUERY begins with SELECT."
    for word in ("FROM", "WHERE", "GROUP", "UNION"):
        if word in words:
            return f"FORWARD_QUERY is a list of a SELECT, without {word}."
    return ""
