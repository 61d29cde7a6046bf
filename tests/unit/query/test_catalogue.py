import pytest

from playhead.errors import InvalidRequest, NotFound
from playhead.model import cdn_request, event_row, frame, view
from playhead.query.catalogue import catalogue
from playhead.query.source import SOURCES, SourceName
from playhead.query.statement import Params

COLUMNS: dict[SourceName, tuple[str, ...]] = {
    "views": view.COLUMNS,
    "cdn": (*event_row.ROW_COLUMNS, *cdn_request.COLUMNS),
    "frames": (*event_row.ROW_COLUMNS, *frame.COLUMNS),
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_dimension_is_a_column_of_its_source(source: SourceName) -> None:
    assert set(catalogue().dimensions_of(source)) <= set(COLUMNS[source])


def test_no_source_has_a_dimension_twice() -> None:
    every = [(one.id, source) for one in catalogue().listed for source in one.sources]
    assert len(every) == len(set(every))


def test_rows_that_are_no_views_count_at_their_moment() -> None:
    for metric in catalogue().metrics.values():
        assert (metric.bucket == "moment") == (metric.source != "views")


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
