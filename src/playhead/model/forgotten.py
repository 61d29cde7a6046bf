"""Whom the product has forgotten: known again by a keyed hash, never by the id itself."""

from hashlib import sha256
from typing import Final

import msgspec

DIGEST_BYTES: Final = 16
KIND_VIEWER: Final = "viewer"
KIND_SESSION: Final = "session"
KIND_VIEW: Final = "view"


class Forget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Says in the log who is forgotten there. Whoever reads the log learns no id from it."""

    digest: str
    """Hash of the viewer's id, as `digest_of` makes it."""
    key: str
    """Which key it was made with, as `name_of` says."""
    property: str = ""
    """"" = of any property."""


def digest_of(key: str, value: str) -> str:
    """Return the keyed hash of an id, as hexadecimal digits.

    `digest_sql` makes the same of a column; the engine and the worker must agree.
    """
    return sha256((key + value).encode("utf-8", "surrogatepass")).digest()[:DIGEST_BYTES].hex()


def digest_sql(key: str, column: str) -> str:
    """Return the SQL of the same. The key holds hexadecimal digits only."""
    return f"lower(hex(substring(SHA256(concat('{key}', {column})), 1, {DIGEST_BYTES})))"


def name_of(key: str) -> str:
    """Return what tells one key from another and says nothing of it."""
    return sha256(b"name:" + key.encode()).hexdigest()[:16]
