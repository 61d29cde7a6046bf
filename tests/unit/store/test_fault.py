import pytest

from playhead.errors import (
    PlayheadError,
    QueryFailed,
    QueryTimeout,
    ResultTooLarge,
    StoreBusy,
    StoreUnavailable,
)
from playhead.store.fault import code_of, error_of, names_a_file, views_failed


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


@pytest.mark.parametrize("code", [6, 241, 159, 395])
def test_whatever_a_view_meets_is_the_views_failure(code: int) -> None:
    words = f"Code: {code}. DB::Exception: {'x' * 5_000}: while pushing to view p.mv (1-2). (NAME)"
    error = error_of(code, words)
    assert isinstance(error, QueryFailed)
    assert "while pushing to view p.mv" in error.message
    assert len(error.message) < 4_100


@pytest.mark.parametrize("words", [
    "Code: 27. DB::Exception: Cannot parse ': while pushing to view p.mv (X)': at row 1. (CANNOT_PARSE)",
    "Code: 6. DB::Exception: Cannot parse 'a: while pushing to view p.mv. (X)' as UInt8. (CANNOT_PARSE_TEXT)",
    "Code: 60. DB::Exception: Target table 'p.o' of view 'p.t' doesn't exists. (UNKNOWN_TABLE)",
])  # fmt: skip
def test_a_value_that_says_so_is_no_failure_of_a_view(words: str) -> None:
    assert views_failed(words) == []
    assert views_failed(
        f"{words[:-1]}): while pushing to view p.a (1-2): while pushing to view `p`.b. (X)"
    ) == ["p.a", "p.b"]


def test_one_insert_for_too_many_partitions_is_refused_for_good() -> None:
    words = (
        "Code: 252. DB::Exception: Too many partitions for single INSERT block (more than 2000)."
    )
    assert isinstance(error_of(252, words), QueryFailed)
    assert isinstance(error_of(252, "Code: 252. DB::Exception: Too many parts (300)."), StoreBusy)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Code: 33. DB::Exception: Cannot read all marks from file /d/a.mrk (CANNOT_READ_ALL_DATA)", True),
        ("Code: 33. DB::Exception: Cannot read all data. (CANNOT_READ_ALL_DATA)", False),
        ("Code: 62. DB::Exception: Syntax error: from file (SYNTAX_ERROR)", False),
    ],
)  # fmt: skip
def test_a_broken_part_is_told_from_a_query_at_fault(text: str, *, named: bool) -> None:
    assert names_a_file(QueryFailed(text, engine_code=code_of(text))) is named
