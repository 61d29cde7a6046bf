"""What fills a server for the dashboard's tests: history, viewers with an incident, logs, refusals."""

import asyncio
import json
import random
import subprocess
import sys
import time
from typing import Any, Final

from playhead.query.span import iso
from playhead.simulate.settings import Incident, SimulationConfig
from playhead.simulate.simulation import Simulation
from support.server import Server
from support.simulated import deliver

MINUTE_MS: Final = 60_000
HISTORY: Final = ("--views", "2400", "--days", "3")
VIEWERS: Final = 60
SECONDS: Final = 240
BACK_MS: Final = 30 * MINUTE_MS
"""The simulated viewers came so long ago: all of them are gone, and nothing changes any more."""
BROKEN: Final = "aurora"
LOG_LINES: Final = 400


class Stock:
    """A server full of what a real one has, and the fixed span that holds all of it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.began_ms = int(time.time() * 1000)
        self._history()
        self.titles = self._viewers()
        self._logs()
        self._refused()
        self.status = server.wait_until_stored()
        day_ms = 24 * 60 * MINUTE_MS
        self.span = {"from": iso(self.began_ms - day_ms), "to": iso(self.began_ms + MINUTE_MS)}
        self.recent = {"from": iso(self.began_ms - BACK_MS - 6 * MINUTE_MS), "to": self.span["to"]}

    def _history(self) -> None:
        command = [sys.executable, "-m", "playhead", "seed", "--data", str(self.server.data)]
        subprocess.run([*command, *HISTORY], check=True, capture_output=True, timeout=120)

    def _viewers(self) -> list[str]:
        """Watch for some minutes, half an hour ago, while a CDN fails; return the videos."""
        config = SimulationConfig(
            viewers=VIEWERS, seconds=SECONDS, start_ms=self.began_ms - BACK_MS, seed=7,
            warm_up_ms=MINUTE_MS, skewed_clock_share=0, keep_truth=True,
            incident=Incident(cdn=BROKEN, after_ms=MINUTE_MS),
        )  # fmt: skip
        simulation = Simulation(config)
        asyncio.run(deliver(self.server.url, list(simulation)))
        return sorted({view.video_id for view in simulation.truth.views.values()})

    def _logs(self) -> None:
        draw = random.Random(3)
        for cdn in ("aurora", "cirrus", "monsoon"):
            lines = [self._line(draw, slow=cdn == BROKEN) for _ in range(LOG_LINES)]
            answer = self.server.http.post(
                f"{self.server.url}/logs/cdn?format=json&cdn={cdn}", content="\n".join(lines)
            )
            assert answer.json()["accepted"] == LOG_LINES, answer.text

    def _line(self, draw: random.Random, *, slow: bool) -> str:
        ttfb_ms = draw.lognormvariate(3.3, 0.4) * (8 if slow else 1)
        return json.dumps({
            "timestamp": (self.began_ms - draw.randrange(BACK_MS)) / 1000,
            "pop": draw.choice(["fra", "ams", "cdg"]),
            "host": draw.choice(["a.example.com", "b.example.com"]),
            "url": f"/film/720p/{draw.randrange(99)}.ts",
            "status": 503 if draw.random() < (0.09 if slow else 0.004) else 200,
            "cache": draw.choice(["HIT", "HIT", "HIT", "MISS"]),
            "bytes": draw.randrange(200_000, 1_500_000),
            "ttfb_ms": round(ttfb_ms, 3),
        })  # fmt: skip

    def _refused(self) -> None:
        events: list[Any] = [{"eventType": "PLAY"}, "no object", {"timestamp": "never"}]
        self.server.send(events)


def play(view_id: str, **fields: Any) -> list[dict[str, Any]]:
    """Return a view that begins now and goes on."""
    now_ms = int(time.time() * 1000)
    first = {
        "eventType": "PLAY", "timestamp": now_ms - 200, "viewId": view_id, "seq": 0,
        "videoId": "film", "videoTitle": "A film", "cdn": "aurora",
    }  # fmt: skip
    playing = {"eventType": "PLAYING", "timestamp": now_ms - 100, "viewId": view_id, "seq": 1}
    return [first | fields, playing | fields]
