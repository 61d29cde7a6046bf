from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.access import Tokens
from playhead.clock import ManualClock
from playhead.collect.door import Door
from playhead.collect.entrance import entrance_of
from playhead.collect.epas import EpasDoor
from playhead.collect.events import EventsDoor
from playhead.collect.telemetry import TelemetryDoor
from playhead.config import Config, Privacy
from playhead.log.base import Entry
from playhead.model.telemetry import decode
from support.knock import knock

NOW = 1_765_837_003_500
ID = "viewer-1234"
EVENT = {"eventType": "PLAY", "timestamp": NOW, "sessionId": "s", "viewerId": ID}
EPAS = {"event": "playing", "timestamp": NOW, "sessionId": "s", "payload": {"userId": ID}}
DOORS: dict[type[Door], tuple[dict[str, Any], str]] = {
    TelemetryDoor: (EVENT, ""),
    EventsDoor: (EVENT, "name=telemetry"),
    EpasDoor: (EPAS, ""),
}
GPC = {"sec_gpc": "1"}


class Place:
    """A door of one kind behind some settings."""

    def __init__(self, folder: Path, privacy: Privacy, kind: type[Door]) -> None:
        self.entries: list[Entry] = []
        self.clock = ManualClock(NOW)
        tokens = Tokens(folder / "access.db", self.clock)
        config = Config(privacy=privacy)
        self.door = kind(entrance_of(config, self.append, tokens, self.clock))
        self.event, self.query = DOORS[kind]

    async def append(self, *entries: Entry) -> int:
        self.entries += entries
        return 0

    async def send(self, body: Any = None, **headers: str) -> str | None:
        """The viewer id that goes into the log."""
        self.entries.clear()
        text = body if isinstance(body, bytes) else msgspec.json.encode(body or self.event)
        await knock(self.door, text, self.query, **headers)
        assert all(ID.encode() not in entry.body + entry.meta for entry in self.entries) or (
            not headers and self.door.doorway.viewer_ids._privacy.viewer_ids == "keep"
        )
        found = [one for entry in self.entries for one in decode(entry.body)]
        return getattr(found[0], "viewer_id", None) if found else None


@pytest.mark.parametrize("kind", DOORS)
async def test_gpc_keeps_no_id_that_outlives_the_day(tmp_path: Path, kind: type[Door]) -> None:
    place = Place(tmp_path, Privacy(), kind)
    assert await place.send() == ID
    first = await place.send(**GPC)
    assert first is not None
    assert first.startswith("daily-")
    assert await place.send(**GPC) == first
    place.clock.advance(86_400_000)
    later = await place.send({**place.event, "timestamp": place.clock.now_ms()}, **GPC)
    assert later not in {None, first, ID}


@pytest.mark.parametrize("kind", DOORS)
async def test_ids_are_left_out_where_the_settings_say_so(tmp_path: Path, kind: type[Door]) -> None:
    assert await Place(tmp_path, Privacy(viewer_ids="drop"), kind).send() is None
    assert await Place(tmp_path, Privacy(gpc="drop"), kind).send(**GPC) is None
    assert str(await Place(tmp_path, Privacy(viewer_ids="daily"), kind).send()).startswith("daily-")


@pytest.mark.parametrize(
    "body",
    [
        b'[{"eventType":"PLAY","timestamp":1765837003500,"viewerId":"viewer-1234","videoTitle":"\\ud83d"}]',
        b'{"eventType":"PLAY","timestamp":1765837003500,"viewerId":"viewer-1234","n":1' + b"0" * 30 + b"}",
        b'[{"viewerId":"viewer-1234","timestamp":"never"},{"eventType":"PLAY","timestamp":1765837003500}]',
        b'[{"viewerId":"viewer-1234","timestamp":1]',
        b'[{"viewerId":"x","viewerId":"viewer-1234","eventType":"PLAY","timestamp":1765837003500}]',
    ],
)  # fmt: skip
async def test_no_form_of_a_body_carries_an_id_past_it(tmp_path: Path, body: bytes) -> None:
    for kind in (TelemetryDoor, EventsDoor):
        place = Place(tmp_path, Privacy(), kind)
        await place.send(body, **GPC)
        assert all(ID.encode() not in one.body + one.meta for one in place.entries)
