"""What every store must do: the embedded engine, and a ClickHouse named by PLAYHEAD_TEST_CLICKHOUSE."""

import os
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.clock import SystemClock
from playhead.errors import QueryFailed, QueryTimeout, ResultTooLarge
from playhead.model import event_row, view
from playhead.store.client import AsyncStoreClient, StoreClient
from playhead.store.location import Location
from playhead.store.result import Limits
from playhead.store.schema import migrate, migrations
from playhead.store.upkeep import disk_usage, optimize_closed_days
from support.running_store import running_store

SERVER = os.environ.get("PLAYHEAD_TEST_CLICKHOUSE", "")
AT_MS = SystemClock().now_ms() // 1000 * 1000 + 411
"""Today: older rows would fall to the retention."""
ONLY = "only:1"
ENDLESS = "SELECT sum(cityHash64(number)) FROM numbers(1000000000000)"


@pytest.fixture(scope="module", params=["embedded", "server"])
def location(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Location, None, None]:
    if request.param == "server":
        if not SERVER:
            pytest.skip("PLAYHEAD_TEST_CLICKHOUSE names no server")
        yield Location(url=SERVER)
        return
    with running_store(tmp_path_factory.mktemp("store")) as store:
        yield store.location


@pytest.fixture(scope="module")
def client(location: Location) -> Generator[StoreClient, None, None]:
    client = StoreClient(location)
    migrate(client)
    yield client
    client.close()


def lines(*rows: Any) -> bytes:
    return msgspec.json.Encoder().encode_lines(rows)


def view_values(view_id: str, version: int = 1) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, kind in view.ViewRow.__annotations__.items():
        kinds = {str: "", int: 0, float: 0.5, bool: True, dict[str, str]: {"a": "b"}}
        kinds |= {list[str]: ["playing"], list[int]: [AT_MS], list[float]: [1.25]}
        values[name] = kinds.get(kind)
    times = ("started_at", "ended_at", "last_event_at", "live_until", "received_at")
    values |= dict.fromkeys(times, AT_MS)
    day = datetime.fromtimestamp(AT_MS / 1000, UTC).date().isoformat()
    values |= {"first_seen_day": day, "interval_height": [720]}
    return values | {"view_id": view_id, "version": version}


def insert_view(client: StoreClient, values: dict[str, Any], token: str) -> None:
    row = view.ViewRow(**values)
    client.insert("views", view.COLUMNS, lines(row), token=token)


def event_values(view_key: str) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(event_row.COLUMNS)
    return values | {
        "view_key": view_key, "at": AT_MS, "received_at": AT_MS, "kind": "PLAY", "log_offset": 7,
        "identity": 2**64 - 1, "timestamp": 12, "ad": {"id": "x"}, "custom": {"k": [1, 2]},
    }  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(text=st.text(), items=st.lists(st.text(), max_size=4))
def test_any_text_comes_back_as_it_went_in(
    client: StoreClient, text: str, items: list[str]
) -> None:
    found = client.rows(
        "SELECT {text:String}, {items:Array(String)}, {maybe:Nullable(String)}",
        {"text": text, "items": items, "maybe": text},
    )
    assert found.rows == [[text, items, None if text == "\\N" else text]]


def test_other_values_come_back_as_they_went_in(client: StoreClient) -> None:
    found = client.rows(
        "SELECT {i:Int64}, {f:Float64}, {b:Bool}, {n:Nullable(String)}, {l:Array(Int64)}",
        {"i": -(2**63), "f": 0.1, "b": True, "n": None, "l": [1, -2]},
    )
    assert found.rows == [[-(2**63), 0.1, True, None, [1, -2]]]


def test_rows_carry_names_types_and_cost(client: StoreClient) -> None:
    found = client.rows("SELECT count() AS n, 18446744073709551615 AS big FROM numbers(10)")
    assert found.dicts() == [{"n": 10, "big": 2**64 - 1}]
    assert found.types == ["UInt64", "UInt64"]


def test_a_view_row_goes_in_and_comes_out(client: StoreClient) -> None:
    values = view_values("round-trip")
    insert_view(client, values, "round-trip")
    columns = ", ".join(
        f"toUnixTimestamp64Milli({name})" if name.endswith(("_at", "live_until")) else name
        for name in view.COLUMNS
    )
    found = client.rows(f"SELECT {columns} FROM views WHERE view_id = 'round-trip'")
    assert found.rows == [list(values.values())]


