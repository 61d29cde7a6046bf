"""The logged line: what one line of a CDN's log says, under our names, before it is normal form."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import msgspec


class BrokenLine(ValueError):
    """A line without what every line must have; the message says which field."""


class Logged(msgspec.Struct, kw_only=True, gc=False):
    """One line as its format's reader understood it. Empty or `None` = the line does not say."""

    at: int
    """UTC ms."""
    path: str
    """Path or whole URL, with or without parameters."""
    query: str = ""
    cdn: str = ""
    pop: str = ""
    method: str = ""
    host: str = ""
    status: int = 0
    cache: str = ""
    """The CDN's own word."""
    bytes_out: float | None = None
    bytes_in: float | None = None
    ttfb_ms: float | None = None
    total_ms: float | None = None
    protocol: str = ""
    client: str = ""
    """The client's address."""
    user_agent: str = ""
    referer: str = ""
    country: str = ""
    region: str = ""
    city: str = ""
    asn: int = 0
    as_org: str = ""
    request_id: str = ""
    session_id: str = ""
    headers: dict[str, str] | None = None
    """The four CMCD headers, where logged."""
    cmcd: str = ""
    """CMCD logged in a field of its own, as in a query."""
    keys: dict[str, str] | None = None
    """CMCD keys logged one by one."""
    extra: dict[str, object] | None = None


class Options(msgspec.Struct, frozen=True):
    """What a reader is made with: parameters of the request and settings."""

    fields: tuple[str, ...] = ()
    """The order of columns, for formats that do not say it themselves."""
    log_format: str = ""
    """`collect.nginx_log_format`."""


class Reader(ABC):
    """Reads the lines of one body in one format."""

    cdn: ClassVar[str] = ""
    """The CDN that logs so; empty = the lines or the request must say."""
    is_text: ClassVar[bool] = False
    """Lines of text, where brackets and braces have no meaning of their own."""
    told: tuple[str, ...] = ()
    """The columns that the request or a header line named."""

    def is_row(self, line: bytes) -> bool:  # noqa: ARG002 (most formats have only rows)
        """Say whether a line is a row, and take in what it says if it is a header."""
        return True

    @abstractmethod
    def read(self, line: bytes) -> Logged:
        """Return one line.

        Raises:
            BrokenLine: It has no time or path that can be read, or is no line of this format.
        """

    def read_all(self, lines: Sequence[bytes]) -> Sequence[Logged] | None:  # noqa: ARG002 (an offer)
        """Return all lines at once, or None if they must be read one by one."""
        return None
