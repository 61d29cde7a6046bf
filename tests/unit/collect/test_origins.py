import pytest

from playhead.collect.origins import Origins, of_key

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


def test_pages_of_any_key_may_ask_and_read() -> None:
    origins = Origins(("https://tv.example",), lambda: ("https://*.shop.example",))
    page = b"https://a.shop.example"
    assert not origins.allows(page)
    assert (b"access-control-allow-origin", page) in origins.headers(page)
    assert (b"access-control-allow-origin", page) in origins.preflight({b"origin": page})
    assert origins.headers(b"https://other.example") == [(b"vary", b"Origin")]


def test_a_long_origin_is_none_and_is_not_remembered() -> None:
    origins = Origins(("https://*.example",))
    assert not origins.allows(b"https://" + b"a" * 10_000 + b".example")
    assert origins._known.cache_info().currsize == 0


def test_a_keys_own_list_is_its_own() -> None:
    assert of_key(("https://tv.example",)).allows(b"https://tv.example")
    assert not of_key(("https://tv.example",)).allows(b"https://x.example")
