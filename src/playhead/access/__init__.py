"""Who may do what: tokens, their scopes and JWTs. Only hashes of secrets are kept."""

from playhead.access.authority import check_gives, check_manages, is_within
from playhead.access.files import write_secret
from playhead.access.grant import KINDS, Grant
from playhead.access.jwt import JWT_CHARS_MAX, looks_signed, named_in
from playhead.access.scopes import Scope, checked_all, scope_of
from playhead.access.tokens import (
    ADMIN_FILE,
    DATABASE_FILE,
    FRESH_S,
    NAME_LENGTH_MAX,
    SECRET_BYTES,
    SECRET_CHARS_MAX,
    TOKENS_MAX,
    UNKNOWN_FRESH_S,
    Tokens,
    hash_of,
)

__all__ = [
    "ADMIN_FILE", "DATABASE_FILE", "FRESH_S", "JWT_CHARS_MAX", "KINDS", "NAME_LENGTH_MAX",
    "SECRET_BYTES", "SECRET_CHARS_MAX", "TOKENS_MAX", "UNKNOWN_FRESH_S", "Grant", "Scope", "Tokens",
    "check_gives", "check_manages", "checked_all", "hash_of", "is_within",
    "looks_signed", "named_in", "scope_of", "write_secret",
]  # fmt: skip
