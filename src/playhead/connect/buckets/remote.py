"""A bucket of an object store: S3, what is compatible with it, and Google Cloud Storage."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from playhead.connect.buckets.bucket import Kept, fitting
from playhead.errors import BucketRefused, ExtraMissing, NotFound

CHUNK_BYTES: Final = 8 * 1024 * 1024
"""Parts of a file that is written in parts; S3 takes none below 5 MiB but the last."""
SMALL_BYTES: Final = 1024 * 1024
"""A file up to this size is written by one request."""
LISTED_AT_ONCE: Final = 1_000
CONNECT_S: Final = 10
REQUEST_S: Final = 120
"""Longest time of one request, such as that of one part."""
_KEYS: Final = {
    "s3": ("S3_ACCESS_KEY", "S3_SECRET"),
    "gcs": ("GCS_SERVICE_ACCOUNT_CREDENTIALS_JSON",),
}


class Remote:
    """One bucket, and the folder in it that its address names.

    Args:
        kind: `s3` or `gcs`.
        uri: `s3://bucket/folder/` or `gs://bucket/folder/`.
        options: Of the connection; `S3_ENDPOINT` is the address of a compatible store.
        own_keys: Without keys in the options, take those of this server.

    Raises:
        ExtraMissing: The library for it is not installed.
        BucketRefused: The address or the options cannot be used, or hold no keys.
    """

    def __init__(
        self, kind: str, uri: str, options: Mapping[str, str], *, own_keys: bool = False
    ) -> None:
        place = urlsplit(uri)
        if place.scheme not in {"s3", "gs", "gcs"} or not place.netloc:
            raise BucketRefused(
                f"'{uri[:200]}' is no address of a bucket, such as s3://bucket/folder."
            )
        _check_keys(kind, options, own_keys=own_keys)
        self._folder = place.path.strip("/")
        try:
            self._store: Any = _store(kind, place.netloc, options)
        except ImportError as error:
            raise ExtraMissing("s3", "obstore") from error
        except Exception as error:
            raise BucketRefused(f"The bucket cannot be opened: {_said(error)}.") from error

    async def put(self, path: str, content: AsyncIterator[bytes]) -> int:
        """Write a file as a whole; see `Bucket.put`."""
        import obstore  # noqa: PLC0415 (an extra: only who uses a bucket needs it)
        from obstore.exceptions import BaseError  # noqa: PLC0415

        written = 0
        failure: Exception | None = None

        async def counted() -> AsyncIterator[bytes]:
            nonlocal written, failure
            try:
                async for chunk in content:
                    written += len(chunk)
                    yield chunk
            except Exception as error:
                failure = error  # the library may raise one of its own for it
                raise

        try:
            parts = counted()
            head = await _head(parts)
            if len(head) <= SMALL_BYTES:
                await obstore.put_async(self._store, self._where(path), head, use_multipart=False)
            else:  # In parts: then what fails in the middle leaves no half file.
                await obstore.put_async(
                    self._store,
                    self._where(path),
                    _with(head, parts),
                    use_multipart=True,
                    chunk_size=CHUNK_BYTES,
                )
        except Exception as error:
            if failure is not None:
                raise failure from None
            if not isinstance(error, BaseError | OSError | ValueError):
                raise
            raise BucketRefused(
                f"The file '{path[:200]}' was not written: {_said(error)}."
            ) from error
        return written

    async def get(self, path: str) -> AsyncIterator[bytes]:
        """Yield a file's bytes; see `Archive.get`."""
        import obstore  # noqa: PLC0415 (as above)
        from obstore.exceptions import BaseError, NotFoundError  # noqa: PLC0415

        try:
            found = await obstore.get_async(self._store, self._where(path))
            async for chunk in found.stream(min_chunk_size=SMALL_BYTES):
                yield bytes(chunk)
        except (NotFoundError, FileNotFoundError) as error:
            raise NotFound(f"There is no file '{path[:200]}' in the bucket.") from error
        except (BaseError, OSError, ValueError) as error:
            raise BucketRefused(f"The file '{path[:200]}' was not read: {_said(error)}.") from error

    async def listed(self, prefix: str) -> AsyncIterator[Kept]:
        """Yield the files below a folder; see `Archive.listed`."""
        import obstore  # noqa: PLC0415 (as above)
        from obstore.exceptions import BaseError  # noqa: PLC0415

        before = f"{self._folder}/" if self._folder else ""
        try:
            pages = obstore.list(self._store, self._where(prefix), chunk_size=LISTED_AT_ONCE)
            async for page in pages:
                for one in page:
                    yield Kept(one["path"].removeprefix(before), one["size"])
        except (BaseError, OSError, ValueError) as error:
            raise BucketRefused(f"The bucket was not listed: {_said(error)}.") from error

    async def remove(self, path: str) -> None:
        """Remove a file; see `Archive.remove`."""
        import obstore  # noqa: PLC0415 (as above)
        from obstore.exceptions import BaseError, NotFoundError  # noqa: PLC0415

        try:
            await obstore.delete_async(self._store, self._where(path))
        except (NotFoundError, FileNotFoundError):
            return
        except (BaseError, OSError, ValueError) as error:
            raise BucketRefused(
                f"The file '{path[:200]}' was not removed: {_said(error)}."
            ) from error

    def free_bytes(self) -> int | None:
        """Return None: a bucket has no end that is known."""
        return None

    def _where(self, path: str) -> str:
        return fitting(f"{self._folder}/{path}" if self._folder else path)


