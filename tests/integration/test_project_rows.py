"""Made rows of the log into a project's tables on a real store: once each, or set aside with a reason."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from playhead.process.made_rows import Group, Made, Outcome
from playhead.process.patience import Patience
from playhead.process.project_rows import ProjectRows
from playhead.project.resources import Column, Datasource, Engine
from playhead.project.routes import ROUTES_FILE, Route, Routes, Shape, routes_json
from playhead.project.rows import LOGGED_SETTINGS, RowReader
from playhead.project.table import create_table, quarantine_table
from playhead.store.client import StoreClient
from support.running_store import running_store

SOURCE = Datasource(
    name="plays",
    path="plays",
    columns=(Column(name="viewer", type="String"), Column(name="n", type="UInt32")),
    engine=Engine(kind="MergeTree", sorting_key="n", partition_key="n % 5000"),
)
READER = RowReader(SOURCE)
GROUP = Group("", "plays", READER.shape_id)
WINDOW = "SETTINGS non_replicated_deduplication_window = 1000"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreClient]:
    folder: Path = tmp_path_factory.mktemp("project_rows")
    with running_store(folder) as store:
        yield store.client


class Place:
    """A database with the data source's tables, and what stores rows in it."""

    def __init__(self, client: StoreClient, folder: Path, database: str) -> None:
        self.client, self.folder, self.database = client, folder, database
        client.command(f"DROP DATABASE IF EXISTS {database}")
        client.command(f"CREATE DATABASE {database}")
        client.command(create_table(SOURCE, database=database))
        client.command(quarantine_table(SOURCE, database=database))
        self.patience = Patience()
        self.rows = ProjectRows(folder, client, self.patience)
        self.routes(READER.shape(database, database))

    def routes(self, shape: Shape, name: str = READER.shape_id) -> None:
        (self.folder / "project").mkdir(exist_ok=True)
        routes = Routes().with_shape("plays", name, shape)
        (self.folder / ROUTES_FILE).write_text(routes_json(routes))

    def view(self, expression: str) -> None:
        self.client.command(
            f"CREATE TABLE {self.database}.sums (n UInt64) ENGINE = MergeTree ORDER BY n {WINDOW}"
        )
        self.client.command(
            f"CREATE MATERIALIZED VIEW {self.database}.mv TO {self.database}.sums AS"
            f" SELECT {expression} AS n FROM {self.database}.plays"
        )

    def store(self, lines: Sequence[bytes], span: str = "0-1", group: Group = GROUP) -> Outcome:
        made = [Made(1_000, 0, b"\n".join(lines) + b"\n", len(lines))]
        return self.rows.store(group, made, span, at_s=1)

    def ask(self, sql: str) -> list[list[object]]:
        return self.client.rows(sql.replace("FROM ", f"FROM {self.database}.")).rows


