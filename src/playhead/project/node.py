"""One node of a pipe: its query, its kind, and what the kind needs."""

from collections.abc import Mapping
from typing import Any, Final

from playhead.project.engine import EngineSaid
from playhead.project.findings import Findings
from playhead.project.instructions import Known, suggestion
from playhead.project.lines import Instruction
from playhead.project.reading import Reading
from playhead.project.resources import Node, NodeKind

KINDS: Final[Mapping[str, NodeKind]] = {
    "endpoint": "endpoint",
    "materialized": "materialized",
    "copy": "copy",
    "sink": "sink",
    "standard": "standard",
}
_GROUPS: Final[Mapping[str, NodeKind]] = {
    "materialized": "materialized",
    "copy": "copy",
    "sink": "sink",
}
_CRON_FIELDS: Final = (5, 6)
_MODES: Final = ("append", "replace")
_IMPLIED: Final[Mapping[str, NodeKind]] = {
    "TARGET_DATASOURCE": "copy",
    "DATASOURCE": "materialized",
    "EXPORT_CONNECTION_NAME": "sink",
    "EXPORT_SERVICE": "sink",
}
"""Older dialect: instructions that give a node without TYPE its kind."""


class NodeSaid:
    """A node while its instructions are read."""

    def __init__(self, name: str, item: Instruction, findings: Findings) -> None:
        self.name = name
        self.item = item
        self.kind: NodeKind = "standard"
        self.fields: dict[str, Any] = {}
        self.engine = EngineSaid(findings)
        self.options: dict[str, str] = {}
        self.at: dict[str, Instruction] = {}
        self.groups: dict[str, Instruction] = {}
        """Kinds whose instructions stand here, and the first of each."""

    def take(self, reading: Reading, known: Known, item: Instruction) -> None:
        """Add one instruction."""
        name = known.name
        if known.group in _GROUPS:
            self.groups.setdefault(known.group, item)
        if known.field:
            self.engine.take(known.field, reading.value(item), item)
            return
        if name in self.at:
            if name in ("SQL", "TYPE"):
                reading.error(
                    item,
                    f"The node '{self.name}' has one {name}, and it stands above.",
                    hint="Is a line NODE and a name missing before this one?",
                )
            else:
                reading.warn(item, f"{name} stands twice; this one counts.")
        self.at[name] = item
        if name == "SQL":
            self._take_sql(reading, item)
        elif name == "TYPE":
            self._take_kind(reading, item)
        elif name == "DESCRIPTION":
            self.fields["description"] = reading.value(item)
        else:
            self.options[name] = reading.value(item)

    def _take_kind(self, reading: Reading, item: Instruction) -> None:
        value = reading.value(item).lower()
        if value not in KINDS:
            near = suggestion(value, KINDS) or f"It is one of {', '.join(list(KINDS)[:4])}."
            reading.error(item, f"There is no node of TYPE '{value[:80]}'.", hint=near)
        self.kind = KINDS.get(value, "standard")

    def _take_sql(self, reading: Reading, item: Instruction) -> None:
        lines = item.content
        if not lines:
            reading.error(item, f"The SQL of the node '{self.name}' is empty.")
            return
        text = "\n".join(line.text for line in lines).strip()
        template = text.startswith("%")
        if template:
            text = text[1:]
        else:
            text = reading.text(item)
            if _templated(text):
                reading.error(
                    item,
                    f"The SQL of the node '{self.name}' holds {{{{ }}}} or {{% %}} but no '%' "
                    "before it.",
                    hint="Write a line with '%' alone before the SELECT.",
                )
        self.fields |= {"sql": text, "template": template, "line": lines[0].number}

    def checked(self, reading: Reading) -> Node:
        """Return the node; what its kind lacks is said."""
        if "SQL" not in self.at:
            reading.error(self.item, f"The node '{self.name}' has no SQL.", hint="Write 'SQL >'.")
        if self.kind == "standard" and "TYPE" not in self.at:
            self._imply_kind(reading)
        target = ""
        if self.kind == "materialized":
            target = self._required(reading, "DATASOURCE")
            self._check_method(reading)
        elif self.kind == "copy":
            target = self._required(reading, "TARGET_DATASOURCE")
            self._check_copy(reading)
        elif self.kind == "sink":
            self._check_sink(reading)
        for group, item in self.groups.items():
            if _GROUPS[group] != self.kind:
                reading.warn(item, f"{item.key} has no effect in a node of TYPE {self.kind}.")
        engine = None
        if self.engine:
            engine = self.engine.engine() if self.kind == "materialized" else None
        return Node(
            name=self.name,
            sql=self.fields.pop("sql", ""),
            kind=self.kind,
            target=target,
            engine=engine,
            options=self.options,
            **self.fields,
        )

    def _imply_kind(self, reading: Reading) -> None:
        for name, kind in _IMPLIED.items():
            if name in self.options:
                self.kind = kind
                reading.warn(self.at[name], f"The node has no TYPE; {name} makes it TYPE {kind}.")
                return

    def _required(self, reading: Reading, name: str) -> str:
        value = self.options.pop(name, "")
        if not value:
            at = self.at.get("TYPE", self.item)
            reading.error(
                at,
                f"A node of TYPE {self.kind} needs {name}.",
                hint=f"Write '{name} name_of_a_data_source'.",
            )
        return value

    def _check_method(self, reading: Reading) -> None:
        method = self.options.get("DEPLOYMENT_METHOD", "alter")
        if method.lower() != "alter":
            reading.error(
                self.at["DEPLOYMENT_METHOD"], f"DEPLOYMENT_METHOD is 'alter', not '{method[:80]}'."
            )

    def _check_copy(self, reading: Reading) -> None:
        mode = self.options.get("COPY_MODE", "append")
        if mode.lower() not in _MODES:
            reading.error(
                self.at["COPY_MODE"],
                f"COPY_MODE cannot be '{mode[:80]}'.",
                hint="Write append or replace.",
            )
        self._check_schedule(reading, "COPY_SCHEDULE")

    def _check_schedule(self, reading: Reading, name: str) -> None:
        schedule = self.options.get(name)
        if schedule is None:
            return
        if "tb_secret" in schedule or "tb_var" in schedule:
            reading.error(self.at[name], f"{name} cannot be a secret.")
        elif schedule.lower() not in ("@on-demand", "@once") and (
            len(schedule.split()) not in _CRON_FIELDS
        ):
            reading.error(
                self.at[name],
                f"{name} cannot be '{schedule[:80]}'.",
                hint="Write five fields of cron ('0 * * * *' is every hour), or @on-demand.",
            )

    def _check_sink(self, reading: Reading) -> None:
        options, at = self.options, self.at.get("TYPE", self.item)
        missing = [
            name for name in ("EXPORT_CONNECTION_NAME", "EXPORT_SCHEDULE") if name not in options
        ]
        if missing:
            reading.error(at, f"A node of TYPE sink needs {' and '.join(missing)}.")
        files = [name for name in ("EXPORT_BUCKET_URI", "EXPORT_FILE_TEMPLATE") if name in options]
        if "EXPORT_KAFKA_TOPIC" in options:
            for name in options:
                if name.startswith("EXPORT_") and name in _FILE_OPTIONS:
                    reading.warn(self.at[name], f"{name} has no effect in a sink to Kafka.")
        elif len(files) != 2:
            reading.error(
                at,
                "A node of TYPE sink needs EXPORT_KAFKA_TOPIC, or EXPORT_BUCKET_URI and "
                "EXPORT_FILE_TEMPLATE.",
            )
        self._check_schedule(reading, "EXPORT_SCHEDULE")


_FILE_OPTIONS: Final = frozenset({
    "EXPORT_BUCKET_URI", "EXPORT_FILE_TEMPLATE", "EXPORT_FORMAT", "EXPORT_COMPRESSION",
    "EXPORT_WRITE_STRATEGY",
})  # fmt: skip


def _templated(sql: str) -> bool:
    """Whether a template's braces stand in the text, opened and closed."""
    for opening, closing in (("{{", "}}"), ("{%", "%}")):
        start = sql.find(opening)
        if start >= 0 and sql.find(closing, start + 2) >= 0:
            return True
    return False
