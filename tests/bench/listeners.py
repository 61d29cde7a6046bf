"""What listeners of the live stream cost: processor time of web and store with few and with many.

Run by itself it is the listeners: `python tests/bench/listeners.py HOST PORT PATH TOKEN COUNT`.
"""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, Self

FEW, MANY = 5, 500
EVENTS_PER_S: Final = 2_000
_PATH: Final = "/v1/live/stream?minutes=30"
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_SETTLE_S: Final = 3.0


def cpu_s(pid: int) -> float:
    """Seconds of processor time a process has taken, in its own code and in the kernel for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


class Listeners:
    """So many streams, open in a process of its own while the block runs."""

    def __init__(self, port: int, token: str, count: int) -> None:
        self._command = [sys.executable, __file__, "127.0.0.1", str(port), _PATH, token, str(count)]
        self.events = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != "ready":
            raise SystemExit("the listeners could not be opened")
        return self

    def __exit__(self, *_: object) -> None:
        said, _none = self._process.communicate("\n", timeout=30)
        self.events = int(said.split()[-1])


def measured(port: int, token: str, pids: list[int], *, seconds: float) -> dict[int, float]:
    """Processor seconds a second with few and with many, taken in turns so that drift hits both."""
    spent: dict[int, float] = {FEW: 0.0, MANY: 0.0}
    took: dict[int, float] = {FEW: 0.0, MANY: 0.0}
    for count in (FEW, MANY, MANY, FEW):
        with Listeners(port, token, count) as listeners:
            time.sleep(_SETTLE_S)
            before, began = sum(map(cpu_s, pids)), time.monotonic()
            time.sleep(seconds / 2)
            spent[count] += sum(map(cpu_s, pids)) - before
            took[count] += time.monotonic() - began
        if listeners.events < count * seconds / 2 * 0.8:
            raise SystemExit(f"{count} listeners heard only {listeners.events} events")
    return {count: spent[count] / took[count] for count in spent}


async def _listen(head: bytes, host: str, port: int, opened: asyncio.Event) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(head)
    events = 0
    try:
        while text := await reader.read(1 << 16):
            events += text.count(b"event: live")
            if events:
                opened.set()
    except asyncio.CancelledError:
        writer.transport.abort()
    return events


async def _main(host: str, port: str, path: str, token: str, count: str) -> None:
    head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    opened = [asyncio.Event() for _ in range(int(count))]
    tasks = [asyncio.ensure_future(_listen(head, host, int(port), one)) for one in opened]
    async with asyncio.timeout(30):
        await asyncio.gather(*(one.wait() for one in opened))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for task in tasks:
        task.cancel()
    print(sum(await asyncio.gather(*tasks)))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
