"""Normal form: from a logged line to a row of `cdn_requests`, the same for every CDN."""

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from playhead.collect.address import prefix
from playhead.collect.device import NOTHING_SAID as NOTHING
from playhead.collect.device import USER_AGENT_MAX, Facts, facts_of
from playhead.collect.geography import NOWHERE, Geography, Place
from playhead.collect.internal import Internal
from playhead.collect.logs.caches import STATE_MAX, state_of
from playhead.collect.logs.cmcd import cmcd_of, put_cmcd
from playhead.collect.logs.fields import host_of
from playhead.collect.logs.logged import Logged
from playhead.collect.logs.patterns import NAME_MAX, Patterns
from playhead.config import Collect
from playhead.model.cdn import cdn_of
from playhead.model.cdn_request import CdnRequest

PATH_MAX: Final = 2_048
"""Characters of a path that are kept."""
_CACHE: Final = 16_384
# What is remembered is cut first: a stranger's lines of 64 KiB would else fill the memory.
_CLIENT_MAX: Final = 128
_REFERER_MAX: Final = 2_048
_KNOWN_MAX: Final = 512
"""Characters of parameters that are remembered."""
_NO_HEADERS: Final[Mapping[bytes, bytes]] = {}
_NOBODY: Final = Facts(device_class="")


class Normal:
    """Makes rows.

    Args:
        config: The settings.
        geography: The place of an address.
        internal: Whether an address is one of your own.

    Raises:
        ConfigInvalid: A path pattern of the settings is none.
    """

    def __init__(self, config: Collect, geography: Geography, internal: Internal) -> None:
        self._hosts = tuple(config.cdn_hosts)
        self._keep_addresses = config.keep_addresses
        self._in_full = config.address_precision == "full"
        self._geography = geography
        self._internal = internal
        self._needs_no_address = not (config.keep_addresses or config.internal_networks)
        self._parts_of = Patterns(config.log_path_patterns).parts
        names = config.log_session_parameters
        self._session_ranks = {name: rank for rank, name in reversed(list(enumerate(names)))}
        either = "|".join(map(re.escape, names)) or r"(?!)"
        self._session = re.compile(rf"(?:^|[&?])({either})=([^&#]+)")
        # A session asks for segment after segment with the same parameters; CMCD's never repeat.
        self._session_known = lru_cache(maxsize=_CACHE)(self._session_in)

    def request(self, line: Logged, cdn: str) -> CdnRequest:
        """Return the row of a line; `cdn` is the format's or the request's word."""
        path, query = _path_of(line.path)
        query = query or line.query
        owner, video_id, rendition, segment, session = self._parts_of(path)
        user_agent = line.user_agent
        device = _device_of(user_agent[:USER_AGENT_MAX]) if user_agent else _NOBODY
        host = line.host
        # By position, in the order of the columns: half the time of names.
        request = CdnRequest(
            line.at,
            line.cdn or cdn or (cdn_of(host, self._hosts) if host else ""),
            line.pop,
            owner,
            video_id,
            rendition,
            segment,
            line.method,
            host,
            path if len(path) <= PATH_MAX else path[:PATH_MAX],
            line.status,
            state_of(line.cache[-STATE_MAX:]) if line.cache else "",
            line.cache,  # cache_detail
            line.bytes_out,
            line.bytes_in,
            line.ttfb_ms,
            line.total_ms,
            line.protocol,
            line.country,
            line.region,
            line.city,
            line.asn,
            line.as_org,
            device.device_class,
            device.os,
            device.browser,
            device.bot or device.program,
            False,  # internal
            "",  # address
            line.request_id,
            session or line.session_id or (self._session_of(query) if query else ""),
            line.extra,
        )
        if line.client:
            self._put_place(request, line.client)
        if line.referer:
            page = _put_referer(request, line.referer)
            request.internal = request.internal or self._internal.host(page)
        if "CMCD" in query or line.headers or line.cmcd or line.keys or "cmcd" in query:
            put_cmcd(request, cmcd_of(line, query))
        return request

    def _put_place(self, request: CdnRequest, client: str) -> None:
        """Put what the log does not say of the client's place; drop the address, or keep it."""
        if self._needs_no_address and request.country and request.asn:
            return
        address = _address(client[:_CLIENT_MAX])
        if not address:
            return
        if self._keep_addresses:
            request.address = address if self._in_full else prefix(address)
        request.internal = self._internal.address(address)
        place = self._geography.place(address, _NO_HEADERS, trusted=False)
        if place is not NOWHERE:
            _fill(request, place)

    def _session_of(self, query: str) -> str:
        if len(query) > _KNOWN_MAX or "CMCD" in query:
            return self._session_in(query)
        return self._session_known(query)

    def _session_in(self, query: str) -> str:
        found = self._session.findall(query)
        if not found:
            return ""
        if len(found) > 1:
            found.sort(key=lambda pair: self._session_ranks[pair[0]])
        value: str = found[0][1]
        return (unquote(value) if "%" in value else value)[:NAME_MAX]


def _path_of(written: str) -> tuple[str, str]:
    """Return path and parameters of a path or a whole URL."""
    if written[0] == "/" and "?" not in written and "#" not in written:
        return written, ""
    path, _, query = written.partition("?")
    if "://" in path[:12]:
        path = "/" + path.partition("://")[2].partition("/")[2]
    elif path[:1] != "/":
        path = f"/{path}"
    return path.partition("#")[0], query


@lru_cache(maxsize=_CACHE)
def _device_of(user_agent: str) -> Facts:
    return facts_of(user_agent.encode()[:USER_AGENT_MAX], NOTHING)


@lru_cache(maxsize=_CACHE)
def _address(client: str) -> str:
    """Return the first address of a field that may name several; empty if it is none."""
    try:
        return str(ipaddress.ip_address(client.partition(",")[0].strip().strip("[]")))
    except ValueError:
        return ""


def _fill(request: CdnRequest, place: Place) -> None:
    if not request.country or request.country == place.country:
        request.country = place.country
        request.region = request.region or place.region
        request.city = request.city or place.city
    if not request.asn:
        request.asn = place.asn
        request.as_org = request.as_org or place.as_org


def _put_referer(request: CdnRequest, referer: str) -> str:
    """Put the host of the page, and return it."""
    host = host_of(referer[:_REFERER_MAX])
    if host:
        request.extra = {**(request.extra or {}), "referer_host": host}
    return host
