"""The app on 3 November, from its fixtures; answers as the Classic command prints them."""

import ast
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise

from conformance.truth.rows import Row, at, cells, csv_text, events, grouped, lines, table

PROJECT = "ott_app"
NOW = at("2025-11-03 08:00:00")
_FIXTURES = "datasources/fixtures"


def answers() -> dict[tuple[str, str], str]:
    """Return what the commands of each test file must print."""
    plays = list(_plays())
    kpis = list(_kpis(plays))
    last = _ranked(plays, {"food", "crime"})
    every = _ranked(plays, set())
    return {
        ("kpis", "kpis"): csv_text(kpis) + csv_text(_kpis(plays, {"t1", "t3"})),
        ("trend", "trend"): csv_text(_trend(kpis, date(2025, 10, 29), date(2025, 11, 3))),
        ("months", "months"): table(_months(plays)) + csv_text(_months(plays)[-1:]),
        ("top_titles", "top_titles"): csv_text(every[:3])
        + csv_text(every[2:4])
        + csv_text(last[:3]),
        ("genres", "genres"): csv_text(_genres(plays)),
        ("continue_watching", "continue_watching"): "\n".join(
            (lines(_continued(plays, 1, 0)), lines(_continued(plays, 2, 3)))
        ),
        ("search_titles", "search_titles"): csv_text(_found("salt")) + csv_text(_found("100%")),
        ("device_share", "device_share"): csv_text(_families(plays)),
        ("start_page", "start_page"): csv_text(_variants(plays, ""))
        + csv_text(_variants(plays, "family")),
        ("retention", "retention"): csv_text(_retention()),
        ("profiles", "profiles"): table(_profiles()),
    }


def _plays() -> Iterator[Row]:
    for event in _events():
        if event["action"] == "play":
            watched = event.get("watched", {})
            yield {
                "ts": at(event["ts"]),
                "profile_id": event["profile"]["id"],
                "title_id": event["title_id"],
                "seconds": watched.get("seconds", 0),
                "position_s": watched.get("position"),
                "device": event.get("device", {}).get("model", "unknown"),
            }


def _events() -> list[Row]:
    return events(PROJECT, f"{_FIXTURES}/app_events.ndjson")


def _catalog() -> dict[str, Row]:
    names = ("title_id", "name", "genres", "length_s", "release")
    rows = cells(PROJECT, f"{_FIXTURES}/catalog.csv", *names)
    found = {}
    for row in sorted(rows, key=lambda row: int(row["release"])):
        genres = ast.literal_eval(row["genres"])
        found[row["title_id"]] = {**row, "genres": genres, "length_s": int(row["length_s"])}
    return found


def _profiles() -> list[Row]:
    rows = cells(PROJECT, f"{_FIXTURES}/profiles.csv", "profile_id", "since", "plan", "sign")
    found = grouped(rows, lambda row: (int(row["profile_id"]), row["since"], row["plan"]))
    return [
        {"profile_id": key[0], "plan": key[2], "since": date.fromisoformat(key[1])}
        for key, some in sorted(found.items())
        if sum(int(row["sign"]) for row in some) > 0
    ]


def _kpis(plays: list[Row], titles: Iterable[str] = ()) -> Iterator[Row]:
    days = grouped(plays, lambda play: play["ts"].date())
    for day in sorted(days):
        some = [play for play in days[day] if not titles or play["title_id"] in titles]
        if date(2025, 10, 27) <= day <= date(2025, 11, 2) and some:
            yield {
                "day": day,
                "profiles": len({play["profile_id"] for play in some}),
                "plays": len(some),
                "hours": round(sum(play["seconds"] for play in some) / 3600, 2),
            }


def _trend(kpis: list[Row], first: date, last: date) -> Iterator[Row]:
    hours = {row["day"]: row["hours"] for row in kpis}
    so_far = 0.0
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        so_far += hours.get(day, 0)
        yield {"day": day, "hours": hours.get(day, 0), "so_far": round(so_far, 2)}


def _months(plays: list[Row]) -> list[Row]:
    found = grouped(plays, lambda play: play["ts"].strftime("%Y-%m"))
    return [
        {
            "month": month,
            "profiles": len({play["profile_id"] for play in some}),
            "seconds": sum(play["seconds"] for play in some),
        }
        for month, some in sorted(found.items())
    ]


