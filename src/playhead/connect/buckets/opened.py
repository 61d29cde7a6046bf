"""From a connection and an address to the bucket they mean."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from playhead.config.jobs import Jobs
from playhead.connect.buckets.bucket import Bucket, fitting
from playhead.connect.buckets.folder import Folder
from playhead.connect.buckets.remote import Remote
from playhead.errors import BucketRefused


def opened(
    kind: str,
    uri: str,
    options: Mapping[str, str],
    *,
    settings: Jobs,
    workspace: str = "",
) -> Bucket:
    """Return a bucket.

    Args:
        kind: Of the connection: `s3`, `gcs` or `file`.
        uri: `s3://bucket/folder/`, `gs://bucket/folder/`, `file:///folder/` (below `export_dir`).
        options: Of the connection.
        settings: Which folder of this machine may be written, and with whose keys buckets.
        workspace: A further one's id: it writes into a folder of this name below `export_dir`.

    Raises:
        BucketRefused: There can be none; the sentence says why.
        ExtraMissing: Its library is not installed.
    """
    if kind in {"s3", "gcs"}:
        return Remote(kind, uri, options, own_keys=settings.sinks_use_server_credentials)
    if kind != "file":
        raise BucketRefused(f"A connection of TYPE {kind} holds no files.")
    place = urlsplit(uri)
    if place.scheme != "file" or place.netloc:
        raise BucketRefused(f"'{uri[:200]}' is no address of a folder, such as file:///reports/.")
    if not settings.export_dir:
        raise BucketRefused(
            "Sinks into folders of this machine are switched off: jobs.export_dir names none.",
            hint="Name the one folder they may write below in jobs.export_dir.",
        )
    root = Path(settings.export_dir).expanduser().absolute() / workspace
    if not place.path.strip("/"):
        return Folder(root)
    try:
        return Folder(root / fitting(place.path))
    except ValueError as error:
        raise BucketRefused(f"The folder cannot be written: {error}.") from error
