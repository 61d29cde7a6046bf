from urllib.parse import urlencode

import pytest

from playhead.config import Config, Query, Store
from playhead.errors import QueryFailed
from playhead.store.job import Job, arguments_of, job_of
from playhead.store.statement import Lane

CONFIG = Config(
    store=Store(max_query_memory_bytes=1_000, max_query_bytes=100), query=Query(timeout_ms=700)
)


def job(body: bytes = b"", *, writable: bool = True, **arguments: object) -> Job:
    parsed = arguments_of(urlencode(arguments).encode(), {})
    return job_of(parsed, body, CONFIG, writable=writable)


def test_the_statement_may_stand_in_the_address_or_the_body() -> None:
    assert job(query="SELECT 1").sql == "SELECT 1"
    assert job(b"SELECT 1").sql == "SELECT 1"
    assert job(b"FROM t", query="SELECT 1").sql == "SELECT 1\nFROM t"


def test_data_follow_an_insert_in_the_address() -> None:
    made = job(b"[1]", query="INSERT INTO t FORMAT JSONCompactEachRow")
    assert (made.lane, made.data) == (Lane.INSERT, b"[1]")
    assert not made.session.read_only


def test_reads_and_gets_are_read_only() -> None:
    assert job(b"SELECT 1", readonly=0).session.read_only
    assert job(b"DROP TABLE t", readonly=1).session.read_only
    assert job(query="DROP TABLE t", writable=False).session.read_only
    assert "readonly" not in job(b"SELECT 1", readonly=0).session.settings


def test_open_limits_are_filled_in_and_memory_is_capped() -> None:
    made = job(b"SELECT 1", max_memory_usage=2_000)
    assert made.timeout_ms == 700
    assert made.session.settings["max_memory_usage"] == "1000"
    assert job(b"SELECT 1", max_execution_time=0.2).timeout_ms == 200


def test_a_query_has_its_threads_however_little_memory_the_engine_has() -> None:
    free_of_a_thread = "max_threads_min_free_memory_per_thread"
    settings = job(b"SELECT 1").session.settings
    assert (settings["max_threads"], settings[free_of_a_thread]) == ("2", "0")
    assert free_of_a_thread not in job(b"INSERT INTO t SELECT 1").session.settings


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"allow_ddl": 1}, 115),
        ({"max_threads": "1&readonly=0"}, 36),
        ({"query_id": "a' OR 1"}, 36),
        ({"database": "a/b"}, 36),
        ({"max_execution_time": "nan"}, 36),
        ({"query": " "}, 62),
        ({"query": "SELECT " + "1" * 100}, 62),
    ],
)
def test_what_is_not_allowed_is_refused_in_the_engines_words(
    arguments: dict[str, object], code: int
) -> None:
    with pytest.raises(QueryFailed) as caught:
        job(**({"query": "SELECT 1"} | arguments))  # type: ignore[arg-type]
    assert caught.value.engine_code == code


def test_an_address_that_is_remembered_is_nobodys_to_change() -> None:
    first = arguments_of(b"param_a=1&max_threads=1", {"x-clickhouse-database": "one"})
    first.take_fields({"param_a": "2", "max_threads": "2"})
    second = arguments_of(b"param_a=1&max_threads=1", {})
    assert (second.params, second.settings) == ({"a": "1"}, {"max_threads": "1"})
    assert (first.database, second.database) == ("one", "default")
    assert first.query_id != second.query_id
