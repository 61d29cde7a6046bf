"""`playhead build`: a folder of files becomes tables and endpoints of a data folder."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from playhead.store.client import StoreClient
from support.running_store import RunningStore, running_store

PLAYS = """SCHEMA >
    at DateTime `json:$.at`,
    viewer String `json:$.viewer`

ENGINE MergeTree
ENGINE_SORTING_KEY at
"""
DAILY = """SCHEMA >
    day Date,
    plays AggregateFunction(count)

ENGINE AggregatingMergeTree
ENGINE_SORTING_KEY day
"""
DAILY_VIEW = """NODE by_day
SQL >
    SELECT toDate(at) AS day, countState() AS plays FROM plays GROUP BY day
TYPE materialized
DATASOURCE daily
"""
TOP = """TOKEN "reader" READ

NODE rows
SQL >
    SELECT viewer, count() AS n FROM plays GROUP BY viewer ORDER BY n DESC
TYPE endpoint
"""
FILES = {
    "datasources/plays.datasource": PLAYS,
    "datasources/daily.datasource": DAILY,
    "pipes/daily_view.pipe": DAILY_VIEW,
    "endpoints/top.pipe": TOP,
    "fixtures/plays.ndjson": '{"at":"2030-01-01T00:00:00Z","viewer":"ana"}\n',
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        write(tmp_path / "project" / name, text)
    return tmp_path / "project"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def build(project: Path, *more: str) -> tuple[int, list[str]]:
    """Run the command beside the project; return its exit code and what it printed."""
    data = project.parent / "data"
    words = [sys.executable, "-m", "playhead", "build", "--data", str(data), *more]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PLAYHEAD_")}
    done = subprocess.run(
        words, check=False, cwd=project, env=env, capture_output=True, text=True, timeout=120
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


def counted(store: RunningStore, sql: str) -> list[list[object]]:
    client = StoreClient(store.location, database="project")
    try:
        return client.rows(sql).rows
    finally:
        client.close()


def test_a_build_needs_no_server_and_leaves_none(project: Path) -> None:
    code, lines = build(project, "--fixtures")
    assert (code, lines[-1]) == (0, "2 data sources, 2 pipes: 7 changes.")
    assert not (project.parent / "data" / "run" / "store.sock").exists()
    assert build(project) == (0, ["2 data sources, 2 pipes: nothing changed."])


def test_what_is_live_is_for_this_user_only(project: Path) -> None:
    write(project / ".env.local", "channel=cinema\n")
    build(project)
    live = project.parent / "data" / "project" / "live.json"
    assert stat.S_IMODE(live.stat().st_mode) == 0o600
    content = json.loads(live.read_text())
    assert (content["secrets"], content["database"]) == ({"channel": "cinema"}, "project")
    assert content["files"]["endpoints/top.pipe"] == TOP


def test_tokens_the_files_name_are_made_once(project: Path) -> None:
    lines = build(project)[1]
    secret = project.parent / "data" / "tokens" / "reader.token"
    assert any("created   token reader" in line for line in lines)
    before = secret.read_text()
    write(project / "endpoints/more.pipe", TOP.replace("rows", "others"))
    assert (build(project)[0], secret.read_text()) == (0, before)


def test_a_failing_build_leaves_everything_as_it_was(project: Path) -> None:
    build(project, "--fixtures")
    live = project.parent / "data" / "project" / "live.json"
    before = live.read_bytes()
    write(project / "endpoints/top.pipe", TOP.replace("viewer,", "viewr,"))
    write(project / "datasources/more.datasource", "SCHEMA >\n    id Int64\n")
    code, lines = build(project)
    assert code == 1
    assert lines[0].startswith("endpoints/top.pipe:5:12: node 'rows': Unknown expression")
    assert (live.read_bytes(), lines[1:]) == (
        before,
        ["1 resource cannot be built; nothing was changed."],
    )


def test_a_build_uses_the_store_that_runs(project: Path) -> None:
    data = project.parent / "data"
    with running_store(data) as store:
        assert build(project, "--fixtures")[0] == 0
        assert counted(store, "SELECT count() FROM plays") == [[1]]
        assert counted(store, "SELECT countMerge(plays) FROM daily") == [[1]]
        drafts = "SELECT count() FROM system.databases WHERE name LIKE '%_draft'"
        assert counted(store, drafts) == [[0]]


def test_rows_that_were_there_go_through_a_new_view_once(project: Path) -> None:
    data = project.parent / "data"
    with running_store(data) as store:
        view, target = project / "pipes/daily_view.pipe", project / "datasources/daily.datasource"
        view.unlink()
        target.unlink()
        build(project, "--fixtures")
        write(view, DAILY_VIEW)
        write(target, DAILY)
        lines = build(project)[1]
        assert "filled    data source daily (1 row from plays)" in lines
        assert counted(store, "SELECT countMerge(plays) FROM daily") == [[1]]
        assert build(project)[1] == ["2 data sources, 2 pipes: nothing changed."]


def test_a_table_that_is_gone_is_made_again(project: Path) -> None:
    with running_store(project.parent / "data") as store:
        build(project)
        client = StoreClient(store.location, database="project")
        client.command("DROP TABLE project.daily SYNC")
        client.close()
        code, lines = build(project)
        assert (code, lines[0]) == (0, "created   data source daily")


def test_a_damaged_live_file_is_made_again(project: Path) -> None:
    live = project.parent / "data" / "project" / "live.json"
    build(project)
    whole = json.loads(live.read_bytes())["files"]
    live.write_bytes(live.read_bytes()[:100])
    assert build(project)[0] == 0
    assert json.loads(live.read_bytes())["files"] == whole


def test_a_fixture_that_leads_out_of_the_folder_is_not_loaded(project: Path) -> None:
    fixture = project / "fixtures" / "plays.ndjson"
    fixture.rename(project.parent / "elsewhere.ndjson")
    fixture.symlink_to(project.parent / "elsewhere.ndjson")
    code, lines = build(project, "--fixtures")
    assert code == 0
    assert [line for line in lines if "not loaded: the file is a link" in line]
    assert not [line for line in lines if line.startswith("loaded")]


def test_a_folder_without_files_is_said(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    code, lines = build(tmp_path / "project")
    assert (code, "There is no .datasource or .pipe file" in lines[0]) == (1, True)
    assert not (tmp_path / "data").exists()
