import pytest

from playhead.collect.rate import RateLimit
from playhead.config import Collect
from playhead.errors import RateLimited


def test_no_limit_is_no_limit() -> None:
    rate = RateLimit(Collect())
    for _ in range(1_000):
        rate.check("198.51.100.7")


def test_each_address_has_its_own_count() -> None:
    rate = RateLimit(Collect(requests_per_minute_per_address=1))
    for last in range(50):
        rate.check(f"198.51.100.{last}")
    with pytest.raises(RateLimited):
        rate.check("198.51.100.7")


def test_a_subscriber_is_one_address() -> None:
    rate = RateLimit(Collect(requests_per_minute_per_address=1))
    rate.check("2001:db8::1")
    with pytest.raises(RateLimited):
        rate.check("2001:db8::ffff")


def test_only_so_many_addresses_are_remembered() -> None:
    rate = RateLimit(Collect(requests_per_minute_per_address=1, max_addresses_tracked=3))
    for last in range(4):
        rate.check(f"198.51.100.{last}")
    rate.check("198.51.100.0")
    with pytest.raises(RateLimited):
        rate.check("198.51.100.3")


def test_an_address_is_told_where_it_stands() -> None:
    rate = RateLimit(Collect(requests_per_minute_per_address=3))
    rate.check("198.51.100.1")
    standing = rate.standing("198.51.100.1")
    assert standing is not None
    assert (standing.limit, standing.remaining) == (3, 2)
    assert RateLimit(Collect()).standing("198.51.100.1") is None
