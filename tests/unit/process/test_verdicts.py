import pytest

from playhead.clock import ManualClock
from playhead.errors import QueryFailed
from playhead.process.verdicts import GIVEN_UP_S, GIVEN_UP_TRIES, WAITED_S, Verdict, Verdicts


def refused(code: int, *views: str) -> QueryFailed:
    pushed = "".join(f": while pushing to view {view} (1-2)" for view in views)
    words = f"Code: {code}. DB::Exception: Something is wrong{pushed}. (NAME)"
    return QueryFailed(words, engine_code=code)


def after_the_wait(clock: ManualClock, verdict: Verdict, error: QueryFailed) -> list[bool]:
    found = [verdict.is_lasting(error) for _ in range(GIVEN_UP_TRIES + 1)]
    clock.advance(int(WAITED_S * 1_000))
    return [any(found), verdict.is_lasting(error)]


@pytest.mark.parametrize("passage", [None, ""])
@pytest.mark.parametrize("code", [243, 74, 75, 76, 159])
def test_a_passing_fault_of_a_view_is_waited_for(code: int, passage: str | None) -> None:
    clock = ManualClock()
    verdict = Verdicts(clock).of("p.plays", passage=passage)
    assert after_the_wait(clock, verdict, refused(code, "p.mv")) == [False, True]


@pytest.mark.parametrize("code", [6, 241, 395])
def test_what_a_view_cannot_take_is_known_at_once(code: int) -> None:
    assert Verdicts(ManualClock()).of("p.plays", passage="").is_lasting(refused(code, "p.mv"))


def test_an_unknown_code_is_waited_for_and_not_for_every_block_again() -> None:
    clock = ManualClock()
    verdicts = Verdicts(clock)
    assert after_the_wait(clock, verdicts.of("p.plays", passage=""), refused(242)) == [False, True]
    again = verdicts.of("p.plays", passage="")
    tries = [again.is_lasting(refused(242)) for _ in range(GIVEN_UP_TRIES)]
    assert tries == [False] * (GIVEN_UP_TRIES - 1) + [True]
    clock.advance(int(GIVEN_UP_S * 1_000))
    later = verdicts.of("p.plays", passage="")
    assert not any(later.is_lasting(refused(242)) for _ in range(GIVEN_UP_TRIES))


def test_a_view_that_works_again_is_waited_for_again() -> None:
    clock = ManualClock()
    verdicts = Verdicts(clock)
    full = refused(243, "p.mv")
    after_the_wait(clock, verdicts.of("p.plays", passage=""), full)
    assert verdicts.of("p.plays", passage="").is_lasting(full)
    verdicts.taken("p.plays")
    assert not verdicts.of("p.plays", passage="").is_lasting(full)


def test_a_full_disk_on_the_way_into_a_table_is_waited_for_as_that_of_the_table() -> None:
    clock = ManualClock()
    verdict = Verdicts(clock).of("p.passage", passage="p.way")
    assert after_the_wait(clock, verdict, refused(243, "p.way")) == [False, False]
    assert after_the_wait(clock, verdict, refused(243)) == [False, False]
