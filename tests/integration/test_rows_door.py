"""`/v0/events` for a project's data sources, through a whole server."""

import gzip
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import httpx2
import pytest
import zstandard

from playhead.access import DATABASE_FILE, Scope, Tokens
from playhead.access.tokens import UNKNOWN_FRESH_S
from playhead.clock import SystemClock
from playhead.project.folder import read_texts
from playhead.project.rows import Refused, RowReader
from support.server import Server

PLAYS = """SCHEMA >
    id UInt64 `json:$.id`,
    viewer String `json:$.viewer`,
    rating Nullable(Float64) `json:$.rating`,
    tags Array(String) `json:$.tags[:]` DEFAULT []

ENGINE MergeTree
ENGINE_SORTING_KEY id
"""
WIDER = PLAYS.replace(
    "DEFAULT []\n", "DEFAULT [],\n    device String `json:$.device` DEFAULT 'tv'\n"
)
DAILY = """SCHEMA >
    viewer String,
    plays AggregateFunction(count)

ENGINE AggregatingMergeTree
ENGINE_SORTING_KEY viewer
"""
VIEW = """NODE by_viewer
SQL >
    SELECT viewer, countState() AS plays FROM plays GROUP BY viewer
TYPE materialized
DATASOURCE by_viewer
"""
KILLS = int(os.environ.get("PLAYHEAD_TEST_KILLS", "5"))
ROLES = ("worker", "store", "web")


