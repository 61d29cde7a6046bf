"""The table of live numbers that `playhead demo` keeps in the terminal."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import httpx2
import msgspec

TIMEOUT_S = 5.0
MINUTES = 5
SPARK_BUCKETS = 40
TOP = 4
LAST = "Last 30 min"
"""The line that begins what is counted over the last half hour."""
NOTHING = "-"
"""Shown where there is no value."""
_BARS = "▁▂▃▄▅▆▇█"
_METRICS: tuple[tuple[str, str, str], ...] = (
    ("startup_p50", "startup_time", "median"),
    ("startup_p95", "startup_time", "p95"),
    ("rebuffer", "rebuffer_percentage", ""),
    ("start_failures", "startup_failure_percentage", ""),
    ("play_failures", "playback_failure_percentage", ""),
    ("left_early", "exits_before_video_start", ""),
    ("score", "score", ""),
    ("views", "views", ""),
)
"""What is asked of /v1/metrics: name here, metric, measurement (empty = the default)."""


class Group(msgspec.Struct, frozen=True):
    """One CDN or country of the live answer, at the newest bucket."""

    name: str
    concurrent_viewers: int
    rebuffering_percentage: float | None
    bitrate_kbps: float | None


class Numbers(msgspec.Struct, kw_only=True):
    """Everything one refresh shows. None = no such value yet."""

    live: dict[str, Any] = {}
    history: list[int] = []
    """Concurrent viewers of the last buckets, oldest first."""
    metrics: dict[str, float | None] = {}
    cdns: list[Group] = []
    countries: list[Group] = []
    problem: str = ""
    """Why there are no numbers, as a sentence; empty when there are."""


class Answers:
    """Asks a running server for the numbers."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx2.Client(
            base_url=url,
            timeout=TIMEOUT_S,
            trust_env=False,
            headers={"authorization": f"Bearer {token}"},
        )

    def numbers(self) -> Numbers:
        """Return the newest numbers, or the reason why there are none."""
        try:
            rows = self._data("/v1/live", {"minutes": MINUTES})
            newest = rows[-1]["time"] if rows else ""
            return Numbers(
                live=rows[-1] if rows else {},
                history=[row["concurrent_viewers"] for row in rows[-SPARK_BUCKETS:]],
                # Right after it and of the same moment, so that the groups add up to the whole.
                cdns=self._groups("cdn", newest),
                countries=self._groups("country", newest),
                metrics={name: self._metric(metric, how) for name, metric, how in _METRICS},
            )
        except httpx2.HTTPStatusError as error:
            return Numbers(problem=f"The server answered {error.response.status_code}.")
        except (httpx2.HTTPError, msgspec.DecodeError, LookupError, TypeError) as error:
            return Numbers(problem=f"The server gives no numbers: {error or type(error).__name__}.")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _data(self, path: str, params: dict[str, Any]) -> Any:
        answer = self._http.get(path, params=params)
        answer.raise_for_status()
        return msgspec.json.decode(answer.content)["data"]

    def _metric(self, metric: str, measurement: str) -> float | None:
        params = {"from": "-30m"} | ({"measurement": measurement} if measurement else {})
        value: float | None = self._data(f"/v1/metrics/{metric}/overall", params)["value"]
        return value

    def _groups(self, dimension: str, time: str) -> list[Group]:
        params = {"minutes": 1, "group_by": dimension, "limit": TOP}
        rows = self._data("/v1/live", params)
        groups = [
            Group(
                str(row["group"]) or "unknown",
                row["concurrent_viewers"],
                row["rebuffering_percentage"],
                row["bitrate_kbps"],
            )
            for row in rows
            if row["time"] == time and not row.get("other") and row["concurrent_viewers"]
        ]
        return sorted(groups, key=lambda group: -group.concurrent_viewers)


