"""Files into data sources, over HTTP, as jobs."""

import gzip
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard
from chdb.state.sqlitelike import Connection

from support.importing import FILES, HEAD, Importing, line, text
from support.server import Server

pytestmark = pytest.mark.slow
NOTES = "SCHEMA >\n    id UInt32,\n    tags Array(String),\n    note String DEFAULT 'none'\n"
LIMITS = {
    "PLAYHEAD_JOBS__IMPORT_CHUNK_BYTES": "65536",
    "PLAYHEAD_JOBS__MAX_RECORD_BYTES": "200000",
    "PLAYHEAD_JOBS__MAX_IMPORT_BYTES": "5000000",
    "PLAYHEAD_JOBS__ALLOWED_IMPORT_HOSTS": '["localhost", ".example.invalid"]',
}


@pytest.fixture(scope="module")
def importing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Importing]:
    with Server(tmp_path_factory.mktemp("imports"), env=LIMITS) as server:
        made = Importing(server)
        made.build({**FILES, "datasources/notes.datasource": NOTES})
        yield made


@pytest.fixture(autouse=True)
def empty(importing: Importing) -> None:
    for name in ("plays", "by_month", "by_country", "notes"):
        job = importing.post(f"/v0/datasources/{name}/truncate").json()["id"]
        assert importing.ended(job)["status"] == "done"


def test_csv_in_many_pieces(importing: Importing) -> None:
    job = importing.loaded(text(range(5_000)))
    assert job["status"] == "done"
    assert job["blocks"][0]["process_return"][0]["lines"] == job["rows"] == 5_000
    assert importing.rows() == [5_000, 5_000, sum(range(5_000))]
    assert importing.plays() == (5_000, 5_000)
    assert importing.one("SELECT title FROM plays WHERE id = 7") == 't "7"\nx'


def test_bad_rows_go_to_the_quarantine_and_the_others_in(importing: Importing) -> None:
    before = importing.one("SELECT count() FROM plays_quarantine")
    job = importing.loaded(HEAD + line(1) + "x,b,2024-01-01 10:00:00,1,DE,\n2,a\n" + line(3))
    assert job["blocks"][0]["process_return"] == [
        {"lines": 4, "quarantine": 2, "parser": "playhead"}
    ]
    assert importing.one("SELECT count() FROM plays") == 2
    kept = importing.sql(
        f"SELECT id, c__error_column FROM plays_quarantine WHERE c__import_id = '{job['id']}' ORDER BY id"
    )
    assert kept == [["2", ["at", "seconds", "country"]], ["x", ["id"]]]
    assert importing.one("SELECT count() FROM plays_quarantine") == before + 2


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_packed_bodies(importing: Importing, pack: object) -> None:
    job = importing.loaded(pack(text(range(3_000)).encode()))  # type: ignore[operator]
    assert (job["status"], job["rows"]) == ("done", 3_000)
    assert importing.rows()[:2] == [3_000, 3_000]


def test_ndjson(importing: Importing) -> None:
    rows = [{"id": n, "title": "t", "at": "2024-01-01T10:00:00Z", "seconds": 1, "country": "FR"} for n in range(900)]  # fmt: skip
    body = "\n".join(map(json.dumps, rows)) + '\n\nnot json\n{"id": -1}'
    job = importing.loaded(body, "ndjson")
    assert (job["rows"], job["quarantine_rows"]) == (900, 2)
    assert importing.rows()[:2] == [900, 900]