@pytest.fixture
def place(client: StoreClient, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    return Place(client, tmp_path, f"p_{abs(hash(request.node.name)) % 10**9}")


def test_a_repeated_range_adds_nothing_and_views_follow(place: Place) -> None:
    place.view("n + 1")
    for _ in range(3):
        outcome = place.store([b'["ana",1]', b'["bo",2]'])
        assert (outcome.stored, outcome.quarantined) == (2, 0)
    assert place.ask("SELECT viewer, n FROM plays ORDER BY n") == [["ana", 1], ["bo", 2]]
    assert place.ask("SELECT n FROM sums ORDER BY n") == [[2], [3]]


def test_a_row_the_engine_refuses_goes_to_the_data_sources_quarantine(place: Place) -> None:
    place.view("n")
    lines = [b'["v%d",%d]' % (n, n) for n in range(100)]
    lines[37] = b'["v37","none"]'
    for _ in range(2):
        outcome = place.store(lines)
        assert (outcome.stored, outcome.quarantined, outcome.aside) == (99, 1, [])
    assert place.ask("SELECT count(), uniqExact(n) FROM plays") == [[99, 99]]
    assert place.ask("SELECT count() FROM sums") == [[99]]
    [[viewer, n, columns, reasons, at]] = place.ask(
        "SELECT viewer, n, c__error_column, c__error, toUnixTimestamp(insertion_date) FROM plays_quarantine"
    )
    assert (viewer, n, columns, at) == ("v37", "none", [], 1)
    assert "none" in str(reasons)


def test_a_block_of_too_many_partitions_is_stored_in_parts(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LOGGED_SETTINGS, "max_partitions_per_insert_block", "10")
    outcome = place.store([b'["v",%d]' % n for n in range(25)])
    assert outcome.stored == 25
    assert place.ask("SELECT count() FROM plays") == [[25]]


def test_a_view_that_fails_stops_nothing_and_is_told(place: Place) -> None:
    place.view("toUInt64(viewer)")
    for _ in range(2):
        outcome = place.store([b'["1",1]', b'["x",2]'])
        assert (outcome.stored, outcome.missed, outcome.aside) == (2, 2, [])
    assert place.ask("SELECT count() FROM plays") == [[2]]
    assert place.ask("SELECT count() FROM sums") == [[0]]
    assert f"the materialized view {place.database}.mv did not take 2 rows" in place.patience.said


def test_once_the_view_takes_them_the_same_range_completes_it(place: Place) -> None:
    place.view("toUInt64(viewer)")
    place.store([b'["1",1]', b'["x",2]'])
    place.client.command(
        f"ALTER TABLE {place.database}.mv MODIFY QUERY SELECT toUInt64OrZero(viewer) AS n FROM {place.database}.plays"
    )
    assert place.store([b'["1",1]', b'["x",2]']).missed == 0
    assert place.ask("SELECT count() FROM plays") == [[2]]
    assert place.ask("SELECT n FROM sums ORDER BY n") == [[0], [1]]


def test_rows_of_unknown_columns_can_be_taken_up_again(place: Place) -> None:
    outcome = place.store([b'["ana",1]'], group=Group("", "plays", "nobody"))
    assert (outcome.stored, outcome.quarantined) == (0, 1)
    [row] = outcome.aside
    assert row[6] == "unknown_shape"
    assert row[8] == '{"into":{"datasource":"plays","shape":"nobody"},"line":["ana",1]}'


def test_a_table_that_is_gone_stops_nothing(place: Place) -> None:
    place.client.command(f"DROP TABLE {place.database}.plays SYNC")
    outcome = place.store([b'["ana",1]', b'["bo",2]'])
    assert (outcome.stored, outcome.quarantined) == (0, 2)
    assert place.ask("SELECT viewer FROM plays_quarantine ORDER BY viewer") == [["ana"], ["bo"]]


def test_rows_of_a_deleted_workspace_are_dropped(place: Place) -> None:
    outcome = place.store([b'["ana",1]'], group=Group("0123456789ab", "plays", READER.shape_id))
    assert outcome.dropped == 1
    assert place.ask("SELECT count() FROM plays") == [[0]]


def test_a_staged_table_gets_every_row_until_it_refuses_one(place: Place) -> None:
    place.client.command(
        f"CREATE TABLE {place.database}.staged (viewer UInt64, n UInt32) ENGINE = MergeTree ORDER BY n {WINDOW}"
    )
    shape = READER.shape(place.database, place.database)
    beside = Route(database=place.database, table="staged")
    place.routes(Shape(
        columns=shape.columns, types=shape.types, format=shape.format,
        routes=(*shape.routes, beside), refused=shape.refused, refused_into=shape.refused_into,
    ))  # fmt: skip
    assert place.store([b'["1",1]'], "0-1").stored == 1
    assert place.ask("SELECT n FROM staged") == [[1]]
    assert place.store([b'["x",2]'], "1-2").stored == 1
    refused = (place.folder / "project" / "deployments" / "refused.json").read_text()
    assert '"datasource":"plays"' in refused
    assert place.ask("SELECT count() FROM plays") == [[2]]


def test_refused_rows_of_the_door_are_kept_once(place: Place) -> None:
    [refused] = [READER.line(b'{"viewer":"ana","n":-1}')]
    body = READER.refused_body([refused], at_s=7, import_id="abc")  # type: ignore[list-item]
    group = Group("", "plays", READER.shape_id, quarantine=True)
    for _ in range(2):
        outcome = place.store([body.rstrip()], group=group)
        assert (outcome.stored, outcome.quarantined) == (0, 1)
    assert place.ask("SELECT viewer, n, c__import_id FROM plays_quarantine") == [
        ["ana", "-1", "abc"]
    ]
