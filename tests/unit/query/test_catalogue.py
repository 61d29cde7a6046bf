import pytest

from playhead.config import Query
from playhead.errors import InvalidRequest, NotFound
from playhead.model import cdn_request, event_row, frame, view
from playhead.query.catalogue import catalogue
from playhead.query.source import SOURCES, SourceName
from playhead.query.statement import Params

COLUMNS: dict[SourceName, tuple[str, ...]] = {
    "views": view.COLUMNS,
    "renditions": (*view.COLUMNS, "cdn_", "state_", "height_", "kbps_"),
    "requests": (*event_row.COLUMNS, "request_kind", "status", "status_class", "outcome"),
    "cdn": (*event_row.ROW_COLUMNS, *cdn_request.COLUMNS),
    "frames": (*event_row.ROW_COLUMNS, *frame.COLUMNS),
}
MADE = [one for one in catalogue().metrics.values() if one.kind != "concurrent"]


@pytest.mark.parametrize("source", SOURCES)
def test_every_dimension_is_a_column_of_its_source(source: SourceName) -> None:
    columns = {one.column or one.id for one in catalogue().dimensions_of(source).values()}
    assert {one for one in columns if one.isidentifier()} <= set(COLUMNS[source])


def test_no_source_has_a_dimension_twice() -> None:
    every = [(one.id, source) for one in catalogue().listed for source in one.sources]
    assert len(every) == len(set(every))


def test_rows_that_are_no_views_count_at_their_moment() -> None:
    for metric in catalogue().metrics.values():
        assert (metric.bucket == "moment") == (not metric.of().of_views)


def test_a_dimension_of_another_source_is_refused_and_the_own_ones_named() -> None:
    with pytest.raises(InvalidRequest, match="CDN requests have no dimension") as refused:
        catalogue().dimension("player_name", "cdn")
    assert "owner, status, cache" in str(refused.value.hint)


def test_every_metric_is_described_and_has_a_first_measurement() -> None:
    for metric in catalogue().metrics.values():
        assert metric.definition.endswith(".")
        assert metric.measurement(None) == metric.allowed()[0]


def test_a_measurement_the_metric_lacks_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="median, p95, avg"):
        catalogue().metric("startup_time").measurement("sum")


def test_names_of_others_find_the_same_metric() -> None:
    names = [name for one in catalogue().metrics.values() for name in (one.id, *one.aliases)]
    assert len(names) == len(set(names))
    assert catalogue().metric("video_startup_time").id == "startup_time"


def test_every_variant_is_said_and_changes_the_answer() -> None:
    for metric in MADE:
        assert set(metric.variants) <= set(metric.compat)
        plain = {metric.aggregate(one) for one in metric.allowed() if one not in metric.variants}
        copies = [one for one in metric.variants if metric.aggregate(one) in plain]
        assert copies == (["cta2066"] if metric.id == "startup_time" else [])


def test_a_variant_counts_the_rows_it_is_made_of() -> None:
    metric = catalogue().metric("rebuffer_count")
    assert metric.counted("cta2066") == "count(rebuffer_count)"
    assert metric.counted("perceptible") == metric.counted() == "countIf(watch_ms > 0)"


def test_terms_and_thresholds_are_filled_in() -> None:
    strict = catalogue(Query(good_startup_ms=1_500.5)).metric("good_view_percentage")
    assert "<= 1500.5" in strict.aggregate("percentage")
    assert "1500.5 ms" in strict.definition
    for metric in MADE:
        texts = [metric.definition, *map(metric.aggregate, metric.allowed())]
        assert not [text for text in texts if "{" in text]


def test_what_the_settings_define_is_in_no_rollup() -> None:
    other = catalogue(Query(good_startup_ms=1, apdex_startup_ms=1)).metrics
    same = catalogue().metrics
    changed = {name for name, one in other.items() if one != same[name]}
    assert changed
    assert not [name for name in changed if same[name].rollup]


def test_the_intervals_of_views_have_their_dimensions() -> None:
    found = catalogue().dimensions_of("renditions")
    assert set(catalogue().dimensions) < set(found)
    assert (found["cdn"].column, catalogue().dimensions["cdn"].column) == ("cdn_", "")
    assert catalogue().dimension("custom.plan", "renditions").kind == "custom"


def test_an_unknown_metric_is_not_found() -> None:
    with pytest.raises(NotFound):
        catalogue().metric("views; DROP")


def test_a_custom_key_is_bound_and_never_written() -> None:
    params = Params()
    assert catalogue().dimension("custom.plan").sql(params) == "custom[{p0:String}]"
    assert params.values() == {"p0": "plan"}


@pytest.mark.parametrize(
    "name", ["", "custom.", "custom.a'b", "custom." + "x" * 65, "state", "custom"]
)
def test_an_unknown_dimension_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        catalogue().dimension(name)
