"""The mapping file: how the rows of a table become events. docs/how-to/replay.md is its manual."""

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from playhead.connect.files.condition import Holds, condition
from playhead.connect.files.value import Now, Wrong, compiled, unit_of
from playhead.errors import ConfigInvalid
from playhead.model.event import Event, Part

SHIPPED: Final = Path(__file__).parent / "maps"
MAPPING_BYTES_MAX: Final = 256 << 10
RULES_MAX: Final = 100
"""Most rules of each of first, row and last."""
FIELDS_MAX: Final = 200
"""Most fields of one table."""
HEARTBEAT_MIN_MS: Final = 1_000
BUILT_IN: Final = ("file", "folder", "stem", "row", "line", "elapsed_ms")
"""Names that need no column: see the manual."""
TELEMETRY: Final = "telemetry"


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    """A table of the mapping; an unknown key is an error."""


class TimeTable(_Table):
    """`[time]` as written."""

    column: str = ""
    """The column that holds the time; without one, rows follow each other by `step`."""
    unit: str = "ms"
    """Its unit, or `iso` for ISO 8601."""
    relative: bool = False
    """It counts from the beginning of the file, not from 1970."""
    step: Any = None
    lead: Any = None
    files: Literal["beside", "staggered"] = "beside"
    stagger_ms: int = 1_000
    start: str = ""


class RuleTable(_Table):
    """`[[first]]`, `[[row]]` and `[[last]]` as written."""

    type: str = ""
    when: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    also: bool = False


class MappingTable(_Table, kw_only=True):
    """The whole file as written."""

    name: str
    into: str = TELEMETRY
    delimiter: str = ","
    columns: list[str] = []
    ignore: list[str] | str = []
    pattern: str = ""
    numbered: bool = False
    heartbeat_ms: int = 0
    time: TimeTable
    fields: dict[str, Any] = {}
    first: list[RuleTable] = []
    row: list[RuleTable] = []
    last: list[RuleTable] = []


class Rule(msgspec.Struct, frozen=True):
    """One rule, ready: makes an event of `type` where it holds."""

    type: str
    holds: Holds
    fields: tuple[tuple[tuple[str, ...], Now], ...]
    also: bool


class Mapping(msgspec.Struct, frozen=True):
    """A mapping, checked and ready."""

    table: MappingTable
    path: Path
    text: str
    step: Now | None
    lead: Now | None
    fields: tuple[tuple[tuple[str, ...], Now], ...]
    first: tuple[Rule, ...]
    row: tuple[Rule, ...]
    last: tuple[Rule, ...]
    pattern: re.Pattern[str] | None
    used: frozenset[str]
    """Every name that some value or rule reads."""

    @property
    def relative(self) -> bool:
        """Return whether the times count from the beginning of each file."""
        return self.table.time.relative or not self.table.time.column

    def wrong(self, key: str, reason: str) -> ConfigInvalid:
        """Return the error that names the line of a key."""
        return _wrong(self.path, self.text, key, reason)


def named(name: str) -> Path:
    """Return the file of a mapping: a path, or the name of one that comes with Playhead.

    Raises:
        ConfigInvalid: There is neither.
    """
    path = Path(name)
    if path.is_file():
        return path
    shipped = SHIPPED / f"{name}.toml"
    known = sorted(one.stem for one in SHIPPED.glob("*.toml"))
    if name not in known:
        raise ConfigInvalid(
            f"There is no mapping file {name}.", hint=f"These come with it: {', '.join(known)}."
        )
    return shipped


