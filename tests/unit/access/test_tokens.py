import hashlib
import sqlite3
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead.access import Scope, Tokens
from playhead.clock import ManualClock
from playhead.errors import Conflict, InvalidRequest, NotFound


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


def test_a_folder_of_an_earlier_release_keeps_its_tokens(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "access.db"
    with sqlite3.connect(path) as database:
        database.execute(
            "CREATE TABLE tokens (id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, kind TEXT NOT NULL,"
            " name TEXT NOT NULL, property TEXT, created_at INTEGER NOT NULL) STRICT"
        )
        hashed = hashlib.sha256(b"old").digest()
        for id_ in ("one", "two"):
            values = (id_, hashed + id_.encode(), "read", "same name", None, 1)
            database.execute("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?)", values)
        database.execute("UPDATE tokens SET hash = ? WHERE id = 'one'", (hashed,))
    database.close()
    opened = Tokens(path, clock)
    grant = opened.resolve("old")
    assert grant is not None
    assert grant.may("WORKSPACE:READ_ALL")
    with pytest.raises(Conflict):  # which of the two?
        opened.found("same name")
    opened.close()


def test_the_workspace_s_id_never_changes(
    tokens: Tokens, tmp_path: Path, clock: ManualClock
) -> None:
    again = Tokens(tmp_path / "access.db", clock)
    assert again.workspace_id == tokens.workspace_id
    assert uuid.UUID(again.workspace_id).version == 4
    again.close()


def test_a_token_with_scopes_says_what_it_may(tokens: Tokens, tmp_path: Path) -> None:
    scopes = [Scope("PIPES:READ", "top"), Scope("DATASOURCES:READ", "plays", "n > 1")]
    grant, secret = tokens.create_scoped("wall", scopes, rps=5)
    again = Tokens(tmp_path / "access.db", ManualClock())
    assert again.resolve(secret) == tokens.resolve(secret) == grant
    assert (grant.kind, grant.scopes, grant.rps) == ("scoped", tuple(scopes), 5)
    again.close()


def test_admin_among_scopes_is_an_admin_token(tokens: Tokens) -> None:
    grant, _ = tokens.create_scoped("root", [Scope("PIPES:READ", "top"), Scope("ADMIN")])
    assert grant.is_whole()
    with pytest.raises(InvalidRequest):
        tokens.create_scoped("r", [Scope("ADMIN"), Scope("DATASOURCES:READ", "plays", "n > 1")])


def test_names_are_unique(tokens: Tokens) -> None:
    tokens.create("read", "wall")
    with pytest.raises(Conflict):
        tokens.create_scoped("wall", [Scope("TOKENS")])
    other, _ = tokens.create_scoped("door", [Scope("TOKENS")])
    with pytest.raises(Conflict):
        tokens.change(other.id, name="wall")
    assert tokens.create("read")[0].id != tokens.create("read")[0].id  # none at all is no name


def test_what_a_data_file_names_is_made_once(tokens: Tokens) -> None:
    secret = tokens.ensure_scoped("dashboard", [Scope("PIPES:READ", "a")])
    assert secret is not None
    assert tokens.ensure_scoped("dashboard", [Scope("PIPES:READ", "b")]) is None
    grant = tokens.resolve(secret)
    assert grant is not None
    assert grant.may("PIPES:READ", "a")
    assert grant.may("PIPES:READ", "b")
    tokens.create("read", "old")
    assert tokens.ensure_scoped("old", [Scope("PIPES:READ", "b")]) is None
    assert tokens.found("old").scopes == ()


def test_the_last_admin_token_stays(tokens: Tokens, tmp_path: Path) -> None:
    grant, _ = tokens.create("admin", "root")
    with pytest.raises(Conflict):
        tokens.revoke(grant.id)
    with pytest.raises(Conflict):
        tokens.change(grant.id, scopes=[Scope("TOKENS")])
    tokens.ensure_admin(tmp_path)
    tokens.revoke(grant.id)
    with pytest.raises(Conflict):
        tokens.revoke(tokens.found("admin.token").id)


def test_refreshed_the_admin_token_is_in_its_file(tokens: Tokens, tmp_path: Path) -> None:
    tokens.ensure_admin(tmp_path)
    before = (tmp_path / "admin.token").read_text().strip()
    _, secret = tokens.refresh("admin.token")
    assert (tmp_path / "admin.token").read_text().strip() == secret
    assert tokens.resolve(before) is None
    assert stat.S_IMODE((tmp_path / "admin.token").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["", "  ", "admin.token", "n" * 201, "a\nb", "a\x00b"])
def test_a_name_that_cannot_be_is_refused(tokens: Tokens, name: str) -> None:
    with pytest.raises(InvalidRequest):
        tokens.create_scoped(name, [Scope("TOKENS")])
    assert tokens.list() == []


@pytest.mark.parametrize("rps", [0, -1, 10**9])
def test_a_rate_that_cannot_be_is_refused(tokens: Tokens, rps: int) -> None:
    with pytest.raises(InvalidRequest):
        tokens.create_scoped("wall", [Scope("TOKENS")], rps=rps)
    assert tokens.list() == []


def test_a_write_key_keeps_the_pages_that_may_send_with_it(
    tokens: Tokens, tmp_path: Path, clock: ManualClock
) -> None:
    made, secret = tokens.create("write", "page", None, ["https://TV.example/"])
    tokens.create("write", "other", None, ["https://a.example"])
    again = Tokens(tmp_path / "access.db", clock)
    assert again.resolve(secret) == made
    assert made.origins == ("https://tv.example",)
    assert again.origins() == ("https://a.example", "https://tv.example")
    again.close()


def test_only_write_keys_have_pages(tokens: Tokens) -> None:
    with pytest.raises(InvalidRequest, match="write keys"):
        tokens.create("read", "", None, ["https://tv.example"])
    assert tokens.origins() == ()