def test_parquet(importing: Importing, tmp_path: Path) -> None:
    path = tmp_path / "plays.parquet"
    connection = Connection(":memory:")
    connection.query(
        f"INSERT INTO FUNCTION file('{path}') SELECT toInt64(number) AS id, 'a \"b\", c' AS title,"
        " toDateTime64('2024-01-01 10:00:00', 3, 'UTC') AS at, number / 4 AS seconds,"
        " if(number = 3, NULL, 'DE') AS country, ['x', 'y'] AS more FROM numbers(1000)"
    )
    job = importing.loaded(path.read_bytes(), "parquet")
    assert (job["status"], job["rows"], job["quarantine_rows"]) == ("done", 999, 1), job
    assert importing.sql("SELECT title, toString(at), done FROM plays WHERE id = 999") == [
        ['a "b", c', "2024-01-01 10:00:00", None]
    ]
    connection.query(
        f"INSERT INTO FUNCTION file('{path}') SELECT 1 AS id, ['a', 'b,\"c'] AS tags"
        " SETTINGS engine_file_truncate_on_insert = 1"
    )
    connection.close()
    assert importing.loaded(path.read_bytes(), "parquet", "notes")["rows"] == 1
    assert importing.sql("SELECT * FROM notes") == [[1, ["a", 'b,"c'], "none"]]


def test_what_has_no_way_by_the_engine_is_read_row_by_row(importing: Importing) -> None:
    job = importing.loaded('1,"[\'a\', \'b\']",hello\n2,[],\n3,"[""c""]",\\N\n', name="notes")
    assert (job["status"], job["rows"]) == ("done", 3)
    assert importing.sql("SELECT tags, note FROM notes ORDER BY id") == [
        [["a", "b"], "hello"], [[], ""], [["c"], "none"],
    ]  # fmt: skip


def test_marks_delimiters_and_line_ends(importing: Importing) -> None:
    body = "\ufeff" + text(range(2_000)).replace("\n", "\r\n").replace(",", ";")
    assert importing.loaded(body)["rows"] == 2_000
    assert importing.loaded(text(range(2_000, 2_010)).replace(HEAD, ""))["rows"] == 10
    assert importing.rows() == [2_010, 2_010, sum(range(2_010))]
    escaped = r'3000,"a \"b\"",2024-01-01 10:00:00,1,DE,' + "\n"
    path = "/v0/datasources?name=plays&mode=append&format=csv&dialect_escapechar=%5C"
    assert importing.ended(importing.send(path, escaped))["rows"] == 1
    assert importing.one("SELECT title FROM plays WHERE id = 3000") == 'a "b"'


def test_forms(importing: Importing) -> None:
    path = "/v0/datasources?mode=append"
    answer = importing.post(
        path, data={"name": "plays"}, files={"csv": ("plays.csv", text(range(5)))}
    )
    assert importing.ended(answer.json()["job_id"])["rows"] == 5
    answer = importing.post(
        path + "&name=plays", files={"file": ("p.ndjson.gz", gzip.compress(b'{"id":1}\n'))}
    )
    assert importing.ended(answer.json()["job_id"])["quarantine_rows"] == 1
    two = [("csv", ("a.csv", "1")), ("csv", ("b.csv", "1"))]
    assert importing.post(path + "&name=plays", files=two).status_code == 400


@pytest.mark.parametrize(
    ("content", "form", "said"),
    [
        (b"PAR1" + b"0" * 20, "csv", "Parquet"),
        (b'{"id": 1}\n', "csv", "NDJSON"),
        (b'[{"id": 1}]', "ndjson", "one JSON array"),
        (b"1,2\n", "parquet", "no Parquet"),
        (b"PAR1" + b"0" * 40 + b"PAR1", "parquet", "cannot be read"),
        (b"\x00\x01,\x00\n", "csv", "no text"),
        (gzip.compress(text(range(9_000)).encode())[:-20], "csv", "cannot be unpacked"),
        (gzip.compress(b"1," * 2_000_000), "csv", "longer than 200000"),
        (gzip.compress(text(range(95_000)).encode()), "csv", "more than 5000000"),
        (gzip.compress(b"1,a\n" * 1_000_000), "csv", "None of the first"),
        (b'1,"' + b"x" * 300_000, "csv", "longer than 200000"),
        (b"{" + b"x" * 300_000, "ndjson", "longer than 200000"),
    ],
    ids=range(12),
)
def test_what_cannot_be_read_fails_with_a_sentence(
    importing: Importing, content: bytes, form: str, said: str
) -> None:
    job = importing.loaded(content, form)
    assert job["status"] == "error"
    assert said in job["error"]


