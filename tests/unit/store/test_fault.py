import pytest

from playhead.errors import (
    PlayheadError,
    QueryFailed,
    QueryTimeout,
    ResultTooLarge,
    StoreBusy,
    StoreUnavailable,
)
from playhead.store.fault import code_of, error_of


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (159, QueryTimeout),
        (158, ResultTooLarge),
        (307, ResultTooLarge),
        (396, ResultTooLarge),
        (241, ResultTooLarge),
        (202, StoreBusy),
        (236, StoreUnavailable),
        (60, QueryFailed),
    ],
)
def test_each_code_has_its_error(code: int, kind: type[PlayheadError]) -> None:
    assert type(error_of(code, "Code: 1. DB::Exception: x")) is kind


def test_a_full_engine_is_busy_not_too_large() -> None:
    error = error_of(241, "Memory limit (total) exceeded", retry_after_s=3)
    assert isinstance(error, StoreBusy)
    assert error.retry_after_s == 3


def test_other_failures_keep_code_and_words() -> None:
    text = "Code: 62. DB::Exception: Syntax error. (SYNTAX_ERROR)"
    error = error_of(code_of(text), text, status=400)
    assert isinstance(error, QueryFailed)
    assert (error.engine_code, error.message) == (62, text)


def test_an_answer_without_code_is_judged_by_its_status() -> None:
    assert isinstance(error_of(0, "", status=503), StoreBusy)


def test_a_sentence_ends_with_one_full_stop() -> None:
    text = "Code: 202. DB::Exception: No read slot came free in 5000 ms.. (TOO_MANY_SIMULTANEOUS_QUERIES)"
    error = error_of(202, text, status=503)
    assert error.message == "No read slot came free in 5000 ms."
