import pytest

from playhead.collect.address import Addresses, prefix, sender
from playhead.errors import ConfigInvalid

TRUSTING = Addresses(("127.0.0.1", "10.0.0.0/8", "::1"), "X-Forwarded-For")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", [b"198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", [b"6.6.6.6, 198.51.100.7, 10.1.1.1"], "198.51.100.7"),
        ("127.0.0.1", [b"6.6.6.6", b"198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", [b"198.51.100.7:4711"], "198.51.100.7"),
        ("127.0.0.1", [b"[2001:db8::1]:80"], "2001:db8::1"),
        ("::1", [b"2001:db8::1"], "2001:db8::1"),
        ("::ffff:10.0.0.1", [b"198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", [b"unknown"], "127.0.0.1"),
        ("127.0.0.1", [b"\xff\xfe, , ,"], "127.0.0.1"),
        ("203.0.113.5", [b"198.51.100.7"], "203.0.113.5"),
        ("", [b"198.51.100.7"], ""),
    ],
)
def test_the_client_is_the_first_stranger_from_the_right(
    peer: str, forwarded: list[bytes], client: str
) -> None:
    assert TRUSTING.client(peer, forwarded) == client


def test_a_wrong_proxy_in_the_settings_stops_the_start() -> None:
    with pytest.raises(ConfigInvalid):
        Addresses(("10.0.0.0/99",), "x-forwarded-for")


@pytest.mark.parametrize(
    ("address", "network", "counted"),
    [
        ("198.51.100.7", "198.51.100.0", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.0", "198.51.100.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1::", "2001:db8:1:2::"),
        ("/run/web.sock", "", "/run/web.sock"),
    ],
)
def test_addresses_are_grouped(address: str, network: str, counted: str) -> None:
    assert prefix(address) == network
    assert sender(address) == counted
