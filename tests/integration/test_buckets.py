"""Files into an object store: a server of its own that speaks S3."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import obstore
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from playhead.connect.buckets.remote import CHUNK_BYTES, Remote
from playhead.errors import BucketRefused

KEYS = {"S3_REGION": "us-east-1", "S3_ACCESS_KEY": "key", "S3_SECRET": "secret"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def reader(address: str, bucket: str) -> S3Store:
    return S3Store(
        bucket, region="us-east-1", access_key_id="key", secret_access_key="secret",  # noqa: S106 (of the test's server)
        endpoint=address, client_options={"allow_http": True},
    )  # fmt: skip


async def make(address: str, bucket: str) -> S3Store:
    async with httpx2.AsyncClient(trust_env=False) as http:
        assert (await http.put(f"{address}/{bucket}")).status_code == 200
    return reader(address, bucket)


async def content(*parts: bytes, then: Exception | None = None) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if then is not None:
        raise then


async def test_small_and_large_files_arrive_as_they_are(address: str) -> None:
    bucket = await make(address, "reports")
    remote = Remote("s3", "s3://reports/by/day/", {**KEYS, "S3_ENDPOINT": address})
    assert await remote.put("a.csv", content(b"a,", b"b")) == 3
    large = b"0123456789" * (CHUNK_BYTES // 8)
    assert await remote.put("large.csv", content(large, large)) == 2 * len(large)
    small = await (await obstore.get_async(bucket, "by/day/a.csv")).bytes_async()
    assert bytes(small) == b"a,b"
    assert (await obstore.head_async(bucket, "by/day/large.csv"))["size"] == 2 * len(large)


async def test_what_fails_in_the_middle_leaves_no_file(address: str) -> None:
    bucket = await make(address, "broken")
    remote = Remote("s3", "s3://broken", {**KEYS, "S3_ENDPOINT": address})
    with pytest.raises(ZeroDivisionError, match="the query failed"):
        await remote.put(
            "a.csv", content(b"x" * CHUNK_BYTES * 2, then=ZeroDivisionError("the query failed"))
        )
    assert [one async for page in obstore.list(bucket) for one in page] == []


async def test_a_bucket_that_is_not_there_says_so(address: str) -> None:
    remote = Remote("s3", "s3://nowhere", {**KEYS, "S3_ENDPOINT": address})
    with pytest.raises(BucketRefused, match="was not written") as refused:
        await remote.put("a.csv", content(b"x"))
    assert "secret" not in refused.value.message
