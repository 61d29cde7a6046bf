"""Batches of records over HTTP: repeated while the server is busy, cut where one record is bad."""

import hashlib
import time
from typing import Any, Final

import httpx2
import msgspec

from playhead.clock import Clock
from playhead.connect.files.kind import Kind, Target
from playhead.connect.files.lines import Source
from playhead.connect.files.plain import with_ts
from playhead.connect.files.record import Record
from playhead.errors import InvalidRequest, Unavailable

TIMEOUT_S: Final = 60.0
RETRY_FOR_S: Final = 300.0
"""How long a batch is tried again before the replay stops."""
RETRY_AFTER_MAX_S: Final = 60.0
BACKOFF_FIRST_S: Final = 0.25
BACKOFF_MAX_S: Final = 15.0
_RETRIED: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_TAKEN: Final = frozenset({200, 202, 204})
_BAD: Final = frozenset({400, 413, 422})
"""Answers that speak of the body: the batch is halved until the record is found."""
_NOT_THE_BODY: Final = "invalid_request"
"""Such an answer is about the request, for example its format: every batch would get it."""
_CONFLICT: Final = "Idempotency-Key came before with another body"
_PARTS: Final = (("buffering", "startedAt"), ("buffering", "endedAt"))
"""Times inside an event besides its timestamp."""
_encode = msgspec.json.Encoder().encode


class Batch(msgspec.Struct):
    """Records for one door. A batch of lines holds lines of one file, cut as the file says."""

    kind: Kind
    target: Target
    records: list[Record]
    head: bytes = b""
    """Lines that go before every batch of this file."""


class Told(msgspec.Struct):
    """What the server said: how many it took, and each refusal as (record, code, message)."""

    accepted: int
    refused: list[tuple[Record, str, str]]


