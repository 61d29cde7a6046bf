from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from playhead.errors import QueueFull
from playhead.jobs.cron import cron
from playhead.jobs.schedules import Schedules, id_of, last_due, scheduled
from playhead.project.folder import read_texts
from playhead.project.resources import Project


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "seen", "now", "due"),
    [
        ("*/5 * * * *", "2026-01-01 00:00", "2026-01-01 00:04", None),
        ("*/5 * * * *", "2026-01-01 00:00", "2026-01-01 00:05", "2026-01-01 00:05"),
        ("*/5 * * * *", "2026-01-01 00:00", "2026-01-01 09:59", "2026-01-01 09:55"),
        ("* * * * *", "2020-01-01 00:00", "2026-01-01 00:00", "2026-01-01 00:00"),
        ("0 0 1 1 *", "2020-06-01 00:00", "2026-06-01 00:00", "2026-01-01 00:00"),
        ("0 0 31 2 *", "2020-06-01 00:00", "2026-06-01 00:00", None),
    ],
)
def test_what_was_missed_is_due_once(text: str, seen: str, now: str, due: str | None) -> None:
    assert last_due(cron(text), ms(seen), ms(now)) == (ms(due) if due else None)


def test_a_jobs_id_follows_from_what_is_due_and_when() -> None:
    first = id_of("", "hourly/copied", 3_600_000)
    assert first == id_of("", "hourly/copied", 3_600_000)
    later = id_of("", "hourly/copied", 7_200_000)
    assert first < later
    assert first != id_of("w", "hourly/copied", 3_600_000)


def test_nodes_that_run_when_asked_have_no_schedule() -> None:
    def pipe(schedule: str) -> str:
        return f"NODE n\nSQL >\n    SELECT 1 AS a\nTYPE copy\nTARGET_DATASOURCE d\n{schedule}"

    texts = {
        "d.datasource": "SCHEMA >\n    a UInt8\n",
        "a.pipe": pipe("COPY_SCHEDULE 0 * * * *\n"),
        "b.pipe": pipe("COPY_SCHEDULE @on-demand\n"),
        "c.pipe": pipe(""),
        "e.pipe": pipe("COPY_SCHEDULE 99 * * * *\n"),
    }
    assert [one.key for one in scheduled(read_texts(texts))] == ["a/n"]


async def test_one_workspaces_trouble_is_not_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Workspaces:
        async def each(self) -> AsyncIterator[tuple[str, Path, Project]]:
            for name in ("bad", "good"):
                yield name, tmp_path / name, Project()

    looked: list[str] = []

    async def look_at(_: Schedules, workspace: str, *more: Any) -> None:
        looked.append(workspace)
        if workspace == "bad":
            raise QueueFull

    monkeypatch.setattr(Schedules, "_look_at", look_at)
    nobody: Any = None
    await Schedules(nobody, Workspaces(), nobody).look()
    assert looked == ["bad", "good"]
