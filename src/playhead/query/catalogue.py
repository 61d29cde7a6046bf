"""The catalogue: metrics and dimensions as data, read once from the files of `entries/`.

The SQL pieces of those files are the only text that reaches the engine besides the templates of this
folder; whatever a caller sends is looked up here or bound as a value. They may hold `{name}`: a term
of `entries/terms.toml`, or a number of the settings (`THRESHOLDS`).
"""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

import msgspec

from playhead.config import Query
from playhead.errors import InvalidRequest, NotFound
from playhead.query.source import SOURCES, Source, SourceName
from playhead.query.statement import Params

Kind = Literal["count", "distinct", "value", "ratio", "weighted", "per", "concurrent"]
CUSTOM_PREFIX = "custom."
_TERM = re.compile(r"\{([a-z_0-9]+)\}")
_CUSTOM_KEY = re.compile(r"[A-Za-z0-9_.\-]{1,64}")

ENTRIES: Final = (
    "engagement", "startup", "failures", "stalls", "picture", "network", "ads", "scores", "renditions",
    "requests", "cdn", "frames",
)  # fmt: skip
"""The files with metrics, in the order in which they are listed."""
THRESHOLDS: Final = (
    "good_startup_ms", "good_wait_ms", "good_rebuffer_percentage", "good_bitrate_tv_kbps",
    "good_bitrate_desktop_kbps", "good_bitrate_handheld_kbps", "apdex_startup_ms",
    "apdex_rebuffer_percentage",
)  # fmt: skip
"""Settings of `[query]` that definitions name: numbers, so they may stand in SQL."""
_SIMPLE = {"count": ("count",), "distinct": ("count",), "weighted": ("avg",), "per": ("avg",)}
_PERCENTILES: dict[str, str] = {
    "median": "0.5",
    **{f"p{n}": f"{n / 100:g}" for n in range(1, 100)},
    "p99.9": "0.999",
}
"""Percentiles of one number a row, and their levels."""
_NAMED = ("median", "p75", "p90", "p95", "p99")
"""Percentiles that every metric of that kind is listed with; the others may be asked for too."""
RELATIVE_ERROR = 0.01
"""Requests and frames are too many for exact percentiles: a sketch (DDSketch) gives them within this."""
FINER: Final = 1 << 20
"""Sketches are made of so many times the value: the engine's err by up to 3 % for numbers below one."""
_OF_VALUE = {
    "percentile": "quantileExactInclusiveOrNull({level})({value})",
    "avg": "avgOrNull({value})",
    "sum": "sum({value})",
}
_OF_MANY = {
    "percentile": f"quantileDDOrNull({RELATIVE_ERROR}, {{level}})({FINER} * ({{value}})) / {FINER}",
    "avg": "avgOrNull({value})",
    "sum": "ifNull(sum({value}), 0)",
}


def percentile_of(measurement: str) -> str | None:
    """Return the level (0.95) of a measurement that is a percentile (`p95`), None of another."""
    return _PERCENTILES.get(measurement)


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody else's definition: what of the metric it changes. Asked for by measurement."""

    measure: str | None = None
    """How its number is made: a measurement of its kind; the metric's default unless said."""
    value: str | None = None
    weight: str | None = None
    numerator: str | None = None
    denominator: str | None = None
    valid: str | None = None
    scale: float | None = None


class Sums(msgspec.Struct, frozen=True):
    """SQL aggregates of one sum over another; `below` None: the sum itself."""

    above: str
    below: str | None = None
    scale: float = 1.0

    def quotient(self) -> str:
        """Return the SQL of the number they make, NULL where there is nothing below."""
        if self.below is None:
            return self.above
        return f"{self.scale} * {self.above} / nullIf({self.below}, 0)"


