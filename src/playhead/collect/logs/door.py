"""The CDN log door: `POST /logs/cdn?format=…`, access logs of every CDN into `cdn_requests`."""

import asyncio
import math
import re
from collections.abc import Sequence
from itertools import chain
from typing import ClassVar, Final
from urllib.parse import quote

import msgspec
from msgspec.structs import astuple

from playhead.collect.door import Answer, Door
from playhead.collect.entrance import Entrance
from playhead.collect.logs.formats import AUTO, FORMATS, guess
from playhead.collect.logs.items import chunks_of
from playhead.collect.logs.logged import BrokenLine, Logged, Options, Reader
from playhead.collect.logs.masking import masked
from playhead.collect.logs.normal import Normal
from playhead.collect.request import DropReason, Request
from playhead.collect.steps import DAY_MS
from playhead.errors import InvalidRequest
from playhead.log.base import Entry
from playhead.model.cdn_request import BARE_COLUMNS, COLUMNS, TABLE, CdnRequest
from playhead.model.event import Refusal, Rows

PATHS: Final = ("/logs/cdn", "/v1/logs/cdn")
CHUNK_BYTES: Final = 512 * 1024
"""Bytes of lines read before other requests get their turn."""
LINE_MAX_BYTES: Final = 65_536
"""A longer line is no line of a log."""
KEPT_MAX_CHARS: Final = 4_096
"""Characters of a refused line that are kept."""
REFUSALS_SHOWN_MAX: Final = 100
"""Refusals that are named in the answer; the rest is counted."""
FIELDS_MAX: Final = 128
"""Names in `&fields=`."""
GUESSED_BY_MAX: Final = 8
"""Lines by which the format is guessed."""
AHEAD_MAX_MS: Final = DAY_MS
"""A line this far in the future has a wrong time."""
_BOM: Final = b"\xef\xbb\xbf"
_CDN = re.compile(r"[A-Za-z0-9_.-]{0,64}")
_ROWS: Final = Rows(TABLE, COLUMNS)
_BARE_ROWS: Final = Rows(TABLE, BARE_COLUMNS)
_encoder: Final = msgspec.json.Encoder()
_BLANK: Final = _encoder.encode(CdnRequest(at=0))
_BARE: Final = _encoder.encode(astuple(CdnRequest(at=0))[: len(BARE_COLUMNS)])
_NO_CMCD: Final = _BLANK[len(_BARE) - 1 :] + b"\n"
"""How the line of a row ends that has no CMCD."""

Item = CdnRequest | str | msgspec.Raw
"""A row, or the text of a line that is none; or either as JSON already."""


class Chunk(msgspec.Struct):
    """One entry's worth of lines: a row for each or its text, and the refusals by index inside."""

    items: list[Item] = []
    refused: list[Refusal] = []

    def refuse(self, text: str, code: str, message: str, *, dropped: bool = False) -> None:
        """Put the text of a line in the place of its row."""
        self.refused.append(Refusal(len(self.items), code, message, dropped=dropped))
        self.items.append(text)