def _ranked(plays: list[Row], genres: set[str]) -> list[Row]:
    catalog = _catalog()
    found = grouped(
        (play for play in plays if play["seconds"] >= 60), lambda play: play["title_id"]
    )
    rows = [
        {
            "title_id": title,
            "name": catalog[title]["name"],
            "profiles": len({play["profile_id"] for play in some}),
            "seconds": sum(play["seconds"] for play in some),
        }
        for title, some in found.items()
        if not genres or genres & set(catalog[title]["genres"])
    ]
    rows.sort(key=lambda row: (-row["seconds"], row["title_id"]))
    return [
        {
            "place": place,
            **row,
            "share_watched": round(
                row["seconds"] / row["profiles"] / catalog[row["title_id"]]["length_s"], 3
            ),
        }
        for place, row in enumerate(rows, 1)
    ]


def _genres(plays: list[Row]) -> list[Row]:
    catalog = _catalog()
    seconds: dict[str, list[int]] = {}
    for play in plays:
        if play["seconds"] >= 1:
            for genre in catalog[play["title_id"]]["genres"]:
                seconds.setdefault(genre, []).append(play["seconds"])
    return [
        {"genre": genre, "plays": len(some), "median_s": sorted(some)[len(some) // 2]}
        for genre, some in sorted(seconds.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def _continued(plays: list[Row], each: int, profile: int) -> Iterator[Row]:
    catalog = _catalog()
    some = [
        play
        for play in plays
        if play["seconds"] >= 1
        and play["position_s"] is not None
        and catalog[play["title_id"]]["length_s"] > 600
        and (not profile or play["profile_id"] == profile)
    ]
    found = grouped(sorted(some, key=lambda play: play["ts"], reverse=True), _profile)
    for profile_id in sorted(found):
        for play in found[profile_id][:each]:
            yield {
                "profile_id": profile_id,
                "title_id": play["title_id"],
                "last_at": play["ts"],
                "position_s": play["position_s"],
            }


def _profile(play: Row) -> int:
    return int(play["profile_id"])


def _found(part: str) -> list[Row]:
    rows = [row for row in _catalog().values() if part in row["name"].lower()]
    names = ("title_id", "name", "length_s")
    return [
        {name: row[name] for name in names} for row in sorted(rows, key=lambda row: row["name"])
    ]


def _families(plays: list[Row]) -> list[Row]:
    devices = events(PROJECT, f"{_FIXTURES}/devices.ndjson")
    families = {one["model"]: one["family"] for one in devices}
    some = [play for play in plays if play["seconds"] >= 1]
    every = sum(play["seconds"] for play in some)
    found = grouped(some, lambda play: families.get(play["device"], "other"))
    rows = [
        {"family": family, "watched_s": sum(play["seconds"] for play in one)}
        for family, one in found.items()
    ]
    return [
        {**row, "percent": round(100 * row["watched_s"] / every, 1)}
        for row in sorted(rows, key=lambda row: -row["watched_s"])
    ]


def _variants(plays: list[Row], plan: str) -> list[Row]:
    since = NOW.replace(hour=0) - timedelta(days=7)
    here = {row["profile_id"] for row in _profiles() if not plan or row["plan"] == plan}
    rows = [
        {
            "variant": "rows" if profile % 3 == 1 else "tiles",
            "seconds": sum(
                play["seconds"]
                for play in plays
                if play["profile_id"] == profile and play["ts"] >= since
            ),
        }
        for profile in range(1, 7)
        if profile in here
    ]
    return [
        {"variant": name, "profiles": len(some), "seconds": sum(row["seconds"] for row in some)}
        for name, some in sorted(grouped(rows, lambda row: str(row["variant"])).items())
    ]


def _retention() -> Iterator[Row]:
    known = {row["profile_id"]: row for row in _profiles()}
    days: dict[int, set[date]] = {}
    for event in _events():
        days.setdefault(event["profile"]["id"], set()).add(at(event["ts"]).date())
    for profile, some in sorted(days.items()):
        ordered = sorted(some)
        one = known.get(profile, {"plan": "", "since": date(1970, 1, 1)})
        gaps = [(after - before).days for before, after in pairwise(ordered)]
        yield {
            "profile_id": profile,
            "plan": one["plan"],
            "days": len(ordered),
            "longest_gap": max(gaps, default=0),
            "age_days": (ordered[-1] - one["since"]).days,
        }
