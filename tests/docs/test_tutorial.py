"""The shell of the pages runs, on a real server, and gives what the pages promise."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.pages import DOCS, ROOT, blocks
from support.server import Server

PORT = "127.0.0.1:8700"
FOLDERS = ("playhead-data", "demo-data")
MINUTE_S = 60
pytestmark = pytest.mark.xdist_group("tutorial")  # one server for all of them


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("tutorial") / "playhead-data") as running:
        yield running


def shell(server: Server, text: str) -> str:
    """Run a block as a reader in the data folder's parent would; return what it prints."""
    text = text.replace(PORT, f"127.0.0.1:{server.port}").replace("curl ", "curl --fail-with-body ")
    for folder in FOLDERS:
        text = text.replace(f"{folder}/", f"{server.data}/")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=server.data.parent, capture_output=True, text=True, check=False, timeout=MINUTE_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def curls(page: Path) -> list[str]:
    return [text for text in blocks(page, "sh") if "curl" in text]


@pytest.fixture(scope="module")
def sent(server: Server) -> str:
    """The tutorial's batch, sent; what the door said."""
    answer = shell(server, curls(DOCS / "tutorial.md")[0])
    server.wait_until_stored()
    return answer


def test_the_batch_is_answered_as_promised(sent: str) -> None:
    assert json.loads(sent) == json.loads(blocks(DOCS / "tutorial.md", "json")[0])


def test_the_view_has_the_promised_numbers(server: Server, sent: str) -> None:
    view = json.loads(shell(server, curls(DOCS / "tutorial.md")[1]))["data"]
    promised = json.loads(blocks(DOCS / "tutorial.md", "json")[1])
    assert (promised["startup_ms"], promised["rebuffer_count"], promised["rebuffer_ms"]) == (
        700, 1, 1500,
    )  # fmt: skip
    assert {name: view[name] for name in promised} == promised
    states = [one["state"] for one in view["intervals"]]
    assert states == ["starting", "playing", "rebuffering", "playing"]


def test_the_metric_has_the_promised_value(server: Server, sent: str) -> None:
    answer = shell(server, token(server) + curls(DOCS / "tutorial.md")[2])
    promised = json.loads(blocks(DOCS / "tutorial.md", "json")[2])["data"]
    assert json.loads(answer)["data"] == promised


@pytest.mark.parametrize("number", range(3, len(curls(DOCS / "tutorial.md"))))
def test_the_rest_of_the_tutorial_answers(server: Server, sent: str, number: int) -> None:
    answer = shell(server, token(server) + curls(DOCS / "tutorial.md")[number])
    assert json.loads(answer)["data"]


def test_sent_again_it_counts_once(server: Server, sent: str) -> None:
    before = server.wait_until_stored()["events"]["duplicates"]
    batch = [{"eventType": "PLAY", "timestamp": 1, "sentAt": 1, "viewId": "twice", "seq": 0}]
    for _ in range(2):
        assert server.send(batch).json()["accepted"] == 1
    assert server.wait_until_stored()["events"]["duplicates"] == before + 1


@pytest.mark.parametrize("text", [t for t in curls(ROOT / "README.md") if "/telemetry" in t])
def test_the_readme_from_an_event_to_its_view(server: Server, text: str) -> None:
    send, ask = text.split("\n\n")
    assert json.loads(shell(server, send)) == {"ok": True, "accepted": 1, "rejected": []}
    server.wait_until_stored()
    assert json.loads(shell(server, ask))["data"]["video_id"] == "my-film"


@pytest.mark.parametrize("text", curls(DOCS / "reference" / "http.md"))
def test_every_example_of_the_reference_answers(server: Server, sent: str, text: str) -> None:
    server.wait_until_stored()  # of what an example before this one sent
    assert shell(server, token(server) + text).strip()


@pytest.mark.parametrize("text", blocks(DOCS / "how-to" / "read-metrics.md", "sh")[1:])
def test_every_question_of_the_guide_answers(server: Server, sent: str, text: str) -> None:
    asking = blocks(DOCS / "how-to" / "read-metrics.md", "sh")[0]
    assert shell(server, asking + text).strip()


@pytest.mark.parametrize(
    "name",
    [
        "cmcd",
        "cdn-logs",
        "quarantine",
        "bots-and-internal",
        "report",
        "live",
        "endpoints",
        "alerts",
    ],
)
def test_every_call_of_a_door_s_guide_answers(server: Server, name: str) -> None:
    for text in curls(DOCS / "how-to" / f"{name}.md"):
        server.wait_until_stored()
        assert shell(server, text).strip()


@pytest.mark.parametrize("name", ["explain-a-view", "export", "retention", "insights"])
def test_every_call_about_the_tutorial_s_view_answers(server: Server, sent: str, name: str) -> None:
    for text in curls(DOCS / "how-to" / f"{name}.md"):
        assert shell(server, text).strip() or "-o " in text


def token(server: Server) -> str:
    return f"token={server.token}\n"
