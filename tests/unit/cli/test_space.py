from typing import Any

import pytest

from playhead.cli.report_terminal import cells
from playhead.cli.space_table import lines

GIB = 1 << 30
KEPT = "7 days, at most 20 GiB; never what is not loaded yet"


def item(name: str, size: int, **given: Any) -> dict[str, Any]:
    return {
        "id": name, "kind": "playhead", "name": name, "workspace": "", "bytes": size, "rows": 1_234,
        "parts": 3, "oldest": "2026-01-02", "newest": None, "kept": KEPT, "limit_bytes": None,
        "growth_bytes_per_day": 5 << 20,
    } | given  # fmt: skip


def data(*items: dict[str, Any], **disk: Any) -> dict[str, Any]:
    return {
        "disk": {
            "state": "ok", "free_bytes": 80 * GIB, "total_bytes": 100 * GIB, "floor_bytes": GIB,
            "warning_bytes": 5 * GIB, "growth_bytes_per_day": 2 * GIB, "full_in_days": 39.5,
            "sentence": "The disk has 80 GiB free.", "remedy": "",
        } | disk,
        "data_bytes": sum(one["bytes"] for one in items), "items": list(items), "removed": {},
        "complete": True, "reason": None,
    }  # fmt: skip


def drawn(found: dict[str, Any], width: int = 120, *, every: bool = False) -> list[str]:
    return list(lines(found, width=width, every=every, colours=False))


@pytest.mark.parametrize("width", [48, 60, 80, 109, 110, 160])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    name = "a_project_with_a_very_long_name_of.a_table_with_a_long_name_too"
    found = drawn(data(item(name, 9 * GIB, workspace="0123456789ab"), item("log", GIB)), width)
    assert [line for line in found if cells(line) > width] == []
    assert any("9.0 GiB" in line for line in found)


@pytest.mark.parametrize("width", [60, 120])
def test_the_whole_rule_is_told_at_any_width(width: int) -> None:
    text = " ".join(" ".join(drawn(data(item("log", GIB)), width)).split())
    assert [word for word in KEPT.split() if word not in text] == []


def test_the_course_of_the_disk_is_a_sentence() -> None:
    assert "The disk fills by 2.0 GiB a day; at this rate it is full in 39 days." in drawn(data())
    young = data(growth_bytes_per_day=None, full_in_days=None)
    assert "How fast it fills is known after an hour." in drawn(young)


def test_small_uses_are_told_together_unless_all_are_asked_for() -> None:
    small = [item(f"small{number}", 1_024) for number in range(3)]
    found = data(item("log", GIB), *small)
    assert "  3 smaller uses: 3.0 KiB (--all)" in drawn(found)
    assert len([line for line in drawn(found, every=True) if "small" in line]) == 3


def test_a_disk_that_is_short_says_what_to_do() -> None:
    low = data(state="low", sentence="Nothing is taken.", remedy="Free some space.")
    assert drawn(low)[0] == "Space: below the floor"
    assert "Free some space." in drawn(low)


def test_names_of_tables_move_no_cursor() -> None:
    text = "\n".join(drawn(data(item("evil\x1b[2J\u202e", GIB)), 120))
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_what_was_removed_is_told() -> None:
    gone = {"playhead.events": {"rows": 5_000, "bytes": GIB, "days": 2, "last_day": "2026-01-02"}}
    found = drawn(data() | {"removed": gone})
    assert "  playhead.events: 2 days up to 2026-01-02, 5,000 rows, 1.0 GiB" in found
