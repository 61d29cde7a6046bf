"""A listener of a live stream: reads server-sent events in the background, as a browser would."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple, Self

from support.server import Server

WITHIN_S = 30.0


class Said(NamedTuple):
    """One event; `data` decoded."""

    id: str
    event: str
    data: Any


class Listening:
    """An open stream; `said` grows, `done` is set when the server ends it."""

    def __init__(self, server: Server, query: str = "minutes=1", **headers: str) -> None:
        self.said: list[Said] = []
        self.done = threading.Event()
        if "cookie" not in headers:
            headers = {"authorization": f"Bearer {server.token}"} | headers
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WITHIN_S)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request("GET", f"/v1/live/stream?{query}", headers=named)
        self.response = self._connection.getresponse()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave, as a browser that goes away."""
        if self._connection.sock is not None:
            self._connection.sock.shutdown(2)
        self._thread.join(WITHIN_S)
        self.response.close()
        self._connection.close()

    def wait(self, holds: Callable[[list[Said]], Any]) -> Any:
        """Return what `holds` gives as soon as it is something."""
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            if found := holds(list(self.said)):
                return found
            time.sleep(0.02)
        raise AssertionError(f"not within {WITHIN_S} s: {self.said[-3:]}")

    def live(self) -> list[Said]:
        """The live events so far."""
        return [one for one in self.said if one.event == "live"]

    def _read(self) -> None:
        fields: dict[str, str] = {}
        try:
            while line := self.response.readline():
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                elif "data" in fields:
                    data = json.loads(fields.pop("data"))
                    self.said.append(Said(fields.get("id", ""), fields.get("event", ""), data))
                    fields = {}
        except (OSError, ValueError, http.client.HTTPException):
            pass
        finally:
            self.done.set()


def window_of(said: list[Said]) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows a listener holds after these events, by group and time, as the guide says."""
    held: dict[tuple[str, str], dict[str, Any]] = {}
    for one in said:
        if one.data["snapshot"]:
            held = {}
        held |= {(row.get("group", ""), row["time"]): row for row in one.data["rows"]}
        held = {key: row for key, row in held.items() if key[1] >= one.data["from"]}
    return held
