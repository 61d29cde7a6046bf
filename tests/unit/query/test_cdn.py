import re

import pytest

from playhead.config import Config
from playhead.query.catalogue import catalogue
from playhead.query.cdn import FROM_REQUESTS, kpi_question_of, presented
from playhead.query.question import Asking, Values
from playhead.query.span import MINUTE_MS
from playhead.store.schema import migrations

ASKING = Asking(catalogue=catalogue(), config=Config(), now_ms=1_780_000_030_500)


def test_the_span_is_widened_to_whole_minutes() -> None:
    span = kpi_question_of({"from": ["-90s"]}, ASKING).span
    assert (span.from_ms % MINUTE_MS, span.to_ms % MINUTE_MS, span.length_ms) == (
        0,
        0,
        3 * MINUTE_MS,
    )


@pytest.mark.parametrize(
    ("values", "summed"),
    [
        ({}, True),
        ({"group_by": ["cdn,pop,owner,property"]}, True),
        ({"filters": ["bot:true", "!pop:x", "property:p"]}, True),
        ({"group_by": ["host"]}, False),
        ({"filters": ["status:404"]}, False),
    ],
)
def test_the_sums_answer_what_they_know(values: Values, summed: bool) -> None:
    assert kpi_question_of(values, ASKING).summed is summed


def test_the_sums_are_made_as_the_requests_are_counted() -> None:
    (view,) = [
        statement
        for migration in migrations()
        for statement in migration.statements
        if statement.startswith("CREATE MATERIALIZED VIEW IF NOT EXISTS playhead.cdn_minutes_fill")
    ]
    made = dict(re.findall(r"^ +(\S.*) AS (\w+),?$", view, re.MULTILINE))
    for name, sql in FROM_REQUESTS.items():
        expected = sql.replace("quantilesDD(", "quantilesDDState(")
        assert {text for text, alias in made.items() if alias == name} == {expected}


def test_nothing_to_divide_by_is_null() -> None:
    row = dict.fromkeys((f"n_{name}" for name in FROM_REQUESTS), 0)
    nothing = [float("nan")] * 3
    shown = presented(row | {"n_ttfb": nothing, "n_total": nothing})
    assert [shown[n] for n in ("error_percentage", "cache_hit_ratio", "ttfb_p95")] == [None] * 3
