"""Parameters of the API, each described once."""

from typing import Any, Final

import msgspec

from playhead.query.catalogue import catalogue
from playhead.query.source import SourceName

Schema = dict[str, Any]


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of a path or a query."""

    name: str
    said: str
    schema: Schema
    inside: str = "query"
    required: bool = False
    many: bool = False
    """Given several times."""
    most: int | None = None
    """How often at most, where `many`."""

    def document(self) -> Schema:
        """Return it as OpenAPI writes it."""
        schema: Schema = {"type": "array", "items": self.schema} if self.many else self.schema
        if self.most is not None:
            schema = {**schema, "maxItems": self.most}
        said: Schema = {
            "name": self.name, "in": self.inside, "description": self.said, "schema": schema,
        }  # fmt: skip
        if self.required or self.inside == "path":
            said["required"] = True
        if self.many:
            said |= {"style": "form", "explode": True}
        return said


def text(name: str, said: str, **schema: Any) -> Parameter:
    """Return a parameter of the query that is a text; `schema` narrows it."""
    return Parameter(name=name, said=said, schema={"type": "string", **schema})


def whole(name: str, said: str, *, most: int, default: int | None = None) -> Parameter:
    """Return a parameter of the query that is a whole number from 1."""
    schema: Schema = {"type": "integer", "minimum": 1, "maximum": most}
    if default is not None:
        schema["default"] = default
    return Parameter(name=name, said=said, schema=schema)


def choice(name: str, said: str, *values: str, default: str | None = None) -> Parameter:
    """Return a parameter of the query with few values; an empty one is as none."""
    schema: Schema = {"type": "string", "enum": [*values, ""]}
    if default is not None:
        schema["default"] = default
    return Parameter(name=name, said=said, schema=schema)


def required(parameter: Parameter) -> Parameter:
    """Return a parameter that must be given, and not empty."""
    schema = parameter.schema
    if "enum" in schema:
        schema = {**schema, "enum": [one for one in schema["enum"] if one]}
    return msgspec.structs.replace(parameter, required=True, schema=schema)


def path(name: str, said: str, **schema: Any) -> Parameter:
    """Return a part of the path."""
    return Parameter(name=name, said=said, inside="path", schema={"type": "string", **schema})


_RELATIVE: Final = r"(now)?-[1-9][0-9]{0,2}[smhd]"
_DATE: Final = r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
_CLOCK: Final = r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{3})?Z"
MOMENT: Final[Schema] = {"type": "string", "pattern": f"^({_RELATIVE}|now|1[0-9]{{12}}|{_DATE}({_CLOCK})?)$"}  # fmt: skip
"""What every moment may be; ISO 8601 with other offsets is read, too."""

FROM: Final = Parameter(
    name="from",
    said="Begin, included: ISO 8601, milliseconds since 1970, or relative to now (`-24h`).",
    schema=MOMENT,
)
TO: Final = Parameter(name="to", said="End, not included; the same forms, or `now`.", schema=MOMENT)
TIMEZONE: Final = text(
    "timezone",
    "IANA name of the zone in which days begin and times without offset are read.",
    default="UTC",
    examples=["Europe/Berlin"],
)
FORMAT: Final = choice(
    "format", "The form of the answer; the Accept header does the same.",
    "json", "csv", "ndjson", "parquet", default="json",
)  # fmt: skip
_NUMBERS: Final = (
    "startup_ms",
    "watch_ms",
    "rebuffer_ms",
    "rebuffer_count",
    "bitrate_kbps",
    "score",
)
"""Numbers of a view that stand for all in the pattern of filters; the others are read, too."""
SPAN: Final = (FROM, TO, TIMEZONE)
CURSOR: Final = text("cursor", "`meta.next_cursor` of the page before.")


FAULTS_OF_ONE: Final = (400, 401, 403, 404, 408, 413, 429, 500, 503)
"""Of answers about one thing, which may not be there."""


def known(*sources: SourceName) -> list[str]:
    """Return the dimensions that the rows of all these sources have."""
    wanted = set(sources)
    return sorted({one.id for one in catalogue().listed if wanted <= set(one.sources)})


def group_by(*sources: SourceName) -> Parameter:
    """Return the parameter that names a dimension of rows of all these sources."""
    return choice("group_by", "The dimension that cuts the answer.", *known(*sources))


def narrowed(*sources: SourceName) -> tuple[Parameter, ...]:
    """Return the filters of an answer about rows of all these sources."""
    names = "|".join(known(*sources)).replace(".", r"\.")
    numbers = "|".join(_NUMBERS) if set(sources) <= {"views", "renditions"} else ""
    sign = "(>=|<=|!=|>|<|=)-?[0-9]{1,9}"
    of_text = f"!?({names})(:|~[a-z])[^\\x00]*"
    of_number = f"({numbers}){sign}" if numbers else ""
    said = (
        "`dimension:value`, `!dimension:value`, `dimension~part of a text`, or `startup_ms>=1000`; "
        "values of one dimension are alternatives, everything else must hold together."
    )
    filters = _many("filters", said, f"^({'|'.join(filter(None, (of_text, of_number)))})$")
    twins = (filters, _many("filters[]", "The same as `filters`.", filters.schema["pattern"]))
    if not numbers:
        return twins
    pattern = f"^{of_number}$"
    return (
        *twins,
        _many("metric_filters", "Filters on numbers only.", pattern),
        _many("metric_filters[]", "The same as `metric_filters`.", pattern),
    )


def _many(name: str, said: str, pattern: str) -> Parameter:
    schema: Schema = {"type": "string", "pattern": pattern}
    return Parameter(name=name, said=said, schema=schema, many=True)
