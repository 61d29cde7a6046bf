"""From an address to the archive it means."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playhead.config.backup import Backup
from playhead.connect.buckets.bucket import Archive
from playhead.connect.buckets.folder import Folder
from playhead.connect.buckets.remote import Remote
from playhead.errors import BucketRefused, InvalidRequest

_KINDS = {"s3": "s3", "gs": "gcs"}


def place_of(
    to: str, settings: Backup, *, data_dir: Path | None = None, env: Mapping[str, str] | None = None
) -> Archive:
    """Return where backups are: a folder, or a bucket with the keys of this process's environment.

    Args:
        to: A path, `file:///path`, `s3://bucket/folder` or `gs://bucket/folder`.
        settings: `endpoint` and `region` of a bucket.
        data_dir: What is backed up: a folder of it takes no backup.
        env: The environment; `os.environ` when None.

    Raises:
        InvalidRequest: The address is none, or lies in the data folder.
        BucketRefused: The bucket cannot be opened.
        ExtraMissing: Its library is not installed.
    """
    if not to:
        raise InvalidRequest(
            "It is not said where backups are.",
            hint="Set [backup] to, or name a folder or bucket with --to.",
        )
    kind = _KINDS.get(to.partition("://")[0])
    if kind is None and "://" in to and not to.startswith("file://"):
        raise InvalidRequest(f"'{to[:80]}' is neither a folder nor s3://bucket or gs://bucket.")
    if kind is None:
        path = unquote(urlsplit(to).path) if to.startswith("file://") else to
        return _folder(Path(path).expanduser().absolute(), data_dir)
    env = os.environ if env is None else env
    options = _options(settings, env) if kind == "s3" else {}
    if options.get("S3_ENDPOINT") and "S3_SECRET" not in options:
        raise BucketRefused(
            "There are no keys for the bucket in this environment. Nothing was written.",
            hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    return Remote(kind, to, options, own_keys=True)


def _folder(root: Path, data_dir: Path | None) -> Folder:
    if data_dir is not None and root.resolve().is_relative_to(data_dir.resolve()):
        raise InvalidRequest(
            f"The folder {root} lies in the data folder, and would be lost with it.",
            hint="Name one on another disk.",
        )
    return Folder(root, private=True)


def _options(settings: Backup, env: Mapping[str, str]) -> dict[str, str]:
    """Return what a bucket is opened with; keys for a session only are left to the library."""
    options = {"S3_REGION": settings.region}
    endpoint = settings.endpoint or env.get("AWS_ENDPOINT_URL", "")
    if endpoint:
        options["S3_ENDPOINT"] = endpoint
    key, secret = env.get("AWS_ACCESS_KEY_ID", ""), env.get("AWS_SECRET_ACCESS_KEY", "")
    if key and secret and not env.get("AWS_SESSION_TOKEN"):
        options |= {"S3_ACCESS_KEY": key, "S3_SECRET": secret}
    return options
