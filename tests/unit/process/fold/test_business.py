"""Which fatal errors are business exceptions: rules of the settings (`process.business_errors`)."""

from typing import Any

import pytest

from playhead.model.event import Context, Event, PlayerError
from playhead.model.event_row import Stored
from playhead.model.view import ViewRow
from playhead.process.fold import Limits, fold

T = 1_790_000_000_000


def row_of(rules: tuple[str, ...], *, plays: bool = False, **error: Any) -> ViewRow:
    kinds = ["PLAY", *(["PLAYING"] if plays else []), "PLAYER_ERROR"]
    events = [
        Event(event_type=kind, timestamp=T + 1_000 * seq, view_id="v", seq=seq)
        for seq, kind in enumerate(kinds)
    ]
    events[-1].error = PlayerError(fatal=True, **error)
    stored = [Stored(event, Context(), T, 0, 0, event.seq or 0) for event in events]
    return fold("v", "p/v", stored, T + 60_000, Limits(business_errors=rules))


@pytest.mark.parametrize(
    "error",
    [
        {"code": "GEO_BLOCKED"},
        {"type": "GEO_2"},
        {"details": "GEO_", "category": "technical"},
        {"category": "Content"},
    ],
)
def test_a_rule_matches_code_type_details_or_category(error: dict[str, Any]) -> None:
    rules = ("GEO_*", "content")
    before, after = row_of(rules, **error), row_of(rules, plays=True, **error)
    assert (before.startup_failed, before.startup_failed_business) == (False, True)
    assert (after.playback_failed, after.playback_failed_business) == (False, True)


@pytest.mark.parametrize("error", [{"code": "geo_1"}, {"code": "404"}, {"message": "GEO_1"}, {}])
def test_what_no_rule_matches_is_a_failure(error: dict[str, Any]) -> None:
    row = row_of(("GEO_*",), **error)
    assert (row.startup_failed, row.startup_failed_business) == (True, False)
    assert (row.fatal_error_category, row.score_success) == ("technical", 0.0)


def test_a_category_that_was_told_stays_and_one_that_was_not_follows_the_rule() -> None:
    told = row_of(("GEO_*",), code="GEO_1", category="content")
    untold = row_of(("GEO_*",), code="GEO_1")
    assert (told.fatal_error_category, untold.fatal_error_category) == ("content", "business")
    assert (told.score_success, untold.score_success) == (None, None)


def test_without_a_rule_the_category_business_is_a_failure_like_any_other() -> None:
    assert row_of((), category="business").startup_failed
    assert row_of(Limits().business_errors, category="business").startup_failed_business