def sparkline(values: list[int]) -> str:
    """Return the values as a line of small bars, from zero to the largest."""
    most = max(values, default=0)
    if most <= 0:
        return ""
    return "".join(_BARS[min(7, value * 8 // (most + 1))] for value in values)


def lines(numbers: Numbers) -> list[tuple[str, str]]:
    """Return what a refresh shows, as (label, value) pairs."""
    if numbers.problem:
        return [("No numbers", numbers.problem)]
    live, metrics = numbers.live, numbers.metrics
    if not (live.get("concurrent_viewers") or metrics.get("views") or numbers.cdns):
        return [("Watching now", "0"), ("", "Waiting for the first viewers ...")]
    startup = f"{_ms(metrics.get('startup_p50'))} median, {_ms(metrics.get('startup_p95'))} p95"
    failures = (
        f"{_percent(metrics.get('start_failures'))} of views at the start,"
        f" {_percent(metrics.get('play_failures'))} later"
    )
    summary = f"{_whole(metrics.get('views'))} views, score {_score(metrics.get('score'))}"
    return [
        ("Watching now", f"{_whole(live.get('concurrent_viewers'))}  {sparkline(numbers.history)}"),
        ("Starting up", _whole(live.get("starting_up"))),
        ("Rebuffering", f"{_percent(live.get('rebuffering_percentage'))} of them"),
        ("Bitrate", _mbps(live.get("bitrate_kbps"))),
        (LAST, summary),
        ("Startup time", startup),
        ("Stalled", f"{_percent(metrics.get('rebuffer'))} of watch time"),
        ("Failures", failures),
        ("Left early", f"{_percent(metrics.get('left_early'))} of views before the first frame"),
        *_group_lines("CDN", numbers.cdns),
        *_group_lines("Country", numbers.countries),
    ]


def _group_lines(label: str, groups: list[Group]) -> Iterator[tuple[str, str]]:
    for group in groups:
        yield (
            f"{label} {group.name}",
            (
                f"{group.concurrent_viewers:>5} watching  {_mbps(group.bitrate_kbps):>12}"
                f"  {_percent(group.rebuffering_percentage):>7} rebuffering"
            ),
        )


def _whole(value: float | None) -> str:
    return NOTHING if value is None else f"{value:,.0f}"


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f} %"


def _ms(value: float | None) -> str:
    return NOTHING if value is None else f"{value / 1_000:.2f} s"


def _mbps(value: float | None) -> str:
    return NOTHING if value is None else f"{value / 1_000:.2f} Mbit/s"


def _score(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f} of 100"


class DemoTable:
    """A live table on a terminal with `rich`; a block of plain lines a refresh anywhere else."""

    def __init__(
        self, url: str, token: str, *, token_file: Path, out: TextIO | None = None
    ) -> None:  # fmt: skip
        self._answers = Answers(url, token)
        self._out = out or sys.stdout
        self._heading = f"{url}   token: {token_file}"
        self._live: Any = None

    def __enter__(self) -> Self:
        """Take the terminal when there is one and `rich` is installed."""
        if self._out.isatty():
            with contextlib.suppress(ImportError):
                from rich.console import Console  # noqa: PLC0415 (an extra, and slow to import)
                from rich.live import Live  # noqa: PLC0415 (the same)

                self._live = Live(console=Console(file=self._out), auto_refresh=False)
                self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the terminal back; what was shown last stays."""
        if self._live is not None:
            self._live.stop()
        self._answers.close()

    def refresh(self) -> None:
        """Ask and show once."""
        self.show(self._answers.numbers())

    def show(self, numbers: Numbers) -> None:
        """Show the numbers."""
        pairs = lines(numbers)
        if self._live is None:
            width = max(len(label) for label, _ in pairs)
            text = "\n".join(f"{label:<{width}}  {value}" for label, value in pairs)
            self._out.write(f"{self._heading}\n{text}\n\n")
            self._out.flush()
            return
        from rich.table import Table  # noqa: PLC0415 (an extra, and slow to import)

        table = Table.grid(padding=(0, 3, 0, 1))
        table.title, table.title_justify, table.title_style = self._heading, "left", "bold"
        table.add_column(style="bold", no_wrap=True)
        table.add_column()
        section = "now"
        for label, value in pairs:
            begun = next((s for s in (LAST, "CDN", "Country") if label.startswith(s)), section)
            if begun != section:
                table.add_row()
                section = begun
            table.add_row(label, value)
        self._live.update(table, refresh=True)
