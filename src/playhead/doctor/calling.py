"""The doctor's calls: one client, short limits of time, and what became of each call."""

import os
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Self

import httpx2
import msgspec

from playhead.clock import Clock
from playhead.doctor.patient import Patient
from playhead.errors import StartupError

AUTHORITY: Final = "SSL_CERT_FILE"
TIMEOUT_S: Final = 10.0
BODY_MAX_BYTES: Final = 4 << 20
"""Longest answer that is read: `/v1/status` and `/metrics` are far below."""


class Answer(msgspec.Struct, frozen=True):
    """An answer. `before_ms` and `after_ms` are this machine's time (UTC) around the call."""

    status: int
    headers: dict[str, str]
    body: bytes
    before_ms: int
    after_ms: int

    def told(self) -> dict[str, Any]:
        """Return the body's JSON object; empty if it is none."""
        try:
            found = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return {}
        return found if isinstance(found, dict) else {}

    def data(self) -> dict[str, Any]:
        """Return what stands under `data`; empty if it is no object."""
        found = self.told().get("data")
        return found if isinstance(found, dict) else {}

    def meta(self) -> dict[str, Any]:
        """Return what stands under `meta`; empty if it is no object."""
        found = self.told().get("meta")
        return found if isinstance(found, dict) else {}


class Unreached(Exception):
    """No answer came; the sentence says why."""


class Calls:
    """Calls to the patient; use as a context."""

    def __init__(self, patient: Patient) -> None:
        self.url = patient.url.rstrip("/")
        self._clock: Clock = patient.clock
        self._headers = {"authorization": f"Bearer {patient.secret}"} if patient.secret else {}
        self._http = httpx2.Client(
            timeout=TIMEOUT_S, trust_env=False, follow_redirects=False, verify=_verifying()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, *, with_token: bool = False) -> Answer:
        """Return the answer to a GET; raises as `call`."""
        return self.call("GET", path, self._headers if with_token else {})

    def call(self, method: str, path: str, headers: dict[str, str]) -> Answer:
        """Return the answer to a call without a body.

        Raises:
            Unreached: None came, or one that is far too long.
        """
        with self._opened(method, path, headers) as (response, before_ms):
            body = b""
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > BODY_MAX_BYTES:
                    raise Unreached("the answer is far too long; that is no Playhead")
            return Answer(
                response.status_code, dict(response.headers), body, before_ms, self._clock.now_ms()
            )

    def first_bytes_ms(self, path: str) -> int | None:
        """Return after how long the first bytes of an endless answer came; None if it is refused.

        Raises:
            Unreached: None came in time.
        """
        began_s = self._clock.monotonic_s()
        with self._opened("GET", path, self._headers) as (response, _):
            if response.status_code != httpx2.codes.OK:
                return None
            next(response.iter_bytes(), b"")
            return int((self._clock.monotonic_s() - began_s) * 1000)

    @contextmanager
    def _opened(
        self, method: str, path: str, headers: dict[str, str]
    ) -> Generator[tuple[httpx2.Response, int], None, None]:
        before_ms = self._clock.now_ms()
        try:
            with self._http.stream(method, self.url + path, headers=headers) as response:
                yield response, before_ms
        except httpx2.TimeoutException as error:
            raise Unreached(f"no answer within {TIMEOUT_S:.0f} s") from error
        except httpx2.ConnectError as error:
            why = "its certificate is not valid here" if _is_tls(error) else "nothing listens there"
            raise Unreached(f"{why} ({_cause(error)})") from error
        except (httpx2.TransportError, httpx2.InvalidURL) as error:
            raise Unreached(_cause(error)) from error


def _verifying() -> ssl.SSLContext | bool:
    """Return how certificates are checked: a private authority is named as other programs are told."""
    own = os.environ.get(AUTHORITY, "")
    if not own:
        return True
    try:
        return ssl.create_default_context(cafile=own)
    except OSError as error:
        raise StartupError(f"{AUTHORITY} names {own}, which cannot be read: {error}.") from error


def moment_ms(text: object) -> int | None:
    """Return a time of an answer (ISO 8601 with its zone) as UTC ms; None if it is none."""
    try:
        return int(datetime.fromisoformat(str(text)).timestamp() * 1000)
    except ValueError:
        return None


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError) or "certificate" in str(error).lower():
            return True
        error = error.__cause__ or error.__context__
    return False


def _cause(error: Exception) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__
