import pytest

from playhead.errors import (
    PlayheadError,
    QueryFailed,
    QueryRefused,
    QueryTimeout,
    ResultTooLarge,
    StoreBusy,
)
from playhead.query.pipes.fault import SENTENCE_CHARS_MAX, sentence_of, told

UNKNOWN = (
    "Code: 47. DB::Exception: Identifier 'titel' cannot be resolved from table with name plays. "
    "Maybe you meant: ['plays.title']. In scope SELECT titel FROM project.plays AS plays. "
    "(UNKNOWN_IDENTIFIER) (version 26.9.2.1)"
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            UNKNOWN,
            UNKNOWN.split("Exception: ")[1].split(" In scope", maxsplit=1)[0],
        ),
        (
            "Code: 36. DB::Exception: Code: 36. DB::Exception: Column 'value' is required. (BAD_ONE) (version 26.9)",
            "Column 'value' is required.",
        ),
        (
            "Code: 6. DB::Exception: Cannot parse string 'news' as Int32: while executing function f. (CANNOT)",
            "Cannot parse string 'news' as Int32.",
        ),
        (
            "Code: 74. DB::Exception: Cannot read from /data/store/one/part.bin. (X_ERROR)",
            "Cannot read from ….",
        ),
        ("", "The engine refused the query."),
    ],
)
def test_the_sentence_is_left_of_what_the_engine_says(text: str, said: str) -> None:
    assert sentence_of(text) == said


def test_a_long_sentence_is_cut() -> None:
    said = sentence_of("Code: 1. DB::Exception: " + "long " * 400)
    assert len(said) <= SENTENCE_CHARS_MAX + 1
    assert said.startswith("long")


def test_a_refusal_says_what_to_change() -> None:
    error = told(QueryFailed(UNKNOWN, engine_code=47))
    assert isinstance(error, QueryRefused)
    assert error.message.endswith("(UNKNOWN_IDENTIFIER)")
    assert "column's name" in error.hint


def test_hidden_rows_leave_the_code_alone() -> None:
    error = told(QueryFailed(UNKNOWN, engine_code=47), hidden=True)
    assert "47 (UNKNOWN_IDENTIFIER)" in error.message
    assert "titel" not in error.message + error.hint


@pytest.mark.parametrize(
    ("error", "setting"),
    [
        (QueryTimeout(), "pipes.timeout_ms"),
        (ResultTooLarge(), "pipes.max_result_rows"),
        (ResultTooLarge("The query would read more rows than its limit."), "max_rows_to_read"),
        (ResultTooLarge("The query needs more memory than its limit."), "max_memory_bytes"),
    ],
)
def test_limits_are_named(error: PlayheadError, setting: str) -> None:
    again = told(error)
    assert type(again) is type(error)
    assert setting in again.message


def test_faults_of_the_engine_stay_what_they_are() -> None:
    broken = QueryFailed("Code: 49. DB::Exception: oh. (LOGICAL_ERROR)", engine_code=49)
    busy = StoreBusy()
    assert told(broken) is broken
    assert told(busy) is busy


def test_secrets_are_not_in_a_sentence() -> None:
    failed = QueryFailed(
        "Code: 6. DB::Exception: Cannot parse string 'k3y' as UInt8. (CANNOT_PARSE_TEXT)",
        engine_code=6,
    )
    said = told(failed, secret=True)
    assert "k3y" not in said.message + said.hint
    assert "CANNOT_PARSE_TEXT" in said.message
