"""The catalogue: metrics and dimensions as data, read once from `catalogue.toml`.

The SQL pieces of that file are the only text that reaches the engine besides the templates of this
folder; whatever a caller sends is looked up here or bound as a value.
"""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from playhead.errors import InvalidRequest, NotFound
from playhead.query.source import SOURCES, Source, SourceName
from playhead.query.statement import Params

Kind = Literal["count", "sum", "distinct", "value", "ratio", "weighted", "concurrent"]
CUSTOM_PREFIX = "custom."
_CUSTOM_KEY = re.compile(r"[A-Za-z0-9_.\-]{1,64}")

_SIMPLE = {"count": ("count",), "distinct": ("count",), "weighted": ("avg",)}
_OF_VALUE = {
    "median": "quantileExactInclusiveOrNull(0.5)({value})",
    "p95": "quantileExactInclusiveOrNull(0.95)({value})",
    "avg": "avgOrNull({value})",
    "sum": "sum({value})",
}
_OF_MANY = {
    "median": "quantileDDOrNull(0.01, 0.5)({value})",
    "p95": "quantileDDOrNull(0.01, 0.95)({value})",
    "p99": "quantileDDOrNull(0.01, 0.99)({value})",
    "avg": "avgOrNull({value})",
    "sum": "ifNull(sum({value}), 0)",
}
"""Requests and frames are too many for exact quantiles: a sketch (DDSketch) gives them within 1 %."""


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody else's definition of a ratio, asked for by measurement."""

    numerator: str
    denominator: str


class Metric(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One metric; see the head of `catalogue.toml` for what each field means."""

    id: str
    name: str
    unit: str
    definition: str
    kind: Kind
    bucket: Literal["start", "end", "interval", "moment"]
    better: Literal["higher", "lower", "neutral"]
    source: SourceName = "views"
    value: str = "1"
    weight: str = "1"
    numerator: str = "1"
    denominator: str = "1"
    valid: str = "true"
    scale: float = 1.0
    default: str = ""
    measurements: tuple[str, ...] = ()
    format: Literal["number", "duration"] = "number"
    compat: dict[str, str] = {}
    variants: dict[str, Variant] = {}

    def allowed(self) -> tuple[str, ...]:
        """Return the measurements a caller may ask for, the default first."""
        if self.kind == "ratio":
            return (self.default or "percentage", "count", *self.variants)
        return self.measurements or _SIMPLE[self.kind]

    def measurement(self, asked: str | None) -> str:
        """Return the asked measurement or the default.

        Raises:
            InvalidRequest: The metric has no such measurement.
        """
        allowed = self.allowed()
        if asked is None:
            return allowed[0]
        if asked not in allowed:
            names = ", ".join(allowed)
            raise InvalidRequest(f"'{self.id}' cannot be measured so; it has: {names}.")
        return asked

    def unit_of(self, measurement: str) -> str:
        """Return the unit of the numbers that this measurement gives."""
        counted = self.kind == "ratio" and measurement == "count"
        return self.of().counted if counted else self.unit

    def of(self) -> Source:
        """Return the rows the metric is made from."""
        return SOURCES[self.source]

    def aggregate(self, measurement: str) -> str:
        """Return the SQL aggregate, NULL where no row takes part (counts and sums: 0)."""
        if self.kind == "count":
            return f"countIf({self.value})"
        if self.kind == "distinct":
            return f"uniqIf({self.value}, {self.valid})"
        if self.kind == "weighted":
            return self._weighted()
        if self.kind == "ratio":
            return self._ratio(measurement)
        value = self.value if self.valid == "true" else f"if({self.valid}, {self.value}, NULL)"
        forms = _OF_VALUE if self.source == "views" else _OF_MANY
        return forms[measurement].format(value=value)

    def counted(self) -> str:
        """Return the SQL that counts the rows taking part."""
        if self.kind == "weighted":
            return f"countIf({self.value} IS NOT NULL AND {self.weight} > 0)"
        if self.kind == "value" and self.valid == "true":
            return f"count({self.value})"
        return "count()" if self.valid == "true" else f"countIf({self.valid})"

    def column(self) -> str:
        """Return the column that says when a row counts."""
        if self.bucket == "moment":
            return "at"
        return "started_at" if self.bucket == "start" else "ended_at"

    def _weighted(self) -> str:
        above = f"sumIf({self.value} * {self.weight}, {self.value} IS NOT NULL)"
        below = f"sumIf({self.weight}, {self.value} IS NOT NULL)"
        return f"{self.scale} * {above} / nullIf({below}, 0)"

    def _ratio(self, measurement: str) -> str:
        source = self.variants.get(measurement, self)
        above = f"sumIf({source.numerator}, {self.valid})"
        if measurement == "count":
            return above
        return f"{self.scale} * {above} / nullIf(sumIf({source.denominator}, {self.valid}), 0)"


class Dimension(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One dimension: a column of its sources by which answers are cut."""

    id: str
    description: str
    kind: Literal["text", "number", "flag", "custom"] = "text"
    hidden: bool = False
    """A flag whose rows are left out unless a filter names it."""
    sources: tuple[SourceName, ...] = ("views",)
    """Which rows have it. An id may stand twice, for different sources."""

    def sql(self, params: Params) -> str:
        """Return the dimension as a text expression; a custom key is bound as a value."""
        if self.kind == "custom":
            key = params.add("String", self.id.removeprefix(CUSTOM_PREFIX))
            return f"custom[{key}]"
        if self.kind == "number":
            return f"if({self.id} = 0, '', toString({self.id}))"
        if self.kind == "flag":
            return f"ifNull(toString({self.id}), '')"
        return self.id


class Catalogue(msgspec.Struct, frozen=True):
    """Every metric by id, and every dimension in the order of the file."""

    metrics: dict[str, Metric]
    listed: tuple[Dimension, ...]

    @property
    def dimensions(self) -> dict[str, Dimension]:
        """Return the dimensions of views by id."""
        return self.dimensions_of("views")

    def dimensions_of(self, source: SourceName) -> dict[str, Dimension]:
        """Return the dimensions of a source by id."""
        return {one.id: one for one in self.listed if source in one.sources}

    def metric(self, name: str) -> Metric:
        """Return a metric.

        Raises:
            NotFound: There is none of that id.
        """
        if name not in self.metrics:
            raise NotFound("There is no metric of that id.")
        return self.metrics[name]

    def dimension(self, name: str, source: SourceName = "views") -> Dimension:
        """Return a dimension of a source; views have `custom.KEY` for every key.

        Raises:
            InvalidRequest: There is none of that id; the hint names what there is.
        """
        found = self.dimensions_of(source)
        if name in found:
            return found[name]
        key = name.removeprefix(CUSTOM_PREFIX)
        if source == "views" and key != name and _CUSTOM_KEY.fullmatch(key):
            return Dimension(id=name, description="A custom dimension.", kind="custom")
        said = SOURCES[source].said
        if source == "views" and not any(one.id == name for one in self.listed):
            hint = "GET /v1/metrics lists the dimensions; your own are written custom.KEY."
            raise InvalidRequest("There is no dimension of that id.", hint=hint)
        hint = f"{said} have: {', '.join(found)}."
        raise InvalidRequest(f"{said} have no dimension of that id.", hint=hint)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    metric: list[Metric]
    dimension: list[Dimension]


@cache
def catalogue() -> Catalogue:
    """Return the catalogue that ships with the package."""
    text = files("playhead.query").joinpath("catalogue.toml").read_text("utf-8")
    read = msgspec.convert(tomllib.loads(text), _File)
    return Catalogue({m.id: m for m in read.metric}, tuple(read.dimension))
