"""What the library says of a play is what happened: every scene with every player."""

import json

import pytest

from e2e.agreement import differences, spans
from e2e.browser import MEDIA
from e2e.gallery import FULL, ahead_each
from e2e.play import played
from e2e.scenes import SCENES
from e2e.stage import Outcome

pytestmark = pytest.mark.xdist_group("browser")
MEASURED = MEDIA.parent / "e2e-differences.json"
"""The largest difference of each measure that was still right, for reports."""
QUIET = [
    name for name in SCENES if name not in {"one_missing", "all_missing", "no_manifest", "late"}
]

TROUBLED = {"stall", "pause_in_stall", "switches"}
"""Players may warn of a stall or a slow segment."""


def plays(*names: str) -> pytest.MarkDecorator:
    """A test for every player of the scenes; where every player is the same, for some of them."""
    chosen = (SCENES[name] for name in names)
    return ahead_each(
        played,
        (
            {"scene": scene.name, "kind": kind}
            for scene in chosen
            for kind in scene.players
            if FULL or kind in scene.some
        ),
    )


def agree(outcome: Outcome, *, besides: tuple[str, ...] = ()) -> None:
    found = differences(outcome)
    note(f"{outcome.scene}[{outcome.kind}]", found.measured)
    wrong = [text for text in found.wrong if not text.startswith(besides)]
    assert not wrong, "; ".join(wrong)


def note(name: str, measured: dict[str, float]) -> None:
    try:
        known = json.loads(MEASURED.read_text())
    except (OSError, ValueError):
        known = {}
    MEASURED.write_text(json.dumps({**known, name: measured}, indent=1, sort_keys=True))


@plays(*QUIET)
def test_the_row_says_what_happened(outcome: Outcome) -> None:
    if SCENES[outcome.scene].closes:
        assert outcome.row["exit_before_start"]
        assert outcome.row["startup_ms"] is outcome.told.truth.startup_ms is None
    else:
        agree(outcome)
        assert outcome.row["errors"] == 0
        assert outcome.row["warnings"] == 0 or outcome.scene in TROUBLED


@plays("stall", "pause_in_stall")
def test_there_was_one_stall(outcome: Outcome) -> None:
    assert outcome.row["rebuffer_count"] >= 1
    assert outcome.row["rebuffer_max_ms"] > 900


@plays("pause_in_stall")
def test_a_pause_ends_the_stall(outcome: Outcome) -> None:
    (paused_at,) = [one.at for one in outcome.told.truth.wishes if one.kind == "pause"]
    ends = [span.end for span in spans(outcome.row, "rebuffering")]
    assert any(abs(end - paused_at) < 150 for end in ends)


@plays("seek", "scrub")
def test_a_seek_is_no_stall(outcome: Outcome) -> None:
    assert (outcome.row["seek_count"], outcome.row["rebuffer_count"]) == (1, 0)


@plays("switches")
def test_switches_have_their_bitrates(outcome: Outcome) -> None:
    shown = {frame.height for frame in outcome.told.truth.frames if frame.height}
    said = {one["height"] for one in outcome.row["intervals"] if one["state"] == "playing"}
    assert said - {None} == shown
    assert outcome.row["bitrate_kbps"] > 0


@plays("one_missing")
def test_an_error_that_is_recovered_from_is_none(outcome: Outcome) -> None:
    agree(outcome)
    assert outcome.row["errors"] == 0
    failed = [one for one in outcome.log if one.status == 404]
    if outcome.kind != "html5":  # its own second request hides the cut
        told = outcome.row["warnings"] + outcome.row["request_failed_count"]
        assert told >= len(failed) == 1


@plays("all_missing")
def test_an_error_that_ends_it_is_fatal(outcome: Outcome) -> None:
    row = outcome.row
    if row["errors"]:
        assert row["status"] == "failed"
        assert row["playback_failed"]
        assert row["fatal_error_code"]
    else:  # the others go on trying: a stall without an end
        assert outcome.kind != "hls"
        assert row["warnings"] + row["request_failed_count"] > 0
        # Video.js asks hundreds of times a second: past the rate limit, events are dropped.
        agree(outcome, besides=("events missing",))


@plays("no_manifest")
def test_nothing_to_play_is_a_failed_start(outcome: Outcome) -> None:
    row = outcome.row
    assert (row["startup_failed"], row["status"]) == (True, "failed")
    assert row["errors"] == 1
    assert row["fatal_error_code"]


@plays("double_speed")
def test_time_is_the_clock_s_and_content_the_film_s(outcome: Outcome) -> None:
    truth, row = outcome.told.truth, outcome.row
    assert truth.moved_at is not None
    stalled = sum(span.ms for span in truth.stalls())
    assert row["playing_ms"] == pytest.approx(truth.until - truth.moved_at - stalled, abs=200)
    content = sum(end - begin for begin, end in truth.watched())
    assert row["content_played_s"] == pytest.approx(content, abs=0.3)


@plays("loop", "replay")
def test_again_is_the_same_view(outcome: Outcome) -> None:
    assert len(outcome.told.views) == 1
    assert outcome.row["content_played_s"] > 4.2


@plays("autoplay")
def test_autoplay_is_known(outcome: Outcome) -> None:
    assert outcome.row["autoplay"] is True


@plays("late")
def test_a_late_library_makes_no_start_up(outcome: Outcome) -> None:
    row = outcome.row
    assert row["startup_ms"] is None
    assert (row["exit_before_start"], row["rebuffer_count"], row["seek_count"]) == (False, 0, 0)
    (part,) = row["watched"]
    assert 1.5 < part["from_s"] < 3
    assert part["to_s"] == pytest.approx(outcome.told.truth.frames[-1].media, abs=0.15)
