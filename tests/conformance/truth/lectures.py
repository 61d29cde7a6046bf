"""The lectures on 10 February, from their fixtures."""

import ast
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from conformance.truth.rows import (
    Row,
    at,
    cells,
    csv_text,
    events,
    grouped,
    lines,
    quantile,
    shown,
    table,
)  # fmt: skip

PROJECT = "lectures"
NOW = at("2026-02-10 12:00:00")
EXPIRED = at("2025-11-10 12:00:00")
"""What happened before is gone: lecture_events keeps three months."""
_EPOCH = at("1970-01-01 00:00:00")
_LONG_S = 600


def answers() -> dict[tuple[str, str], str]:
    """Return what each case of each test file must answer."""
    every = list(_plays())
    alive = [one for one in every if one["at"] > EXPIRED]
    january = (date(2026, 1, 12), date(2026, 1, 31))
    old = (date(2025, 9, 1), date(2025, 10, 31))
    progress = list(_progress(every))
    scores = _scores(at("2026-01-01 00:00:00"))
    return {
        ("course_calendar", "days_of_optics"): lines(
            row for row in _calendar(every, "day", january) if row["course"] == "optics"
        ),
        ("course_calendar", "weeks"): lines(
            _calendar(every, "week", (date(2026, 1, 5), date(2026, 2, 10)))
        ),
        ("course_calendar", "days_that_expired_elsewhere"): lines(_calendar(every, "day", old)),
        ("student_progress", "first_page"): lines(_without(progress, "tags")[:4]),
        ("student_progress", "third_page"): lines(_without(progress, "tags")[6:9]),
        ("student_progress", "one_student_exam_and_proof"): lines(
            _without((row for row in progress if _is_for_exam(row, "eli")), "tags")
        ),
        ("speeds", "three_speeds"): lines(_speeds(alive, ["1", "1.5", "2"])),
        ("speeds", "one_speed"): lines(_speeds(alive, ["1.25"])),
        ("drop_off", "lenses"): lines(_drop_off(alive, "optics-1")),
        ("drop_off", "groups"): lines(_drop_off(alive, "algebra-1")),
        ("quiz_scores", "two_best"): lines(_best(scores, 2)),
        ("quiz_scores", "best_of_all_time"): lines(_best(_scores(_EPOCH), 1)),
        ("quiz_spread", "a_lecture"): lines(_spread(scores, ["lecture"])),
        ("quiz_spread", "a_mood"): lines(_spread(scores, ["mood", "questions"])),
        ("enrolled", "now"): lines(_enrolled()),
        ("inactive", "inactive"): csv_text(_inactive(alive, 7, ()))
        + csv_text(_inactive(alive, 3, ("bo",))),
        ("rejected", "rejected"): table(_rejected()),
        ("open_questions", "nobody_asked"): lines([{"questions": 0, "of": "every lecture"}]),
    }


def _plays() -> Iterator[Row]:
    for event in events(PROJECT, "fixtures/lecture_events.ndjson"):
        said, what, state = event["t"], event["what"], event["player"]["state"]
        if said == "yesterday" or "lecture" not in what or what.get("kind", "play") != "play":
            continue
        yield {
            "at": at(said) if isinstance(said, str) else _EPOCH + timedelta(milliseconds=said),
            "student": event["who"]["id"],
            "lecture": what["lecture"],
            "course": what["lecture"].partition("-")[0],
            "seconds": state["seconds"],
            "speed": state.get("speed", 1),
            "chapters": [one["title"] for one in event["player"]["chapters"]],
        }


def _lectures() -> dict[str, Row]:
    names = ("lecture", "course", "title", "length_s", "tags", "revision")
    rows = cells(PROJECT, "fixtures/lectures.csv", *names)
    return {row["lecture"]: row for row in sorted(rows, key=lambda row: int(row["revision"]))}


def _enrolled() -> list[Row]:
    found: dict[tuple[str, str], dict[int, Row]] = {}
    for row in events(PROJECT, "fixtures/enrolments.ndjson"):
        of = found.setdefault((row["student"], row["course"]), {})
        if row.get("sign", 1) > 0:
            of[row["version"]] = row
        else:
            del of[row["version"]]
    return [
        {"student": key[0], "course": key[1], "grade": of[max(of)].get("grade")}
        for key, of in sorted(found.items())
        if of
    ]


def _calendar(plays: list[Row], grain: str, span: tuple[date, date]) -> Iterator[Row]:
    def slot(play: Row) -> tuple[date, str]:
        day: date = play["at"].date()
        back = day.weekday() if grain == "week" else 0
        return day - timedelta(days=back), str(play["course"])

    for (day, course), some in sorted(grouped(plays, slot).items()):
        if span[0] <= day <= span[1]:
            yield {
                "course": course,
                "slot": day,
                "students": len({play["student"] for play in some}),
                "long_plays": sum(play["seconds"] >= _LONG_S for play in some),
                "minutes": round(sum(play["seconds"] for play in some) / 60),
            }


