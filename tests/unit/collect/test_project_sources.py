import asyncio
import errno
from pathlib import Path

import msgspec
import pytest

from playhead.access.grant import Grant
from playhead.access.scopes import Scope
from playhead.clock import ManualClock
from playhead.collect.project_sources import ProjectSources
from playhead.collect.sources import ProjectSource, require_append
from playhead.errors import Forbidden, InvalidRequest, Unauthenticated, Unavailable
from playhead.project.folder import read_texts
from playhead.project.manifest import LIVE_FILE, Manifest
from playhead.project.routes import ROUTES_FILE, Routes, read_routes, routes_json
from playhead.project.rows import RowReader

ONE = "SCHEMA >\n    n UInt8 `json:$.n`\n"
TWO = "SCHEMA >\n    n UInt8 `json:$.n`,\n    m UInt8 `json:$.m`\n"


def live(folder: Path, text: str, *, routes: bool = True) -> None:
    (folder / "project").mkdir(exist_ok=True)
    files = {"datasources/plays.datasource": text}
    if routes:
        reader = RowReader(read_texts(files).datasources["plays"])
        shape = reader.shape("project", "project")
        known = Routes().with_shape("plays", reader.shape_id, shape)
        (folder / ROUTES_FILE).write_text(routes_json(known))
    (folder / LIVE_FILE).write_bytes(msgspec.json.encode(Manifest(files=files)))


def find(
    sources: ProjectSources, name: str = "plays", deployment: str = ""
) -> ProjectSource | None:
    return asyncio.run(sources.find(None, name, deployment))


def test_a_build_is_seen_after_the_reload_time(tmp_path: Path) -> None:
    clock = ManualClock(0)
    sources = ProjectSources(tmp_path, 500, clock)
    assert find(sources) is None
    live(tmp_path, ONE)
    assert find(sources) is None
    clock.advance(500)
    found = find(sources)
    assert found is not None
    assert found.reader.columns == ("n",)
    assert find(sources) is found
    live(tmp_path, TWO)
    clock.advance(500)
    again = find(sources)
    assert again is not None
    assert again.shape_id != found.shape_id


def test_a_project_of_an_earlier_release_says_what_to_do(tmp_path: Path) -> None:
    live(tmp_path, ONE, routes=False)
    with pytest.raises(Unavailable, match="until it is built again") as caught:
        find(ProjectSources(tmp_path, 0, ManualClock(0)))
    assert "playhead build" in caught.value.hint


def test_rows_nobody_would_know_are_not_taken(tmp_path: Path) -> None:
    live(tmp_path, TWO)
    files = {"datasources/plays.datasource": ONE}
    (tmp_path / LIVE_FILE).write_bytes(msgspec.json.encode(Manifest(files=files)))
    with pytest.raises(Unavailable, match="being changed by a build"):
        find(ProjectSources(tmp_path, 0, ManualClock(0)))


def test_only_live_and_staging_can_be_named(tmp_path: Path) -> None:
    sources = ProjectSources(tmp_path, 0, ManualClock(0))
    with pytest.raises(InvalidRequest, match="__tb__deployment"):
        find(sources, deployment="other")
    assert find(sources, deployment="staging") is None


def grant(kind: str, *scopes: Scope) -> Grant:
    return Grant("id", "name", kind, None, 0, scopes)


def test_who_may_append() -> None:
    for good in (
        grant("admin"),
        grant("scoped", Scope("DATASOURCES:APPEND", "plays")),
        grant("jwt", Scope("DATASOURCES:APPEND", "plays")),
        grant("scoped", Scope("DATASOURCES:CREATE")),
    ):
        require_append(good, "plays")
    for bad in (grant("write"), grant("scoped", Scope("DATASOURCES:APPEND", "other"))):
        with pytest.raises(Forbidden, match="may not append to 'plays'"):
            require_append(bad, "plays")
    with pytest.raises(Unauthenticated):
        require_append(None, "plays")


def test_files_that_cannot_be_read_now_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(tmp_path, ONE)
    failures = [OSError(errno.EMFILE, "no files left")] * 2

    def failing(path: Path) -> Routes:
        if failures:
            raise failures.pop()
        return read_routes(path)

    monkeypatch.setattr("playhead.collect.project_sources.read_routes", failing)
    sources = ProjectSources(tmp_path, 0, ManualClock(0))
    with pytest.raises(Unavailable, match="cannot be read at the moment"):
        find(sources)
    failures.pop()
    assert find(sources) is not None
    live(tmp_path, TWO)
    failures.append(OSError(errno.EIO, "disk"))
    before, now = find(sources), find(sources)
    assert before is not None
    assert now is not None
    assert (before.reader.columns, now.reader.columns) == (("n",), ("n", "m"))
