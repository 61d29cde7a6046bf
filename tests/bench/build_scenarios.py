"""What a build costs: a large project built, and built again without a change."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from bench.lines import Line

SOURCES: Final = 50
PIPES: Final = 150
_SOURCE: Final = """SCHEMA >
    at DateTime64(3) `json:$.at`,
    title String `json:$.title`,
    country LowCardinality(String) `json:$.country` DEFAULT '',
    seconds UInt32 `json:$.seconds` DEFAULT 0,
    tags Array(String) `json:$.tags[:]`

ENGINE "MergeTree"
ENGINE_PARTITION_KEY "toYYYYMM(at)"
ENGINE_SORTING_KEY "title, at"
"""
_PIPE: Final = """NODE chosen
SQL >
    %
    SELECT title, country, seconds FROM {source} WHERE 1
    {{% if defined(country) %}} AND country = {{{{String(country)}}}} {{% end %}}

NODE summed
SQL >
    %
    SELECT title, sum(seconds) AS seconds, count() AS plays FROM chosen
    GROUP BY title ORDER BY seconds DESC LIMIT {{{{Int32(page_size, 20)}}}}

TYPE endpoint
"""


def build(folder: Path, *, quick: bool) -> list[Line]:
    """A project of fifty data sources and a hundred and fifty pipes."""
    sources, pipes = (5, 15) if quick else (SOURCES, PIPES)
    project = folder / "files"
    project.mkdir(parents=True)
    for number in range(sources):
        (project / f"plays_{number}.datasource").write_text(_SOURCE, "utf-8")
    for number in range(pipes):
        text = _PIPE.format(source=f"plays_{number % sources}")
        (project / f"top_{number}.pipe").write_text(text, "utf-8")
    first_s, again_s = (_built_s(project, folder / "data") for _ in range(2))
    what = f"{sources} data sources and {pipes} pipes"
    return [
        Line(f"{what} built, a store started for it", f"{first_s:.1f} s", "≤ 20 s"),
        Line("the same again, unchanged", f"{again_s:.1f} s", "≤ 2 s"),
    ]


def _built_s(project: Path, data: Path) -> float:
    command = [sys.executable, "-m", "playhead", "build"]
    command += ["--project", str(project), "--data", str(data)]
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return time.monotonic() - began
