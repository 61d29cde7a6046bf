import pytest

from playhead.collect.logs.logged import BrokenLine, Options
from playhead.collect.logs.nginx import Nginx
from playhead.errors import ConfigInvalid


@pytest.mark.parametrize(
    "log_format",
    ["$remote_addr", "$status $uri", "$msec $status", "$msec$uri $status"],
)
def test_a_log_format_without_time_path_or_gaps_ends_the_start(log_format: str) -> None:
    with pytest.raises(ConfigInvalid, match="nginx_log_format"):
        Nginx(Options(log_format=log_format))


@pytest.mark.parametrize(
    ("log_format", "line"),
    [
        ("$time_local $uri", "15/Dec/2025:22:16:40 +0000 /a"),
        ("[$time_iso8601] $request_uri", "[2025-12-15T22:16:40+00:00] /a"),
        ("$request $msec", "GET /a HTTP/1.1 1765837000"),
        ("${msec}|$request_method|$uri|$upstream_header_time", "1765837000|GET|/a|0.1, 0.2"),
    ],
)
def test_a_log_format_of_ones_own(log_format: str, line: str) -> None:
    found = Nginx(Options(log_format=log_format)).read(line.encode())
    assert (found.at, found.path) == (1_765_837_000_000, "/a")


@pytest.mark.parametrize(
    ("log_format", "line"),
    [
        ("$upstream_response_time $upstream_addr [$msec] $uri", b"1, 2 : 3, " * 6_000),
        (
            '$msec $uri $upstream_status $upstream_header_time $upstream_response_time "$uri"',
            b"1 /a " + b"1, " * 20_000 + b"x y z",
        ),
    ],
)
def test_a_long_line_that_does_not_fit_is_refused_at_once(log_format: str, line: bytes) -> None:
    with pytest.raises(BrokenLine):
        Nginx(Options(log_format=log_format)).read(line)


def test_several_upstreams_are_one_value_each() -> None:
    log_format = '[$msec] $uri $upstream_status $upstream_header_time "$http_user_agent"'
    line = b'[1765837000] /a 502, 200 : 304 0.1, - : 0.2 "curl"'
    assert Nginx(Options(log_format=log_format)).read(line).ttfb_ms == 300
