"""The live event at half past nine, from its fixtures."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from conformance.truth.rows import Row, at, cells, events, grouped, lines, quantile

PROJECT = "live_event"
NOW = at("2026-05-16 21:30:00")
KEPT = timedelta(hours=6)


def answers() -> dict[tuple[str, str], str]:
    """Return what each case of each test file must answer."""
    beats = list(_beats())
    recent = [one for one in beats if one["at"] > NOW - KEPT]
    hour = [one for one in recent if one["at"] > NOW - timedelta(minutes=60)]
    half = [one for one in recent if one["at"] > NOW - timedelta(minutes=30)]
    by_cdn = list(_by_cdn(beats))
    main = [one for one in by_cdn if one["stream"] == "final-main"]
    sessions = list(_sessions(beats))
    some = [one for one in sessions if one["country"] in ("BR", "ZZ")]
    names = ("session", "country", "length_s", "cdn")
    listed = [{name: one[name] for name in names} for one in sessions]
    return {
        ("viewers_by_minute", "ten_minutes"): lines(_minutes(beats, "final-main", 10)),
        ("viewers_by_minute", "other_stream"): lines(_minutes(beats, "final-cam2", 4)),
        ("stream_by_cdn", "widest_first"): lines(_sorted(by_cdn, "viewers", down=True)),
        ("stream_by_cdn", "one_stream"): lines(_sorted(main, "beats", down=False)),
        ("event_summary", "both_streams"): lines(_summary(by_cdn)),
        ("event_summary", "parameters_go_through"): lines(_summary(main)),
        ("session_list", "first_page"): lines(listed[:5]),
        ("session_list", "second_page"): lines(listed[4:8]),
        ("session_list", "fields_and_countries"): lines(
            {name: one[name] for name in ("session", "beats", "stalled_ms", "cdn_count")}
            for one in some
        ),
        ("session_list", "long_ones"): lines(
            {"session": one["session"]} for one in sessions if one["beats"] >= 7
        ),
        ("languages", "last_hour"): lines(_languages(hour)),
        ("languages", "some_countries"): lines(
            _languages([one for one in half if one["country"] in ("DE", "FR")])[:2]
        ),
        ("bitrate_drops", "last_hour"): lines(_drops(hour)),
        ("bitrate_drops", "one_stream"): lines(
            _drops([one for one in half if one["stream"] == "final-cam2"])
        ),
        ("loudest_countries", "two_a_stream"): lines(_countries(hour, 2)),
        ("loudest_countries", "one_a_stream"): lines(_countries(recent, 1)),
        ("hours", "today"): lines(_hours(beats)),
        ("hours", "between"): lines(one for one in _hours(beats) if one["hour"].hour < 20),
        ("ad_revenue", "ten_minute_slots"): lines(_revenue("final-main", by_campaign=False)),
        ("ad_revenue", "campaigns"): lines(_revenue("final-cam2", by_campaign=True)),
    }


def _beats() -> Iterator[Row]:
    for event in events(PROJECT, "fixtures/player_beats.ndjson"):
        session, delivery = event["session"], event["delivery"]
        if session["id"]:
            yield {
                "at": at(event["at"]),
                "session": session["id"],
                "viewer": session["viewer"]["id"],
                "country": session["viewer"].get("country", "ZZ"),
                "stream": event["stream"],
                "cdn": delivery["cdn"],
                "kbps": delivery["bitrate_kbps"],
                "stalled_ms": delivery.get("stalled_ms", 0),
                "languages": [one["lang"] for one in event["tracks"]],
            }


def _minute(one: Row) -> datetime:
    moment: datetime = one["at"]
    return moment.replace(second=0, microsecond=0)


def _minutes(beats: list[Row], stream: str, count: int) -> Iterator[Row]:
    found = grouped((one for one in beats if one["stream"] == stream), _minute)
    for back in range(count - 1, -1, -1):
        rows = found.get(NOW - timedelta(minutes=back), [])
        yield {
            "minute": NOW - timedelta(minutes=back),
            "viewers": len({one["viewer"] for one in rows}),
            "stalls": sum(one["stalled_ms"] > 0 for one in rows),
        }


def _by_cdn(beats: list[Row]) -> Iterator[Row]:
    prices = cells(PROJECT, "fixtures/cdn_prices.csv", "cdn", "cents", "region")
    cents = {one["cdn"]: float(one["cents"]) for one in prices}
    for (stream, cdn), rows in grouped(beats, lambda one: (one["stream"], one["cdn"])).items():
        rates = [one["kbps"] for one in rows]
        yield {
            "stream": stream,
            "cdn": cdn,
            "viewers": len({one["viewer"] for one in rows}),
            "beats": len(rows),
            "stalled_ms": sum(one["stalled_ms"] for one in rows),
            "bitrate_p50": quantile(rates, 0.5),
            "bitrate_p90": round(quantile(rates, 0.9), 1),
            "cents_per_gb": cents[cdn],
        }


def _sorted(rows: list[Row], name: str, *, down: bool) -> list[Row]:
    sign = -1 if down else 1
    return sorted(rows, key=lambda one: (sign * one[name], one["stream"], one["cdn"]))


def _summary(by_cdn: list[Row]) -> Iterator[Row]:
    titles = {}
    for row in sorted(
        events(PROJECT, "fixtures/streams.ndjson"), key=lambda row: row["updated_at"]
    ):
        titles[row["stream"]] = "" if row.get("called_off") else row["title"]
    for stream, rows in sorted(grouped(by_cdn, lambda one: str(one["stream"])).items()):
        beats = sum(one["beats"] for one in rows)
        yield {
            "event": "Harbour Cup",
            "stream": stream,
            "title": titles[stream],
            "beats": beats,
            "stalled_ms_a_beat": round(sum(one["stalled_ms"] for one in rows) / beats, 2),
            "widest_cdn": max(rows, key=lambda one: int(one["viewers"]))["cdn"],
            "state": "listed" if titles[stream] else "unlisted",
        }


def _sessions(beats: list[Row]) -> Iterator[Row]:
    found = grouped(sorted(beats, key=lambda one: one["at"]), lambda one: str(one["session"]))
    for session, rows in sorted(found.items(), key=lambda item: (item[1][0]["at"], item[0])):
        first, last = (rows[at]["at"].replace(microsecond=0) for at in (0, -1))
        yield {
            "session": session,
            "country": rows[0]["country"],
            "length_s": round((last - first).total_seconds()),
            "cdn": rows[-1]["cdn"],
            "beats": len(rows),
            "stalled_ms": sum(one["stalled_ms"] for one in rows),
            "cdn_count": len({one["cdn"] for one in rows}),
        }


def _languages(beats: list[Row]) -> list[Row]:
    spoken = [
        {"language": name, "viewer": one["viewer"]} for one in beats for name in one["languages"]
    ]
    rows = [
        {"language": name, "viewers": len({one["viewer"] for one in some}), "beats": len(some)}
        for name, some in grouped(spoken, lambda one: one["language"]).items()
    ]
    return sorted(rows, key=lambda row: (-row["viewers"], row["language"]))


def _drops(beats: list[Row]) -> list[Row]:
    rows = []
    for session, some in grouped(
        sorted(beats, key=lambda one: one["at"]), lambda one: one["session"]
    ).items():
        for number, (before, one) in enumerate(pairwise(some), 2):
            if one["kbps"] * 2 <= before["kbps"]:
                pair = (moment["at"].replace(microsecond=0) for moment in (before, one))
                started, ended = pair
                rows.append(
                    {
                        "session": session,
                        "at": one["at"].isoformat(sep=" ", timespec="milliseconds"),
                        "bitrate_kbps": one["kbps"],
                        "before_kbps": before["kbps"],
                        "after_s": round((ended - started).total_seconds()),
                        "beat": number,
                    }
                )
    return sorted(rows, key=lambda row: (row["at"], row["session"]))


def _countries(beats: list[Row], each: int) -> Iterator[Row]:
    for stream, rows in sorted(grouped(beats, lambda one: str(one["stream"])).items()):
        counts = Counter(one["country"] for one in rows)
        for country, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:each]:
            rates = [one["kbps"] for one in rows if one["country"] == country]
            yield {
                "stream": stream,
                "country": country,
                "beats": count,
                "bitrate_kbps": round(sum(rates) / count),
            }


def _hours(beats: list[Row]) -> list[Row]:
    found = grouped(beats, lambda one: _minute(one).replace(minute=0))
    return [
        {
            "hour": hour,
            "viewers": len({one["viewer"] for one in rows}),
            "beats": len(rows),
            "stalled_ms": sum(one["stalled_ms"] for one in rows),
        }
        for hour, rows in sorted(found.items())
    ]


def _revenue(stream: str, *, by_campaign: bool) -> Iterator[Row]:
    names = ("minute", "stream", "campaign", "shown", "skipped", "cents")
    breaks = cells(PROJECT, "fixtures/ad_breaks.csv", *names)

    def slot(row: Row) -> str:
        ten = f"{row['minute'][:15]}0:00"
        return str(row["campaign"]) if by_campaign else ten

    for name, rows in sorted(grouped(breaks, slot).items()):
        some = [row for row in rows if row["stream"] == stream]
        shown, skipped, cents = (
            sum(int(row[key]) for row in some) for key in ("shown", "skipped", "cents")
        )
        if some:
            yield {
                "slot": name,
                "shown": shown,
                "skipped_percent": round(100 * skipped / shown, 1),
                "revenue": cents / 100,
            }
