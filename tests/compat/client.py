"""How the tests call the `tb` client, and the project they call it on."""

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from support.server import Server

WITHIN_S = 120
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

PROJECT = {
    "datasources/plays.datasource": (
        "DESCRIPTION >\n    What players sent.\n\nSCHEMA >\n"
        "    `at` DateTime `json:$.at`,\n"
        "    `title` LowCardinality(String) `json:$.title`,\n"
        "    `seconds` UInt32 `json:$.seconds`\n\n"
        'ENGINE "MergeTree"\nENGINE_SORTING_KEY "title, at"\n'
    ),
    "datasources/titles.datasource": (
        "SCHEMA >\n    `title` String `json:$.title`,\n    `genre` String `json:$.genre`\n\n"
        'ENGINE "MergeTree"\nENGINE_SORTING_KEY "title"\n'
    ),
    "datasources/title_days.datasource": (
        "SCHEMA >\n    `day` Date,\n    `title` LowCardinality(String),\n"
        "    `plays` AggregateFunction(count),\n    `seconds` AggregateFunction(sum, UInt32)\n\n"
        'ENGINE "AggregatingMergeTree"\nENGINE_SORTING_KEY "day, title"\n'
    ),
    "materializations/by_day.pipe": (
        "NODE each\nSQL >\n"
        "    SELECT toDate(at) AS day, title, countState() AS plays, sumState(seconds) AS seconds\n"
        "    FROM plays\n    GROUP BY day, title\n\nTYPE materialized\nDATASOURCE title_days\n"
    ),
    "endpoints/top.pipe": (
        'TOKEN "reader" READ\n\nNODE ranked\nSQL >\n    %\n'
        "    SELECT title, countMerge(plays) AS plays, sumMerge(seconds) AS seconds\n"
        "    FROM title_days\n    WHERE day >= {{ Date(from_day, '2025-01-01') }}\n"
        "    GROUP BY title\n    ORDER BY plays DESC, title\n    LIMIT {{ Int32(most, 10) }}\n\n"
        "TYPE endpoint\n"
    ),
    "endpoints/genres.pipe": (
        "NODE joined\nSQL >\n    %\n"
        "    SELECT genre, count() AS plays, {{ tb_secret('SHOP', 'none') }} AS shop\n"
        "    FROM plays JOIN titles USING title\n    GROUP BY genre\n    ORDER BY genre\n\n"
        "TYPE endpoint\n"
    ),
    "fixtures/plays.ndjson": (
        '{"at":"2025-02-01 10:00:00","title":"aurora","seconds":60}\n'
        '{"at":"2025-02-01 10:05:00","title":"aurora","seconds":30}\n'
        '{"at":"2025-02-02 11:00:00","title":"borealis","seconds":90}\n'
    ),
    "fixtures/titles.csv": "title,genre\naurora,nature\nborealis,drama\n",
    "tests/top.yaml": (
        "- name: all_titles\n  description: Every title\n  parameters: ''\n  expected_result: |\n"
        '    {"title":"aurora","plays":2,"seconds":90}\n'
        '    {"title":"borealis","plays":1,"seconds":90}\n\n'
        "- name: second_day\n  description: Later\n  parameters: from_day=2025-02-02\n"
        '  expected_result: |\n    {"title":"borealis","plays":1,"seconds":90}\n\n'
        "- name: no_day\n  description: Not a day\n  parameters: from_day=today\n"
        "  expected_http_status: 400\n"
        """  expected_result: "Error validating 'today' to type Date of the parameter 'from_day'"\n"""
    ),
    "tests/genres.yaml": (
        "- name: joined\n  description: Both fixtures\n  parameters: ''\n  expected_result: |\n"
        '    {"genre":"drama","plays":1,"shop":"none"}\n'
        '    {"genre":"nature","plays":2,"shop":"none"}\n'
    ),
}


class Said(NamedTuple):
    """What a call of the client came to."""

    code: int
    text: str


class Client:
    """`tb --local` in a project's folder."""

    def __init__(self, program: Path, server: Server, folder: Path) -> None:
        self.program = program
        self.server = server
        self.folder = folder / "project"
        self._home = folder / "home"
        self._home.mkdir()
        write(self.folder, PROJECT)

    def call(self, *words: str, folder: Path | None = None) -> Said:
        """Call it; colours are taken out of what it says."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._home),
            "LANG": "C.UTF-8",
            "TB_LOCAL_HOST": "127.0.0.1",
            "TB_LOCAL_PORT": str(self.server.port),
            "TB_VERSION_WARNING": "0",
            "TB_CLI_TELEMETRY_OPTOUT": "1",
            "NO_PROXY": "127.0.0.1",
        }
        done = subprocess.run(
            [str(self.program), "--local", *words],
            cwd=folder or self.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
        return Said(done.returncode, _COLOURS.sub("", done.stdout))

    def change(self, path: str, old: str, new: str) -> None:
        """Change a file of the project."""
        file = self.folder / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))


def write(folder: Path, files: dict[str, str]) -> None:
    """Write a project's files."""
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
