"""The report over HTTP and from the command line, of events a player sent."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.server import Server

TITLE = "<script>Cup</script> \u202efinal"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("report") / "playhead-data") as running:
        now = int(time.time() * 1000)
        for number in range(3):
            start = now - 60_000
            plain = {"viewId": f"v{number}", "sessionId": "s", "viewerId": f"u{number % 2}",
                     "videoId": "cup", "videoTitle": TITLE, "sentAt": now}  # fmt: skip
            running.send([
                plain | {"eventType": kind, "timestamp": start + after, "seq": seq, "playhead": after}
                for seq, (kind, after) in enumerate(
                    (("PLAY", 0), ("PLAYING", 700), ("ENDED", 30_700))
                )
            ])  # fmt: skip
        running.wait_until_stored()
        yield running


def command(server: Server, *given: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "playhead", "report", "--url", server.url, *given],
        cwd=server.data.parent, capture_output=True, text=True, check=False, timeout=60,
        env=os.environ | {"COLUMNS": "80"} | env,
    )  # fmt: skip


def test_the_eight_kpis_are_in_one_answer(server: Server) -> None:
    kpis = {kpi["id"]: kpi for kpi in server.get("/v1/report")["data"]["kpis"]}
    assert list(kpis) == [
        "views", "unique_views", "session_duration", "startup_time", "buffering", "geography",
        "devices", "cdn",
    ]  # fmt: skip
    heads = [kpis[one]["values"][0]["value"] for one in ("views", "unique_views", "startup_time")]
    assert heads == [3, 2, 700]


def test_the_terminal_shows_it_without_colours_when_piped(server: Server) -> None:
    done = command(server)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert all(
        name in done.stdout for name in ("Unique viewers", "Session duration", "CDN quality")
    )


def test_a_hostile_title_cannot_turn_the_terminal_s_text(server: Server) -> None:
    out = command(server).stdout
    assert "\u202e" not in out
    assert "<script>Cup</script>" in out


def test_the_page_is_written_to_a_file(server: Server, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    done = command(server, "--html", str(page), "--from", "-1h")
    assert done.returncode == 0, done.stderr
    text = page.read_text("utf-8")
    assert "<script" not in text
    assert text.startswith("<!doctype html>")


def test_a_token_may_come_from_the_environment(server: Server) -> None:
    done = command(server, "--json", "--token-env", "MINE", MINE=server.token)
    assert done.returncode == 0, done.stderr
    assert '"kpis"' in done.stdout


@pytest.mark.parametrize(
    ("given", "said"),
    [(("--filter", "nothing:1"), "answered 400"), (("--from", "soon"), "cannot be read as a time")],
)
def test_what_the_server_refuses_is_said(server: Server, given: tuple[str, ...], said: str) -> None:
    done = command(server, *given)
    assert done.returncode == 1
    assert said in done.stderr


def test_nothing_watched_is_a_sentence(server: Server) -> None:
    done = command(server, "--filter", "country:ZZ")
    assert "Nobody watched in this time" in done.stdout
