"""The unmodified `tb` client builds, tests, fills, asks and deploys against `playhead up --tb-local`."""

import json
import shutil
from pathlib import Path

import pytest

from compat.client import Client
from support.server import Server
from support.source import ROOT

TOP = [
    {"title": "aurora", "plays": 2, "seconds": 90},
    {"title": "borealis", "plays": 1, "seconds": 90},
]


def rows_of(client: Client, query: str) -> list[dict[str, object]]:
    """Return rows as `tb sql` gives them."""
    said = client.call("--output", "json", "sql", query)
    assert said.code == 0, said.text
    rows: list[dict[str, object]] = json.loads(said.text[said.text.index("{") :])["data"]
    return rows


def test_the_first_folder_is_the_servers_own_project(main: Client, built: Client) -> None:
    server = main.server
    # Without tb, as the dashboard and every other client ask.
    assert server.get("/v0/pipes/top.json")["data"] == TOP
    assert "No changes" in main.call("build").text
    event = '{"at":"2025-03-03 10:00:00","title":"only_here","seconds":9}'
    assert built.call("datasource", "append", "plays", "--events", event).code == 0
    assert server.get("/v0/pipes/top.json")["data"] == TOP
    assert rows_of(built, "SELECT count() AS n FROM plays") == [{"n": 4}]


def test_tests_run_in_a_workspace_of_their_own(client: Client, server: Server) -> None:
    before = server.get("/v0/pipes")["pipes"]
    said = client.call("test", "run")
    assert said.code == 0, said.text
    assert said.text.count(" passed") >= 4
    client.change("tests/top.yaml", '"plays":2', '"plays":3')
    client.change("endpoints/genres.pipe", "count() AS plays", "count() AS plays, 1 AS more")
    again = client.call("test", "run")
    assert again.code == 1
    assert "all_titles failed" in again.text
    assert server.get("/v0/pipes")["pipes"] == before


def test_a_project_that_cannot_be_built_is_said_with_file_and_reason(built: Client) -> None:
    built.change("endpoints/top.pipe", "FROM title_days", "FROM title_dayz")
    said = built.call("build")
    assert said.code == 1
    assert "endpoints/top.pipe" in said.text
    assert "There is no data source, pipe or node 'title_dayz' here." in " ".join(said.text.split())
    assert rows_of(built, "SELECT count() AS n FROM title_days")[0]["n"] != 0


def test_rows_are_appended_from_files_and_events(built: Client, tmp_path: Path) -> None:
    (tmp_path / "more.ndjson").write_text(
        '{"at":"2025-03-01 10:00:00","title":"cascade","seconds":5}\n' * 2
    )
    (tmp_path / "more.csv").write_text("at,title,seconds\n2025-03-02 10:00:00,cascade,7\n")
    for file in ("more.ndjson", "more.csv"):
        said = built.call("datasource", "append", "plays", "--file", str(tmp_path / file))
        assert (said.code, "Rows appended" in said.text) == (0, True), said.text
    event = '{"at":"2025-03-03 10:00:00","title":"cascade","seconds":9}'
    assert built.call("datasource", "append", "plays", "--events", event).code == 0
    found = rows_of(
        built, "SELECT count() AS n, sum(seconds) AS s FROM plays WHERE title='cascade'"
    )
    assert found == [{"n": 4, "s": 26}]
    asked = built.call("endpoint", "data", "top", "--from_day", "2025-03-01")
    assert "| cascade |     4 |      26 |" in asked.text


def test_a_row_that_does_not_fit_is_said_and_costs_no_other(built: Client, tmp_path: Path) -> None:
    lines = '{"at":"2025-04-01 10:00:00","title":"delta","seconds":5}\n{"title":"delta"}\n'
    (tmp_path / "some.ndjson").write_text(lines)
    said = built.call("datasource", "append", "plays", "--file", str(tmp_path / "some.ndjson"))
    assert said.code == 0, said.text
    assert rows_of(built, "SELECT count() AS n FROM plays WHERE title = 'delta'") == [{"n": 1}]
    event = built.call("datasource", "append", "plays", "--events", '{"title":"delta"}')
    assert "1 row went to quarantine" in event.text
    assert rows_of(built, "SELECT count() AS n FROM plays_quarantine") == [{"n": 2}]


def test_secrets_of_the_folder_reach_templates(built: Client) -> None:
    (built.folder / ".env.local").write_text("SHOP=corner\n")
    assert built.call("build").code == 0
    assert "corner" in built.call("endpoint", "data", "genres").text
    (built.folder / ".env.local").unlink()  # tb sends it again with every call
    assert built.call("secret", "set", "SHOP", "market").code == 0
    assert "SHOP" in built.call("secret", "ls").text
    assert "market" in built.call("endpoint", "data", "genres").text
    assert built.call("secret", "rm", "SHOP").code == 0
    assert "none" in built.call("endpoint", "data", "genres").text


def test_a_query_that_may_not_run_is_refused_in_our_words(main: Client) -> None:
    said = main.call("sql", "SELECT * FROM file('/etc/passwd')")
    assert said.code == 1
    assert "file() cannot be read from here" in said.text


@pytest.mark.parametrize(
    "words",
    ["datasource ls", "pipe ls", "endpoint ls", "materialization ls", "copy ls", "sink ls",
     "connection ls", "secret ls", "token ls", "job ls", "endpoint url top", "endpoint stats top"],
)  # fmt: skip
def test_what_there_is_can_be_listed(main: Client, words: str) -> None:
    said = main.call(*words.split())
    assert said.code == 0, said.text


def test_a_deployment_is_checked_made_and_promoted(built: Client) -> None:
    built.change("endpoints/top.pipe", "LIMIT {{", "-- changed\n    LIMIT {{")
    built.change("endpoints/top.pipe", "SELECT title,", "SELECT 'v2' AS version, title,")
    checked = built.call("deploy", "--check")
    assert checked.code == 0, checked.text
    assert "version" not in built.call("endpoint", "data", "top").text
    said = built.call("deploy", "--wait")
    assert said.code == 0, said.text
    assert "v2" in built.call("endpoint", "data", "top").text
    listed = built.call("deployment", "ls")
    assert (listed.code, "Live" in listed.text) == (0, True), listed.text


def test_a_deployment_that_cannot_be_is_refused(built: Client) -> None:
    built.change("endpoints/top.pipe", "FROM title_days", "FROM title_dayz")
    said = built.call("deploy")
    assert said.code == 1
    assert "title_dayz" in said.text


def test_the_project_that_ships_passes_its_tests(client: Client, tmp_path: Path) -> None:
    folder = tmp_path / "video"
    shutil.copytree(ROOT / "projects/video", folder)
    said = client.call("test", "run", folder=folder)
    assert said.code == 0, said.text
    assert "6/6 passed" in said.text
