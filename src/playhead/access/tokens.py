"""Tokens: who may send, read or administer. Only hashes of secrets are kept, never a secret."""

import hashlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from playhead.access import table
from playhead.access.files import write_private
from playhead.access.grant import KINDS, Grant
from playhead.access.jwt import RPS_MAX, Signed, looks_signed
from playhead.access.origins import checked_origins
from playhead.access.scopes import ADMIN, Scope, checked_all
from playhead.clock import Clock
from playhead.errors import Conflict, InvalidRequest, NotFound

ADMIN_FILE: Final = "admin.token"
DATABASE_FILE: Final = "access.db"
SECRET_BYTES: Final = 32
SECRET_CHARS_MAX: Final = 512
"""Longer is no token of ours (a JWT may be)."""
TOKENS_MAX: Final = 10_000
"""All tokens are held in memory, so their number has a limit."""
NAME_LENGTH_MAX: Final = 200
DESCRIPTION_LENGTH_MAX: Final = 1_000
UNKNOWN_FRESH_S: Final = 0.05
"""A secret that is not known is looked up again after this time: it may be quite new."""
FRESH_S: Final = 1.0
"""A token revoked by another process stops working within this time."""
SCOPED: Final = "scoped"


def hash_of(secret: str) -> bytes:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


class Tokens:
    """The tokens of one data folder, in a SQLite file that several processes may open.

    A look-up compares hashes in memory: how long it takes tells nothing about a secret.
    """

    def __init__(self, path: Path, clock: Clock, workspace: str = "") -> None:
        self.path = path
        self.workspace = workspace
        """The id that every grant of these carries; "" = the main workspace."""
        self._clock = clock
        self._lock = threading.RLock()
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        self._db = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA synchronous=FULL")
        self.workspace_id = table.prepare(self._db)
        self.signed = Signed(self.workspace_id, clock, workspace)
        """The JWTs of this workspace; their key follows the admin token's file."""
        self._grants: dict[bytes, Grant] = {}
        self._by_id: dict[str, Grant] = {}
        self._origins: tuple[str, ...] = ()
        self._version = -1
        self._file: tuple[int, int, int] | None = None
        self._checked_s = float("-inf")

    def create(
        self,
        kind: str,
        name: str = "",
        property: str | None = None,  # noqa: A002 (the product's word)
        origins: Sequence[str] = (),
    ) -> tuple[Grant, str]:
        """Make a token and return it with its secret, which is shown this once only.

        Args:
            kind: One of `KINDS`.
            name: A word to recognise it by.
            property: The only one it is for; None = every one.
            origins: Pages that may send with a write key; empty = as the server's settings say.

        Raises:
            InvalidRequest: Unknown kind, a name or origin that cannot be, or too many tokens.
            Conflict: Another token has the name.
        """
        if kind not in KINDS:
            raise InvalidRequest(f"'{kind}' is no kind of token; there are {', '.join(KINDS)}.")
        if len(property or "") > NAME_LENGTH_MAX:
            raise InvalidRequest(f"Names have at most {NAME_LENGTH_MAX} characters.")
        if property == "":
            raise InvalidRequest("A property has a name; leave it out for every property.")
        if "/" in (property or ""):  # it ends the property in the key of a view
            raise InvalidRequest("The name of a property cannot hold a slash.")
        if origins and kind != "write":
            raise InvalidRequest("Origins are for write keys: other tokens are in no page.")
        return self._add(Grant("", name, kind, property, 0, origins=checked_origins(origins)))

    def create_scoped(
        self,
        name: str,
        scopes: Sequence[Scope],
        *,
        rps: int | None = None,
        description: str = "",
    ) -> tuple[Grant, str]:
        """Make a token with scopes and return it with its secret, which is shown this once only.

        Raises:
            InvalidRequest: Scopes, name or limit that cannot be, or too many tokens.
            Conflict: Another token has the name.
        """
        _check_name(name)
        return self._add(
            _limited(_with_scopes(Grant("", name, SCOPED, None, 0), scopes), rps, description)
        )

    def ensure_scoped(self, name: str, scopes: Sequence[Scope]) -> str | None:
        """Make the token a data file names and return its secret; None if there is one.

        One that is there keeps what it has and gets the scopes it does not have; one without scopes
        (of a kind, or of the whole server) stays as it is.
        """
        with self._lock:
            self._load()
            found = next((one for one in self._by_id.values() if one.name == name), None)
            if found is None:
                return self.create_scoped(name, scopes)[1]
            wanted = checked_all([*found.scopes, *scopes]) if found.kind == SCOPED else found.scopes
            if wanted != found.scopes:
                self.change(found.id, scopes=wanted)
        return None

    def change(
        self,
        id: str,  # noqa: A002 (the word of the command line)
        *,
        name: str | None = None,
        scopes: Sequence[Scope] | None = None,
        rps: int | None = None,
        description: str | None = None,
    ) -> Grant:
        """Change a token: its secret stays, what is None stays; return what it is now.

        Raises:
            NotFound: No token has this id.
            InvalidRequest: It cannot be changed so.
            Conflict: Another token has the name, or it is the last admin token.
        """
        with self._lock:
            grant = self.found(id)
            if grant.name == ADMIN_FILE:
                raise Conflict(
                    f"The token of {ADMIN_FILE} stays as it is.", hint="Make another one."
                )
            changed = grant
            if name is not None and name != grant.name:
                _check_name(name)
                self._check_free(name)
                changed = msgspec.structs.replace(changed, name=name)
            if scopes is not None:
                if grant.kind not in {SCOPED, "admin"} or grant.property is not None:
                    raise InvalidRequest(f"A {grant.kind} token has no scopes to change.")
                changed = _with_scopes(changed, scopes)
            said = changed.description if description is None else description
            changed = _limited(changed, changed.rps if rps is None else rps, said)
            if grant.is_whole() and not changed.is_whole():
                self._check_not_last(grant)
            table.change(self._db, changed)
            self._load()
        return changed

    def refresh(self, id: str) -> tuple[Grant, str]:  # noqa: A002 (the word of the command line)
        """Give a token a new secret; the old one stops at once here, within a second elsewhere.

        The new secret of the workspace's admin token is written to its file, which ends all JWTs.

        Raises:
            NotFound: No token has this id.
        """
        with self._lock:
            grant = self.found(id)
            secret = _secret(grant.kind)
            self._db.execute("UPDATE tokens SET hash = ? WHERE id = ?", (hash_of(secret), grant.id))
            if grant.name == ADMIN_FILE:
                write_private(self.path.with_name(ADMIN_FILE), secret + "\n")
            self._load()
        return grant, secret

    def found(self, id_or_name: str) -> Grant:
        """Return a token by its id, else by its name.

        Raises:
            NotFound: There is none.
            Conflict: Several of an earlier release have the name.
        """
        with self._lock:
            self._load()
            grant = self._by_id.get(id_or_name)
            named = [one for one in self._by_id.values() if one.name == id_or_name != ""]
        if grant is None and len(named) > 1:
            raise Conflict(
                f"{len(named)} tokens are named '{id_or_name}'.", hint="Name it by its id."
            )
        if grant is None and not named:
            shown = id_or_name[:NAME_LENGTH_MAX]
            raise NotFound(f"There is no token '{shown}'.", hint="'playhead token ls' lists them.")
        return grant or named[0]

    def list(self) -> list[Grant]:
        """Return every token, oldest first."""
        with self._lock:
            self._load()
            return sorted(self._grants.values(), key=lambda grant: (grant.created_at, grant.id))

    def revoke(self, id: str) -> None:  # noqa: A002 (the word of the command line)
        """Remove a token: at once here, within a second in other processes.

        Raises:
            NotFound: No token has this id.
            Conflict: It is the last admin token, or the one JWTs are signed with.
        """
        with self._lock:
            self._load()
            grant = self._by_id.get(id)
            if grant is None:
                raise NotFound(f"There is no token '{id}'.", hint="'playhead token ls' lists them.")
            if grant.is_whole():
                self._check_not_last(grant)
            self._db.execute("DELETE FROM tokens WHERE id = ?", (id,))
            self._load()

    def resolve(self, secret: str) -> Grant | None:
        """Return what a secret allows, or None if it is no token (any more).

        Raises:
            Forbidden: It is a JWT, and not one to be taken; the sentence says why.
        """
        self._stay_fresh(FRESH_S)
        if looks_signed(secret):
            return self.signed.verify(secret)
        grant = self._grants.get(hash_of(secret))
        if grant is None:  # perhaps another process made it a moment ago
            self._stay_fresh(UNKNOWN_FRESH_S)
            grant = self._grants.get(hash_of(secret))
        return grant

    def granted(self, id: str) -> Grant | None:  # noqa: A002 (the word of the command line)
        """Return the grant of a token by its id, or None if there is no such token (any more)."""
        self._stay_fresh(FRESH_S)
        return self._by_id.get(id)

    def origins(self) -> tuple[str, ...]:
        """Return the origins that any key names; what one key allows is in its grant."""
        self._stay_fresh(FRESH_S)
        return self._origins

    def holds(self, grant: Grant) -> bool:
        """Return whether a token that was resolved is still good."""
        if grant.kind != "jwt":
            return self.granted(grant.id) is not None
        self._stay_fresh(FRESH_S)
        return self.signed.holds(grant)

    def ensure_admin(self, data_dir: Path) -> bool:
        """Make sure `admin.token` (0600) holds a working admin token; say if it was written.

        A missing file is written anew with a new secret, and the old one stops working.
        """
        path = data_dir / ADMIN_FILE
        with self._lock:
            self._load()
            if self._admin_of(path) is not None:
                path.chmod(0o600)
                return False
            self._db.execute("DELETE FROM tokens WHERE kind = 'admin' AND name = ?", (ADMIN_FILE,))
            _, secret = self._add(Grant("", ADMIN_FILE, "admin", None, 0))
            write_private(path, secret + "\n")
            self._load()
        return True

    def close(self) -> None:
        """Close the file; what was created stays."""
        with self._lock:
            self._db.close()

    def _add(self, grant: Grant) -> tuple[Grant, str]:
        secret = _secret(grant.kind)
        made = msgspec.structs.replace(
            grant,
            id=secrets.token_hex(6),
            created_at=self._clock.now_ms(),
            workspace=self.workspace,
        )
        if len(made.name) > NAME_LENGTH_MAX:
            raise InvalidRequest(f"Names have at most {NAME_LENGTH_MAX} characters.")
        with self._lock:
            self._load()
            if len(self._by_id) >= TOKENS_MAX:
                raise InvalidRequest(
                    f"There are {TOKENS_MAX} tokens, the limit; remove some first."
                )
            self._check_free(made.name)
            table.add(self._db, hash_of(secret), made)
            self._load()
        return made, secret

    def _check_free(self, name: str) -> None:
        if name and any(one.name == name for one in self._by_id.values()):
            raise Conflict(f"There is a token '{name}' already.", hint="Take another name.")

    def _check_not_last(self, grant: Grant) -> None:
        if grant.name == ADMIN_FILE:
            raise Conflict(f"The token of {ADMIN_FILE} stays; JWTs are signed with it.")
        if sum(one.is_whole() for one in self._by_id.values()) <= 1:
            raise Conflict("This is the last admin token; it stays.")

    def _stay_fresh(self, within_s: float) -> None:
        now_s = self._clock.monotonic_s()
        if 0 <= now_s - self._checked_s < within_s:
            return
        with self._lock:
            (version,) = self._db.execute("PRAGMA data_version").fetchone()
            if version != self._version:
                self._load()
                self._version = version
            self._follow_file()
            self._checked_s = now_s

    def _load(self) -> None:
        self._grants = dict(table.grants(self._db, self.workspace))
        self._by_id = {grant.id: grant for grant in self._grants.values()}
        every = (origin for grant in self._by_id.values() for origin in grant.origins)
        self._origins = tuple(sorted(set(every)))
        self._take_key()

    def _follow_file(self) -> None:
        """Take the key of JWTs anew when the admin token's file is another one than it was."""
        file = _stat(self.path.with_name(ADMIN_FILE))
        if file != self._file:
            self._file = file
            self._take_key()

    def _take_key(self) -> None:
        path = self.path.with_name(ADMIN_FILE)
        self.signed.use(_read(path) if self._admin_of(path) else "")

    def _admin_of(self, path: Path) -> Grant | None:
        """Return the grant of the secret in a file if it is an admin token of the whole server."""
        grant = self._grants.get(hash_of(_read(path)))
        return grant if grant is not None and grant.is_whole() else None


