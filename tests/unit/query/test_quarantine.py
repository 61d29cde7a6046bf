"""Questions about quarantine are checked before the store is asked."""

import pytest

from playhead.config import Config
from playhead.errors import InvalidRequest
from playhead.query.catalogue import catalogue
from playhead.query.cursor import cursor_text
from playhead.query.quarantine import Place, at_of, cursor_of, quarantine_question_of
from playhead.query.question import Asking
from playhead.query.statement import Conditions, Params

ASKING = Asking(catalogue=catalogue(), config=Config(), now_ms=1_790_000_000_000, property="shop")


@pytest.mark.parametrize("values", [
    {"retried": ["perhaps"]}, {"limit": ["0"]}, {"cursor": ["e30"]}, {"reason": ["x"]},
    {"door": ["a", "b"]}, {"from": ["soon"]},
])  # fmt: skip
def test_a_question_that_cannot_be_meant_is_refused(values: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidRequest):
        quarantine_question_of(values, ASKING)


@pytest.mark.parametrize("text", ["", "1", "1-", "-1-2", "a-b", "1-2-3", "9" * 30 + "-1", "²-1"])
def test_an_id_is_two_numbers(text: str) -> None:
    with pytest.raises(InvalidRequest):
        at_of(text)


def test_a_cursor_comes_back_and_a_place_outside_of_the_log_does_not() -> None:
    place = Place(1_790_000_000_000, 7, 3, 1, 2)
    assert cursor_of(cursor_text(place)) == place
    with pytest.raises(InvalidRequest):
        cursor_of(cursor_text(Place(1_790_000_000_000, -1, 3, 1, 2)))


def test_what_is_asked_is_bound_and_the_token_narrows() -> None:
    asked = "' OR 1=1 --"
    question = quarantine_question_of({"door": [asked], "property": ["other"]}, ASKING)
    params, conditions = Params(), Conditions()
    question.wanted.narrow(params, conditions)
    assert asked not in conditions.sql()
    assert {"shop", "other", asked} <= set(map(str, params.values().values()))