def test_the_newest_version_of_a_view_wins(client: StoreClient) -> None:
    insert_view(client, view_values("twice") | {"events": 2}, "twice:2")
    insert_view(client, view_values("twice", version=2) | {"events": 5}, "twice:5")
    found = client.rows("SELECT events FROM views FINAL WHERE view_id = 'twice'")
    assert found.rows == [[5]]


def test_an_event_row_goes_in_and_comes_out(client: StoreClient) -> None:
    values = event_values("default/one")
    client.insert("events", event_row.COLUMNS, lines(tuple(values.values())), token=ONLY)
    found = client.rows(
        "SELECT toUnixTimestamp64Milli(at), identity, timestamp, seq, ad, request, custom"
        " FROM events WHERE view_key = 'default/one'"
    )
    assert found.rows == [[AT_MS, 2**64 - 1, 12, None, '{"id":"x"}', "", '{"k":[1,2]}']]


def test_the_same_token_adds_nothing(client: StoreClient) -> None:
    body = lines(*[tuple(event_values(f"default/{i}").values()) for i in range(100)])
    for token in ("again:1", "again:1", "again:2"):
        client.insert("events", event_row.COLUMNS, body, token=token)
    found = client.rows("SELECT count() FROM events WHERE view_key = 'default/99'")
    assert found.rows == [[2]]


def test_a_faulty_row_refuses_the_whole_block(client: StoreClient) -> None:
    columns = ("received_at", "log_offset", "code")
    with pytest.raises(QueryFailed, match="log_offset"):
        client.insert("quarantine", columns, b'[1,2,"ok"]\n[1,"x","bad"]\n', token=ONLY)
    assert client.rows("SELECT count() FROM quarantine WHERE code = 'ok'").rows == [[0]]


def test_a_refused_query_carries_the_engine_code(client: StoreClient) -> None:
    with pytest.raises(QueryFailed) as caught:
        client.rows("SELECT * FROM there_is_no_such_table")
    assert caught.value.engine_code == 60


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (Limits(timeout_ms=200), QueryTimeout),
        (Limits(max_rows_to_read=1_000), ResultTooLarge),
    ],
    ids=["time", "rows to read"],
)
def test_a_query_over_its_limit_ends(
    client: StoreClient, limits: Limits, error: type[Exception]
) -> None:
    with pytest.raises(error):
        client.rows(ENDLESS, limits=limits)


@pytest.mark.parametrize(
    "limits",
    [
        Limits(max_result_rows=10),
        Limits(max_result_bytes=1_000),
        Limits(max_memory_bytes=50_000_000),
    ],
    ids=["rows", "bytes", "memory"],
)
def test_a_result_over_its_limit_ends(client: StoreClient, limits: Limits) -> None:
    with pytest.raises(ResultTooLarge):
        client.rows(
            "SELECT number FROM numbers(20000000) ORDER BY cityHash64(number)", limits=limits
        )


def test_reads_cannot_write(client: StoreClient) -> None:
    with pytest.raises(QueryFailed) as caught:
        client.rows("INSERT INTO quarantine (code) VALUES ('written')")
    assert caught.value.engine_code == 164


def test_row_filters_hold_in_joins_and_subqueries(client: StoreClient) -> None:
    for name in ("a&b's", "other"):
        values = view_values(f"of {name}") | {"property": name, "session_id": "filtered"}
        insert_view(client, values, f"filter:{len(name)}")
    limits = Limits(row_filters={"playhead.views": "property = 'a&b\\'s'"})
    found = client.rows(
        "SELECT property, (SELECT count() FROM views WHERE session_id = 'filtered') FROM views AS v"
        " JOIN playhead.views AS w ON v.session_id = w.session_id WHERE v.session_id = 'filtered'",
        limits=limits,
    )
    assert found.rows == [["a&b's", 1]]


async def test_a_stream_is_one_document(location: Location) -> None:
    client = AsyncStoreClient(location)
    stream = client.stream("SELECT number AS n FROM numbers(300000)", format="CSVWithNames")
    text = b"".join([chunk async for chunk in stream])
    await client.close()
    assert text.splitlines()[:2] == [b'"n"', b"0"]
    assert len(text.splitlines()) == 300_001


