from typing import Any

import pytest

from playhead.clock import ManualClock
from playhead.collect.geography import Geography
from playhead.collect.internal import Internal, host_of
from playhead.collect.logs.logged import Logged
from playhead.collect.logs.normal import Normal
from playhead.config import Collect
from playhead.errors import ConfigInvalid


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("11.1.2.3", False),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("2001:db8:5::9", True),
        ("2001:db8:6::9", False),
        ("", False),
        ("unknown", False),
    ],
)
def test_an_address_is_looked_up_in_the_networks(address: str, *, inside: bool) -> None:
    networks = ("10.0.0.0/8", "192.0.2.7", "2001:db8:5::/48")
    assert Internal(Collect(internal_networks=networks)).address(address) is inside


def test_a_wrong_network_stops_the_start_with_a_sentence() -> None:
    with pytest.raises(ConfigInvalid, match=r"collect\.internal_networks .*10\.0\.0\.0/99"):
        Internal(Collect(internal_networks=("10.0.0.0/99",)))


@pytest.mark.parametrize(
    ("headers", "inside"),
    [
        ({b"origin": b"http://localhost:3000"}, True),
        ({b"origin": b"https://a.Staging.example"}, True),
        ({b"origin": b"https://staging.example"}, False),
        ({b"origin": b"https://tv.example", b"referer": b"http://localhost/"}, False),
        ({b"origin": b"null", b"referer": b"http://localhost/watch?v=1"}, True),
        ({b"referer": b"https://a.staging.example./x"}, True),
        ({b"origin": b"https://[broken"}, False),
        ({b"referer": b"/localhost"}, False),
        ({}, False),
    ],
)
def test_the_page_is_known_by_origin_else_referer(
    headers: dict[bytes, bytes], *, inside: bool
) -> None:
    internal = Internal(Collect(internal_hosts=("localhost", "*.STAGING.example")))
    assert internal.page(headers) is inside


def test_without_lists_nobody_is_internal() -> None:
    internal = Internal(Collect())
    assert not internal.address("127.0.0.1")
    assert not internal.page({b"origin": b"http://localhost"})


def test_a_host_has_no_port_and_small_letters() -> None:
    assert host_of(b"https://TV.example:8443/x") == "tv.example"
    assert host_of(b"http://[::1]:80") == "::1"


@pytest.mark.parametrize(
    ("line", "marks"),
    [
        ({"client": "192.0.2.7"}, (False, True)),
        ({"client": "198.51.100.7"}, (False, False)),
        ({"referer": "https://localhost:3000/watch"}, (False, True)),
        ({"user_agent": "curl/8.5.0"}, (True, False)),
        ({"user_agent": "Roku/DVP-12.0"}, (False, False)),
    ],
)
def test_lines_of_cdn_logs_are_marked_one_by_one(
    line: dict[str, Any], marks: tuple[bool, bool]
) -> None:
    config = Collect(internal_networks=("192.0.2.0/24",), internal_hosts=("localhost",))
    normal = Normal(config, Geography(config, ManualClock(0)), Internal(config))
    row = normal.request(Logged(at=1_790_000_000_000, path="/x.ts", **line), "")
    assert (row.bot, row.internal) == marks
