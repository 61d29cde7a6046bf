from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner

from playhead.cli import viewer

REPORT = {
    "events": 5, "views": 1, "rows": {"tinybird.pipe_stats_rt": 2}, "log_records": None,
    "partitions": None, "files": ["project/live.json"],
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    (tmp_path / "admin.token").write_text("secret")
    calls: list[Any] = []

    def answer(_: str, __: str, method: str, path: str, **content: Any) -> httpx2.Response:
        calls.append((method, path, content["params"]))
        now = content["params"].get("now")
        report = REPORT | ({"log_records": 3, "partitions": 4} if now else {})
        return httpx2.Response(200, json={"data": report, "meta": {}})

    monkeypatch.setattr(viewer, "answer_of", answer)
    return calls


def run(folder: Path, *arguments: str, typed: str = "") -> Any:
    call = [*arguments, "--data", str(folder)]
    return CliRunner().invoke(viewer.command, call, input=typed)


def test_nothing_is_deleted_without_a_yes(asked: list[Any], tmp_path: Path) -> None:
    done = run(tmp_path, "delete", "a b/c", typed="n\n")
    assert (done.exit_code, asked) == (1, [])
    done = run(tmp_path, "delete", "a b/c", "--column", "plays.user", typed="y\n")
    assert asked == [("DELETE", "/v1/viewers/a%20b%2Fc", {"column": ["plays.user"]})]
    assert "Deleted: 1 views, 5 events." in done.output
    assert "2 rows of tinybird.pipe_stats_rt" in done.output
    assert "Still named in project/live.json" in done.output


def test_what_is_written_anew_is_said(asked: list[Any], tmp_path: Path) -> None:
    done = run(tmp_path, "delete", "a", "--now", "--yes", "--property", "site")
    assert asked[0][2] == {"property": "site", "now": "true"}
    assert "3 records of the log, 4 partitions of tables" in done.output


def test_an_export_that_cannot_be_had_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "admin.token").write_text("secret")
    output = tmp_path / "viewer.ndjson"
    done = run(tmp_path, "export", "a", "--output", str(output), "--url", "127.0.0.1:9")
    assert done.exit_code == 1
    assert "Nothing answers at 127.0.0.1:9." in done.output
    assert list(tmp_path.iterdir()) == [tmp_path / "admin.token"]