class Sender:
    """Sends batches to one server.

    Args:
        url: The server.
        key: A write key, empty for none.
        sources: The files, by the index that records carry.
        shifts: Milliseconds added to the times of each file.
        clock: Time.
    """

    def __init__(
        self, url: str, key: str, sources: list[Source], shifts: list[int], clock: Clock
    ) -> None:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        try:
            self._http = httpx2.Client(
                base_url=url, timeout=TIMEOUT_S, trust_env=False, headers=headers
            )
        except (httpx2.InvalidURL, ValueError) as error:
            raise InvalidRequest(f"{url} is no address: {error}.", hint="") from error
        self._url = url
        self._sources = sources
        self._shifts = shifts
        self._clock = clock
        self._answered = False

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, batch: Batch) -> Told:
        """Send a batch until the server took it, and return what it said.

        Raises:
            InvalidRequest: The server refuses everything sent like this.
            Unavailable: It does not answer, or is busy for too long.
        """
        answer = self._post(batch)
        status, records = answer.status_code, batch.records
        if status in _TAKEN:
            return _told(records, _decoded(answer))
        body = _decoded(answer)
        if _is_conflict(batch, status, body):
            said = "These lines were sent before with other times; what was sent first stays."
            return Told(0, [(record, "already_sent", said) for record in records])
        if status in _BAD and body.get("code") != _NOT_THE_BODY:
            if len(records) == 1:
                code = str(body.get("code") or f"http_{status}")
                return Told(0, [(records[0], code, str(body.get("message") or answer.text[:200]))])
            return self._halves(batch)
        raise self._stopped(batch, answer)

    def _halves(self, batch: Batch) -> Told:
        middle = len(batch.records) // 2
        told = Told(0, [])
        for part in (batch.records[:middle], batch.records[middle:]):
            one = self.send(Batch(batch.kind, batch.target, part, batch.head))
            told.accepted += one.accepted
            told.refused += one.refused
        return told

    def _post(self, batch: Batch) -> httpx2.Response:
        """Post a batch; wait and repeat while the server cannot take it."""
        began_s, backoff_s = self._clock.monotonic_s(), BACKOFF_FIRST_S
        while True:
            said, wait_s = "", backoff_s
            try:
                answer = self._http.post(
                    batch.target.path, content=self._body(batch), headers=self._headers(batch)
                )
                if answer.status_code not in _RETRIED:
                    self._answered = True
                    return answer
                said = f"answers {answer.status_code}"
                wait_s = max(_retry_after_s(answer), backoff_s)
            except (httpx2.TransportError, httpx2.InvalidURL) as error:
                if not self._answered:
                    raise Unavailable(
                        f"Nothing answers at {self._url}.",
                        hint="Start it with 'playhead up', or name it with --url.",
                    ) from error
                said = "does not answer"
            if self._clock.monotonic_s() - began_s + wait_s > RETRY_FOR_S:
                raise Unavailable(
                    f"{self._url} {said} for {RETRY_FOR_S:.0f} s.",
                    hint="Run the same command again later: it goes on where it stopped.",
                )
            time.sleep(wait_s)
            backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)

    def _headers(self, batch: Batch) -> dict[str, str]:
        headers = {"content-type": batch.target.content_type}
        if not batch.target.array:
            first, last = batch.records[0], batch.records[-1]
            mixed = hashlib.blake2b(digest_size=16)
            identity = self._sources[first.file].identity
            span = f"{first.line}\0{first.ordinal}\0{last.line}\0{last.ordinal}"
            mixed.update(f"{batch.target.path}\0{identity}\0{span}".encode())
            headers["idempotency-key"] = mixed.hexdigest()
        return headers

    def _body(self, batch: Batch) -> bytes:
        if batch.target.array:
            # Sent now, so that a clock correction by `sentAt` finds nothing to correct: the times
            # of a file are as they are meant to be, however old.
            now_ms = self._clock.now_ms()
            return _encode([self._event(one) | {"sentAt": now_ms} for one in batch.records])
        return batch.head + b"\n".join(self._line(batch, one) for one in batch.records)

    def _line(self, batch: Batch, record: Record) -> bytes:
        if record.event is not None:
            return _encode(self._event(record))
        shift_ms = self._shifts[record.file]
        return (
            with_ts(record.text, shift_ms) if shift_ms and batch.kind is Kind.CMCD else record.text
        )

    def _event(self, record: Record) -> dict[str, Any]:
        """Return the event with its times moved; the record's own stays as it is."""
        event, shift_ms = record.event or {}, self._shifts[record.file]
        if record.at_ms is None:
            return event
        moved = event | {"timestamp": record.at_ms + shift_ms}
        for part, name in _PARTS if shift_ms else ():
            inner = moved.get(part)
            if isinstance(inner, dict) and isinstance(inner.get(name), (int, float)):
                moved[part] = inner | {name: inner[name] + shift_ms}
        return moved

    def _stopped(self, batch: Batch, answer: httpx2.Response) -> InvalidRequest:
        body = _decoded(answer)
        said = str(body.get("message") or answer.text[:200]).rstrip(".")
        hint = str(body.get("hint") or "")
        if answer.status_code in {401, 403}:
            hint = "Make a write key with 'playhead token create --kind write'; give it with --key."
        if answer.status_code == 404 and "documentation" not in body:  # the events door has it
            hint = (
                f"This server has no door {batch.target.path.partition('?')[0]}; is it a Playhead?"
            )
        if answer.status_code == 410:
            hint = "The door is closed there (collect.closed_doors), or --key is wrong."
        return InvalidRequest(
            f"The server answered {answer.status_code}: {said or 'nothing more'}.", hint=hint
        )


def _is_conflict(batch: Batch, status: int, body: dict[str, Any]) -> bool:
    """Return whether the server has this batch under other times: it was sent with another start."""
    said = str(body.get("message", ""))
    return not batch.target.array and status in {400, 409, 422} and _CONFLICT in said


def _retry_after_s(answer: httpx2.Response) -> float:
    """Return what Retry-After asks for, 0 if it is not in seconds."""
    text = answer.headers.get("retry-after", "")
    return min(float(text), RETRY_AFTER_MAX_S) if text.isdecimal() else 0.0


def _decoded(answer: httpx2.Response) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return body if isinstance(body, dict) else {}


def _told(records: list[Record], body: dict[str, Any]) -> Told:
    refused: list[tuple[Record, str, str]] = []
    rejected = body.get("rejected")
    for one in rejected if isinstance(rejected, list) else []:
        index = one.get("index") if isinstance(one, dict) else None
        if isinstance(index, int) and 0 <= index < len(records):
            found = (str(one.get("code", "refused")), str(one.get("message", "")))
            refused.append((records[index], *found))
    # Some doors name the first ones and count the rest, or only count.
    counted = body.get("rejected_total", body.get("quarantined_rows", 0))
    if isinstance(counted, int) and len(refused) < counted <= len(records):
        first, last = records[0].line, records[-1].line
        said = f"The server refused it among lines {first} to {last}; see its quarantine."
        refused += [(records[-1], "not_named", said)] * (counted - len(refused))
    return Told(len(records) - len(refused), refused)
