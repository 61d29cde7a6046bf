"""The ClickHouse interface with ClickHouse's own client, and with what BI tools send."""

import asyncio
import gzip
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import clickhouse_connect
import httpx2
import pytest
import zstandard
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from playhead.access import Scope
from support.api_fixtures import store
from support.bi_statements import EVERY
from support.listening import listening
from support.pipe_project import PipeProject
from support.running_store import RunningStore

__all__ = ["store"]

FILES = {
    "plays.datasource": (
        "DESCRIPTION >\n    What was played\n\nSCHEMA >\n    `title` String,\n    `seconds` UInt32,\n"
        '    `at` DateTime\nENGINE_SORTING_KEY "title"\n'
    ),
    "secrets_of_others.datasource": 'SCHEMA >\n    `x` String\nENGINE_SORTING_KEY "x"\n',
    "top.pipe": (
        "NODE endpoint\nSQL >\n    %\n    SELECT title, seconds FROM plays"
        " WHERE seconds >= {{UInt32(least, 0)}}\nTYPE endpoint\n"
    ),
    "hidden.pipe": (
        "NODE endpoint\nSQL >\n    %\n    SELECT {{tb_secret('key')}} = 'x' AS same\nTYPE endpoint\n"
    ),
}
ROWS = {
    "plays": [
        {"title": "news", "seconds": 30, "at": 1_700_000_000},
        {"title": "film", "seconds": 90, "at": 1_700_000_000},
    ]
}


@pytest.fixture
async def project(store: RunningStore, tmp_path: Path) -> AsyncGenerator[PipeProject, None]:
    made = PipeProject(store, tmp_path, FILES, values={"key": "the secret"})
    await made.build(ROWS)
    yield made
    await made.close()


async def with_client(
    project: PipeProject, use: Callable[[Client], Any], *, token: str | None = None, **options: Any
) -> Any:
    """Return what `use` makes of a client that is connected."""

    def connect(port: int) -> Any:
        secret = project.admin if token is None else token
        client = clickhouse_connect.get_client(
            host="127.0.0.1", port=port, username="default", password=secret, **options
        )
        try:
            return use(client)
        finally:
            client.close()

    async with listening(project.app) as port:
        return await asyncio.to_thread(connect, port)


async def say(
    project: PipeProject, sql: str, token: str | None = None, **options: Any
) -> httpx2.Response:
    secret = project.admin if token is None else token
    headers = {"X-ClickHouse-User": "default", "X-ClickHouse-Key": secret}
    headers |= options.pop("headers", {})
    return await project.http.post("/", content=sql.encode(), headers=headers, **options)


async def test_the_client_connects_and_reads(project: PipeProject) -> None:
    def use(client: Client) -> Any:
        assert client.server_tz.utcoffset(None) is not None
        assert client.ping()
        found = client.query("SELECT title, seconds, at FROM plays ORDER BY title")
        return found.column_names, found.result_rows

    names, rows = await with_client(project, use)
    assert names == ("title", "seconds", "at")
    assert [(title, seconds, at.year) for title, seconds, at in rows] == [
        ("film", 90, 2023),
        ("news", 30, 2023),
    ]


async def test_values_are_bound(project: PipeProject) -> None:
    def use(client: Client) -> Any:
        sql = "SELECT title FROM plays WHERE title IN {titles:Array(String)} AND seconds > {least:UInt32}"
        found = client.query(sql, parameters={"titles": ["news", "o'\\\t"], "least": 3}).result_rows
        text = client.query("SELECT {x:String} AS x", parameters={"x": "tab\t'quote\\n"}).first_row
        return found, text

    assert await with_client(project, use) == ([("news",)], ("tab\t'quote\\n",))


async def test_settings_streams_formats_and_databases(project: PipeProject) -> None:
    def use(client: Client) -> Any:
        raw = client.raw_query(
            "SELECT toUInt64(7) AS n",
            fmt="JSONEachRow",
            settings={"output_format_json_quote_64bit_integers": 1},
        )
        with client.query_row_block_stream("SELECT number FROM numbers(100000)") as stream:
            count = sum(len(block) for block in stream)
        empty = client.query("SELECT title FROM plays WHERE 0")
        own = client.query("SELECT count() FROM playhead.views", settings={"max_threads": 2})
        return raw, count, empty.column_names, own.result_rows

    raw, count, names, own = await with_client(project, use, settings={"max_block_size": 1000})
    assert (raw, count) == (b'{"n":"7"}\n', 100_000)
    assert (names, own) == (("title",), [(0,)])


