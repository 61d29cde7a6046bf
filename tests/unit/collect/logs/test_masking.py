import pytest

from playhead.collect.logs.masking import masked

V4 = "0.0.0.0"  # noqa: S104 (text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.9 - -", f"{V4} - -"),
        ('"client_ip": "203.0.113.9"', f'"client_ip": "{V4}"'),
        ("ip=203.0.113.9:443,198.51.100.4", f"ip={V4}:443,{V4}"),
        ("2001:db8::1", "::"),
        ("client:2001:db8::1 x", "client:: x"),
        ("[2001:db8::1]:443", "[::]:443"),
        ("::ffff:203.0.113.9", "::"),
        ("::1", "::"),
        ("fe80::1%eth0", "::%eth0"),
        ("2001:0db8:0000:0000:0000:ff00:0042:8329", "::"),
        ("2001%3Adb8%3A%3A1", "::"),
        ("at 22:16:40", "at 22:16:40"),
        ("[15/Dec/2025:15:16:40 -0700]", "[15/Dec/2025:15:16:40 -0700]"),
        ("2025-12-15T15:16:40Z", "2025-12-15T15:16:40Z"),
        ("HTTP/1.1 1765837000.250", "HTTP/1.1 1765837000.250"),
        ("", ""),
    ],
)
def test_addresses_and_nothing_else_are_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


def test_a_masked_text_stays_as_it_is() -> None:
    once = masked("203.0.113.9 2001:db8::1")
    assert masked(once) == once


def test_a_hostile_text_takes_no_longer_than_others() -> None:
    assert masked("1." * 50_000)
    assert masked("a:" * 50_000)
