"""Which buckets of a rollup lie in a span as a whole."""

import pytest

from playhead.config import Config
from playhead.query.catalogue import catalogue
from playhead.query.question import Asking, Form, question_of
from playhead.query.rollup import Cut, cut_of
from playhead.query.span import DAY_MS, HOUR_MS

NOW_MS = 20_000 * DAY_MS
ASKING = Asking(catalogue=catalogue(), config=Config(), now_ms=NOW_MS)


def cut(form: Form, start_ms: int, end_ms: int, **given: str) -> Cut | None:
    values = {"from": [str(start_ms)], "to": [str(end_ms)], **{k: [v] for k, v in given.items()}}
    question = question_of(catalogue().metric("views"), form, values, ASKING)
    return cut_of(question, catalogue())


def test_the_total_takes_days_and_the_hours_beside_them() -> None:
    found = cut("overall", NOW_MS - 2 * DAY_MS - HOUR_MS - 5, NOW_MS + 2 * HOUR_MS + 5)
    assert found is not None
    assert found.ranges == (
        (1, NOW_MS - 2 * DAY_MS - HOUR_MS, NOW_MS - 2 * DAY_MS),
        (24, NOW_MS - 2 * DAY_MS, NOW_MS),
        (1, NOW_MS, NOW_MS + 2 * HOUR_MS),
    )


def test_a_dimension_takes_whole_days_only() -> None:
    found = cut("breakdown", NOW_MS - DAY_MS - 5, NOW_MS + 5, group_by="country")
    assert found is not None
    assert (found.dimension, found.ranges) == ("country", ((24, NOW_MS - DAY_MS, NOW_MS),))


@pytest.mark.parametrize(
    ("form", "given"),
    [
        ("breakdown", {"group_by": "country", "filters": "cdn:a"}),
        ("breakdown", {"group_by": "viewer_id"}),
        ("breakdown", {"group_by": "custom.plan"}),
        ("timeseries", {"interval": "15m"}),
        ("timeseries", {"interval": "1h", "group_by": "cdn"}),
        ("timeseries", {"interval": "1d", "timezone": "Asia/Kolkata"}),
        ("timeseries", {"interval": "1d", "timezone": "Europe/Berlin", "filters": "cdn:a"}),
    ],
)
def test_what_the_sums_do_not_know_is_read_from_the_views(
    form: Form, given: dict[str, str]
) -> None:
    assert cut(form, NOW_MS - 9 * DAY_MS, NOW_MS, **given) is None
    assert cut("overall", NOW_MS - 9 * DAY_MS, NOW_MS) is not None