async def test_commands_of_the_catalogue(project: PipeProject) -> None:
    def use(client: Client) -> Any:
        return (
            client.query("SHOW DATABASES").result_rows,
            client.query("SHOW TABLES").result_rows,
            client.query("DESCRIBE TABLE plays").result_rows,
            client.command("EXISTS TABLE default.plays"),
            client.command("EXISTS nothing"),
        )

    databases, tables, columns, there, gone = await with_client(project, use)
    assert [row[0] for row in databases] == ["default", "organization", "playhead", "tinybird"]
    assert ("plays",) in tables
    assert ("top",) in tables
    assert [row[:2] for row in columns] == [
        ("title", "String"), ("seconds", "UInt32"), ("at", "DateTime"),
    ]  # fmt: skip
    assert (there, gone) == (1, 0)


async def test_a_token_sees_its_data_sources_alone(project: PipeProject) -> None:
    token = project.token(Scope("DATASOURCES:READ", "plays", "seconds > 40"))

    def use(client: Client) -> Any:
        tables = client.query("SELECT database, name, total_rows FROM system.tables").result_rows
        rows = client.query("SELECT title FROM default.plays AS p").result_rows
        with pytest.raises(DatabaseError) as refused:
            client.query("SELECT * FROM secrets_of_others")
        return tables, rows, str(refused.value)

    tables, rows, refused = await with_client(project, use, token=token)
    assert tables == [("default", "plays", None)]
    assert rows == [("film",)]
    assert "may not read 'secrets_of_others'" in refused


async def test_a_pipe_is_a_view_that_takes_parameters(project: PipeProject) -> None:
    answer = await say(project, "SELECT title FROM top", params={"param_least": "50"})
    assert answer.text == "film\n"
    answer = await say(project, "DESCRIBE default.top FORMAT TSV")
    assert [line.split("\t")[0] for line in answer.text.splitlines()] == ["title", "seconds"]


@pytest.mark.parametrize(
    "statement", [(tool, sql) for tool, every in EVERY.items() for sql in every], ids=str
)
async def test_what_tools_send_is_answered(
    project: PipeProject, statement: tuple[str, str]
) -> None:
    _, sql = statement
    answer = await say(project, sql.replace("{db}", "default"), params={"default_format": "JSON"})
    assert answer.status_code == 200, answer.text
    assert "x-clickhouse-query-id" in answer.headers


async def test_the_tables_of_jdbc_are_those_of_the_project(project: PipeProject) -> None:
    sql = EVERY["jdbc"][3].replace("{db}", "default") + " ORDER BY TABLE_NAME FORMAT JSON"
    rows = (await say(project, sql)).json()["data"]
    assert [(row["TABLE_NAME"], row["TABLE_TYPE"]) for row in rows][:2] == [
        ("hidden", "View"),
        ("plays", "MergeTree"),
    ]
    sql = EVERY["jdbc"][4].replace("{db}", "default") + " FORMAT JSON"
    columns = (await say(project, sql)).json()["data"]
    assert [(row["COLUMN_NAME"], row["COLUMN_SIZE"]) for row in columns][1] == ("seconds", 32)


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT * FROM system.users", 60),
        ("SELECT * FROM system.query_log", 60),
        ("SELECT * FROM information_schema.tables", 81),
        ("SELECT * FROM url('http://127.0.0.1/', 'CSV', 'x String')", 497),
        ("SELECT * FROM file('/etc/passwd')", 497),
        ("SELECT file('/etc/passwd')", 497),
        ("SELECT 1; SELECT 2", 62),
        ("SELECT 1 INTO OUTFILE '/tmp/x'", 497),
        ("SELECT * FROM other.plays", 81),
        ("SELECT * FROM numbers(3) WHERE number IN (SELECT 1 FROM system.processes_x)", 60),
        ("INSERT INTO plays VALUES ('x', 1, 1)", 164),
        ("DROP TABLE plays", 164),
        ("KILL QUERY WHERE query_id='x'", 164),
        ("EXPLAIN SELECT 1", 497),
        ("SHOW GRANTS", 497),
        ("SHOW CREATE TABLE default.nothing", 60),
        ("DESCRIBE (SELECT * FROM system.users)", 60),
        ("SELECT {playhead_system_tables:String}", 497),
        ("SELECT * FROM plays FORMAT Nonsense", 73),
        ("SELEC 1", 164),
        ("", 62),
    ],
)
async def test_what_is_not_for_clients_is_refused(
    project: PipeProject, sql: str, code: int
) -> None:
    answer = await say(project, sql)
    assert answer.status_code >= 400, answer.text
    assert answer.headers["x-clickhouse-exception-code"] == str(code), answer.text
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")
    assert "(version 2" in answer.text