@pytest.mark.parametrize(
    ("path", "content", "status", "said"),
    [
        ("/v1/datasources/plays/append", b"", 400, "nothing to import"),
        ("/v1/datasources/plays/append?format=xml", b"1", 400, "csv, ndjson or parquet"),
        ("/v1/datasources/nobody/append", b"1", 404, "no data source"),
        ("/v0/datasources?mode=append", b"1", 400, "'name'"),
        ("/v0/datasources?name=plays&mode=sideways", b"1", 400, "append or replace"),
        ("/v0/datasources?name=plays", b"1", 409, "there already"),
        ("/v0/datasources?name=fresh&mode=create&schema=a+Int32", b"1", 409, "project's files"),
        ("/v0/datasources?name=plays&mode=append&dialect_delimiter=ab", b"1", 400, "one character"),
        ("/v0/datasources?name=plays&mode=append&replace_condition=1", b"1", 400, "mode=replace"),
        ("/v0/datasources?name=plays&mode=append&url=http://1.2.3.4/a", b"", 400, "none of jobs."),
        ("/v0/datasources?name=plays&mode=append&url=ftp://localhost/a", b"", 400, "http or https"),
        ("/v0/datasources?name=plays&mode=append&url=http://a.example.invalid:81/", b"", 400, "port"),
        ("/v1/datasources/plays/append?__tb__deployment=staging", b"1", 400, "what is live"),
        ("/v0/datasources/plays/delete", b"", 400, "delete_condition"),
        ("/v0/datasources/plays/delete?delete_condition=nope+%3D+1", b"", 400, "condition"),
        ("/v0/datasources/plays/delete?delete_condition=1)+OR+(1", b"", 400, ""),
        ("/v0/datasources/plays/delete?delete_condition=file('/etc/passwd')+!%3D+''", b"", 400, ""),
        ("/v0/datasources/plays/delete?delete_condition=id+IN+(SELECT+1)", b"", 400, ""),
    ],
)  # fmt: skip
def test_what_is_refused_at_once(
    importing: Importing, path: str, content: bytes, status: int, said: str
) -> None:
    answer = importing.post(path, content=content)
    assert answer.status_code == status, answer.text
    assert said in answer.json()["error"]


