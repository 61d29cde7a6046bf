"""The body of an import: on disk, as it came, before anything is answered.

A multipart body is kept whole; where its file begins and ends is found on disk, so that nothing of
it has to be held in memory.
"""

import asyncio
import mmap
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import ClientDisconnect, Request

from playhead.build.parts import boundary_of, disposition_of
from playhead.clock import Clock
from playhead.config.jobs import Jobs
from playhead.errors import BodyTimeout, InvalidBody, QueueFull
from playhead.jobs.spool import BODY, Spool, SpoolWriter

FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
FORM_BYTES_MAX: Final = 65_536
"""Longest body that holds parameters alone."""
PARAMETERS: Final = frozenset({
    "url", "name", "mode", "format", "schema", "engine", "replace_condition", "dialect_delimiter",
    "dialect_new_line", "dialect_escapechar", "skip_incompatible_partition_key", "type_guessing",
    "token", "cli_version", "from",
})  # fmt: skip
"""What a form may say of an import."""
WRITE_BYTES: Final = 1024 * 1024
HEAD_BYTES_MAX: Final = 8_192
PARTS_MAX: Final = 50
VALUE_BYTES_MAX: Final = 16_384


class Upload(msgspec.Struct, frozen=True):
    """What a body holds: bytes `start` to `end` of the spooled file, and parameters beside it."""

    start: int = 0
    end: int = 0
    filename: str = ""
    field: str = ""
    fields: dict[str, str] = {}


class Uploads:
    """Takes bodies, a named number at once.

    Args:
        spool: Where they go.
        limits: How many at once, how long one may stand still and how slow it may be.
        clock: The clock.
    """

    def __init__(self, spool: Spool, limits: Jobs, clock: Clock) -> None:
        self.spool = spool
        self._clock = clock
        self._left = limits.max_waiting_uploads
        self._idle_s = limits.upload_idle_ms / 1000
        self._bytes_per_s = limits.min_upload_bytes_per_s

    async def take(self, request: Request, job: str) -> Upload:
        """Write the body of a request into the spool; its file is on disk on return.

        Raises:
            QueueFull: As many as allowed are being received.
            BodyTooLarge, DiskLow, InvalidBody, BodyTimeout: Nothing of it was kept.
            ClientDisconnect: Who sends it went away.
        """
        kind = request.headers.get("content-type", "")
        if self._left <= 0:
            raise QueueFull("As many files as allowed are being received.", retry_after_s=5)
        self._left -= 1
        try:
            return await self._spooled(request, job, kind)
        except BaseException:
            await asyncio.to_thread(self.spool.drop, job)
            raise
        finally:
            self._left += 1

    async def _spooled(self, request: Request, job: str, kind: str) -> Upload:
        with await asyncio.to_thread(self.spool.writer, job) as writer:
            await self._received(request, writer)
            await asyncio.to_thread(writer.close)
        path, form = self.spool.folder(job) / BODY, kind.partition(";")[0].strip().lower()
        if form == MULTIPART:
            return await asyncio.to_thread(found_in, path, kind)
        if form == FORM and writer.size <= FORM_BYTES_MAX:
            fields = await asyncio.to_thread(_fields_in, path)
            if fields:
                return Upload(fields=fields)
        return Upload(0, writer.size)

    async def _received(self, request: Request, writer: SpoolWriter) -> None:
        held: list[bytes] = []
        size = whole = 0
        more = True
        began_s = self._clock.monotonic_s()
        while more:
            try:
                async with asyncio.timeout(self._idle_s):
                    message = await request.receive()
            except TimeoutError:
                raise BodyTimeout(
                    "The body stood still for too long; nothing of it was kept.",
                    hint="Send it again, or raise jobs.upload_idle_ms.",
                ) from None
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            data = message.get("body", b"")
            more = message.get("more_body", False)
            held.append(data)
            size += len(data)
            whole += len(data)
            if more:
                self._check_rate(whole, self._clock.monotonic_s() - began_s)
            if size >= WRITE_BYTES or not more:
                await asyncio.to_thread(writer.write, b"".join(held))
                held, size = [], 0

    def _check_rate(self, received_bytes: int, passed_s: float) -> None:
        """Return unless a body comes so slowly that it keeps its place from others; raises BodyTimeout."""
        if received_bytes < self._bytes_per_s * (passed_s - self._idle_s):
            raise BodyTimeout(
                f"The body came more slowly than {self._bytes_per_s} bytes a second; nothing of it"
                " was kept.",
                hint="Send it over a faster line, or lower jobs.min_upload_bytes_per_s.",
            )


def _fields_in(path: Path) -> dict[str, str]:
    """Return the parameters that a form holds; none when it is a file that was sent as one.

    `curl --data-binary @file` calls every file a form.
    """
    text = path.read_bytes().decode("utf-8", "replace")
    found = dict(parse_qsl(text, keep_blank_values=True))
    return found if found.keys() <= PARAMETERS else {}


def found_in(path: Path, content_type: str) -> Upload:
    """Return where the file of a multipart body lies, and the values beside it.

    Raises:
        InvalidBody: It is no such body, holds more than one file, or more than `PARTS_MAX` parts.
    """
    boundary = boundary_of(content_type)
    if boundary is None or not path.stat().st_size:
        raise _no_form()
    mark = b"--" + boundary
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as body:
        if body[: len(mark)] != mark:
            raise _no_form()
        fields: dict[str, str] = {}
        found: Upload | None = None
        at = len(mark)
        parts = 0
        while body[at : at + 2] != b"--":
            parts = _counted(parts)
            head_end = body.find(b"\r\n\r\n", at, at + HEAD_BYTES_MAX)
            end = body.find(b"\r\n" + mark, head_end + 2) if head_end >= 0 else -1
            if head_end < 0 or end < 0:
                raise _no_form()
            head, start = body[at:head_end], head_end + 4
            name, filename = disposition_of(head)
            end = max(end, start)
            if filename is None and name not in {"csv", "ndjson", "parquet", "file"}:
                if end - start > VALUE_BYTES_MAX:
                    raise InvalidBody(f"The value of '{name[:80]}' is too long.")
                fields[name] = body[start:end].decode("utf-8", "replace")
            elif found is not None:
                raise InvalidBody("The body holds more than one file.", hint="Send each alone.")
            else:
                found = Upload(start, end, filename or "", name)
            at = body.find(b"\r\n" + mark, start - 2) + 2 + len(mark)
    return msgspec.structs.replace(found or Upload(), fields=fields)


def _counted(parts: int) -> int:
    if parts >= PARTS_MAX:
        raise InvalidBody(
            f"The form has more than {PARTS_MAX} parts; nothing was imported.",
            hint="Send the file and the parameters alone.",
        )
    return parts + 1


def _no_form() -> InvalidBody:
    return InvalidBody(
        "The body is no multipart/form-data; nothing was imported.",
        hint="Send the file as a field of a form, or as the body itself.",
    )