async def test_bytes_that_are_no_text_leave_json_readable(location: Location) -> None:
    store = AsyncStoreClient(location)
    pieces = [p async for p in store.stream("SELECT unhex('61C062') AS a", format="JSONEachRow")]
    await store.close()
    assert msgspec.json.decode(b"".join(pieces)) == {"a": "a\ufffdb"}


async def test_an_empty_stream_keeps_its_names(location: Location) -> None:
    client = AsyncStoreClient(location)
    stream = client.stream("SELECT number AS n FROM numbers(0)", format="CSVWithNames")
    text = b"".join([chunk async for chunk in stream])
    await client.close()
    assert text == b'"n"\n'


async def test_a_stream_cut_by_an_error_says_why(location: Location) -> None:
    client = AsyncStoreClient(location)
    sql = "SELECT number, throwIf(number = 3000000) FROM numbers(10000000)"
    with pytest.raises(QueryFailed, match="throwIf"):
        async for _ in client.stream(sql, limits=Limits(max_result_bytes=1 << 30)):
            pass
    await client.close()


def test_disk_usage_names_every_table_with_rows(client: StoreClient) -> None:
    insert_view(client, view_values("on disk"), "on disk")
    sizes = {size.table: size for size in disk_usage(client)}
    assert sizes["views"].bytes > 0
    assert sizes["schema_migrations"].rows == len(migrations())


def test_closed_days_become_one_part(client: StoreClient) -> None:
    day = datetime.fromtimestamp(AT_MS / 1000, UTC).date()
    closed = {"first_seen_day": (day - timedelta(days=9)).isoformat()}
    for version in (1, 2, 3):
        insert_view(client, view_values("closed", version) | closed, f"closed:{version}")
    assert optimize_closed_days(client, day) in ([closed["first_seen_day"]], [])
    found = client.rows(
        "SELECT (SELECT count() FROM views WHERE view_id = 'closed'), count() FROM system.parts"
        " WHERE active AND table = 'views' AND partition = {day:String}",
        {"day": closed["first_seen_day"]},
    )
    assert found.rows == [[1, 1]]


async def test_rows_from_outside_come_back_in_another_format(location: Location) -> None:
    rows = lines({"a": 1, "b": "x'\\{y}"}, {"a": None, "b": "é\n"}, {"b": "z"})
    client = AsyncStoreClient(location)
    structure = "`a` Nullable(Int64), `b` String"
    text = await client.converted(rows, structure, format="JSONEachRow")
    assert text == lines({"a": 1, "b": "x'\\{y}"}, {"a": None, "b": "é\n"}, {"a": None, "b": "z"})
    parquet = await client.converted(b"", structure, format="Parquet")
    assert parquet.startswith(b"PAR1")
    with pytest.raises(ResultTooLarge):
        await client.converted(
            rows, structure, format="Parquet", limits=Limits(max_result_bytes=10)
        )
    await client.close()


def test_values_longer_than_an_address_may_be_come_back(client: StoreClient) -> None:
    text = "a'\\\t\r\n--ü\x00" * 40_000
    rows = client.rows("SELECT {a:String} AS a, {b:UInt8} AS b", {"a": text, "b": 7})
    assert rows.rows == [[text, 7]]


async def test_an_answer_in_a_format_says_what_it_cost(location: Location) -> None:
    store = AsyncStoreClient(location)
    answered = await store.answer("SELECT number AS n FROM numbers(3)", format="CSVWithNames")
    await store.close()
    assert answered.body == b'"n"\n0\n1\n2\n'
    assert (answered.content_type[:8], answered.rows_read) == ("text/csv", 3)


async def test_rows_are_inserted_into_a_table_of_ones_own(location: Location) -> None:
    store = AsyncStoreClient(location)
    await store.command("CREATE TABLE IF NOT EXISTS own (n UInt8) ENGINE = MergeTree ORDER BY n")
    await store.insert_rows("INSERT INTO own (n) FORMAT JSONCompactEachRow", b"[1]\n[2]\n")
    rows = await store.rows("SELECT sum(n) FROM own")
    await store.command("DROP TABLE own")
    await store.close()
    assert rows.rows == [[3]]
