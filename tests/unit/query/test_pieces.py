"""What a rollup keeps of the catalogue."""

from playhead.query.catalogue import catalogue
from playhead.query.pieces import layout_of, taken


def test_every_measurement_of_views_but_concurrency_can_be_summed() -> None:
    left_out = {
        metric.id
        for metric in catalogue().metrics.values()
        if metric.source == "views"
        and metric.rollup
        and any(taken(metric, measurement) is None for measurement in metric.allowed())
    }
    assert left_out == {"concurrent_viewers"}


def test_the_same_expression_is_one_column() -> None:
    of_two = [taken(catalogue().metrics[name], "count") for name in ("views", "unique_viewers")]
    layout = layout_of(catalogue())
    assert all(of_two)
    assert len(layout.all_columns()) < sum(
        len(found.pieces)
        for metric in catalogue().metrics.values()
        for one in metric.allowed()
        if (found := taken(metric, one)) is not None
    )


def test_the_digest_of_a_catalogue_is_the_same_in_every_process() -> None:
    assert layout_of(catalogue()).digest() == layout_of(catalogue()).digest()
    assert "viewer_id" not in {one.id for one in layout_of(catalogue()).dimensions}