async def test_a_value_never_uncovers_a_secret(project: PipeProject) -> None:
    sql = "SELECT {key:String} AS k, same FROM hidden"
    tried = await say(project, sql, params={"param_key": "x"})
    assert tried.headers["x-clickhouse-exception-code"] == "497"
    assert "has the name of one that a pipe uses" in tried.text
    for again in (await say(project, sql), await project.ask("/v0/sql", params={"q": sql})):
        assert again.status_code >= 400
        assert "the secret" not in again.text


async def test_who_asks_is_told_by_password_key_or_parameter(project: PipeProject) -> None:
    plain = {"query": "SELECT currentUser() != ''"}
    ask = project.http.get
    assert (await ask("/", params=plain, auth=("default", project.admin))).text == "1\n"
    assert (await ask("/clickhouse", params={**plain, "password": project.admin})).text == "1\n"
    refused = await ask("/", params=plain, auth=("default", "wrong"))
    assert (refused.status_code, refused.headers["x-clickhouse-exception-code"]) == (403, "516")
    assert "wrong" not in refused.text


async def test_the_dashboard_stays_where_it_is(project: PipeProject) -> None:
    page = await project.http.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert (await project.http.get("/ping")).text == "Ok.\n"


@pytest.mark.parametrize(("coding", "unpack"), [("gzip", gzip.decompress), ("zstd", None)])
async def test_answers_are_packed_when_asked(
    project: PipeProject, coding: str, unpack: Callable[[bytes], bytes] | None
) -> None:
    headers = {"accept-encoding": coding, "X-ClickHouse-Key": project.admin}
    sql = b"SELECT number FROM numbers(2000)"
    async with project.http.stream(
        "POST", "/?enable_http_compression=1", content=sql, headers=headers
    ) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == coding
    opened = unpack(raw) if unpack else zstandard.ZstdDecompressor().stream_reader(raw).read()
    assert opened.count(b"\n") == 2000
    sent = await say(project, "SELECT 1", params={"enable_http_compression": "0"})
    assert "content-encoding" not in sent.headers


async def test_the_greeting_of_go_clients_is_written_for_their_revision(
    project: PipeProject,
) -> None:
    params = {"default_format": "Native", "client_protocol_version": "54460"}
    answer = await say(project, EVERY["grafana"][0], params=params)
    assert answer.content[:9] == b"\x01\x00\x02\xff\xff\xff\xff\x00\x04"
    assert b"displayName()\x06String\x00\x08playhead" in answer.content
    after = await say(project, "SELECT 1 AS one", params=params)
    assert after.content == b"\x01\x01\x03one\x05UInt8\x01"


async def test_a_statement_may_be_a_form(project: PipeProject) -> None:
    files = {"query": (None, "SELECT {a:UInt8} + 1"), "param_a": (None, "4")}
    headers = {"X-ClickHouse-Key": project.admin}
    answer = await project.http.post("/", files=files, headers=headers)
    assert answer.text == "5\n"


async def test_statements_are_recorded(project: PipeProject) -> None:
    await say(project, "SELECT 42")
    await say(project, "SELECT nothing FROM plays")
    await project.recorder.flush()
    sql = "SELECT query, error_code FROM tinybird.bi_stats_rt ORDER BY query LIMIT 2 FORMAT JSONCompact"
    rows = (await say(project, sql)).json()["data"]
    assert ["SELECT 42", 0] in rows
    assert project.admin not in str(rows)
