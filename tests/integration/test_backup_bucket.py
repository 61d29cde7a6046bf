"""A data folder into a bucket of its own S3, and from there into a new folder."""

import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import msgspec
import pytest
from moto.server import ThreadedMotoServer

from playhead.backup.keeping import check, prune
from playhead.backup.making import make_backup
from playhead.backup.place import place_of
from playhead.backup.restoring import find_backup, restore
from playhead.clock import SystemClock
from playhead.config import Backup, Config, Data
from playhead.connect.buckets.bucket import Archive
from playhead.connect.buckets.folder import Folder
from playhead.connect.buckets.remote import SMALL_BYTES
from playhead.errors import BackupDamaged, NotFound
from support.running_store import running_store

ENV = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


async def bucket(address: str, name: str) -> Archive:
    async with httpx2.AsyncClient(trust_env=False) as http:
        assert (await http.put(f"{address}/{name}")).status_code == 200
    return place_of(f"s3://{name}/of/ours", Backup(endpoint=address), env=ENV)


async def content(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_files_are_read_listed_and_removed_again(address: str) -> None:
    archive = await bucket(address, "files")
    large = b"0123456789" * SMALL_BYTES
    await archive.put("blobs/aa/one", content(b"a", b"b"))
    await archive.put("blobs/bb/two", content(large))
    assert b"".join([chunk async for chunk in archive.get("blobs/bb/two")]) == large
    found = {file.path: file.bytes async for file in archive.listed("blobs")}
    assert found == {"blobs/aa/one": 2, "blobs/bb/two": len(large)}
    for _ in range(2):
        await archive.remove("blobs/aa/one")
    with pytest.raises(NotFound):
        _ = [chunk async for chunk in archive.get("blobs/aa/one")]


async def test_a_backup_in_a_bucket(address: str, tmp_path: Path) -> None:
    archive, clock = await bucket(address, "kept"), SystemClock()
    data, new = tmp_path / "data", tmp_path / "new"
    config = msgspec.structs.replace(Config(), data=Data(dir=str(data)))
    with running_store(data) as store:
        store.client.command("CREATE DATABASE project")
        store.client.command(
            "CREATE TABLE project.plays (n UInt64) ENGINE = MergeTree ORDER BY n"
            " SETTINGS non_replicated_deduplication_window = 100"
        )
        store.client.insert("project.plays", ["n"], b"[1]\n[2]\n", token="t:0-1")  # noqa: S106
        first = await make_backup(config, archive, clock)
        store.client.insert("project.plays", ["n"], b"[3]\n", token="t:1-2")  # noqa: S106
        second = await make_backup(config, archive, clock)
    assert second.sent_packs < first.sent_packs
    assert (await prune(archive, clock, keep=1)).backups == [first.id]
    assert (await check(archive, second)).damaged == []
    await restore(archive, await find_backup(archive), new)
    with running_store(new) as store:
        store.client.insert("project.plays", ["n"], b"[3]\n", token="t:1-2")  # noqa: S106 (known: adds nothing)
        assert store.client.rows("SELECT n FROM project.plays ORDER BY n").rows == [[1], [2], [3]]
    with pytest.raises(NotFound):
        await find_backup(archive, first.id)


async def test_what_was_removed_behind_a_backup_s_back_is_noticed(
    address: str, tmp_path: Path
) -> None:
    archive, clock, data = await bucket(address, "holes"), SystemClock(), tmp_path / "data"
    config = msgspec.structs.replace(Config(), data=Data(dir=str(data)))
    with running_store(data):
        made = await make_backup(config, archive, clock)
        one = min([file.path async for file in archive.listed("blobs")])
        await archive.remove(one)
        again = await make_backup(config, archive, clock)
    assert again.sent_packs >= 1
    assert (await check(archive, again)).damaged == []
    await archive.remove(one)
    assert len((await check(archive, made)).damaged) == 1
    with pytest.raises(BackupDamaged, match="is missing"):
        await restore(archive, made, tmp_path / "new")
    assert not (tmp_path / "new" / ".restore").exists()


async def test_a_block_is_there_exactly_where_its_token_is(tmp_path: Path) -> None:
    """Rows go in without a pause while tables are frozen; afterwards all are sent once more."""
    archive, clock = Folder(tmp_path / "kept"), SystemClock()
    config = msgspec.structs.replace(Config(), data=Data(dir=str(tmp_path / "data")))
    sent = 0
    stop = threading.Event()
    with running_store(tmp_path / "data") as store:
        store.client.command("CREATE DATABASE project")
        for table in ("plays", "copied"):
            store.client.command(
                f"CREATE TABLE project.{table} (n UInt64) ENGINE = MergeTree ORDER BY n"
                " SETTINGS non_replicated_deduplication_window = 10000"
            )
        store.client.command(
            "CREATE MATERIALIZED VIEW project.view TO project.copied AS SELECT n FROM project.plays"
        )

        def insert() -> None:
            nonlocal sent
            while not stop.is_set():
                store.client.insert("project.plays", ["n"], b"[%d]\n" % sent, token=f"t:{sent}")
                sent += 1

        inserting = threading.Thread(target=insert)
        inserting.start()
        made = [await make_backup(config, archive, clock) for _ in range(3)]
        stop.set()
        inserting.join()
    for backup in made:
        new = tmp_path / backup.id
        await restore(archive, backup, new)
        with running_store(new) as store:
            held = store.client.rows("SELECT count() FROM project.plays").rows[0][0]
            for number in range(sent):
                store.client.insert("project.plays", ["n"], b"[%d]\n" % number, token=f"t:{number}")
            for table in ("plays", "copied"):
                rows = store.client.rows(f"SELECT count(), uniqExact(n) FROM project.{table}").rows
                assert rows == [[sent, sent]], (table, held)
