import pytest

from playhead.errors import InvalidRequest, NotFound
from playhead.model import view
from playhead.query.catalogue import catalogue
from playhead.query.statement import Params


def test_every_dimension_is_a_column_of_views() -> None:
    assert set(catalogue().dimensions) <= set(view.COLUMNS)


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
