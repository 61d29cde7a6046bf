import pytest

from playhead.config.jobs import Jobs
from playhead.connect.buckets.opened import opened
from playhead.errors import BucketRefused

ROLE = {"S3_REGION": "eu-central-1", "S3_ARN": "arn:aws:iam::1:role/a"}


@pytest.mark.parametrize(
    ("kind", "uri", "options"),
    [
        ("s3", "s3://a/b", ROLE),
        ("s3", "s3://a/b", {**ROLE, "S3_ACCESS_KEY": "a"}),
        ("gcs", "gs://a/b", {"GCS_HMAC_ACCESS_ID": "a", "GCS_HMAC_SECRET": "b"}),
    ],
    ids=["role", "half", "hmac"],
)
def test_a_connection_without_keys_does_not_get_those_of_the_server(
    kind: str, uri: str, options: dict[str, str]
) -> None:
    with pytest.raises(BucketRefused, match="The connection has no"):
        opened(kind, uri, options, settings=Jobs())


def test_the_keys_of_the_server_go_to_no_endpoint() -> None:
    allowed = Jobs(sinks_use_server_credentials=True)
    opened("s3", "s3://a/b", ROLE, settings=allowed)
    with pytest.raises(BucketRefused, match="are not sent to an S3_ENDPOINT"):
        opened("s3", "s3://a/b", {**ROLE, "S3_ENDPOINT": "http://a.example"}, settings=allowed)