async def _head(content: AsyncIterator[bytes]) -> bytes:
    """Return the beginning of a file: all of it, or a little more than `SMALL_BYTES`."""
    head = bytearray()
    async for chunk in content:
        head += chunk
        if len(head) > SMALL_BYTES:
            break
    return bytes(head)


async def _with(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in rest:
        yield chunk


def _check_keys(kind: str, options: Mapping[str, str], *, own_keys: bool) -> None:
    """Return where a connection has keys, or this server's may be used.

    Without keys the library looks for some of its own accord: in this process's environment, in the
    machine's metadata. Those are the operator's, and a project is not the operator.

    Raises:
        BucketRefused: Neither is so.
    """
    needed = _KEYS[kind]
    if all(options.get(name) for name in needed):
        return
    named = " and ".join(needed)
    if not own_keys:
        raise BucketRefused(
            f"The connection has no {named}. Nothing was written.",
            hint="Roles (S3_ARN) are not taken; keys of this server only with"
            " jobs.sinks_use_server_credentials.",
        )
    if options.get("S3_ENDPOINT"):
        raise BucketRefused(
            "This server's own keys are not sent to an S3_ENDPOINT. Nothing was written.",
            hint=f"Give the connection {named}.",
        )


def _store(kind: str, bucket: str, options: Mapping[str, str]) -> Any:
    from obstore.store import GCSStore, S3Store  # noqa: PLC0415 (an extra, as above)

    client: Any = {
        "timeout": timedelta(seconds=REQUEST_S),
        "connect_timeout": timedelta(seconds=CONNECT_S),
    }
    if kind == "gcs":
        key = options.get("GCS_SERVICE_ACCOUNT_CREDENTIALS_JSON", "")
        own: Any = {"service_account_key": key} if key else {}
        return GCSStore(bucket, client_options=client, **own)
    endpoint = options.get("S3_ENDPOINT", "")
    given: dict[str, Any] = {"region": options.get("S3_REGION", "us-east-1")}
    if endpoint:
        given |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
        client["allow_http"] = endpoint.startswith("http://")
    if options.get("S3_ACCESS_KEY") and options.get("S3_SECRET"):
        given |= {
            "access_key_id": options["S3_ACCESS_KEY"],
            "secret_access_key": options["S3_SECRET"],
        }
    return S3Store(bucket, client_options=client, **given)


def _said(error: Exception) -> str:
    """Return the first line of what the library says; the rest are its own details."""
    return (
        str(error).strip().splitlines()[0].rstrip(".")[:300]
        if str(error).strip()
        else "no reason given"
    )