class Metric(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One metric; see the head of `entries/terms.toml` for what each field means."""

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
    counts: str = ""
    """Unit of the measurement `count` of a ratio: what its numerator counts; the rows unless said."""
    aliases: tuple[str, ...] = ()
    """What others call exactly this; found under these names too."""
    rollup: bool = True
    """Whether sums kept by time may answer it; not where settings are part of its definition."""
    sketch: bool = False
    """Whether these answer its percentiles, too; they do where a percentile is the default."""

    def resolved(self, measurement: str) -> tuple["Metric", str]:
        """Return a variant as a metric of its own, and how to measure it; others as they are."""
        variant = self.variants.get(measurement)
        if variant is None:
            return self, measurement
        changed = {
            name: value
            for name in variant.__struct_fields__
            if name != "measure" and (value := getattr(variant, name)) is not None
        }
        own: Metric = msgspec.structs.replace(self, **changed, variants={})
        return own, variant.measure or own.allowed()[0]

    def allowed(self) -> tuple[str, ...]:
        """Return the measurements a caller is told of, the default first."""
        if self.kind == "ratio":
            return (self.default or "percentage", "count", *self.variants)
        listed = self.measurements or _SIMPLE[self.kind]
        named = _NAMED if self.kind == "value" else ()
        return tuple(dict.fromkeys((*listed, *named, *self.variants)))

    def measurement(self, asked: str | None) -> str:
        """Return the asked measurement or the default.

        Raises:
            InvalidRequest: The metric has no such measurement.
        """
        allowed = self.allowed()
        if asked is None:
            return allowed[0]
        if asked not in allowed and not (self.kind == "value" and asked in _PERCENTILES):
            names = ", ".join(allowed)
            raise InvalidRequest(f"'{self.id}' cannot be measured so; it has: {names}.")
        return asked

    def unit_of(self, measurement: str) -> str:
        """Return the unit of the numbers that this measurement gives."""
        counted = self.kind == "ratio" and measurement == "count"
        return (self.counts or self.of().counted) if counted else self.unit

    def of(self) -> Source:
        """Return the rows the metric is made from."""
        return SOURCES[self.source]

    def aggregate(self, measurement: str) -> str:
        """Return the SQL aggregate, NULL where no row takes part (counts and sums: 0)."""
        own, measured = self.resolved(measurement)
        if own is not self:
            return own.aggregate(measured)
        made = {
            "count": f"countIf({self.value})",
            "distinct": f"uniqIf({self.value}, {self.valid})",
            "per": self._per(),
        }
        sums = self.sums(measurement)
        if sums is not None:
            return sums.quotient()
        return made.get(self.kind) or self._of_value(measurement)

    def sums(self, measurement: str) -> "Sums | None":
        """Return the two sums of a ratio or a weighted mean, None of any other kind."""
        own, measured = self.resolved(measurement)
        if own.kind == "weighted":
            known = f"{own.value} IS NOT NULL"
            above = f"sumIf({own.value} * {own.weight}, {known})"
            return Sums(above, f"sumIf({own.weight}, {known})", own.scale)
        if own.kind == "ratio":
            above = f"sumIf({own.numerator}, {own.valid})"
            if measured == "count":
                return Sums(above)
            return Sums(above, f"sumIf({own.denominator}, {own.valid})", own.scale)
        return None

    def sketched(self, measurement: str) -> bool:
        """Return whether the rows themselves give this measurement by a sketch only."""
        return self.kind == "value" and self.source != "views" and measurement in _PERCENTILES

    def counted(self, measurement: str = "") -> str:
        """Return the SQL that counts the rows taking part."""
        own, _ = self.resolved(measurement)
        if own.kind == "weighted":
            return f"countIf({own.value} IS NOT NULL AND {own.weight} > 0)"
        if own.kind == "value" and own.valid == "true":
            return f"count({own.value})"
        return "count()" if own.valid == "true" else f"countIf({own.valid})"

    def column(self) -> str:
        """Return the column that says when a row counts."""
        if self.bucket == "moment":
            return "at"
        return "started_at" if self.bucket == "start" else "ended_at"

    def _of_value(self, measurement: str) -> str:
        value = self.value if self.valid == "true" else f"if({self.valid}, {self.value}, NULL)"
        forms = _OF_VALUE if self.source == "views" else _OF_MANY
        level = _PERCENTILES.get(measurement)
        return forms["percentile" if level else measurement].format(value=value, level=level)

    def _per(self) -> str:
        above = f"sumIf({self.numerator}, {self.valid})"
        return f"{self.scale} * {above} / nullIf(uniqIf({self.value}, {self.valid}), 0)"


class Dimension(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One dimension: a column of its sources by which answers are cut."""

    id: str
    description: str
    kind: Literal["text", "number", "flag", "custom"] = "text"
    hidden: bool = False
    """A flag whose rows are left out unless a filter names it."""
    sources: tuple[SourceName, ...] = ("views",)
    """Which rows have it. An id may stand twice, for different sources."""
    column: str = ""
    """SQL of its value where that is not a column of its name."""

    def sql(self, params: Params) -> str:
        """Return the dimension as a text expression; a custom key is bound as a value."""
        if self.kind == "custom":
            key = params.add("String", self.id.removeprefix(CUSTOM_PREFIX))
            return f"custom[{key}]"
        column = self.column or self.id
        if self.kind == "number":
            return f"if({column} = 0, '', toString({column}))"
        if self.kind == "flag":
            return f"ifNull(toString({column}), '')"
        return column


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
        found = self.metrics.get(name)
        if found is None:
            found = next((one for one in self.metrics.values() if name in one.aliases), None)
        if found is None:
            raise NotFound("There is no metric of that id.")
        return found

    def dimension(self, name: str, source: SourceName = "views") -> Dimension:
        """Return a dimension of a source; views have `custom.KEY` for every key.

        Raises:
            InvalidRequest: There is none of that id; the hint names what there is.
        """
        found = self.dimensions_of(source)
        if name in found:
            return found[name]
        key = name.removeprefix(CUSTOM_PREFIX)
        if SOURCES[source].of_views and key != name and _CUSTOM_KEY.fullmatch(key):
            return Dimension(id=name, description="A custom dimension.", kind="custom")
        said = SOURCES[source].said
        if source == "views" and not any(one.id == name for one in self.listed):
            hint = "GET /v1/metrics lists the dimensions; your own are written custom.KEY."
            raise InvalidRequest("There is no dimension of that id.", hint=hint)
        hint = f"{said} have: {', '.join(found)}."
        raise InvalidRequest(f"{said} have no dimension of that id.", hint=hint)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    metric: list[Metric] = []
    dimension: list[Dimension] = []
    term: dict[str, str] = {}


@cache
def catalogue(query: Query = Query()) -> Catalogue:  # noqa: B008 (a frozen struct)
    """Return the catalogue that ships with the package, with the thresholds of these settings."""
    terms = {name: _number(getattr(query, name)) for name in THRESHOLDS}
    for name, sql in _read("terms", {}).term.items():
        terms[name] = _filled(sql, terms)
    metrics = [one for name in ENTRIES for one in _read(name, terms).metric]
    return Catalogue({m.id: m for m in metrics}, _everywhere(_read("dimensions", {}).dimension))


def _read(name: str, terms: dict[str, str]) -> _File:
    text = files("playhead.query").joinpath("entries", f"{name}.toml").read_text("utf-8")
    return msgspec.convert(_filled(tomllib.loads(text), terms), _File)


def _filled(part: Any, terms: dict[str, str]) -> Any:
    """Return a part of a file with its `{name}` filled in; an unknown one stays and breaks a test."""
    if isinstance(part, str):
        return _TERM.sub(lambda found: terms.get(found[1], found[0]), part)
    if isinstance(part, list):
        return [_filled(one, terms) for one in part]
    if isinstance(part, dict):
        return {key: _filled(one, terms) for key, one in part.items()}
    return part


def _number(value: float) -> str:
    return f"{value:.12g}"


def _everywhere(listed: list[Dimension]) -> tuple[Dimension, ...]:
    """Return the dimensions, those of views also for the intervals of views, unless these differ."""
    own = {one.id for one in listed if "renditions" in one.sources}
    return tuple(
        msgspec.structs.replace(one, sources=(*one.sources, "renditions"))
        if "views" in one.sources and one.id not in own
        else one
        for one in listed
    )
