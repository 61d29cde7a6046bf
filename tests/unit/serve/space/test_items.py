import msgspec

from playhead.config import Config, Retention
from playhead.project.manifest import Manifest
from playhead.serve.space.items import Item, LogHeld, Owner, Table, items_of
from playhead.serve.space.walk import Walked

MIB = 1 << 20
LOG = LogHeld(events=7, segments=2, oldest_ms=1_700_000_000_000, newest_ms=1_700_000_001_000)
WALKED = Walked(
    entries={
        ".": 4096, "log": 9 * MIB, "imports": 3 * MIB, "worker.db": MIB, "notes": 2 * MIB, "x": 10,
    },
    tables={"u1": 8 * MIB, "u2": 5 * MIB, "u3": 4 * MIB, "u4": 100, "u9": 50},
    detached=11, frozen=13, engine=17,
)  # fmt: skip
TABLES = [
    Table(database="playhead", name="events", uuid="u1", engine="MergeTree", rows=5, bytes=7 * MIB),
    Table(database="project", name="plays", uuid="u2", engine="MergeTree", rows=2),
    Table(database="project_2", name="plays", uuid="u3", engine="MergeTree", rows=1),
    Table(database="ws_0123456789ab_playhead", name="views", uuid="u4", engine="MergeTree"),
]


def taken(tables: list[Table] | None, **places: str) -> dict[str, Item]:
    owners = {"": Owner("", Manifest(database="project", places=places))}
    found = items_of(WALKED, tables, LOG, Config(), owners)
    return {item.id: item for item in found}


def test_the_items_add_up_to_the_walk() -> None:
    assert sum(item.bytes for item in taken(TABLES).values()) == WALKED.bytes
    assert sum(item.bytes for item in taken(None).values()) == WALKED.bytes


def test_a_table_has_its_folder_and_what_of_it_is_live() -> None:
    events = taken(TABLES)["playhead.events"]
    assert (events.bytes, events.live_bytes, events.rows) == (8 * MIB, 7 * MIB, 5)
    assert events.kind == "playhead"


def test_a_table_of_a_deployment_is_staged_until_it_is_live() -> None:
    assert taken(TABLES)["project_2.plays"].kind == "staging"
    assert taken(TABLES, plays="project_2")["project_2.plays"].kind == "project"


def test_tables_without_rows_are_told_together() -> None:
    found = taken(TABLES)
    assert found["empty"].bytes == 100
    assert [name for name in found if name.startswith("ws_")] == []


def test_a_large_folder_that_is_not_ours_is_named() -> None:
    found = taken(TABLES)
    assert found["files.notes"].name == "notes (not Playhead's own)"
    assert found["files"].bytes == 4096 + 10


def test_the_log_tells_its_events_and_times() -> None:
    log = taken(TABLES)["log"]
    assert (log.rows, log.parts, log.oldest) == (7, 2, "2023-11-14T22:13:20.000Z")


def test_a_store_elsewhere_tells_its_own_sizes() -> None:
    config = Config()
    far = msgspec.structs.replace(
        config, store=msgspec.structs.replace(config.store, kind="clickhouse")
    )
    found = items_of(Walked(entries={"log": 5}), TABLES, LOG, far, {})
    assert {item.id: item.bytes for item in found}["playhead.events"] == 7 * MIB


def test_a_further_workspace_is_called_by_its_name() -> None:
    table = Table(database="ws_0123456789ab", name="plays", uuid="u1", engine="MergeTree", rows=1)
    owners = {"0123456789ab": Owner("letters", Manifest(database="ws_0123456789ab"))}
    found = items_of(WALKED, [table], LOG, Config(), owners)
    [item] = [one for one in found if one.id == "ws_0123456789ab.plays"]
    assert (item.kind, item.name, item.workspace) == ("project", "plays", "letters")


def test_limits_are_of_our_tables_alone() -> None:
    limited = msgspec.structs.replace(Config(), retention=Retention(event_bytes=7))
    plays = msgspec.structs.replace(TABLES[1], name="events")
    found = {item.id: item for item in items_of(WALKED, [TABLES[0], plays], LOG, limited, {})}
    assert (found["playhead.events"].limit_bytes, found["playhead.events"].kept) == (
        7,
        "at most 7 B",
    )
    assert (found["project.events"].limit_bytes, found["project.events"].kept) == (None, "for ever")
