from pathlib import Path

import pytest

from playhead.store.location import SOCKET_PATH_BYTES_MAX, embedded


def test_the_socket_lies_in_the_data_folder() -> None:
    assert embedded(Path("/data")).socket == "/data/run/store.sock"


def test_a_long_path_moves_to_a_short_one_of_its_own() -> None:
    deep = Path("/" + "é" * 60)
    moved = embedded(deep).socket
    assert len(moved.encode()) <= SOCKET_PATH_BYTES_MAX
    assert moved == embedded(deep).socket
    assert moved != embedded(deep / "other").socket


def test_a_long_temporary_folder_is_left_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/" + "t" * 120)
    moved = embedded(Path("/" + "d" * 120)).socket
    assert len(moved.encode()) <= SOCKET_PATH_BYTES_MAX
    assert moved.startswith("/tmp/playhead-")