class Place:
    """A server with a project."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.write("datasources/plays.datasource", PLAYS)
        self.write("datasources/by_viewer.datasource", DAILY)
        self.write("pipes/fill.pipe", VIEW)
        self.build()

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def build(self) -> str:
        command = [sys.executable, "-m", "playhead", "build", "--project", str(self.folder)]
        done = subprocess.run(
            [*command, "--data", str(self.server.data)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def send(
        self, body: Any, query: str = "", *, token: str = "", **headers: str
    ) -> httpx2.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.http.post(
            f"{self.server.url}/v0/events?name=plays&wait=true{query}",
            content=content,
            headers={"Authorization": f"Bearer {token or self.server.token}", **headers},
        )

    def ask(self, sql: str) -> list[dict[str, Any]]:
        until = time.monotonic() + 60
        while True:
            try:
                data: list[dict[str, Any]] = self.server.get("/v0/sql", q=f"{sql} FORMAT JSON")[
                    "data"
                ]
            except (AssertionError, httpx2.HTTPError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
            else:
                return data


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("rows")
    with Server(folder / "data") as server:
        yield Place(server, folder / "project")


def row(number: int, viewer: str = "ana", **more: Any) -> dict[str, Any]:
    return {"id": number, "viewer": viewer, **more}


def test_rows_are_there_when_the_answer_is(place: Place) -> None:
    lines = [row(1, rating=4.5, tags=["a", "b"]), row(-1, "bo"), row(2, rating=None)]
    answer = place.send(b"\n".join(json.dumps(line).encode() for line in lines))
    assert (answer.status_code, answer.json()) == (
        200,
        {"successful_rows": 2, "quarantined_rows": 1},
    )
    assert place.ask("SELECT id, rating, tags FROM plays WHERE id < 3 ORDER BY id") == [
        {"id": 1, "rating": 4.5, "tags": ["a", "b"]},
        {"id": 2, "rating": None, "tags": []},
    ]
    [refused] = place.ask("SELECT * FROM plays_quarantine")
    assert (refused["id"], refused["viewer"], refused["c__error_column"]) == ("-1", "bo", ["id"])
    assert refused["c__error"] == ["value '-1' on column 'id' is not UInt64"]
    assert len(refused["c__import_id"]) == 16
    assert place.ask("SELECT countMerge(plays) AS n FROM by_viewer WHERE viewer = 'ana'") == [
        {"n": 2}
    ]


@pytest.mark.parametrize("form", ["object", "array", "json", "gzip", "zstd"])
def test_every_form_of_a_body_is_read(place: Place, form: str) -> None:
    first = 100 + len(form) * 10 + ord(form[0])
    rows = [row(first, form), row(first + 1000, form)]
    lines = b"\n".join(json.dumps(line).encode() for line in rows)
    sent: dict[str, tuple[Any, str, dict[str, str]]] = {
        "object": (rows[0], "", {}),
        "array": (rows, "", {}),
        "json": (rows, "&format=json", {}),
        "gzip": (gzip.compress(lines), "", {"content_encoding": "gzip"}),
        "zstd": (zstandard.compress(lines), "", {"content_encoding": "zstd"}),
    }
    body, query, headers = sent[form]
    answer = place.send(body, query, **headers)
    assert (answer.status_code, answer.json()["quarantined_rows"]) == (200, 0)
    count = answer.json()["successful_rows"]
    assert place.ask(f"SELECT count() AS n FROM plays WHERE viewer = '{form}'") == [{"n": count}]


def test_who_may_append_and_who_may_not(place: Place) -> None:
    tokens = Tokens(place.server.data / DATABASE_FILE, SystemClock())
    try:
        tokens.ensure_admin(place.server.data)
        _, mine = tokens.create_scoped("appends", [Scope("DATASOURCES:APPEND", "plays")])
        _, other = tokens.create_scoped("others", [Scope("DATASOURCES:APPEND", "by_viewer")])
        _, write = tokens.create("write", "page")
        scopes = [Scope("DATASOURCES:APPEND", "plays")]
        _, signed = tokens.signed.mint("jwt", scopes, expires_at_s=4_000_000_000 // 2)
    finally:
        tokens.close()
    time.sleep(UNKNOWN_FRESH_S)  # a token of another process is known after this time
    statuses = {}
    for name, token in {"mine": mine, "jwt": signed, "other": other, "write": write}.items():
        statuses[name] = place.send(row(9_000, "tokens"), token=token).status_code
    assert statuses == {"mine": 200, "jwt": 200, "other": 403, "write": 403}
    bare = place.server.http.post(f"{place.server.url}/v0/events?name=plays", content=b"{}")
    assert bare.status_code == 403
    unknown = place.server.http.post(
        f"{place.server.url}/v0/events?name=nobody", content=b"{}",
        headers={"Authorization": f"Bearer {place.server.token}"},
    )  # fmt: skip
    assert unknown.status_code == 404
    assert place.ask("SELECT count() AS n FROM plays WHERE viewer = 'tokens'") == [{"n": 2}]


def test_a_request_under_its_key_counts_once(place: Place) -> None:
    rows = [row(7_000, "keyed"), row(-7, "keyed")]
    answers = [place.send(rows, Idempotency_Key="one").json() for _ in range(3)]
    assert answers == [{"successful_rows": 1, "quarantined_rows": 1}] * 3
    assert place.ask("SELECT count() AS n FROM plays WHERE viewer = 'keyed'") == [{"n": 1}]
    assert place.ask("SELECT count() AS n FROM plays_quarantine WHERE viewer = 'keyed'") == [
        {"n": 1}
    ]


def test_any_text_and_number_comes_out_as_the_reader_takes_it(place: Place) -> None:
    dice = random.Random(7)
    signs = [
        "\x00",
        "\x1f",
        "\t",
        "\n",
        '"',
        "\\\\",
        "\\N",
        "'",
        "`",
        "é",
        "𝄞",
        "\u2028",
        "NULL",
        "a",
        " ",
    ]
    odd: list[Any] = [
        None,
        True,
        -1,
        2**64,
        1.5,
        10**30,
        "7",
        "x",
        [],
        {"a": 1},
        1e300,
        -0.0,
        "nan",
        2**53 + 1,
    ]
    rows = [
        {
            "id": dice.choice([60_000 + number] * 3 + odd),
            "viewer": "".join(dice.choices(signs, k=dice.randrange(6)))
            if number % 9
            else dice.choice(odd),
            "rating": dice.choice([*odd, number / 7]),
            "tags": [f"any-{number}"],
        }
        for number in range(600)
    ]
    lines = [json.dumps(one).encode() for one in rows]
    project = read_texts({"datasources/plays.datasource": PLAYS})
    reader = RowReader(project.datasources["plays"])
    read = [reader.line(line) for line in lines]
    taken = [row for row in read if not isinstance(row, Refused)]
    answer = place.send(b"\n".join(lines)).json()
    assert answer == {"successful_rows": len(taken), "quarantined_rows": len(lines) - len(taken)}
    found = place.ask(
        "SELECT tags[1] AS tag, id, viewer FROM plays WHERE startsWith(tags[1], 'any-')"
    )
    assert {(one["tag"], one["id"], one["viewer"]) for one in found} == {
        (row[3][0], row[0], row[1]) for row in taken
    }
    away = place.ask(
        "SELECT tags, c__error_column AS c FROM plays_quarantine WHERE tags LIKE '%any-%'"
    )
    columns = {json.loads(one["tags"])[0]: tuple(one["c"]) for one in away}
    refused = {f"any-{n}": row.columns for n, row in enumerate(read) if isinstance(row, Refused)}
    assert columns == refused


class Sender:
    """Sends rows until told to stop, each request again under its key until it is answered."""

    def __init__(self, place: Place, viewer: str) -> None:
        self.acknowledged = 0
        self._place, self._viewer = place, viewer
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with httpx2.Client(timeout=30) as http:
            while not self._stop.is_set():
                first = 1_000_000 + self.acknowledged
                rows = [row(first + n, self._viewer) for n in range(20)]
                self._insist(http, json.dumps(rows).encode(), f"{self._viewer}-{first}")
                self.acknowledged += 20

    def _insist(self, http: httpx2.Client, body: bytes, key: str) -> None:
        server = self._place.server
        headers = {"Authorization": f"Bearer {server.token}", "Idempotency-Key": key}
        while True:
            try:
                answer = http.post(
                    f"{server.url}/v0/events?name=plays", content=body, headers=headers
                )
            except httpx2.HTTPError:
                time.sleep(0.05)
                continue
            if answer.status_code == 202:
                return
            assert answer.status_code in {429, 503}, answer.text
            time.sleep(0.05)


def counted(place: Place, viewer: str) -> tuple[int, int, int]:
    """Rows, different ids, and what the materialized view counts."""
    [found] = place.ask(
        f"SELECT count() AS n, uniqExact(id) AS ids FROM plays WHERE viewer = '{viewer}'"
    )
    [made] = place.ask(f"SELECT countMerge(plays) AS n FROM by_viewer WHERE viewer = '{viewer}'")
    return found["n"], found["ids"], made["n"]


def test_any_process_dies_and_every_row_is_there_once(place: Place) -> None:
    with Sender(place, "kills") as sender:
        for number in range(KILLS):
            time.sleep(1.0 + 0.37 * (number % 4))
            place.server.kill(ROLES[number % 3])
    status = place.server.wait_until_stored(90)
    assert counted(place, "kills") == (sender.acknowledged,) * 3
    assert sender.acknowledged > 0
    assert status["events"]["equation_holds"]


def test_a_build_changes_the_columns_while_rows_come(place: Place) -> None:
    with Sender(place, "builds") as sender:
        place.write("datasources/plays.datasource", WIDER)
        assert "changed   data source plays" in place.build()
        time.sleep(1.0)
    assert place.send(row(5_000_000, "wider", device="phone")).json()["successful_rows"] == 1
    place.server.wait_until_stored(90)
    assert counted(place, "builds") == (sender.acknowledged,) * 3
    assert place.ask("SELECT DISTINCT device FROM plays WHERE viewer = 'builds'") == [
        {"device": "tv"}
    ]
    assert place.ask("SELECT device FROM plays WHERE viewer = 'wider'") == [{"device": "phone"}]
