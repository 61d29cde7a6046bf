from typing import Any

import pytest

from playhead.clock import ManualClock
from playhead.collect.rate import RateLimit
from playhead.config import Collect, Limits
from playhead.errors import RateLimited


def limit(per_minute: int = 1, **limits: Any) -> RateLimit:
    collect = Collect(requests_per_minute_per_address=per_minute)
    return RateLimit(collect, Limits(**limits), ManualClock(0))


def test_no_limit_is_no_limit() -> None:
    rate = limit(0)
    for _ in range(1_000):
        rate.check("198.51.100.7")
    assert rate.standing("198.51.100.7") is None


def test_by_default_a_crowd_behind_one_address_passes() -> None:
    rate = RateLimit(Collect(), Limits(), ManualClock(0))
    for _ in range(10_000):
        rate.check("198.51.100.7")
    with pytest.raises(RateLimited):
        rate.check("198.51.100.7")


def test_each_address_has_its_own_count() -> None:
    rate = limit()
    for last in range(50):
        rate.check(f"198.51.100.{last}")
    with pytest.raises(RateLimited):
        rate.check("198.51.100.7")


def test_a_subscriber_is_one_address() -> None:
    rate = limit()
    rate.check("2001:db8::1")
    with pytest.raises(RateLimited, match="one address"):
        rate.check("2001:db8::ffff")


def test_a_property_has_its_own_count() -> None:
    rate = limit(0, requests_per_minute_per_property=1)
    rate.check_property("shop")
    rate.check_property("news")
    with pytest.raises(RateLimited, match="'shop'"):
        rate.check_property("shop")


def test_a_large_body_counts_as_many_requests() -> None:
    rate = limit(60, unpacked_bytes_per_request=1_000)
    rate.check("198.51.100.1")
    rate.charge("198.51.100.1", 70_999)
    with pytest.raises(RateLimited) as refused:
        rate.check("198.51.100.1")
    assert refused.value.retry_after_s == 12


def test_a_small_body_costs_nothing_more() -> None:
    rate = limit(3, unpacked_bytes_per_request=1_000)
    rate.check("198.51.100.1")
    rate.charge("198.51.100.1", 999)
    standing = rate.standing("198.51.100.1")
    assert standing is not None
    assert (standing.limit, standing.remaining) == (3, 2)
