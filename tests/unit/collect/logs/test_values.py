import pytest

from playhead.collect.logs import values

AT = 1_765_837_000_000


@pytest.mark.parametrize(
    "written",
    [
        AT / 1000,
        AT,
        AT * 1000,
        AT * 1_000_000,
        "1765837000",
        "1765837000.000",
        "1765837000000",
        "2025-12-15T22:16:40Z",
        "2025-12-15T22:16:40",
        "2025-12-15 22:16:40",
        "2025-12-15T22:16:40GMT",
        "2025-12-15T22:16:40.000+00:00",
        "2025-12-16T03:46:40+0530",
        "15/Dec/2025:22:16:40 +0000",
        "[15/Dec/2025:15:16:40 -0700]",
    ],
)
def test_a_time_in_any_form_is_utc_ms(written: object) -> None:
    assert values.instant(written) == AT


@pytest.mark.parametrize(
    "written",
    ["", "-", "soon", True, None, [], 0, -1, 1e300, float("nan"), float("inf"), "nan", 20251215,
     "32/Dec/2025:22:16:40 +0000", "15/Dez/2025:22:16:40 +0000", "1" * 100, 10**400],
)  # fmt: skip
def test_what_is_no_time_is_none(written: object) -> None:
    assert values.instant(written) is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("0.1", 100.0),
        (0.001973, 1.973),
        ("0.100, 0.020", 120.0),
        ("0.100 : -", 100.0),
        ("-, -", None),
        ("-", None),
        (-1, None),
        (True, None),
        ("nan", None),
        (10**400, None),
    ],
)
def test_seconds_become_ms(written: object, expected: float | None) -> None:
    assert values.seconds(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [("200", 200), (200.0, 200), ("000", 0), (1000, None), ("OK", None), (-1, None)],
)
def test_status(written: object, expected: int | None) -> None:
    assert values.status(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [("AS209", 209), (209, 209), ("209", 209), (2**32, None), ("x", None), (-1, None)],
)
def test_network(written: object, expected: int | None) -> None:
    assert values.network(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"), [("de", "DE"), ("DEU", None), ("1A", None), (4, None), ("ÄÖ", None)]
)
def test_country(written: object, expected: str | None) -> None:
    assert values.country(written) == expected


def test_text_that_was_encoded_twice_is_read() -> None:
    assert values.unquoted("Mozilla%252F5.0%2520(X)") == "Mozilla/5.0 (X)"