def test_a_file_from_a_url(importing: Importing) -> None:
    asked: list[dict[str, str]] = []

    class Files(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(dict(self.headers))
            self.send_response(302 if self.path == "/moved" else 200)
            self.send_header("location", "http://localhost/")
            self.end_headers()
            self.wfile.write(text(range(40)).encode())

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as files:
        threading.Thread(target=files.serve_forever, daemon=True).start()
        base = f"/v0/datasources?name=plays&mode=append&url=http://localhost:{files.server_port}"
        job = importing.ended(importing.send(base + "/plays.csv?secret=1", b""))
        moved = importing.ended(importing.send(base + "/moved", b""))
        files.shutdown()
    assert (job["status"], job["rows"]) == ("done", 40)
    assert "not followed" in moved["error"]
    assert "secret" not in json.dumps(importing.job(job["id"]))
    assert not {"Authorization", "Cookie", "authorization"} & set(asked[0])


def test_analyze(importing: Importing) -> None:
    said = importing.post("/v0/analyze?format=csv", content=text(range(20)).encode()).json()
    assert [one["name"] for one in said["analysis"]["columns"]][:2] == ["id", "title"]
    body = b'{"id": 1, "at": "2024-01-01 10:00:00", "tags": ["a"]}\n'
    said = importing.post("/v0/analyze?format=ndjson", content=body).json()
    assert [one["path"] for one in said["analysis"]["columns"]] == ["$.id", "$.at", "$.tags[:]"]
    assert importing.post("/v0/analyze?format=parquet", content=b"no").status_code == 400


def test_who_may(importing: Importing) -> None:
    def token(scope: str) -> str:
        answer = importing.post(f"/v0/tokens?name={scope.replace(':', '_')}&scope={scope}")
        return str(answer.json()["token"])

    append, read = token("DATASOURCES:APPEND:plays"), token("DATASOURCES:READ:plays")
    path = "/v1/datasources/plays/append?format=csv"
    answer = importing.post(path, content=text(range(3)).encode(), token=append)
    job = answer.json()["id"]
    importing.ended(job)
    headers = {"authorization": f"Bearer {append}"}
    own = importing.server.http.get(f"{importing.server.url}/v0/jobs/{job}", headers=headers)
    other = importing.loaded(text(range(3)))["id"]
    refused = [
        importing.post(path, content=b"1", token=read),
        importing.post("/v1/datasources/notes/append", content=b"1", token=append),
        importing.post("/v1/datasources/plays/replace", content=b"1", token=append),
        importing.post("/v0/datasources/plays/truncate", token=append),
        importing.post("/v0/datasources", content=b"1", token=read),
        importing.post(f"/v0/jobs/{other}/cancel", token=append),
        importing.server.http.get(f"{importing.server.url}/v0/jobs/{other}", headers=headers),
    ]
    assert own.json()["status"] == "done"
    assert [one.status_code for one in refused] == [403] * 7


def test_a_token_that_lost_its_scope_tries_nothing_again(importing: Importing) -> None:
    made = importing.post("/v0/tokens?name=once&scope=DATASOURCES:APPEND:plays").json()
    path = "/v1/datasources/plays/append?format=parquet"
    job = importing.post(path, content=b"1,2\n", token=made["token"]).json()["id"]
    assert importing.ended(job)["status"] == "error"
    headers = {"authorization": f"Bearer {importing.server.token}"}
    changed = importing.server.http.put(
        f"{importing.server.url}/v0/tokens/once?scope=DATASOURCES:READ:plays", headers=headers
    )
    assert changed.status_code == 200, changed.text
    again = importing.post(f"/v0/jobs/{job}/retry", token=made["token"])
    assert (again.status_code, "DATASOURCES:APPEND:plays" in again.text) == (403, True)
    assert importing.post(f"/v0/jobs/{job}/retry").status_code == 200


def test_removals_stand_between_what_is_before_and_after(importing: Importing) -> None:
    before = importing.append(text(range(2_000), "DE"))
    gone = importing.post("/v0/datasources/plays/truncate").json()["id"]
    after = importing.append(text(range(10), "DE"))
    also = importing.append(text(range(10, 20), "US"))
    dry = importing.post("/v0/datasources/plays/delete?dry_run=true&delete_condition=1")
    some = importing.post(
        "/v0/datasources/plays/delete", data={"delete_condition": "country = 'DE'"}
    ).json()["delete_id"]
    last = importing.append(text(range(20, 25), "DE"))
    for job in (before, gone, after, also, some, last):
        assert importing.ended(job)["status"] == "done"
    assert importing.rows() == [15, 15, sum(range(10, 25))]
    assert "rows_to_be_deleted" in dry.json()


def test_deleting_a_data_source_is_for_deployments(importing: Importing) -> None:
    headers = {"authorization": f"Bearer {importing.server.token}"}
    answer = importing.server.http.delete(
        f"{importing.server.url}/v0/datasources/plays", headers=headers
    )
    assert answer.status_code == 409
    assert "deploy" in answer.json()["hint"]


def test_a_cancelled_import_keeps_what_it_has_loaded_and_goes_on_when_asked(
    importing: Importing,
) -> None:
    job = importing.append(text(range(60_000)))
    importing.post(f"/v0/jobs/{job}/cancel")
    ended = importing.ended(job)
    loaded = importing.rows()[0]
    again = importing.post(f"/v0/jobs/{job}/retry")
    if ended["status"] == "cancelled":
        assert again.json()["status"] == "waiting"
        assert importing.ended(job)["status"] == "done"
    assert loaded <= 60_000
    assert importing.rows() == [60_000, 60_000, sum(range(60_000))]


def test_a_file_that_curl_calls_a_form_is_a_file(importing: Importing) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = importing.post(
        "/v1/datasources/plays/append?format=csv", content=text(range(7)), headers=form
    )
    assert importing.ended(answer.json()["id"])["rows"] == 7
    nothing = importing.post("/v0/datasources", content="name=plays&mode=append", headers=form)
    assert (nothing.status_code, nothing.json()["code"]) == (400, "invalid_body")
