from typing import Any

from playhead.config import Collect, Config, Limits
from playhead.errors import RateLimited, Unavailable
from playhead.runtime.connections import FILES_KEPT, SURPLUS_MAX, Connections

PLENTY = 1_000_000


def made(files_max: int = PLENTY, **limits: Any) -> Connections:
    config = Config(collect=Collect(trusted_proxies=("10.0.0.1",)), limits=Limits(**limits))
    return Connections(config, files_max)


def test_one_too_many_is_told_when_to_come_back() -> None:
    all_ = made(max_connections=16)
    assert [all_.enter(f"192.0.2.{number}") for number in range(16)] == [None] * 16
    refused = all_.enter("192.0.2.99")
    assert isinstance(refused, Unavailable)
    assert refused.retry_after_s > 0
    all_.leave("192.0.2.99")
    all_.leave("192.0.2.1")
    assert all_.enter("192.0.2.1") is None


def test_one_address_may_not_have_them_all() -> None:
    all_ = made(max_connections_per_address=2)
    answers = [all_.enter(peer) for peer in ("2001:db8::1", "2001:db8::2", "2001:db8::3")]
    assert isinstance(answers[2], RateLimited)
    assert all_.enter("2001:db9::1") is None


def test_a_trusted_proxy_may() -> None:
    all_ = made(max_connections_per_address=2)
    assert [all_.enter("10.0.0.1") for _ in range(50)] == [None] * 50
    for _ in range(50):
        all_.leave("10.0.0.1")
    assert all_.count == 0


def test_who_left_is_forgotten() -> None:
    all_ = made()
    for number in range(1_000):
        all_.enter(f"192.0.2.{number % 250}")
        all_.leave(f"192.0.2.{number % 250}")
    assert (all_.count, all_._by_address) == (0, {})


def test_open_files_limit_the_number() -> None:
    assert made(files_max=1_024, max_connections=10_000).max == 1_024 - FILES_KEPT - SURPLUS_MAX
    assert made(max_connections=10_000).max == 10_000


def test_a_crowd_is_known_before_it_is_too_large() -> None:
    all_ = made(max_connections=100)
    for number in range(81):
        all_.enter(f"192.0.2.{number}")
    assert all_.is_crowded()
    assert not all_.is_overfull()
