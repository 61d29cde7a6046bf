"""What an import costs: a CSV file over HTTP until every row of it is in its table and its view."""

import csv
import io
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.lines import Line
from support.importing import Importing
from support.server import Server

ROWS: Final = 5_000_000
QUICK_ROWS: Final = 500_000
BUDGET: Final = "≥ 150,000 rows/s"
_VIEWS: Final = """SCHEMA >
    id UInt64,
    at DateTime,
    session UUID,
    title String,
    country LowCardinality(String),
    device LowCardinality(String),
    seconds Float64,
    stalls UInt16,
    bitrate_kbps Nullable(UInt32),
    note String

ENGINE MergeTree
ENGINE_PARTITION_KEY toYYYYMM(at)
ENGINE_SORTING_KEY country, at
"""
_BY_COUNTRY: Final = """SCHEMA >
    country LowCardinality(String),
    day Date,
    rows UInt64

ENGINE SummingMergeTree
ENGINE_SORTING_KEY country, day
"""
_FILL: Final = """NODE n
SQL >
    SELECT country, toDate(at) AS day, count() AS rows FROM watched GROUP BY country, day
TYPE materialized
DATASOURCE by_country
"""
FILES: Final = {
    "datasources/watched.datasource": _VIEWS,
    "datasources/by_country.datasource": _BY_COUNTRY,
    "pipes/fill.pipe": _FILL,
}


def blocks(rows: int) -> Iterator[bytes]:
    """Yield a CSV of so many rows; a thousand of them are drawn, each with a number of its own."""
    draw = random.Random(7)
    tails = []
    for number in range(1_000):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow([
            f"2024-{1 + number % 3:02}-{1 + number % 28:02} {number % 24:02}:{number % 60:02}:00",
            f"{draw.getrandbits(32):08x}-5cb3-41e7-907b-a6006ad3dba0", f'Title, "{number % 300}"',
            draw.choice(("DE", "FR", "US", "IN")), draw.choice(("phone", "tv", "desktop")),
            round(draw.expovariate(1 / 600), 3), draw.randrange(9), draw.choice(("", 2500, 4800)),
            "seen to its end" if number % 3 else "",
        ])  # fmt: skip
        tails.append(text.getvalue())
    yield b"id,at,session,title,country,device,seconds,stalls,bitrate_kbps,note\n"
    for first in range(0, rows, 1_000):
        yield "".join(f"{first + n},{tail}" for n, tail in enumerate(tails)).encode()


def imports(folder: Path, *, quick: bool) -> list[Line]:
    """Load one file and watch its job."""
    rows = QUICK_ROWS if quick else ROWS
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "watched.csv"
    with path.open("wb") as file:
        file.writelines(blocks(rows))
    size = path.stat().st_size
    with Server(folder / "data") as server:
        importing = Importing(server)
        importing.build(FILES)
        roles = ("web", "worker", "store")
        before = {role: used_s(server.pid(role)) for role in roles}
        began_s = time.monotonic()
        with path.open("rb") as file:
            answer = importing.post("/v1/datasources/watched/append?format=csv", content=file)
        sent_s = time.monotonic() - began_s
        job, told = answer.json()["id"], set()
        while (found := importing.job(job))["status"] in {"waiting", "working"}:
            told.add(found["progress_percentage"])
            time.sleep(0.1)
        took_s = time.monotonic() - began_s
        used = {role: used_s(server.pid(role)) - before[role] for role in roles}
        there = importing.sql("SELECT count(), uniqExact(id) FROM watched")[0]
        summed = importing.one("SELECT sum(rows) FROM by_country")
    whole = there == [rows, rows] and int(summed) == rows and found["status"] == "done"
    spent = ", ".join(f"{role} {seconds:.1f}" for role, seconds in used.items())
    return [
        Line(
            f"CSV import of {rows:,} rows of 10 columns, {size >> 20} MiB, end to end",
            f"{rows / took_s:,.0f} rows/s ({took_s:.1f} s, the upload {sent_s:.1f} of them)",
            BUDGET,
        ),
        Line("all rows there once, in the table and in its view", "yes" if whole else "NO", "yes"),
        Line("steps of progress told meanwhile", str(len(told)), "> 1"),
        Line(
            "processor seconds", spent, f"{sum(used.values()) / (rows / 1e6):.2f} s a million rows"
        ),
    ]


def used_s(pid: int) -> float:
    """Return the processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
