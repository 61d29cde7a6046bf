"""The settings of backups."""

from playhead.config.section import Section


class Backup(Section, frozen=True):
    """Backups of the data folder."""

    to: str = ""
    """Where backups go: a folder, or `s3://bucket/folder`, `gs://bucket/folder`; empty = none are made by
    themselves or over HTTP."""
    every: str = ""
    """When a backup is made by itself: cron in UTC, such as `17 3 * * *`; empty = never."""
    keep: int = 14
    """Backups kept; after each new one the oldest beyond it are removed. 0 = all of them."""
    endpoint: str = ""
    """Address of an S3-compatible store; keys are `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` of the
    server's environment."""
    region: str = "us-east-1"
    """Region of the bucket."""
    max_uploads: int = 4
    """Files sent at once."""
    max_wait_ms: int = 120_000
    """How long a backup waits for builds, deployments and the range in the worker's hand; then it fails."""