def _progress(plays: list[Row]) -> Iterator[Row]:
    lectures = _lectures()
    grades = {(row["student"], row["course"]): row["grade"] for row in _enrolled()}
    found = grouped(plays, lambda play: (str(play["student"]), str(play["lecture"])))

    def place(item: tuple[tuple[str, str], list[Row]]) -> tuple[str, timedelta]:
        return item[0][0], NOW - max(play["at"] for play in item[1])

    for (student, lecture), some in sorted(found.items(), key=place):
        about = lectures[lecture]
        seconds = sum(play["seconds"] for play in some)
        yield {
            "student": student,
            "title": about["title"],
            "done": round(min(1, seconds / int(about["length_s"])), 2),
            "chapter_count": len({name for play in some for name in play["chapters"]}),
            "mean_speed": round(sum(play["speed"] for play in some) / len(some), 3),
            "grade": grades.get((student, about["course"])),
            "tags": ast.literal_eval(about["tags"]),
        }


def _without(rows: Iterable[Row], name: str) -> list[Row]:
    return [{key: value for key, value in row.items() if key != name} for row in rows]


def _is_for_exam(row: Row, student: str) -> bool:
    return row["student"] == student and {"exam", "proof"} <= set(row["tags"])


def _speeds(plays: list[Row], speeds: list[str]) -> Iterator[Row]:
    for course, some in sorted(grouped(plays, lambda play: str(play["course"])).items()):
        counts = {
            f"at_{speed}": sum(play["speed"] >= float(speed) for play in some) for speed in speeds
        }
        yield {"course": course, **counts}


def _drop_off(plays: list[Row], lecture: str) -> Iterator[Row]:
    enrolled = {row["student"] for row in _enrolled()}
    seen: dict[str, set[str]] = {}
    for play in plays:
        if play["lecture"] == lecture and play["student"] in enrolled:
            for chapter in play["chapters"]:
                seen.setdefault(chapter, set()).add(play["student"])
    counts = [len(students) for _, students in sorted(seen.items())]
    for number, chapter in enumerate(sorted(seen)):
        yield {
            "chapter": chapter,
            "students": counts[number],
            "began": counts[0],
            "share": round(counts[number] / counts[0], 2),
            "change": counts[number] - counts[max(0, number - 1)],
        }


def _scores(since: datetime) -> list[Row]:
    return [
        {
            "lecture": row["lecture"],
            "student": row["student"],
            "score": sum(one["points"] for one in row["detail"]["questions"]),
            "questions": len(row["detail"]["questions"]),
            "mood": row["detail"]["mood"],
        }
        for row in events(PROJECT, "fixtures/quiz_answers.ndjson")
        if at(row["at"]) >= since
    ]


def _best(scores: list[Row], top: int) -> list[Row]:
    ranked = [
        {
            **row,
            "place": 1
            + sum(
                other["score"] > row["score"] and other["lecture"] == row["lecture"]
                for other in scores
            ),
        }
        for row in scores
    ]
    some = [row for row in ranked if row["place"] <= top]
    return sorted(some, key=lambda row: (row["lecture"], row["place"], row["student"]))


def _spread(scores: list[Row], fields: list[str]) -> list[Row]:
    found = grouped(scores, lambda row: tuple(row[field] for field in fields))
    rows = [
        {
            **dict(zip(fields, key, strict=True)),
            "answers": len(some),
            "quartiles": [quantile([row["score"] for row in some], q) for q in (0.25, 0.5, 0.75)],
        }
        for key, some in found.items()
    ]
    return sorted(rows, key=lambda row: (-row["answers"], *(row[field] for field in fields)))


def _inactive(plays: list[Row], days: int, exclude: tuple[str, ...]) -> list[Row]:
    since = NOW.replace(hour=0) - timedelta(days=days)
    seen = {play["student"] for play in plays if play["at"] >= since}
    found = grouped(_enrolled(), lambda row: str(row["student"]))
    return [
        {"student": student, "courses": [row["course"] for row in some]}
        for student, some in sorted(found.items())
        if student not in seen and student not in exclude
    ]


def _rejected() -> list[Row]:
    rows = []
    for event in events(PROJECT, "fixtures/lecture_events.ndjson"):
        wrong = [
            name
            for name, is_wrong in (
                ("at", event["t"] == "yesterday"),
                ("lecture", "lecture" not in event["what"]),
                ("seconds", event["player"]["state"]["seconds"] < 0),
            )
            if is_wrong
        ]
        if wrong:
            named = str(shown(wrong)).replace("'", '"').replace(", ", ",")
            rows.append({"student": event["who"]["id"], "columns": named, "reasons": len(wrong)})
    return sorted(rows, key=lambda row: str(row["student"]))
