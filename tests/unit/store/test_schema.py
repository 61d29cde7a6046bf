"""The tables on paper: their columns are the model's, every migration bears repetition."""

import re

import pytest

from playhead.config import Config, Process, Retention
from playhead.model import cdn_request, event_row, frame, view
from playhead.store.schema import DAYS_MAX, TIMES, Migration, arriving, days_kept, migrations, split


def statement(table: str) -> str:
    head = f"CREATE TABLE IF NOT EXISTS playhead.{table}\n"
    (found,) = [s for m in migrations() for s in m.statements if s.startswith(head)]
    return found


def columns(table: str) -> dict[str, str]:
    body = statement(table).partition("(\n")[2].partition("\n)\n")[0]
    pairs = [line.strip().rstrip(",").partition(" ") for line in body.splitlines()]
    found = {name: rest for name, _, rest in pairs if name != "INDEX"}
    for name, kind, after in added(table):
        found.pop(name, None)
        at = list(found).index(after) + 1
        found = dict([*list(found.items())[:at], (name, kind), *list(found.items())[at:]])
    return found


def added(table: str) -> list[tuple[str, str, str]]:
    """Columns that later migrations put in or elsewhere: name, type and the column before."""
    verb = r"(?:ADD COLUMN IF NOT|MODIFY COLUMN IF) EXISTS"
    head = rf"ALTER TABLE playhead\.{table} {verb} (\w+) (.+) AFTER (\w+)"
    every = [text for migration in migrations() for text in migration.statements]
    return [(m[1], m[2], m[3]) for text in every if (m := re.fullmatch(head, text))]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("views", view.COLUMNS),
        ("events", event_row.COLUMNS),
        ("cdn_requests", (*event_row.ROW_COLUMNS, *cdn_request.COLUMNS)),
        ("stream_frames", (*event_row.ROW_COLUMNS, *frame.COLUMNS)),
    ],
)
def test_stored_columns_are_the_models(table: str, expected: tuple[str, ...]) -> None:
    stored = [name for name, kind in columns(table).items() if "EPHEMERAL" not in kind]
    assert tuple(stored) == expected


@pytest.mark.parametrize("table", sorted(TIMES))
def test_every_time_column_has_its_arriving_twin(table: str) -> None:
    found = columns(table)
    times = {name for name, kind in found.items() if kind.startswith("DateTime64")}
    assert times == TIMES[table]
    assert {f"{name}_ms" for name in times} == {n for n, k in found.items() if "EPHEMERAL" in k}


@pytest.mark.parametrize("table", sorted(TIMES))
def test_every_table_remembers_its_tokens(table: str) -> None:
    assert "non_replicated_deduplication_window = 10000" in statement(table)


def test_times_arrive_in_milliseconds() -> None:
    assert arriving("playhead.events", ("at", "kind")) == ("at_ms", "kind")
    assert arriving("other", ("at",)) == ("at",)


def test_migrations_are_numbered_without_a_gap() -> None:
    found: list[Migration] = migrations()
    assert [migration.number for migration in found] == list(range(1, len(found) + 1))


def test_every_statement_bears_repetition() -> None:
    every = [text for migration in migrations() for text in migration.statements]
    assert every
    assert [text for text in every if not re.search(r"\bIF (NOT )?EXISTS\b", text)] == []


def test_split_leaves_out_comments_and_ends_at_lines() -> None:
    assert split("-- why;\nSELECT ';' ;\nSELECT 2;") == ["SELECT ';'", "SELECT 2"]


@pytest.mark.parametrize("days", [0, -1, DAYS_MAX + 1, 36_500])
def test_an_age_beyond_the_end_of_the_engine_s_time_is_for_ever(days: int) -> None:
    process = Process(event_retention_days=days, view_retention_days=DAYS_MAX)
    kept = days_kept(Config(process=process, retention=Retention(frame_days=3)))
    assert (kept["events"], kept["quarantine"], kept["stream_frames"]) == (0, 0, 3)
    assert kept["views"] == DAYS_MAX
