import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import httpx2
import msgspec

from playhead.clock import SystemClock
from playhead.simulate.sender import Sender, Sent, retry_after_s
from playhead.simulate.settings import SimulationConfig
from playhead.simulate.simulation import Simulation

Answer = Callable[[list[dict[str, Any]]], httpx2.Response]


def ok(events: list[dict[str, Any]]) -> httpx2.Response:
    return httpx2.Response(200, json={"ok": True, "accepted": len(events), "rejected": []})


async def sent_to(answer: Answer, *, max_kept: int = 20_000, wait_s: float = 0) -> Sent:
    async def handle(request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(wait_s)
        return answer(msgspec.json.decode(request.content))

    clock = SystemClock()
    past_ms = clock.now_ms() - 3_600_000  # all due at once: nothing waits for the clock
    sim = Simulation(SimulationConfig(viewers=6, seconds=60, start_ms=past_ms, resend_share=0))
    sender = Sender("http://server", clock=clock, max_kept=max_kept,
                    transport=httpx2.MockTransport(handle))  # fmt: skip
    return await sender.run(sim, speed=1e9)


async def test_every_event_arrives_in_order() -> None:
    seen: dict[str, list[int]] = defaultdict(list)

    def keep(events: list[dict[str, Any]]) -> httpx2.Response:
        for event in events:
            seen[event["viewId"]].append(event["seq"])
        return ok(events)

    sent = await sent_to(keep)
    assert all(seqs == list(range(len(seqs))) for seqs in seen.values())
    assert sent.accepted == sum(map(len, seen.values()))


async def test_what_the_server_cannot_take_is_sent_again() -> None:
    asked: list[int] = []
    seen: set[tuple[str, int]] = set()

    def now_and_then(events: list[dict[str, Any]]) -> httpx2.Response:
        asked.append(len(events))
        if len(asked) % 10 == 1:
            return httpx2.Response(503, headers={"retry-after": "0"})
        if len(asked) % 10 == 2:
            raise httpx2.ConnectError("gone")
        seen.update((event["viewId"], event["seq"]) for event in events)
        return ok(events)

    sent = await sent_to(now_and_then)
    assert sent.retries > 0
    assert (sent.accepted, sent.dropped) == (len(seen), 0)


async def test_what_does_not_fit_is_dropped_and_counted() -> None:
    sent = await sent_to(ok, max_kept=1, wait_s=0.01)
    assert sent.dropped > 0


async def test_what_the_server_never_takes_is_not_repeated() -> None:
    sent = await sent_to(lambda _: httpx2.Response(400, json={"message": "no"}))
    assert (sent.retries, sent.accepted) == (0, 0)
    assert sent.first_refusal.startswith("400")


def test_retry_after_is_bounded() -> None:
    assert [retry_after_s(text) for text in ("", "2", "9999", "-1", "soon")] == [0, 2, 30, 0, 0]
