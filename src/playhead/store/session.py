"""What a statement runs under, and what one without a result has done."""

from collections.abc import Mapping

import msgspec


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement runs under. `row_filters` is a map literal, "" = none."""

    query_id: str
    database: str = "default"
    settings: Mapping[str, str] = {}
    row_filters: str = ""
    read_only: bool = True


class Written(msgspec.Struct, frozen=True):
    """What a statement without a result did."""

    row_count: int = 0
    byte_count: int = 0
    text: bytes = b""
