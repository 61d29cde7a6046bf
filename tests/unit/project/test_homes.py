from pathlib import Path

import pytest

from playhead.errors import NotFound
from playhead.project.homes import FOLDER, folder_of, id_of
from playhead.project.manifest import empty_manifest

ID = "0123456789ab"


def test_a_workspace_is_known_by_its_folder(tmp_path: Path) -> None:
    assert folder_of(tmp_path, "") == tmp_path
    assert id_of(folder_of(tmp_path, ID)) == ID
    assert id_of(tmp_path / FOLDER / f"{ID}.gone") == ""


@pytest.mark.parametrize("text", ["..", "../x", "0123456789AB", f"{ID}0", "x" * 12])
def test_what_is_no_id_names_no_folder(tmp_path: Path, text: str) -> None:
    with pytest.raises(NotFound):
        folder_of(tmp_path, text)


def test_the_first_build_of_a_workspace_goes_into_its_own_database(tmp_path: Path) -> None:
    assert empty_manifest(tmp_path).database == "project"
    assert empty_manifest(tmp_path / FOLDER / ID).database == f"ws_{ID}"
