import hashlib
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead.access import Tokens
from playhead.clock import ManualClock
from playhead.errors import InvalidRequest, NotFound


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def tokens(tmp_path: Path, clock: ManualClock) -> Iterator[Tokens]:
    made = Tokens(tmp_path / "access.db", clock)
    yield made
    made.close()


@pytest.mark.parametrize("kind", ["admin", "read", "write"])
def test_a_secret_resolves_to_its_grant(tokens: Tokens, kind: str) -> None:
    grant, secret = tokens.create(kind, "a name", "site")
    assert tokens.resolve(secret) == grant
    assert secret.startswith(f"ph_{kind}_")
    assert (grant.kind, grant.name, grant.property) == (kind, "a name", "site")


@pytest.mark.parametrize("secret", ["", "ph_read_x", "\x00", "é", "\udcff", "x" * 100_000])
def test_what_is_no_secret_resolves_to_nothing(tokens: Tokens, secret: str) -> None:
    tokens.create("read")
    assert tokens.resolve(secret) is None


def test_the_file_is_private_and_holds_hashes_only(tokens: Tokens, tmp_path: Path) -> None:
    _, secret = tokens.create("write", "page")
    path = tmp_path / "access.db"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret.encode() not in path.read_bytes()
    row = sqlite3.connect(path).execute("SELECT hash FROM tokens").fetchone()
    assert row == (hashlib.sha256(secret.encode()).digest(),)


def test_a_file_open_to_others_is_closed_to_them(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "access.db"
    path.touch(0o644)
    Tokens(path, clock).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_revoked_token_stops_at_once(tokens: Tokens) -> None:
    grant, secret = tokens.create("read")
    tokens.revoke(grant.id)
    assert tokens.resolve(secret) is None
    assert tokens.list() == []
    with pytest.raises(NotFound):
        tokens.revoke(grant.id)


def test_another_process_is_heard_within_a_second(
    tokens: Tokens, tmp_path: Path, clock: ManualClock
) -> None:
    kept, secret = tokens.create("read")
    assert tokens.resolve(secret) == kept
    other = Tokens(tmp_path / "access.db", clock)
    made, new_secret = other.create("write")
    other.revoke(kept.id)
    other.close()
    clock.advance(1_000)
    assert tokens.resolve(secret) is None
    assert tokens.resolve(new_secret) == made


def test_tokens_survive_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    first = Tokens(tmp_path / "access.db", clock)
    grant, secret = first.create("read", "wall")
    first.close()
    second = Tokens(tmp_path / "access.db", clock)
    assert second.resolve(secret) == grant
    assert second.list() == [grant]
    second.close()


@pytest.mark.parametrize(
    ("kind", "name", "property_"),
    [("root", "", None), ("read", "n" * 201, None), ("read", "", ""), ("write", "", "a/b")],
)
def test_a_token_that_makes_no_sense_is_refused(
    tokens: Tokens, kind: str, name: str, property_: str | None
) -> None:
    with pytest.raises(InvalidRequest):
        tokens.create(kind, name, property_)
    assert tokens.list() == []


def test_the_admin_token_is_written_once(tokens: Tokens, tmp_path: Path) -> None:
    assert tokens.ensure_admin(tmp_path)
    text = (tmp_path / "admin.token").read_text()
    assert not tokens.ensure_admin(tmp_path)
    assert (tmp_path / "admin.token").read_text() == text
    grant = tokens.resolve(text.strip())
    assert grant is not None
    assert grant.kind == "admin"
    assert stat.S_IMODE((tmp_path / "admin.token").stat().st_mode) == 0o600


def test_a_lost_admin_token_is_replaced_and_stops_working(tokens: Tokens, tmp_path: Path) -> None:
    tokens.ensure_admin(tmp_path)
    lost = (tmp_path / "admin.token").read_text().strip()
    (tmp_path / "admin.token").unlink()
    assert tokens.ensure_admin(tmp_path)
    assert tokens.resolve(lost) is None
    assert len(tokens.list()) == 1
