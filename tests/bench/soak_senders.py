"""The load of the soak, from a process of its own: it sends, asks and listens, and keeps the book.

    python tests/bench/soak_senders.py --url http://127.0.0.1:8700 --out book.json

The admin token stands in `PLAYHEAD_TOKEN`.

Every body is repeated, unchanged, until it is acknowledged. SIGTERM ends it: what is on its way gets
`DRAIN_S` for its answer, and the book is written a last time.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx2
import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))
from bench.soak_book import SPAN_S, Book, Dishonest, Promise
from bench.soak_trails import Maker, Trail, file_of, trails

DRAIN_S: Final = 60.0
WRITE_EVERY_S: Final = 2.0
ANSWER_WITHIN_S: Final = 90.0
"""Longer than any answer may take: `collect.wait_ms` and the limits of queries are below it."""
PAUSE_FIRST_S: Final = 0.1
PAUSE_MAX_S: Final = 2.0
DISHONEST_MAX: Final = 100
IMPORT_EVERY_S: Final = 30.0
IMPORT_ROWS: Final = 2_000
IMPORT_TRIES: Final = 3
LISTENERS: Final = 3
ASK_EVERY_S: Final = 0.5
LATER: Final = frozenset({429, 503})
"""Refusals that say when to come again; every other one is written down as dishonest."""


class Senders:
    """The run: its client, its trails and its book."""

    def __init__(self, url: str, token: str, out: Path, seed: int) -> None:
        self.book = Book()
        self.url = url
        self._out = out
        self._makers = trails(seed)
        self._numbers = itertools.count(1)
        self._open: set[Trail] = set()
        self._rng = random.Random(seed)
        self._began_s = time.monotonic()
        self._stop = asyncio.Event()
        self._deadline_s = float("inf")
        self._auth = {"authorization": f"Bearer {token}"}
        self._http = httpx2.AsyncClient(
            base_url=url,
            timeout=httpx2.Timeout(ANSWER_WITHIN_S),
            limits=httpx2.Limits(max_connections=None),
        )

    def stop(self) -> None:
        """Begin nothing new; what is on its way gets some time."""
        if not self._stop.is_set():
            self._deadline_s = time.monotonic() + DRAIN_S
            self._stop.set()

    async def run(self) -> None:
        """Work until stopped."""
        # A fault of the harness ends the group: it must never only thin out the load.
        async with asyncio.TaskGroup() as group:
            slots = [
                group.create_task(self._slot(make, at / len(self._makers)))
                for at, make in enumerate(self._makers)
            ]
            slots.append(group.create_task(self._imports()))
            beside = [group.create_task(self._ask()), group.create_task(self._write())]
            beside += [group.create_task(self._listen()) for _ in range(LISTENERS)]
            await asyncio.wait(slots)
            for task in beside:
                task.cancel()
        self.book.finished = True
        self.write()
        await self._http.aclose()

    def write(self) -> None:
        """Write the book as a whole."""
        book = self.book
        book.at_s = time.monotonic() - self._began_s
        for trail in self._open:
            self._enter(trail)
        draft = self._out.with_suffix(".tmp")
        draft.write_bytes(msgspec.json.encode(book))
        draft.replace(self._out)

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            self.write()

    def _enter(self, trail: Trail) -> None:
        self.book.promises.setdefault(trail.door, {}).update(trail.promises())

    async def _slot(self, make: Maker, share: float) -> None:
        """Send one trail after the other; slots begin one after the other, too."""
        trail = make(next(self._numbers), self._now_ms())
        await self._pause(trail.every_s * share)
        while not self._stop.is_set():
            self._open.add(trail)
            await self._send(trail)
            self._enter(trail)
            self._open.discard(trail)
            trail = make(next(self._numbers), self._now_ms())

    async def _send(self, trail: Trail) -> None:
        while not trail.over and not self._stop.is_set():
            body = trail.body(self._now_ms())
            headers = {"content-type": trail.kind, **trail.headers()}
            if trail.door == "rows":
                headers |= self._auth
            trail.pending = True
            answer = await self._deliver(trail.door, trail.path, body, headers)
            if answer is None:
                return  # stopped; it stays pending
            trail.acknowledged(answer.content)
            trail.pending = False
            if trail.confirms and answer.status_code == 200:
                await self._confirm(trail)
            await self._pause(trail.every_s * self._rng.uniform(0.5, 1.5))

    async def _deliver(
        self, door: str, path: str, body: bytes, headers: Mapping[str, str], *, again: bool = True
    ) -> httpx2.Response | None:
        """Send until it is acknowledged; None when the time is over, or at once without `again`."""
        pause_s = PAUSE_FIRST_S
        while time.monotonic() < self._deadline_s:
            began_s = time.monotonic()
            try:
                answer = await self._http.post(path, content=body, headers=dict(headers))
            except httpx2.HTTPError as error:
                self._count(door, type(error).__name__)
                if not again:
                    return None
            else:
                self._seen(door, answer, time.monotonic() - began_s)
                if answer.is_success:
                    return answer
            await asyncio.sleep(pause_s)
            pause_s = min(PAUSE_MAX_S, pause_s * 2)
        return None

    async def _get(self, door: str, path: str, **params: str) -> httpx2.Response | None:
        began_s = time.monotonic()
        try:
            answer = await self._http.get(path, params=params, headers=self._auth)
        except httpx2.HTTPError as error:
            self._count(door, type(error).__name__)
            return None
        self._seen(door, answer, time.monotonic() - began_s)
        return answer

    def _seen(self, door: str, answer: httpx2.Response, took_s: float) -> None:
        """Count an answer, and judge whether a refusal says when to come again and why."""
        status = answer.status_code
        if self.book.slowest_s.get(door, 0.0) < took_s:
            self.book.slowest_s[door] = took_s
        if answer.is_success:
            self._count(door, str(status))
            return
        try:
            told = answer.json()
            code = str(told["code"])
            sentence = str(told["message"])
        except (ValueError, KeyError, TypeError):
            code = sentence = ""
        self._count(door, f"{status} {code}".strip())
        comes_again = answer.headers.get("retry-after", "").isdigit()
        if status not in LATER or not comes_again or not sentence:
            self._dishonest(door, f"{status} {answer.text[:300]} {dict(answer.headers)}")

    def _count(self, door: str, outcome: str) -> None:
        span = int((time.monotonic() - self._began_s) // SPAN_S)
        counts = self.book.answers.setdefault(span, {}).setdefault(door, {})
        counts[outcome] = counts.get(outcome, 0) + 1

    def _dishonest(self, door: str, what: str) -> None:
        self.book.dishonest_total += 1
        if len(self.book.dishonest) < DISHONEST_MAX:
            at_s = time.monotonic() - self._began_s
            self.book.dishonest.append(Dishonest(round(at_s, 1), door, what))

    async def _confirm(self, trail: Trail) -> None:
        """Count the rows that an answer has just called queryable."""
        answer = await self._get("confirm", "/v0/sql", q=f"{trail.confirms} FORMAT JSON")
        if answer is None or not answer.is_success:
            return
        count = int(answer.json()["data"][0]["n"])
        wanted = sum(one.acked for one in trail.promises().values())
        self.book.confirmed += 1
        if count != wanted:
            said = f"{wanted} rows acknowledged as queryable, {count} counted: {trail.confirms}"
            self._dishonest("confirm", said)

    async def _imports(self) -> None:
        """Import a file now and then; a label of its own says whose rows they are."""
        watched: list[asyncio.Task[None]] = []
        await self._pause(3.0)
        while not self._stop.is_set():
            watched.append(asyncio.create_task(self._import(f"file-{next(self._numbers)}")))
            await self._pause(IMPORT_EVERY_S)
        await asyncio.gather(*watched)

    async def _import(self, label: str) -> None:
        promises = self.book.promises.setdefault("imports", {})
        promises[label] = Promise(uncertain=IMPORT_ROWS)
        path = "/v1/datasources/imported/append?format=csv"
        answer = await self._deliver(
            "imports", path, file_of(label, IMPORT_ROWS), self._auth, again=False
        )
        if answer is None:
            self.book.jobs[label] = "no answer"
            return
        job = str(answer.json()["id"])
        for _ in range(IMPORT_TRIES):
            status = await self._ended(job)
            self.book.jobs[label] = status
            if status == "done":
                promises[label] = Promise(IMPORT_ROWS)
            if status != "error":
                return
            await self._deliver("jobs", f"/v0/jobs/{job}/retry", b"", self._auth, again=False)

    async def _ended(self, job: str) -> str:
        status = "unknown"
        while time.monotonic() < self._deadline_s:
            answer = await self._get("jobs", f"/v0/jobs/{job}")
            if answer is not None and answer.is_success:
                found = answer.json()
                status = str(found["status"])
                if status == "error":
                    self._dishonest(
                        "imports", f"job failed: {json.dumps(found.get('error'))[:300]}"
                    )
                if status in {"done", "error", "cancelled"}:
                    return status
            await asyncio.sleep(1.0)
        return status

    async def _ask(self) -> None:
        """Ask what people and dashboards ask, one question after the other."""
        questions: tuple[tuple[str, dict[str, str]], ...] = (
            ("/v1/metrics/views/overall", {}),
            ("/v1/metrics/rebuffer_percentage/breakdown", {"group_by": "cdn"}),
            ("/v1/live", {"minutes": "5"}),
            ("/v1/views", {"limit": "20"}),
            ("/v0/sql", {"q": "SELECT count() AS n FROM plays FORMAT JSON"}),
            ("/v1/cdn/kpis", {}),
            ("/v1/status", {}),
        )
        rows = 0
        for path, params in itertools.cycle(questions):
            await self._pause(ASK_EVERY_S)
            answer = await self._get("queries", path, **params)
            if answer is None or not answer.is_success:
                continue
            if path == "/v0/sql":
                rows = self._rows_seen(rows, int(answer.json()["data"][0]["n"]))
            if path == "/v1/status" and not answer.json()["data"]["events"]["equation_holds"]:
                self._dishonest("queries", f"the equation does not hold: {answer.text[:400]}")

    def _rows_seen(self, before: int, now: int) -> int:
        """Look whether rows vanish, or are more than were ever sent."""
        for trail in self._open:
            self._enter(trail)
        sent = sum(one.acked + one.uncertain for one in self.book.promises.get("rows", {}).values())
        if not before <= now <= sent:
            self._dishonest("queries", f"{now} rows counted after {before}, {sent} ever sent")
        return now

    async def _listen(self) -> None:
        """Follow the live stream, and come back when it breaks off."""
        path = "/v1/live/stream?minutes=5"
        while True:
            try:
                async with self._http.stream("GET", path, headers=self._auth) as answer:
                    if not answer.is_success:
                        await answer.aread()
                        self._seen("live", answer, 0.0)
                    async for line in answer.aiter_lines():
                        if line.startswith("event: "):
                            self._count("live", line.removeprefix("event: "))
            except httpx2.HTTPError as error:
                self._count("live", type(error).__name__)
            else:
                self._count("live", "ended")
            await asyncio.sleep(PAUSE_MAX_S)

    async def _pause(self, seconds: float) -> None:
        """Wait, at most until stopped."""
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return

    def _now_ms(self) -> int:
        return int(time.time() * 1_000)


async def _main(options: argparse.Namespace) -> None:
    senders = Senders(options.url, os.environ["PLAYHEAD_TOKEN"], options.out, options.seed)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, senders.stop)
    senders.write()
    await senders.run()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    asyncio.run(_main(parser.parse_args()))


if __name__ == "__main__":
    main()
