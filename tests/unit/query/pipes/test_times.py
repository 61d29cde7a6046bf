import pytest

from playhead.errors import QueryFailed
from playhead.query.pipes.times import mended


def refused(text: str, kind: str = "DateTime") -> QueryFailed:
    said = f"Code: 53. DB::Exception: Cannot convert string '{text}' to type {kind}."
    return QueryFailed(said, engine_code=53)


@pytest.mark.parametrize("text", ["2025-03-01T20:02:00Z", "2025-03-01 20:02:00.123", "2025-03-01T20:02+01:00"])  # fmt: skip
def test_the_time_that_was_refused_is_read(text: str) -> None:
    found = mended(f"SELECT 1 WHERE at >= '{text}' AND b IN ('{text}')", refused(text))
    read = f"parseDateTime64BestEffort('{text}', 3)"
    assert found == f"SELECT 1 WHERE at >= {read} AND b IN ({read})"


def test_what_was_mended_is_not_mended_again() -> None:
    text = "2025-03-01T20:02:00Z"
    once = mended(f"SELECT 1 WHERE at >= '{text}'", refused(text))
    assert once is not None
    assert mended(once, refused(text)) is None


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELECT 1 WHERE at >= 'soon'", refused("soon")),
        ("SELECT 1 WHERE n = '2025-03-01T20:02:00Z'", refused("2025-03-01T20:02:00Z", "UInt8")),
        ("SELECT 1", refused("2025-03-01T20:02:00Z")),
        ("SELECT 'x \\'2025-03-01T20:02:00Z'", refused("2025-03-01T20:02:00Z")),
        ("SELECT 1", QueryFailed("Code: 47. DB::Exception: no.", engine_code=47)),
    ],
)
def test_anything_else_stays_refused(sql: str, error: QueryFailed) -> None:
    assert mended(sql, error) is None
