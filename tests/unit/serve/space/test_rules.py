import msgspec
import pytest

from playhead.config import Config, Retention
from playhead.serve.space import rules

TREE = "MergeTree PARTITION BY toDate(received_at) ORDER BY at "


@pytest.mark.parametrize(
    ("ttl", "said"),
    [
        ("TTL toDateTime(received_at) + toIntervalDay(30) SETTINGS a = 1", "30 days after received_at"),
        ("TTL first_seen_day + toIntervalDay(1) SETTINGS a = 1", "1 day after first_seen_day"),
        ("TTL toDate(at) + toIntervalMonth(3)", "3 months after at"),
        ("TTL greatest(a, b)", "by its TTL: greatest(a, b)"),
        ("SETTINGS index_granularity = 8192", "for ever"),
    ],
)  # fmt: skip
def test_the_rule_of_a_table_is_its_ttl(ttl: str, said: str) -> None:
    assert rules.of_table(TREE + ttl) == said


def test_a_limit_of_size_is_part_of_the_rule() -> None:
    ttl = "TTL day + toIntervalDay(30) SETTINGS a = 1"
    assert rules.of_table(TREE + ttl, limit_bytes=1 << 30) == "30 days after day, at most 1 GiB"
    assert rules.of_table(TREE, limit_bytes=1 << 30) == "at most 1 GiB"


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (20 << 30, "20 GiB"), (-(5 << 20), "-5 MiB")],
)
def test_sizes_are_read_in_powers_of_1024(count: int, said: str) -> None:
    assert rules.size(count) == said


def test_the_rules_of_the_log_and_of_imports_follow_the_settings() -> None:
    config = msgspec.structs.replace(Config(), retention=Retention(import_days=1))
    assert rules.of_log(config) == "7 days, at most 20 GiB; never what is not loaded yet"
    assert rules.of_imports(config) == "until loaded, of failed ones 1 day; at most 50 GiB"
