"""`playhead send`: one test event, or a file of events, and what the server says of each."""

import random
import sys
from pathlib import Path
from typing import Any, NoReturn

import click
import httpx2
import msgspec

from playhead.clock import SystemClock
from playhead.simulate.sdk import uuid7

BATCH_EVENTS = 500
TIMEOUT_S = 15.0
SHOWN_EVENTS = 20


@click.command(name="send")
@click.option(
    "--url",
    metavar="URL",
    default="http://127.0.0.1:8700",
    show_default=True,
    help="The server.",
)
@click.option("--key", metavar="KEY", help="A write key, where the server asks for one.")
@click.option(
    "--file",
    "file",
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Events as JSON or one JSON object a line; '-' reads standard input.",
)
@click.option(
    "--video",
    metavar="ID",
    default="test-video",
    show_default=True,
    help="videoId of the test event.",
)
@click.option(
    "--viewer",
    metavar="ID",
    default="test-viewer",
    show_default=True,
    help="viewerId of the test event.",
)
@click.option(
    "--type",
    "event_type",
    metavar="TYPE",
    default="PLAY",
    show_default=True,
    help="eventType of the test event.",
)
def command(
    *, url: str, key: str | None, file: Path | None, video: str, viewer: str, event_type: str
) -> None:
    """Send a test event, or a file of events, and print what the server says of each.

    The test event opens a view that goes silent after half a minute. Exits with 1 when
    anything was refused.
    """
    url = (url if "://" in url else f"http://{url}").rstrip("/")
    events = _read(file) if file is not None else [_test_event(video, viewer, event_type)]
    refused = 0
    with httpx2.Client(timeout=TIMEOUT_S, trust_env=False) as client:
        for first in range(0, len(events), BATCH_EVENTS):
            batch = events[first : first + BATCH_EVENTS]
            told = _post(client, url, key, batch)
            refused += _report(batch, told, first)
    if len(events) > SHOWN_EVENTS:
        click.echo(f"(shown: the first {SHOWN_EVENTS}, and all that were refused)")
    word = "event" if len(events) == 1 else "events"
    click.echo(f"{len(events) - refused} of {len(events)} {word} accepted by {url}.")
    if refused < len(events):
        _where_next(url, events)
    sys.exit(1 if refused else 0)


def _test_event(video: str, viewer: str, event_type: str) -> dict[str, Any]:
    now_ms = SystemClock().now_ms()
    return {
        "eventType": event_type, "timestamp": now_ms, "sentAt": now_ms, "seq": 0,
        "monotonicMs": 0, "viewId": uuid7(random.SystemRandom(), now_ms),
        "sessionId": f"send-{now_ms}", "viewerId": viewer, "videoId": video,
        "playerName": "playhead send",
    }  # fmt: skip


def _read(file: Path) -> list[Any]:
    """Return the events of a file: a JSON array, one object, or an object a line."""
    try:
        text = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        _stop(f"The file {file} cannot be read: {error.strerror}.")
    try:
        found = msgspec.json.decode(text)
        events = found if isinstance(found, list) else [found]
    except msgspec.DecodeError:
        events = []
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                events.append(_line(file, number, line))
    if not events:
        _stop(f"There are no events in {file}.")
    return events


def _line(file: Path, number: int, line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        _stop(f"Line {number} of {file} is no JSON: {error}. Nothing of the file was sent.")


def _post(
    client: httpx2.Client, url: str, key: str | None, batch: list[Any]
) -> dict[str, Any]:  # fmt: skip
    headers = {"content-type": "application/json"}
    if key:
        headers["authorization"] = f"Bearer {key}"
    try:
        answer = client.post(
            f"{url}/telemetry", content=msgspec.json.encode(batch), headers=headers
        )
    except httpx2.ConnectError:
        _stop(f"Nothing answers at {url}.", "Start it with 'playhead up', or name it with --url.")
    except httpx2.TimeoutException:
        _stop(
            f"{url} did not answer within {TIMEOUT_S:.0f} s; the events may or may not be stored."
        )
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        _stop(f"{url} cannot be reached: {str(error).rstrip('.')}.")
    told = _decoded(answer)
    if answer.status_code != httpx2.codes.OK or "accepted" not in told:
        _stop_refused(url, answer, told)
    return told


def _stop_refused(url: str, answer: httpx2.Response, told: dict[str, Any]) -> NoReturn:
    """Say why a whole batch was refused, and exit."""
    said = told.get("message") or answer.text[:200]
    hint = told.get("hint", "")
    if answer.status_code in {httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN}:
        hint = "Make a write key with 'playhead token create --kind write' and give it with --key."
    if answer.status_code == httpx2.codes.NOT_FOUND:
        hint = f"Is this a Playhead server? {url}/healthz should answer."
    _stop(f"The server answered {answer.status_code}: {said}", hint)


def _decoded(answer: httpx2.Response) -> dict[str, Any]:
    try:
        told = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _report(batch: list[Any], told: dict[str, Any], first: int) -> int:
    """Print what became of each event; return how many were refused."""
    refusals = {refusal["index"]: refusal for refusal in told.get("rejected", [])}
    for index, event in enumerate(batch):
        kind = event.get("eventType", "?") if isinstance(event, dict) else "?"
        refusal = refusals.get(index)
        if refusal is not None:
            click.echo(
                f"event {first + index} ({kind}): refused, {refusal['code']}: {refusal['message']}"
            )
        elif first + index < SHOWN_EVENTS:
            click.echo(f"event {first + index} ({kind}): accepted")
    return len(refusals)


def _where_next(url: str, events: list[Any]) -> None:
    """Say where the answer to these events can be seen."""
    header = f'-H "Authorization: Bearer $(cat {_likely_folder()}/admin.token)"'
    view_id = next((e["viewId"] for e in events if isinstance(e, dict) and e.get("viewId")), None)
    if view_id is not None:
        click.echo(f"Look at the view:   curl {header} {url}/v1/views/{view_id}")
    else:
        click.echo(f"Look at the views:  curl {header} '{url}/v1/views?limit=5'")


def _likely_folder() -> str:
    """Return the data folder that lies here, or a word that shows where to put its name."""
    for folder in ("playhead-data", "demo-data"):
        if Path(folder, "admin.token").exists():
            return folder
    return "DATA_FOLDER"


def _stop(message: str, hint: str = "") -> NoReturn:
    click.echo(f"playhead: {message}", err=True)
    if hint:
        click.echo(f"          {hint}", err=True)
    sys.exit(1)
