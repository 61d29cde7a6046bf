"""Rows of projects on a store that only remembers, or refuses for a while."""

import errno
import os
from pathlib import Path
from typing import cast

import pytest

from playhead.clock import ManualClock
from playhead.errors import QueryFailed
from playhead.log.offsets import Ledger
from playhead.process.folder import Folded
from playhead.process.loader import Loader
from playhead.process.made_rows import Group, Made
from playhead.process.patience import Patience
from playhead.process.project_rows import ProjectRows
from playhead.process.staged_refusal import say_refused
from playhead.project.manifest import REFUSED_FILE
from playhead.project.routes import ROUTES_FILE, Route, Routes, Shape, read_routes, routes_json
from playhead.store.client import StoreClient

LIVE, STAGED = Route(database="p", table="plays"), Route(database="s", table="plays")
ROW = Made(1_000, 0, b'["ana"]\n', 1)
GROUP = Group("", "plays", "x")


class Store:
    """Takes inserts; one of a table in `refusing` is refused so long."""

    def __init__(self, clock: ManualClock) -> None:
        self.tokens: list[str] = []
        self.refusing: dict[str, list[QueryFailed]] = {}
        self.clock = clock

    def insert_rows(self, sql: str, *_: object, token: str, **__: object) -> None:
        self.tokens.append(token)
        for table, errors in self.refusing.items():
            if table in sql.replace("`", "") and errors:
                self.clock.advance(20_000)
                raise errors.pop(0)


class Place:
    """A folder with routes, and what stores rows by them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(ManualClock())
        self.patience = Patience(self.store.clock)
        self.rows = ProjectRows(folder, cast(StoreClient, self.store), self.patience)
        (folder / "project").mkdir()
        self.routes(LIVE)

    def routes(self, *routes: Route) -> None:
        shape = Shape(columns=("viewer",), types=("String",), format="JSONCompactEachRow", routes=routes)  # fmt: skip
        known = Routes().with_shape("plays", "x", shape).with_shape("staging:plays", "x", shape)
        (self.folder / ROUTES_FILE).write_text(routes_json(known))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr("playhead.process.patience.RETRY_FIRST_S", 0.0)
    return Place(tmp_path)


def test_two_data_sources_with_one_table_have_tokens_of_their_own(place: Place) -> None:
    loader = Loader(
        cast(StoreClient, place.store), cast(Ledger, None), place.store.clock, place.folder
    )
    groups = {GROUP: [ROW], Group("", "staging:plays", "x"): [ROW]}
    folded = Folded(0, 2, 1_000, [], [], [], {"stored": 2}, [], made=groups)
    assert loader._load_made(folded, "0-2") == []
    assert len(place.store.tokens) == 2
    assert len(set(place.store.tokens)) == 2


def test_routes_that_cannot_be_read_now_are_read_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [OSError(errno.EMFILE, "Too many open files")]

    def failing(path: Path) -> Routes:
        if failures:
            raise failures.pop()
        return read_routes(path)

    monkeypatch.setattr("playhead.process.project_rows.read_routes", failing)
    outcome = place.rows.store(GROUP, [ROW], "0-1", at_s=1)
    assert (outcome.stored, outcome.quarantined) == (1, 0)
    assert "Too many open files" in place.patience.said


def test_a_staged_refusal_is_on_disk_before_rows_are_left_out(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.routes(LIVE, STAGED)
    place.store.refusing["s.plays"] = [QueryFailed("no such table", engine_code=60)]
    sync, failures = os.fsync, [OSError(errno.ENOSPC, "No space left on device")]

    def failing(file: int) -> None:
        if failures:
            assert place.rows._refusing == {}
            raise failures.pop()
        sync(file)

    monkeypatch.setattr("playhead.process.staged_refusal.os.fsync", failing)
    assert place.rows.store(GROUP, [ROW], "0-1", at_s=1).stored == 1
    assert "no such table" in (place.folder / REFUSED_FILE).read_text()
    assert "No space left" in place.patience.said


def test_a_deleted_workspace_does_not_come_back_by_a_refusal(tmp_path: Path) -> None:
    say_refused(tmp_path / "gone", "plays", "no")
    assert not (tmp_path / "gone").exists()


def test_a_table_that_is_read_only_for_a_while_loses_nothing(place: Place) -> None:
    place.store.refusing["p.plays"] = [QueryFailed("read only", engine_code=242)] * 6
    outcome = place.rows.store(GROUP, [ROW], "0-1", at_s=1)
    assert (outcome.stored, outcome.quarantined) == (1, 0)
    assert len(set(place.store.tokens)) == 1


def test_a_view_on_a_full_disk_takes_its_rows_once_there_is_room(place: Place) -> None:
    words = "Code: 243. DB::Exception: Full: while pushing to view p.mv (1-2). (NOT_ENOUGH_SPACE)"
    place.store.refusing["p.plays"] = [QueryFailed(words, engine_code=243)] * 2
    outcome = place.rows.store(GROUP, [ROW], "0-1", at_s=1)
    assert (outcome.stored, outcome.missed) == (1, 0)
    assert len(place.store.tokens) == 3
