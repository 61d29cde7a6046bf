from pathlib import Path

import pytest
from click.testing import CliRunner

from playhead.cli.fmt import command

USUAL = "SCHEMA >\n    a String\n"
LOOSE = "schema >\n a String\n"


def test_a_file_is_written_in_its_usual_form_once(tmp_path: Path) -> None:
    path = tmp_path / "views.datasource"
    path.write_text(LOOSE)
    path.chmod(0o640)
    first = CliRunner().invoke(command, [str(path)])
    assert (first.exit_code, path.read_text()) == (0, USUAL)
    assert f"changed {path}" in first.stdout
    assert path.stat().st_mode & 0o777 == 0o640
    second = CliRunner().invoke(command, [str(path)])
    assert (second.exit_code, second.stdout) == (0, "")
    assert list(tmp_path.iterdir()) == [path]


def test_check_changes_nothing_and_says_what_would_change(tmp_path: Path) -> None:
    loose, usual = tmp_path / "loose.datasource", tmp_path / "usual.datasource"
    loose.write_text(LOOSE)
    usual.write_text(USUAL)
    result = CliRunner().invoke(command, ["--check", str(loose), str(usual)])
    assert (result.exit_code, loose.read_text()) == (1, LOOSE)
    assert result.stdout == f"would change {loose}\n"
    assert CliRunner().invoke(command, ["--check", str(usual)]).exit_code == 0


@pytest.mark.parametrize("flags", [[], ["--check"]])
def test_problems_are_said_with_their_places_and_the_file_is_left(
    tmp_path: Path, flags: list[str]
) -> None:
    path = tmp_path / "views.datasource"
    path.write_text("COLOUR red\nschema >\n a Strng\n")
    result = CliRunner().invoke(command, [*flags, str(path)])
    assert result.exit_code == 1
    assert f"{path}:1:1: 'COLOUR' is no instruction of a .datasource file." in result.stdout
    assert f"{path}:3:4: 'Strng' is no type. Did you mean String?" in result.stdout
    assert "Strng" in path.read_text()


def test_warnings_are_said_and_are_no_failure(tmp_path: Path) -> None:
    path = tmp_path / "views.datasource"
    path.write_text(f"VERSION 1\n\n{USUAL}")
    result = CliRunner().invoke(command, ["--check", str(path)])
    assert result.exit_code == 0
    assert f"{path}:1:1: warning: VERSION" in result.stdout


@pytest.mark.parametrize("name", ["missing.pipe", "notes.txt", "by-minute.pipe"])
def test_what_is_no_data_file_is_a_problem(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name != "missing.pipe":
        path.write_text("NODE a\nSQL >\n    SELECT 1\n")
    result = CliRunner().invoke(command, [str(path)])
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{path}:0:0: ")


def test_a_folder_without_data_files_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("none")
    result = CliRunner().invoke(command, [str(tmp_path)])
    said = f"{tmp_path}:0:0: There is no data file in this folder.\n"
    assert (result.exit_code, result.stdout) == (1, said)


def test_the_data_files_of_a_folder_are_taken_as_deep_as_a_project_goes(tmp_path: Path) -> None:
    near, far = tmp_path / "a/b/views.datasource", tmp_path / "a/b/c/far.datasource"
    far.parent.mkdir(parents=True)
    for path in (near, far, tmp_path / "plays.incl", tmp_path / ".hidden.datasource"):
        path.write_text(LOOSE)
    result = CliRunner().invoke(command, [str(tmp_path)])
    assert (result.exit_code, result.stdout) == (0, f"changed {near}\n")
    assert (near.read_text(), far.read_text()) == (USUAL, LOOSE)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "\n    # all\n    SELECT 1\n    {% if defined(a) %} x",
            "8:5: node 'a': Missing {% end %}",
        ),
        ("SELECT {{Int32(format, 1)}}", "5:20: node 'a': A parameter cannot be called 'format'"),
        ("SELECT 1\n    , {{String(q)}}", "6:16: node 'a': A parameter cannot be called 'q'"),
        ("SELECT {{ nofunc(1) }}", "5:15: node 'a': Invalid function name: nofunc."),
    ],
)
def test_templates_are_compiled(tmp_path: Path, sql: str, said: str) -> None:
    path = tmp_path / "plays.pipe"
    path.write_text(f"NODE a\n\nSQL >\n    %\n    {sql}\n")
    result = CliRunner().invoke(command, [str(path)])
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{path}:{said}")


def test_included_files_are_found_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.incl").write_text("NODE a\nSQL >\n SELECT $n\n")
    path = tmp_path / "plays.pipe"
    path.write_text("include a.incl n=1\n")
    result = CliRunner().invoke(command, [str(path)])
    assert (result.exit_code, path.read_text()) == (0, "INCLUDE a.incl n=1\n")


def test_line_ends_and_marks_of_other_systems_go(tmp_path: Path) -> None:
    path = tmp_path / "views.datasource"
    path.write_bytes(b"\xef\xbb\xbf" + USUAL.replace("\n", "\r\n").encode())
    assert CliRunner().invoke(command, [str(path)]).exit_code == 0
    assert path.read_bytes() == USUAL.encode()