class CdnLogDoor(Door):
    """Takes access logs; the rows go into the log in normal form, refused lines as masked text."""

    name: ClassVar[str] = "cdn"
    idempotent: ClassVar[bool] = True

    def __init__(self, entrance: Entrance) -> None:
        super().__init__(entrance)
        config = self.config
        self._normal = Normal(config, self.doorway.geography, self.doorway.internal)
        # Made once here, so that a log_format that is none ends the start and not a request.
        FORMATS["nginx"](Options(log_format=config.nginx_log_format))
        self._too_old = (
            f"The line is more than {config.max_log_age_ms / DAY_MS:g} days old"
            " (collect.max_log_age_ms)."
        )
        self._too_far = (
            f"The line's time lies more than {AHEAD_MAX_MS // 3_600_000} h in the future."
        )

    def limits(self) -> tuple[int, int]:
        """Return the largest body in bytes, as sent and unpacked."""
        return self.config.max_log_body_bytes, self.config.max_log_decompressed_bytes

    async def entries(self, request: Request, text: bytes) -> list[Entry]:
        """Read the lines in chunks and return one entry for each."""
        cdn = request.parameter("cdn")
        if not _CDN.fullmatch(cdn):
            raise InvalidRequest("cdn= is a name of letters, digits, dots and dashes.")
        name, options = self._asked(request)
        body = text.removeprefix(_BOM).strip(b" \r\n")
        chunks = chunks_of(
            body,
            is_text=name in {"nginx", "cloudfront", "cloudfront-realtime"},
            max_document_bytes=self.config.max_decompressed_bytes,
            most=self.config.max_events_per_request,
            max_bytes=CHUNK_BYTES,
        )
        first = next(chunks, [])
        if name == AUTO:
            name = guess(first[:GUESSED_BY_MAX], has_columns=bool(options.fields))
        reader = FORMATS[name](options)
        made: list[Entry] = []
        refused: list[Refusal] = []
        for lines in chain([first], chunks):
            chunk = self._chunk(
                reader, [line for line in lines if reader.is_row(line)], request, cdn
            )
            if chunk.items:
                made.append(self._entry(request, chunk, _source(name, reader, cdn)))
                offset = request.count
                refused.extend(one.moved_to(one.index + offset) for one in chunk.refused)
                request.count += len(chunk.items)
            await asyncio.sleep(0)
        request.refused = refused
        return made

    async def reread(self, request: Request, body: bytes, source: str) -> list[Entry]:
        """Read one line again, in the format and with the columns it came with."""
        request.query = b"format=" + source.encode()
        return await self.entries(request, body)

    def accepted(self, request: Request) -> Answer:
        """Return how many lines were taken, the first refusals and their number."""
        refused = request.refused
        body = {
            "ok": True,
            "accepted": request.count - len(refused),
            "rejected": [one.told() for one in refused[:REFUSALS_SHOWN_MAX]],
            "rejected_total": len(refused),
        }
        return Answer(200, _encoder.encode(body))

    def _asked(self, request: Request) -> tuple[str, Options]:
        """Return the format the request names, and what it says of it."""
        name = request.parameter("format").lower() or AUTO
        if name != AUTO and name not in FORMATS:
            known = ", ".join((*FORMATS, AUTO))
            raise InvalidRequest(f"Log format '{name[:40]}' is not known; {known} are.")
        fields = tuple(part.strip() for part in request.parameter("fields").split(",") if part)
        if len(fields) > FIELDS_MAX:
            raise InvalidRequest(f"fields= names {len(fields)} columns; {FIELDS_MAX} are allowed.")
        return name, Options(fields=fields, log_format=self.config.nginx_log_format)

    def _chunk(self, reader: Reader, lines: list[bytes], request: Request, cdn: str) -> Chunk:
        """Return the rows of some lines."""
        found: Sequence[Logged] | None = None
        if max(map(len, lines), default=0) <= LINE_MAX_BYTES:
            found = reader.read_all(lines)
        if found is None or len(found) != len(lines):
            return self._one_by_one(reader, lines, request, cdn)
        return self._rows(found, lines, request, reader.cdn or cdn)

    def _rows(
        self, found: Sequence[Logged], lines: list[bytes], request: Request, cdn: str
    ) -> Chunk:
        chunk = Chunk([], [])
        items, row_of = chunk.items, self._normal.request
        oldest: float = request.received_at - self.config.max_log_age_ms
        newest: float = request.received_at + AHEAD_MAX_MS
        if request.is_retried:
            oldest, newest = 0, math.inf
        for index, one in enumerate(found):
            if oldest <= one.at <= newest:
                items.append(row_of(one, cdn))
            else:
                self._drop(chunk, lines[index], too_old=one.at < oldest)
        return chunk

    def _one_by_one(self, reader: Reader, lines: list[bytes], request: Request, cdn: str) -> Chunk:
        """Return the rows of lines among which some are broken: each costs itself."""
        chunk = Chunk([], [])
        for line in lines:
            try:
                one = self._rows([_read(reader, line)], [line], request, reader.cdn or cdn)
                texts = [msgspec.Raw(_encoder.encode(item)) for item in one.items]
            except BrokenLine as error:
                chunk.refuse(self._kept(line), "invalid_line", str(error))
            except (OverflowError, UnicodeEncodeError):
                chunk.refuse(self._kept(line), "invalid_line", "A value cannot be kept.")
            else:
                offset = len(chunk.items)
                chunk.refused += [refusal.moved_to(offset) for refusal in one.refused]
                chunk.items += texts
        return chunk

    def _drop(self, chunk: Chunk, line: bytes, *, too_old: bool) -> None:
        code = DropReason.TOO_OLD if too_old else DropReason.TOO_FAR_AHEAD
        message = self._too_old if too_old else self._too_far
        chunk.refuse(self._kept(line), code.value, message, dropped=True)

    def _kept(self, line: bytes) -> str:
        """Return what is kept of a refused line: no address, unless the settings keep them."""
        text = line[: 2 * KEPT_MAX_CHARS].decode("utf-8", "replace")
        in_full = self.config.keep_addresses and self.config.address_precision == "full"
        return (text if in_full else masked(text))[:KEPT_MAX_CHARS]

    def _entry(self, request: Request, chunk: Chunk, source: str) -> Entry:
        request.refused = chunk.refused
        body, rows = _lines_of(chunk.items)
        return Entry(
            door=self.name,
            key="",
            events=len(chunk.items),
            meta=self.meta(request, rows=rows, source=source),
            body=body,
        )


def _lines_of(items: Sequence[Item]) -> tuple[bytes, Rows]:
    """Return the lines of a chunk, without the columns of CMCD where no row has any."""
    lines = _encoder.encode_lines(items)
    if lines.count(_NO_CMCD) == len(items):
        return lines.replace(_NO_CMCD, b"]\n").removesuffix(b"\n"), _BARE_ROWS
    return lines.removesuffix(b"\n"), _ROWS


def _read(reader: Reader, line: bytes) -> Logged:
    if len(line) > LINE_MAX_BYTES:
        raise BrokenLine(f"The line has more than {LINE_MAX_BYTES} bytes.")
    return reader.read(line)


def _source(name: str, reader: Reader, cdn: str) -> str:
    """Return what is needed to read a line again, as a query: `json&cdn=own`."""
    columns = f"&fields={quote(','.join(reader.told), safe=',')}" if reader.told else ""
    return f"{name}{f'&cdn={cdn}' if cdn else ''}{columns}"
