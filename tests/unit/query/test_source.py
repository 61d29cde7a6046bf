from playhead.config import Collect, Config
from playhead.query.source import SOURCES, receipt_days
from playhead.query.span import DAY_MS, Span


def test_rows_are_received_up_to_the_age_of_a_log_line_later() -> None:
    start = 1_767_225_600_000  # 2026-01-01
    config = Config(collect=Collect(max_log_age_ms=30 * DAY_MS))
    found = receipt_days(Span(start, start + DAY_MS), config)
    assert found == ("2025-12-31", "2026-02-02")


def test_only_views_replace_each_other() -> None:
    assert [" FINAL" in one.rows() for one in SOURCES.values()] == [True, True, False, False, False]
