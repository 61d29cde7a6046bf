"""Tokens: who may send, read or administer. Only hashes of secrets are kept, never a secret."""

import hashlib
import os
import secrets
import sqlite3
import threading
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec

from playhead.clock import Clock
from playhead.errors import InvalidRequest, NotFound

Kind = Literal["admin", "read", "write"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)
ADMIN_FILE: Final = "admin.token"
DATABASE_FILE: Final = "access.db"
SECRET_BYTES: Final = 32
TOKENS_MAX: Final = 10_000
"""All tokens are held in memory, so their number has a limit."""
NAME_LENGTH_MAX: Final = 200
UNKNOWN_FRESH_S: Final = 0.05
"""A secret that is not known is looked up again after this time: it may be quite new."""
FRESH_S: Final = 1.0
"""A token revoked by another process stops working within this time."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tokens (
  id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, kind TEXT NOT NULL, name TEXT NOT NULL,
  property TEXT, created_at INTEGER NOT NULL
) STRICT
"""


class Grant(msgspec.Struct, frozen=True):
    """What a token allows. `property` None means every property; `created_at` is UTC ms."""

    id: str
    name: str
    kind: str
    property: str | None
    created_at: int


def hash_of(secret: str) -> bytes:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


class Tokens:
    """The tokens of one data folder, in a SQLite file that several processes may open.

    A look-up compares hashes in memory: how long it takes tells nothing about a secret.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        self._db = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute(_SCHEMA)
        self._grants: dict[bytes, Grant] = {}
        self._by_id: dict[str, Grant] = {}
        self._version = -1
        self._checked_s = float("-inf")

    def create(
        self,
        kind: str,
        name: str = "",
        property: str | None = None,  # noqa: A002 (the product's word)
    ) -> tuple[Grant, str]:
        """Make a token and return it with its secret, which is shown this once only.

        Raises:
            InvalidRequest: Unknown kind, a name that cannot be, or too many tokens.
        """
        if kind not in KINDS:
            raise InvalidRequest(f"'{kind}' is no kind of token; there are {', '.join(KINDS)}.")
        if len(name) > NAME_LENGTH_MAX or len(property or "") > NAME_LENGTH_MAX:
            raise InvalidRequest(f"Names have at most {NAME_LENGTH_MAX} characters.")
        if property == "":
            raise InvalidRequest("A property has a name; leave it out for every property.")
        if "/" in (property or ""):  # it ends the property in the key of a view
            raise InvalidRequest("The name of a property cannot hold a slash.")
        secret = f"ph_{kind}_{secrets.token_urlsafe(SECRET_BYTES)}"
        grant = Grant(secrets.token_hex(6), name, kind, property, self._clock.now_ms())
        with self._lock:
            (count,) = self._db.execute("SELECT count(*) FROM tokens").fetchone()
            if count >= TOKENS_MAX:
                raise InvalidRequest(
                    f"There are {TOKENS_MAX} tokens, the limit; remove some first."
                )
            self._db.execute(
                "INSERT INTO tokens (id, hash, kind, name, property, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (grant.id, hash_of(secret), kind, name, property, grant.created_at),
            )
            self._load()
        return grant, secret

    def list(self) -> list[Grant]:
        """Return every token, oldest first."""
        with self._lock:
            self._load()
            return sorted(self._grants.values(), key=lambda grant: (grant.created_at, grant.id))

    def revoke(self, id: str) -> None:  # noqa: A002 (the word of the command line)
        """Remove a token: at once here, within a second in other processes.

        Raises:
            NotFound: No token has this id.
        """
        with self._lock:
            done = self._db.execute("DELETE FROM tokens WHERE id = ?", (id,))
            self._load()
        if not done.rowcount:
            raise NotFound(f"There is no token '{id}'.", hint="'playhead token ls' lists them.")

    def resolve(self, secret: str) -> Grant | None:
        """Return what a secret allows, or None if it is no token (any more)."""
        now_s = self._clock.monotonic_s()
        if not 0 <= now_s - self._checked_s < FRESH_S:
            with self._lock:
                self._refresh(now_s)
        grant = self._grants.get(hash_of(secret))
        if grant is None and now_s - self._checked_s > UNKNOWN_FRESH_S:
            with self._lock:  # perhaps another process made it a moment ago
                self._refresh(now_s)
            grant = self._grants.get(hash_of(secret))
        return grant

    def granted(self, id: str) -> Grant | None:  # noqa: A002 (the word of the command line)
        """Return the grant of a token by its id, or None if there is no such token (any more)."""
        now_s = self._clock.monotonic_s()
        if not 0 <= now_s - self._checked_s < FRESH_S:
            with self._lock:
                self._refresh(now_s)
        return self._by_id.get(id)

    def ensure_admin(self, data_dir: Path) -> bool:
        """Make sure `admin.token` (0600) holds a working admin token; say if it was written.

        A missing file is written anew with a new secret, and the old one stops working.
        """
        path = data_dir / ADMIN_FILE
        try:
            grant = self.resolve(path.read_text("ascii").strip())
        except (FileNotFoundError, UnicodeDecodeError):
            grant = None
        if grant is not None and grant.kind == "admin":
            path.chmod(0o600)
            return False
        with self._lock:
            self._db.execute("DELETE FROM tokens WHERE kind = 'admin' AND name = ?", (ADMIN_FILE,))
        _, secret = self.create("admin", ADMIN_FILE)
        _write_private(path, secret + "\n")
        return True

    def close(self) -> None:
        """Close the file; what was created stays."""
        with self._lock:
            self._db.close()

    def _refresh(self, now_s: float) -> None:
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._load()
            self._version = version
        self._checked_s = now_s

    def _load(self) -> None:
        rows = self._db.execute(
            "SELECT hash, id, name, kind, property, created_at FROM tokens"
        ).fetchall()
        self._grants = {bytes(hashed): Grant(*rest) for hashed, *rest in rows}
        self._by_id = {grant.id: grant for grant in self._grants.values()}


def _write_private(path: Path, text: str) -> None:
    """Replace a file as a whole, readable by its owner only, also while it is being written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
