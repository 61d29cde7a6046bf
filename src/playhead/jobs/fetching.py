"""Fetching the file of an import from a URL: of allowed hosts only, and from nowhere else.

The address is resolved once and what was checked is what is connected to, so a name that resolves
to another address a moment later changes nothing. Nothing of ours goes along: no token, no cookie.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx2

from playhead.errors import BodyTooLarge, InvalidRequest
from playhead.jobs.spool import Spool
from playhead.jobs.work import Work

URL_CHARS_MAX: Final = 4_096
CONNECT_S: Final = 10.0
READ_S: Final = 60.0
_PORTS: Final = {"http": 80, "https": 443}
_SETTING: Final = "jobs.allowed_import_hosts"


async def fetch(work: Work, spool: Spool, url: str) -> int:
    """Write the file at a URL into the spool; return its bytes.

    Raises:
        InvalidRequest: It cannot be fetched, or may not.
        BodyTooLarge: It is larger than an import may be.
        JobCancelled: Somebody cancelled the job.
    """
    limits = work.desk.config.jobs
    parts = checked_url(url, limits.allowed_import_hosts)
    address = await _resolved(parts, limits.allowed_import_hosts)
    host = f"[{address}]" if ":" in address else address
    port = parts.port or _PORTS[parts.scheme]
    target = parts._replace(netloc=f"{host}:{port}", fragment="").geturl()
    headers = {"host": parts.netloc.rpartition("@")[2], "accept-encoding": "identity"}
    timeout = httpx2.Timeout(READ_S, connect=CONNECT_S)
    try:
        async with (
            asyncio.timeout(limits.import_url_timeout_ms / 1000),
            httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=timeout) as client,
            client.stream(
                "GET", target, headers=headers, extensions={"sni_hostname": parts.hostname or ""}
            ) as response,
        ):
            _check_answer(response, limits.max_import_bytes)
            return await _received(work, spool, response)
    except TimeoutError:
        raise InvalidRequest(
            "Fetching the file took longer than jobs.import_url_timeout_ms; nothing was imported."
        ) from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise InvalidRequest(
            f"The file cannot be fetched from {parts.hostname} ({type(error).__name__}); nothing was"
            " imported.",
            hint="Look whether the URL answers, then retry the job.",
        ) from error


def checked_url(url: str, allowed: Sequence[str]) -> SplitResult:
    """Return the parts of a URL that may be fetched.

    Raises:
        InvalidRequest: It may not be; the sentence names the setting.
    """
    if not allowed:
        raise InvalidRequest(
            f"Imports by URL are switched off: {_SETTING} lists no host. Nothing was imported.",
            hint=f"Set {_SETTING}, or send the file itself.",
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidRequest(f"The URL cannot be read ({error}).") from error
    host = (parts.hostname or "").lower()
    if parts.scheme not in _PORTS or not host or len(url) > URL_CHARS_MAX or "@" in parts.netloc:
        raise InvalidRequest("The URL must be http or https, with a host and without a password.")
    if not _is_named(host, allowed) and not any(
        one.startswith(".") and host.endswith(one.lower()) for one in allowed
    ):
        raise InvalidRequest(
            f"The host {host[:200]} is none of {_SETTING}; nothing was imported.",
            hint="Ask who runs the server to allow it, or send the file itself.",
        )
    if port not in {None, _PORTS[parts.scheme]} and not _is_named(host, allowed):
        raise InvalidRequest(
            f"Another port than {_PORTS[parts.scheme]} needs the host itself in {_SETTING}."
        )
    return parts


def _is_named(host: str, allowed: Sequence[str]) -> bool:
    return host in {one.lower() for one in allowed}


async def _resolved(parts: SplitResult, allowed: Sequence[str]) -> str:
    """Return an address of the host, public unless the host is allowed by its own name."""
    host = (parts.hostname or "").lower()
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise InvalidRequest(f"The host {host[:200]} is not known ({error}).") from error
    addresses = [str(one[4][0]).partition("%")[0] for one in found]
    if not _is_named(host, allowed):
        for address in addresses:
            if not ipaddress.ip_address(address).is_global:
                raise InvalidRequest(
                    f"The host {host[:200]} leads into a private network; nothing was imported.",
                    hint=f"Name the host itself in {_SETTING} if that is meant.",
                )
    return addresses[0]


def _check_answer(response: httpx2.Response, bytes_max: int) -> None:
    if response.is_redirect:
        raise InvalidRequest(
            "The URL leads on to another one, which is not followed; nothing was imported.",
            hint="Give the URL it leads to.",
        )
    if response.status_code != httpx2.codes.OK:
        raise InvalidRequest(
            f"The URL answers {response.status_code}; nothing was imported.",
        )
    said = response.headers.get("content-length", "")
    if said.isdigit() and int(said) > bytes_max:
        raise BodyTooLarge(
            f"The file has {said} bytes, more than jobs.max_import_bytes; nothing was imported.",
            hint="Import it in parts, or raise jobs.max_import_bytes.",
        )


async def _received(work: Work, spool: Spool, response: httpx2.Response) -> int:
    with await asyncio.to_thread(spool.writer, work.job.id) as writer:
        async for data in response.aiter_raw():
            work.check()
            await asyncio.to_thread(writer.write, data)
        await asyncio.to_thread(writer.close)
    return writer.size