def _secret(kind: str) -> str:
    return f"ph_{kind}_{secrets.token_urlsafe(SECRET_BYTES)}"


def _read(path: Path) -> str:
    """Return the secret in a file, "" if there is none."""
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _check_name(name: str) -> None:
    if not name.strip() or not name.isprintable():
        raise InvalidRequest("A token with scopes has a name, of letters that can be seen.")
    if name == ADMIN_FILE:
        raise InvalidRequest(f"The name {ADMIN_FILE} is taken.")


def _with_scopes(grant: Grant, scopes: Sequence[Scope]) -> Grant:
    good = checked_all(scopes)
    if any(scope.fixed_params for scope in good):
        raise InvalidRequest("fixed_params are for JWTs.", hint="Send expiration_time as well.")
    if good == (Scope(ADMIN),):
        return msgspec.structs.replace(grant, kind="admin", scopes=())
    return msgspec.structs.replace(grant, kind=SCOPED, scopes=good)


def _limited(grant: Grant, rps: int | None, description: str) -> Grant:
    if rps is not None and not 1 <= rps <= RPS_MAX:
        raise InvalidRequest(f"rps is from 1 to {RPS_MAX}.")
    if len(description) > DESCRIPTION_LENGTH_MAX:
        raise InvalidRequest(f"A description has at most {DESCRIPTION_LENGTH_MAX} characters.")
    return msgspec.structs.replace(grant, rps=rps, description=description)
