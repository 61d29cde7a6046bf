"""What a rollup keeps of the catalogue."""

from playhead.query.catalogue import catalogue, percentile_of
from playhead.query.pieces import layout_of, taken


def left_out(*, percentiles: bool) -> set[str]:
    return {
        metric.id
        for metric in catalogue().metrics.values()
        if metric.source == "views" and metric.rollup
        for one in metric.allowed()
        if (percentile_of(one) is not None) == percentiles and taken(metric, one) is None
    }


def test_every_measurement_but_concurrency_and_some_percentiles_can_be_summed() -> None:
    assert left_out(percentiles=False) == {"concurrent_viewers"}
    sketched = {one.id for one in catalogue().metrics.values() if one.sketch}
    assert sketched == {"watch_time", "playing_time", "rebuffer_duration", "score"}
    assert not left_out(percentiles=True) & (sketched | {"startup_time", "seek_latency"})


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


def test_every_column_of_a_layout_can_be_put_together() -> None:
    columns = layout_of(catalogue()).columns.values()
    forms = {one.merged().replace(one.name, "x") for edge in columns for one in edge}
    assert forms == {
        "sum(x)",
        "uniqCombinedMergeState(13)(x)",
        "quantileDDMergeState(0.01, 0.5)(x)",
    }
