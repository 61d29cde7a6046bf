"""How backups fare, by their jobs."""

import pytest

from playhead.jobs.job import Job, State
from playhead.serve.watch.backups import state_of

HOUR = 3_600_000
AT = 1_700_000_000_000 // HOUR * HOUR


def job(state: State, at_ms: int, error: str = "") -> Job:
    return Job(kind="backup", state=state, created_at=at_ms, updated_at=at_ms + 1, error=error)


@pytest.mark.parametrize(
    ("ended", "error", "newest_ms", "due_ms"),
    [
        ([], "", 0, AT + HOUR),
        ([job("done", AT - HOUR)], "", AT - HOUR, AT),
        ([job("error", AT, "No rights."), job("done", AT - HOUR)], "No rights.", AT - HOUR, AT),
        ([job("cancelled", AT), job("done", AT - HOUR)], "", AT - HOUR, AT),
    ],
)
def test_the_newest_that_is_whole_counts(
    ended: list[Job], error: str, newest_ms: int, due_ms: int
) -> None:
    state = state_of(ended, "@hourly", since_ms=AT)
    assert (state.error, state.newest_ms, state.due_ms) == (error, newest_ms, due_ms)
    assert bool(state.error_at_ms) == bool(error)


def test_a_schedule_that_cannot_be_read_is_an_error() -> None:
    state = state_of([], "every now and then", since_ms=AT)
    assert state.error.startswith("[backup] every:")
    assert state.due_ms == 0
