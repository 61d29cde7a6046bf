import pytest

from playhead.collect.origins import Origins

ANY = Origins(("*",))
LISTED = Origins(("https://tv.example", "https://*.kids.example"))


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        (b"https://tv.example", True),
        (b"https://TV.example", True),
        (b"https://a.kids.example", True),
        (b"https://kids.example", False),
        (b"https://tv.example.evil", False),
        (b"http://tv.example", False),
        (b"null", False),
    ],
)
def test_a_list_of_origins_allows_what_it_names(origin: bytes | None, allowed: bool) -> None:
    assert LISTED.allows(origin) is allowed
    assert ANY.allows(origin)


def test_any_origin_gets_a_star_and_a_listed_one_its_echo() -> None:
    assert (b"access-control-allow-origin", b"*") in ANY.headers(b"https://x.example")
    listed = LISTED.headers(b"https://tv.example")
    assert (b"access-control-allow-origin", b"https://tv.example") in listed
    assert (b"vary", b"Origin") in listed


def test_an_origin_not_listed_gets_no_leave() -> None:
    for headers in (
        LISTED.headers(b"https://x.example"),
        LISTED.preflight({b"origin": b"https://x.example"}),
    ):
        assert headers == [(b"vary", b"Origin")]


def test_a_preflight_names_method_headers_and_age() -> None:
    headers = dict(
        LISTED.preflight(
            {
                b"origin": b"https://tv.example",
                b"access-control-request-method": b"POST",
                b"access-control-request-headers": b"content-type,traceparent",
            }
        )
    )
    assert headers[b"access-control-allow-headers"] == b"content-type,traceparent"
    assert headers[b"access-control-allow-methods"] == b"POST, OPTIONS"
    assert int(headers[b"access-control-max-age"]) > 0
    assert b"access-control-allow-credentials" not in headers


@pytest.mark.parametrize("asked", [b"a\r\nset-cookie: x", b"x" * 2_000, b"\xff", b""])
def test_strange_header_names_are_not_echoed(asked: bytes) -> None:
    headers = dict(ANY.preflight({b"access-control-request-headers": asked}))
    assert b"x-playhead-key" in headers[b"access-control-allow-headers"]
