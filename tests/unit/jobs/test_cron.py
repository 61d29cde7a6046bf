from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import InvalidRequest
from playhead.jobs.cron import cron

AT = int(datetime(2026, 2, 3, 10, 7, 30, tzinfo=UTC).timestamp() * 1000)


def after(text: str, at_ms: int = AT) -> str:
    found = cron(text).next_ms(at_ms)
    assert found is not None
    return datetime.fromtimestamp(found / 1000, UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("* * * * *", "2026-02-03 10:08"),
        ("*/5 * * * *", "2026-02-03 10:10"),
        ("7 * * * *", "2026-02-03 11:07"),
        ("0 0 * * *", "2026-02-04 00:00"),
        ("30 9-17/4 * * *", "2026-02-03 13:30"),
        ("0 12 1,15 * *", "2026-02-15 12:00"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
        ("0 0 * * 7", "2026-02-08 00:00"),
        ("0 0 * * mon-fri", "2026-02-04 00:00"),
        ("0 0 13 * fri", "2026-02-06 00:00"),
        ("0 0 13 * */7", "2026-09-13 00:00"),
        ("5/20 * * * *", "2026-02-03 10:25"),
        ("0 0 1 jan *", "2027-01-01 00:00"),
        ("@hourly", "2026-02-03 11:00"),
    ],
)
def test_the_next_time_is_the_one_cron_knows(text: str, due: str) -> None:
    assert after(text) == due


@pytest.mark.parametrize(
    "text",
    ["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "a * * * *",
     "5-1 * * * *", "*/0 * * * *", "1,,2 * * * *", "- * * * *", "99999999999 * * * *", "٣ * * * *"],
)  # fmt: skip
def test_what_is_no_cron_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        cron(text)
    assert refused.value.message.endswith(".")


def test_what_never_comes_is_none() -> None:
    assert cron("0 0 31 2 *").next_ms(AT) is None


@given(st.integers(0, 4_102_444_800_000), st.integers(0, 59), st.integers(0, 23))
def test_it_lies_ahead_within_a_day(at_ms: int, minute: int, hour: int) -> None:
    found = cron(f"{minute} {hour} * * *").next_ms(at_ms)
    assert found is not None
    assert 0 < found - at_ms <= 86_400_000
