from pathlib import Path

import pytest

from playhead.access.viewer_key import KEY_FILE, make_viewer_key, viewer_key
from playhead.errors import Conflict


def test_a_key_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    assert viewer_key(tmp_path) == ""
    key = make_viewer_key(tmp_path)
    assert (len(key), make_viewer_key(tmp_path), viewer_key(tmp_path)) == (64, key, key)
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "ab", "g" * 64, "A" * 64])
def test_a_file_without_a_key_is_refused_and_stays(tmp_path: Path, content: str) -> None:
    (tmp_path / KEY_FILE).write_text(content)
    with pytest.raises(Conflict, match="holds no key"):
        make_viewer_key(tmp_path)
    assert (tmp_path / KEY_FILE).read_text() == content
