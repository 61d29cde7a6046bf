from pathlib import Path

from playhead.project.folder import read_project, read_texts
from playhead.project.reading import FILE_BYTES_MAX

VIEWS = "SCHEMA >\n    view_id String\n"
PLAYS = "NODE a\nSQL >\n    SELECT 1\n"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_a_folder_and_its_texts_are_the_same_project(tmp_path: Path) -> None:
    files = {
        ".env.local": "A=1\n",
        "datasources/views.datasource": VIEWS,
        "pipes/plays.pipe": 'INCLUDE "../parts/a.incl"\n',
        "parts/a.incl": PLAYS,
        "fixtures/views.ndjson": "",
        "tests/a/b/c/d/plays.yaml": "",
        "a/b/c/far.pipe": PLAYS,
        "vendor/x/y.pipe": PLAYS,
        ".git/z.pipe": PLAYS,
    }
    project = read_project(write(tmp_path, files))
    texts = read_texts(files)
    assert (project.datasources, project.pipes) == (texts.datasources, texts.pipes)
    assert (project.fixtures, project.tests) == (texts.fixtures, texts.tests)
    assert sorted(project.pipes) == ["plays"]
    assert project.secrets == {"A": "1"}
    assert project.problems == ()


def test_what_a_project_keeps_of_its_files_makes_it_again(tmp_path: Path) -> None:
    project = read_project(
        write(tmp_path, {"p/plays.pipe": "INCLUDE a.incl\n", "p/a.incl": PLAYS, "x.md": "x"})
    )
    assert sorted(project.files) == ["p/a.incl", "p/plays.pipe"]
    assert read_texts(project.files).pipes == project.pipes


def test_files_that_are_no_text_are_problems(tmp_path: Path) -> None:
    write(tmp_path, {"good.pipe": PLAYS, "large.pipe": "#" * (FILE_BYTES_MAX + 1)})
    (tmp_path / "latin.pipe").write_bytes(b"NODE a\nDESCRIPTION caf\xe9\n")
    project = read_project(tmp_path)
    assert [str(one) for one in project.problems] == [
        f"large.pipe:0:0: The file is larger than {FILE_BYTES_MAX} bytes.",
        "latin.pipe:2:1: The file is not written in UTF-8.",
    ]
    assert list(project.pipes) == ["good"]


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"key.pipe": PLAYS, "more/x.pipe": PLAYS})
    root = write(tmp_path / "root", {"good.pipe": PLAYS})
    (root / "key.pipe").symlink_to(outside / "key.pipe")
    (root / "more").symlink_to(outside / "more")
    (root / "circle").symlink_to(root)
    project = read_project(root)
    assert list(project.pipes) == ["good"]
    assert "outside the project" in str(project.problems[0])


def test_a_folder_that_is_not_there_is_an_empty_project(tmp_path: Path) -> None:
    project = read_project(tmp_path / "nowhere")
    assert project.pipes == {}
    assert project.problems == ()
