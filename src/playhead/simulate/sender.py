"""Sends a simulation to a running server in real time, as players would: in order, and again.

A view's batches go through one lane, so they stay in order. A batch the server cannot take now is
kept and sent again until it is taken; what does not fit into the bounded memory is dropped, and
counted.
"""

import asyncio
import contextlib
import random
import zlib
from collections import deque
from collections.abc import AsyncIterator

import httpx2
import msgspec

from playhead import observe
from playhead.clock import Clock
from playhead.simulate.sdk import Batch
from playhead.simulate.simulation import Simulation

LANES = 16
MAX_KEPT_BATCHES = 20_000
FIRST_WAIT_S = 0.2
MAX_WAIT_S = 5.0
MAX_RETRY_AFTER_S = 30.0
TIMEOUT_S = 10.0
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
_LOG = observe.logger("sender")


class Sent(msgspec.Struct):
    """What became of the batches and their events."""

    requests: int = 0
    accepted: int = 0
    rejected: int = 0
    """Events the server took out of batches it accepted."""
    retries: int = 0
    refused: int = 0
    """Events of batches the server will never take (400, 401, 403, 413 …)."""
    dropped: int = 0
    """Events for which there was no room while the server was away."""
    first_refusal: str = ""


class Sender:
    """Delivers batches to `url`/telemetry until the simulation ends or the task is cancelled."""

    def __init__(
        self, url: str, *, clock: Clock, key: str = "", max_kept: int = MAX_KEPT_BATCHES,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:  # fmt: skip
        self.sent = Sent()
        self._url = url.rstrip("/") + "/telemetry"
        self._clock = clock
        self._key = {"authorization": f"Bearer {key}"} if key else {}
        self._max_kept = max_kept
        self._kept = 0
        self._lanes: list[deque[Batch]] = [deque() for _ in range(LANES)]
        self._wake = [asyncio.Event() for _ in range(LANES)]
        self._transport = transport
        self._random = random.Random()
        self._ended = False

    async def run(self, simulation: Simulation, *, speed: float = 1.0) -> Sent:
        """Send every batch when it is due; return the counts when all are delivered.

        Simulated time begins at the simulation's `start_ms` and runs `speed` times as fast as the
        clock, but never ahead of it: no event comes from the future.
        """
        async with self._client() as client:
            lanes = [asyncio.create_task(self._lane(n, client)) for n in range(LANES)]
            try:
                await self._feed(simulation, speed)
                self._ended = True
                for wake in self._wake:
                    wake.set()
                await asyncio.gather(*lanes)
            finally:
                for lane in lanes:
                    lane.cancel()
                await asyncio.gather(*lanes, return_exceptions=True)
                _LOG.info("viewers_stopped", **msgspec.to_builtins(self.sent))
        return self.sent

    @contextlib.asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx2.AsyncClient]:
        async with httpx2.AsyncClient(
            transport=self._transport,
            timeout=TIMEOUT_S,
            trust_env=False,
            limits=httpx2.Limits(max_connections=LANES, max_keepalive_connections=LANES),
        ) as client:
            yield client

    async def _feed(self, simulation: Simulation, speed: float) -> None:
        began_ms, start_ms = self._clock.now_ms(), simulation.config.start_ms
        for at_ms, batch in simulation:
            due_ms = max(began_ms + (at_ms - start_ms) / speed, at_ms)
            await asyncio.sleep(max(0.0, (due_ms - self._clock.now_ms()) / 1_000))
            self._keep(batch)

    def _keep(self, batch: Batch) -> None:
        if self._kept >= self._max_kept:
            if not self.sent.dropped:
                _LOG.warning("batches_dropped", kept=self._kept, reason="the server is away")
            self.sent.dropped += len(batch.events)
            return
        number = zlib.crc32(batch.view_id.encode()) % LANES
        self._kept += 1
        self._lanes[number].append(batch)
        self._wake[number].set()

    async def _lane(self, number: int, client: httpx2.AsyncClient) -> None:
        """Deliver the batches of a share of the views, one after another."""
        lane, wake = self._lanes[number], self._wake[number]
        while lane or not self._ended:
            if not lane:
                wake.clear()
                await wake.wait()
                continue
            await self._deliver(lane.popleft(), client)
            self._kept -= 1

    async def _deliver(self, batch: Batch, client: httpx2.AsyncClient) -> None:
        """Send a batch until the server has an answer that is final."""
        wait_s = FIRST_WAIT_S
        while True:
            asked_s = 0.0
            try:
                body = batch.body(self._clock.now_ms())
                answer = await client.post(
                    self._url, content=body, headers={**batch.headers, **self._key}
                )
                self.sent.requests += 1
                if answer.status_code not in _LATER:
                    self._count(batch, answer)
                    return
                asked_s = retry_after_s(answer.headers.get("retry-after", ""))
            except httpx2.TransportError:
                pass
            self.sent.retries += 1
            await asyncio.sleep(max(asked_s, wait_s * self._random.uniform(0.5, 1.0)))
            wait_s = min(MAX_WAIT_S, wait_s * 2)

    def _count(self, batch: Batch, answer: httpx2.Response) -> None:
        if answer.status_code == httpx2.codes.OK:
            told = msgspec.json.decode(answer.content)
            rejected = told.get("rejected", [])
            self.sent.accepted += told.get("accepted", 0)
            self.sent.rejected += len(rejected)
            reason = str(rejected[0]) if rejected else ""
        else:
            self.sent.refused += len(batch.events)
            reason = f"{answer.status_code} {answer.text[:300]}"
        if reason and not self.sent.first_refusal:
            self.sent.first_refusal = reason
            _LOG.warning("events_refused", reason=reason)


def retry_after_s(text: str) -> float:
    """Return the seconds of a Retry-After header; 0 when it has none that can be used."""
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    return min(MAX_RETRY_AFTER_S, seconds) if seconds > 0 else 0.0
