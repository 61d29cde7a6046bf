"""The ClickHouse HTTP protocol, as other clients speak it."""

import gzip
import json
from collections.abc import Generator

import httpx2
import pytest
import zstandard

from playhead.errors import StoreBusy
from playhead.store.client import StoreClient
from playhead.store.result import Limits
from playhead.store.unix import UnixTransport
from support.running_store import now_ms, running_store


@pytest.fixture(scope="module")
def store(
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[tuple[httpx2.Client, StoreClient], None, None]:
    with running_store(
        tmp_path_factory.mktemp("store"),
        store__max_insert_bytes=3_000_000,
        store__max_memory_bytes=900_000_000,
        store__max_query_memory_bytes=4_000_000_000,
    ) as running:
        transport = UnixTransport(running.location.socket, httpx2.Limits(max_connections=4))
        with httpx2.Client(transport=transport, base_url="http://store", timeout=60) as http:
            yield http, running.client


@pytest.fixture
def http(store: tuple[httpx2.Client, StoreClient]) -> httpx2.Client:
    return store[0]


@pytest.fixture
def client(store: tuple[httpx2.Client, StoreClient]) -> StoreClient:
    return store[1]


def test_get_answers_in_tab_separated_text(http: httpx2.Client) -> None:
    answer = http.get("/", params={"query": "SELECT 1, 'a'", "query_id": "mine"})
    assert (answer.status_code, answer.text) == (200, "1\ta\n")
    assert answer.headers["x-clickhouse-query-id"] == "mine"
    assert answer.headers["x-clickhouse-format"] == "TabSeparated"


def test_the_answer_says_what_was_read(http: httpx2.Client) -> None:
    answer = http.get("/", params={"query": "SELECT sum(number) FROM numbers(1000)"})
    assert json.loads(answer.headers["x-clickhouse-summary"])["read_rows"] == "1000"


def test_the_engine_kills_by_the_query_id(http: httpx2.Client) -> None:
    answer = http.get("/", params={"query": "SELECT getSetting('log_comment')", "query_id": "q.1"})
    assert answer.text == "q.1\n"


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)]
)
def test_bodies_may_be_compressed(http: httpx2.Client, encoding: str, pack: object) -> None:
    assert callable(pack)
    headers = {"content-encoding": encoding}
    answer = http.post("/", content=pack(b"SELECT 1 FORMAT CSV"), headers=headers)
    assert answer.text == "1\n"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_small_body_cannot_swell_without_bound(http: httpx2.Client, encoding: str) -> None:
    pack = gzip.compress if encoding == "gzip" else zstandard.compress
    headers = {"content-encoding": encoding}
    answer = http.post("/", content=pack(b"-- " + b" " * 4_000_000), headers=headers)
    assert answer.status_code == 413


def test_statement_and_data_may_share_the_body(http: httpx2.Client, client: StoreClient) -> None:
    row = b"\n%d\tshared\n" % now_ms()
    head = b"INSERT INTO quarantine (received_at_ms, code) FORMAT TSV"
    answer = http.post("/", params={"database": "playhead"}, content=head + row)
    assert json.loads(answer.headers["x-clickhouse-summary"])["written_rows"] == "1"
    assert client.rows("SELECT code FROM quarantine").rows == [["shared"]]


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELEC 1", 400, "62"),
        ("SELECT * FROM nowhere", 404, "60"),
        ("SELECT 1; SELECT 2", 400, "62"),
        ("SELECT sleep(3) SETTINGS max_execution_time = 1", 403, "164"),
    ],
)
def test_errors_come_in_the_engines_words(
    http: httpx2.Client, sql: str, status: int, code: str
) -> None:
    answer = http.post("/", content=sql.encode())
    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (status, code)
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")


def test_a_setting_from_the_address_is_applied(http: httpx2.Client) -> None:
    params = {"query": "SELECT 1 / 0", "output_format_csv_crlf_end_of_line": "1"}
    answer = http.get("/", params=params | {"default_format": "CSV"})
    assert answer.text == "inf\r\n"


def test_other_paths_are_not_there(http: httpx2.Client) -> None:
    assert http.get("/play").status_code == 404
    assert http.get("/ping").text == "Ok.\n"


def test_whole_formats_are_one_document(http: httpx2.Client) -> None:
    params = {"query": "SELECT number FROM numbers(200000) FORMAT JSON"}
    assert http.get("/", params=params).json()["rows"] == 200_000


def test_a_full_engine_is_busy_and_serves_on(client: StoreClient) -> None:
    limits = Limits(max_result_bytes=1 << 40, max_result_rows=1 << 40)
    with pytest.raises(StoreBusy):
        client.rows("SELECT groupArray(number) FROM numbers(70000000)", limits=limits)
    assert client.rows("SELECT 1").rows == [[1]]


def test_a_query_that_is_answered_is_answered_again(client: StoreClient) -> None:
    # Compiled from its third time on, the engine refuses the condition as "non constant".
    kept = "- (arraySum(arrayMap(x -> x + (CASE WHEN n > 1 THEN 0 ELSE 0 END), [1, 2])) IN (3))"
    sql = f"SELECT count() FROM (SELECT number AS n FROM numbers(9)) WHERE ({kept}) != 0 OR n < 5"
    assert [client.rows(sql).rows for _ in range(9)] == [[[9]]] * 9
    assert client.rows("SELECT getSetting('compile_expressions')").rows == [[False]]