def load(path: Path) -> Mapping:
    """Read and check a mapping file.

    Raises:
        ConfigInvalid: It cannot be read, or something in it is wrong; names the line.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAPPING_BYTES_MAX + 1)
        if len(raw) > MAPPING_BYTES_MAX:
            raise ConfigInvalid(f"The mapping {path} is larger than {MAPPING_BYTES_MAX >> 10} KiB.")
        text = raw.decode("utf-8").replace("\r\n", "\n")
        tree = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigInvalid(
            f"The mapping {path} cannot be read: {error}.", hint="docs/how-to/replay.md shows one."
        ) from error
    try:
        table = msgspec.convert(tree, MappingTable)
    except msgspec.ValidationError as error:
        key = _key_in(str(error))
        raise _wrong(path, text, key, str(error)) from error
    return _checked(table, path, text)


def _checked(table: MappingTable, path: Path, text: str) -> Mapping:
    used: set[str] = set()
    time = table.time

    def part(key: str, reason: Wrong) -> ConfigInvalid:
        return _wrong(path, text, key, str(reason.args[0]))

    try:
        _check_plain(table)
    except Wrong as error:
        raise part(error.args[1], error) from error
    known = _known_fields() if table.into == TELEMETRY else None
    rules: dict[str, tuple[Rule, ...]] = {}
    try:
        step = _duration(time.step, "step", used)
        lead = _duration(time.lead, "lead", used)
        if time.column:
            used.add(time.column)
        fields = _fields(table.fields, known, used)
        for key in ("first", "row", "last"):
            rules[key] = tuple(_rule(one, key, known, used) for one in getattr(table, key))
    except Wrong as error:
        raise part(error.args[1] if len(error.args) > 1 else "", error) from error
    return Mapping(
        table=table, path=path, text=text, step=step, lead=lead, fields=fields,
        pattern=re.compile(table.pattern) if table.pattern else None, used=frozenset(used), **rules,
    )  # fmt: skip


def _check_plain(table: MappingTable) -> None:
    """Check what is neither a field nor a rule."""
    time = table.time
    if not table.name:
        raise Wrong("a mapping needs a name: the ids of its events are made of it", "name")
    if len(table.delimiter) != 1:
        raise Wrong("the delimiter is one character", "delimiter")
    if not table.row:
        raise Wrong("there is no [[row]], so no row would become anything", "row")
    if bool(time.column) == (time.step is not None):
        raise Wrong("[time] needs either 'column' or 'step'", "time")
    if time.column and time.unit not in {"ns", "us", "ms", "s", "min", "h", "iso"}:
        raise Wrong(f"a time has no unit '{time.unit}': ns, us, ms, s, min, h, iso", "unit")
    if time.stagger_ms < 0:
        raise Wrong("stagger_ms is not negative", "stagger_ms")
    if table.heartbeat_ms and table.heartbeat_ms < HEARTBEAT_MIN_MS:
        raise Wrong(f"heartbeat_ms is at least {HEARTBEAT_MIN_MS}", "heartbeat_ms")
    if isinstance(table.ignore, str) and table.ignore != "*":
        raise Wrong("ignore is a list of columns, or '*' for all others", "ignore")
    for key in ("first", "row", "last"):
        if len(getattr(table, key)) > RULES_MAX:
            raise Wrong(f"there are more than {RULES_MAX} rules", key)
    try:
        re.compile(table.pattern)
    except re.error as error:
        raise Wrong(f"the pattern is no regular expression: {error}", "pattern") from error


def _duration(spec: object, key: str, used: set[str]) -> Now | None:
    if spec is None:
        return None
    try:
        return compiled(spec, kind="number", unit="ms", used=used)
    except Wrong as error:
        raise Wrong(error.args[0], key) from error


def _rule(
    table: RuleTable, key: str, known: dict[str, Any] | None, used: set[str]
) -> Rule:  # fmt: skip
    if known is not None and not table.type:
        raise Wrong(f"a [[{key}]] needs a 'type': the event it makes", key)
    if known is None and table.type:
        raise Wrong("rows of a data source have no 'type'", "type")
    try:
        holds = condition(table.when, used)
    except Wrong as error:
        raise Wrong(error.args[0], "when") from error
    return Rule(table.type, holds, _fields(table.fields, known, used), table.also)


def _known_fields() -> dict[str, Any]:
    """Return every field of an event that a mapping may set: its type, or a dict of a part's."""
    own = {"extra", "eventType", "timestamp", "sentAt", "eventId", "_retryCount", "reportSeq"}
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(Event):
        if field.encode_name in own:
            continue
        parts = [one for one in getattr(field.type, "__args__", ()) if _is_part(one)]
        fields[field.encode_name] = (
            {f.encode_name: f.type for f in msgspec.structs.fields(parts[0])}
            if parts
            else field.type
        )
    return fields


def _is_part(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Part)


def _fields(
    table: dict[str, Any], known: dict[str, Any] | None, used: set[str]
) -> tuple[tuple[tuple[str, ...], Now], ...]:  # fmt: skip
    made: list[tuple[tuple[str, ...], Now]] = []
    for name, spec in table.items():
        if known is None or name == "custom":
            inner = spec if name == "custom" and isinstance(spec, dict) else {"": spec}
            for key, one in inner.items():
                path = (name, key) if key else (name,)
                made.append((path, _value(one, path, "", used)))
            continue
        kind = _one_known(name, known)
        if not isinstance(kind, dict):
            made.append(((name,), _value(spec, (name,), _kind_of(kind), used)))
            continue
        if not isinstance(spec, dict):
            raise Wrong(f"'{name}' is a group: write {name}.FIELD", name)
        for key, one in spec.items():
            path = (name, key)
            made.append((path, _value(one, path, _kind_of(_one_known(key, kind)), used)))
    if len(made) > FIELDS_MAX:
        raise Wrong(f"there are more than {FIELDS_MAX} fields", "fields")
    return tuple(made)


def _one_known(name: str, known: dict[str, Any]) -> Any:
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    meant = f"; did you mean '{near[0]}'" if near else ""
    raise Wrong(f"an event has no field '{name}'{meant}", name)


def _kind_of(kind: object) -> str:
    members = set(getattr(kind, "__args__", (kind,)))
    if bool in members:
        return "boolean"
    return "number" if members & {int, float} else "text"


def _value(spec: object, path: tuple[str, ...], kind: str, used: set[str]) -> Now:
    try:
        return compiled(spec, kind=kind, unit=unit_of(path[-1]), used=used)
    except Wrong as error:
        raise Wrong(f"'{'.'.join(path)}': {error.args[0]}", path[-1]) from error


_UNKNOWN = re.compile(r"unknown field `([^`]+)`|`\$\.?([^`]*)`|required field `([^`]+)`")


def _key_in(message: str) -> str:
    """Return the key that a message of the decoder is about."""
    found = [group for match in _UNKNOWN.finditer(message) for group in match.groups() if group]
    return re.sub(r"\[[^]]*\]", "", found[0]).rpartition(".")[2] if found else ""


def _wrong(path: Path, text: str, key: str, reason: str) -> ConfigInvalid:
    """Return the error with the line where a key first stands, as key, header or inner table."""
    where = str(path)
    if key:
        word = re.compile(
            rf"^\s*\[+[^\]]*\b{re.escape(key)}\s*\]|(?<![\w-]){re.escape(key)}\"?\s*="
        )
        numbers = [
            n
            for n, line in enumerate(text.split("\n"), 1)
            if line.lstrip()[:1] != "#" and word.search(line)
        ]
        where += f", line {numbers[0]}" if numbers else ""
    return ConfigInvalid(
        f"The mapping {where}: {reason.rstrip('.')}.",
        hint="docs/how-to/replay.md explains each key.",
    )
