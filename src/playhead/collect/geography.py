"""Where a request comes from: a trusted proxy's header, else the user's file, else unknown."""

import re
import shutil
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import maxminddb
import msgspec

from playhead import observe
from playhead.clock import Clock
from playhead.collect import address as addresses
from playhead.config import Collect

_log = observe.logger("collect")
_RELOADS = observe.counter("geo_files_loaded", "MaxMind-format files loaded.", ("kind",))
CHECK_EVERY_S: Final = 5.0
"""How often a file is looked at for a change."""
_CACHE: Final = 65_536
_TEXT_MAX: Final = 128
_COUNTRY = re.compile(r"[A-Z]{2}")
_NOWHERE = frozenset({"XX", "T1", "ZZ", "AP", "EU", "A1", "A2", "O1"})
"""What proxies and files say instead of a country they do not know."""


class Place(msgspec.Struct, frozen=True):
    """A place on the map and in the network; empty and 0 where unknown."""

    country: str = ""
    region: str = ""
    city: str = ""
    asn: int = 0
    as_org: str = ""


NOWHERE: Final = Place()


class GeoFile:
    """One MaxMind-format file, opened again when it changes on disk.

    It is read from a private copy: somebody who overwrites a mapped file would end the process.
    """

    def __init__(self, kind: str, path: str, clock: Clock) -> None:
        self._kind = kind
        self._path = Path(path).expanduser() if path else None
        self._clock = clock
        self._reader: Any = None
        self._seen: tuple[int, int, int] | None = None
        self._checked_s = float("-inf")
        self.problem = ""
        self.refresh()

    def refresh(self) -> bool:
        """Load the file if it changed since it was last looked at; say whether it did."""
        now_s = self._clock.monotonic_s()
        if self._path is None or 0 <= now_s - self._checked_s < CHECK_EVERY_S:
            return False
        self._checked_s = now_s
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen == self._seen:
                return False
            reader = _open_copy(self._path)
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            self._complain(error)
            return False
        old, self._reader, self._seen, self.problem = self._reader, reader, seen, ""
        if old is not None:
            old.close()
        _RELOADS.labels(self._kind).inc()
        return True

    def get(self, address: str) -> Mapping[str, Any]:
        """Return the record of an address, empty if there is none."""
        if self._reader is None:
            return {}
        try:
            record = self._reader.get(address)
        except (ValueError, maxminddb.InvalidDatabaseError):
            return {}
        return record if isinstance(record, dict) else {}

    def close(self) -> None:
        """Release the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _complain(self, error: Exception) -> None:
        problem = f"{self._path}: {error}"
        if problem != self.problem:
            _log.warning("geo_file_refused", kind=self._kind, reason=problem)
        self.problem = problem


def _open_copy(path: Path) -> Any:
    with tempfile.NamedTemporaryFile(prefix="playhead-geo-", suffix=".mmdb") as copy:
        with path.open("rb") as source:
            shutil.copyfileobj(source, copy)
        copy.flush()
        return maxminddb.open_database(copy.name)


class Geography:
    """The look-up, remembered by address prefix; the address itself is not remembered."""

    def __init__(self, config: Collect, clock: Clock) -> None:
        self._clock = clock
        self._geo = GeoFile("geo", config.geo_file, clock)
        self._asn = GeoFile("asn", config.asn_file, clock)
        self._has_files = bool(config.geo_file or config.asn_file)
        self._country_headers = _names(config.country_headers)
        self._region_headers = _names(config.region_headers)
        self._asn_headers = _names(config.asn_headers)
        self._of_prefix = lru_cache(maxsize=_CACHE)(self._look_up)
        self._merged = lru_cache(maxsize=_CACHE)(_merge)

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the files, for the status page."""
        return tuple(p for p in (self._geo.problem, self._asn.problem) if p)

    def place(self, address: str, headers: Mapping[bytes, bytes], *, trusted: bool) -> Place:
        """Return where an address is.

        Args:
            address: The client's, or empty.
            headers: The request's headers, lower-case names.
            trusted: Whether the peer is a proxy whose headers are believed.
        """
        found = NOWHERE
        if self._has_files and address:
            if self._geo.refresh() | self._asn.refresh():
                self._of_prefix.cache_clear()
            network = addresses.prefix(address)
            if network:
                found = self._of_prefix(network)
        if not trusted:
            return found
        country = _first(headers, self._country_headers)
        region = _first(headers, self._region_headers)
        asn = _first(headers, self._asn_headers)
        if not (country or region or asn):
            return found
        return self._merged(found, country, region, asn)

    def close(self) -> None:
        """Release the files."""
        self._geo.close()
        self._asn.close()

    def _look_up(self, network: str) -> Place:
        geo, asn = self._geo.get(network), self._asn.get(network)
        regions = geo.get("subdivisions")
        region = regions[0] if isinstance(regions, list) and regions else {}
        number, organisation = _network_of(asn) if asn else _network_of(geo)
        return Place(
            country=_country(geo.get("country")) or _country(geo.get("registered_country")),
            region=_text(region.get("iso_code") if isinstance(region, dict) else "")
            or _text(geo.get("state1")),
            city=_city(geo.get("city")),
            asn=number,
            as_org=organisation,
        )


def _names(headers: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(name.lower().encode("latin-1") for name in headers)


def _first(headers: Mapping[bytes, bytes], names: tuple[bytes, ...]) -> bytes:
    for name in names:
        value = headers.get(name)
        if value:
            return value[:_TEXT_MAX]  # it becomes the key of a memory
    return b""


def _merge(found: Place, country: bytes, region: bytes, asn: bytes) -> Place:
    """Return a place where the proxy's word counts first, without mixing two countries."""
    named = _country(country.decode("latin-1").strip().upper())
    if named and named != found.country:
        found = Place(country=named, asn=found.asn, as_org=found.as_org)
    number = asn.strip().upper().removeprefix(b"AS")
    changed = int(number) if number.isdigit() and len(number) <= 10 else found.asn
    return Place(
        country=found.country,
        region=_text(region.decode("latin-1").strip()) or found.region,
        city=found.city,
        asn=changed if changed < 2**32 else found.asn,
        as_org=found.as_org if changed == found.asn else "",
    )


def _country(value: Any) -> str:
    code = value.get("iso_code") if isinstance(value, dict) else value
    if isinstance(code, str) and _COUNTRY.fullmatch(code) and code not in _NOWHERE:
        return code
    return ""


def _city(value: Any) -> str:
    names = value.get("names") if isinstance(value, dict) else None
    return _text(names.get("en") if isinstance(names, dict) else value)


def _network_of(record: Mapping[str, Any]) -> tuple[int, str]:
    number = record.get("autonomous_system_number", record.get("asn", 0))
    if isinstance(number, str):
        number = number.upper().removeprefix("AS")
        number = int(number) if number.isdecimal() else 0
    organisation = _text(record.get("autonomous_system_organization", record.get("as_name")))
    return (number if isinstance(number, int) and 0 <= number < 2**32 else 0), organisation


def _text(value: Any) -> str:
    return value[:_TEXT_MAX] if isinstance(value, str) and value.isprintable() else ""
