"""The tutorial of projects, run from its first line to its last, as a reader would."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from support.pages import DOCS, ROOT, blocks, text_of
from support.server import Server

PAGE = DOCS / "tutorial-project.md"
PORT = "127.0.0.1:8700"
WHOLE_S = 60
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SERVES = "playhead up"
LIVE_WITHIN_S = 20.0


class Step(NamedTuple):
    """A block of shell, and what the page says it prints."""

    shell: str
    promised: str | None


def steps() -> list[Step]:
    found: list[Step] = []
    for language, text in FENCE.findall(text_of(PAGE)):
        if language == "sh":
            found.append(Step(text, None))
        else:
            found[-1] = Step(found[-1].shell, text)
    return [step for step in found if SERVES not in step.shell]


class Reader:
    """A terminal: its folder and its variables last from one block to the next."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._folder = server.data.parent
        self._kept = server.data.parent / "terminal"
        self._kept.write_text("")

    def type(self, text: str) -> str:
        """Run a block; return what it prints, folders of this machine written as on the page."""
        text = text.replace(PORT, f"127.0.0.1:{self._server.port}")
        keep = f'{{ declare -p token 2>/dev/null || true; echo "cd $PWD"; }} >{self._kept}'
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"source {self._kept}\n{text}\n{keep}"],
            cwd=self._folder, env=environment(), capture_output=True, text=True, check=False,
            timeout=WHOLE_S,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.replace(str(self._server.data), "…/playhead-data")


def environment() -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PLAYHEAD_")}
    return {**env, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"}


class Tour(NamedTuple):
    """What each step printed, and how long all of them took."""

    printed: list[str]
    lasted_s: float


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    with Server(tmp_path_factory.mktemp("club") / "playhead-data") as server:
        reader = Reader(server)
        began = time.monotonic()
        printed = []
        for step in steps():
            printed.append(reader.type(step.shell))
            if "playhead build" in step.shell:
                wait_until_live(server, "favourites")
        yield Tour(printed, time.monotonic() - began)


def wait_until_live(server: Server, endpoint: str) -> None:
    """Wait as long as a reader takes to type the next line."""
    address = f"{server.url}/v0/pipes/{endpoint}.json"
    until = time.monotonic() + LIVE_WITHIN_S
    while time.monotonic() < until:
        answer = server.http.get(address, headers={"Authorization": f"Bearer {server.token}"})
        if answer.status_code == 200:
            return
        time.sleep(0.05)


@pytest.mark.parametrize(
    "number", [number for number, step in enumerate(steps()) if step.promised is not None]
)
def test_a_step_prints_what_the_page_says(tour: Tour, number: int) -> None:
    assert len(tour.printed) == len(steps())
    promised, printed = steps()[number].promised or "", tour.printed[number]
    if promised.startswith("{\n"):
        # Of an object the page shows some members.
        assert json.loads(promised).items() <= json.loads(printed).items()
    else:
        assert filled(printed) == filled(promised)


def filled(text: str) -> list[str]:
    """The lines that hold something: a template leaves blank ones where an `if` stood."""
    return [line for line in text.rstrip("\n").split("\n") if line.strip()]


def test_the_tour_goes_from_nothing_to_an_answer_within_a_minute(tour: Tour) -> None:
    assert "3 passed, 0 failed\n" in [step.promised for step in steps()]
    assert tour.lasted_s < WHOLE_S


def test_what_the_page_promises_of_both_tables_comes(tour: Tour) -> None:
    assert "playhead.views" in steps()[-1].shell
    assert tour.printed[-1].strip() == '{"watched":5,"views":0}'


def test_the_readme_s_endpoint_answers_while_the_demo_runs(tmp_path: Path) -> None:
    (text,) = [text for text in blocks(ROOT / "README.md", "sh") if "/v0/pipes/" in text]
    env = {"PLAYHEAD_PIPES__DEFAULT_PROJECT": "true"}
    with Server(tmp_path / "demo-data", env=env) as server:
        wait_until_live(server, "video_performance_by_cdn")
        text = text.replace("demo-data", str(server.data)).replace(PORT, f"127.0.0.1:{server.port}")
        text = text.replace(".venv/bin/playhead", "playhead").replace("curl", "sleep 1; curl -s")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=ROOT, env=environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith('"')]
    assert rows[0].startswith('"cdn","quality_level","view_count"')
    assert len(rows) == 4
