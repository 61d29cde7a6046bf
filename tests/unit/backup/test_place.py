from pathlib import Path

import pytest

from playhead.backup.place import place_of
from playhead.config.backup import Backup
from playhead.errors import BucketRefused, InvalidRequest


@pytest.mark.parametrize("to", ["", "ftp://host/folder", "http://host"])
def test_what_is_no_place_is_refused(to: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        place_of(to, Backup())
    assert refused.value.hint


def test_a_folder_of_the_data_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="would be lost with it"):
        place_of(str(tmp_path / "data" / "kept"), Backup(), data_dir=tmp_path / "data")
    assert place_of((tmp_path / "a b").as_uri(), Backup(), data_dir=tmp_path / "data") is not None


def test_an_endpoint_needs_keys_of_the_environment() -> None:
    settings = Backup(endpoint="http://127.0.0.1:9")
    with pytest.raises(BucketRefused, match="no keys"):
        place_of("s3://kept/here", settings, env={})
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    assert place_of("s3://kept/here", settings, env=keys).free_bytes() is None
