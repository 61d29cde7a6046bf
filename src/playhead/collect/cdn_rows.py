"""CDN requests as rows: in our own columns, or as any JSON log line.

A row with `at` is in our columns; every other one is read by the names that log lines use.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from playhead.collect.address import prefix
from playhead.collect.columns import Columns, Fault, fault, text, whole
from playhead.collect.logs.fields import put_extra
from playhead.collect.logs.generic import Generic
from playhead.collect.logs.logged import BrokenLine, Options
from playhead.collect.logs.masking import masked
from playhead.collect.logs.normal import Normal
from playhead.collect.steps import Doorway
from playhead.model.cdn_request import CACHE_STATES, CdnRequest

PATH_LENGTH_MAX: Final = 2_048
_UINT8_MAX: Final = 2**8 - 1
_UINT16_MAX: Final = 2**16 - 1
_UINT32_MAX: Final = 2**32 - 1


def _cache(value: object, column: str) -> str:
    found = text(value, column).lower()
    if found not in CACHE_STATES:
        raise fault(value, column, f"is none of {', '.join(filter(None, CACHE_STATES))}")
    return found


def _path(value: object, column: str) -> str:
    """Return a path without parameters: they hold tokens."""
    return text(value, column, max_=PATH_LENGTH_MAX).partition("?")[0]


def _kept(said: Mapping[str, object]) -> dict[str, object] | None:
    """Return what no column knows as it is kept of a line of a log."""
    extra: dict[str, object] = {}
    for name, value in said.items():
        put_extra(extra, name, value)
    return extra or None


_COLUMNS: Final = Columns(
    CdnRequest,
    reads={
        "cache": _cache,
        "path": _path,
        "status": partial(whole, max_=_UINT16_MAX),
        "asn": partial(whole, max_=_UINT32_MAX),
        "cmcd_version": partial(whole, max_=_UINT8_MAX),
    },
)


class CdnRows:
    """Makes rows of `cdn_requests`.

    Args:
        doorway: Settings, places of addresses, addresses of your own.

    Raises:
        ConfigInvalid: A path pattern of the settings is none.
    """

    def __init__(self, doorway: Doorway) -> None:
        self._geography = doorway.geography
        self._internal = doorway.internal
        self._keep_addresses = doorway.config.keep_addresses
        self._in_full = doorway.config.address_precision == "full"
        self._normal = Normal(doorway.config, doorway.geography, doorway.internal)
        self._generic = Generic(Options())

    def row(self, item: bytes, row: Mapping[str, Any]) -> CdnRequest:
        """Return the row of a JSON object, given as its bytes, too.

        Raises:
            Fault: A value is not what its column holds, or there is no time or path.
        """
        if "at" not in row:
            try:
                return self._normal.request(self._generic.read(item), "")
            except BrokenLine as error:
                raise Fault("invalid_row", str(error)) from error
        found = CdnRequest(**_COLUMNS.read(row))
        if found.address:
            self._put_place(found)
        if found.extra:
            found.extra = _kept(found.extra)
        return found

    def kept(self, said: str) -> str:
        """Return a refused row, or what is said of it, without addresses that may not be kept."""
        return said if self._keep_addresses and self._in_full else masked(said)

    def _put_place(self, row: CdnRequest) -> None:
        """Put where a viewer is, where the row does not say; then the address may go."""
        place = self._geography.place(row.address, {}, trusted=False)
        row.country = row.country or place.country
        row.region = row.region or place.region
        row.city = row.city or place.city
        row.asn = row.asn or place.asn
        row.as_org = row.as_org or place.as_org
        row.internal = row.internal or self._internal.address(row.address)
        if not self._keep_addresses:
            row.address = ""
        elif not self._in_full:
            row.address = prefix(row.address)
