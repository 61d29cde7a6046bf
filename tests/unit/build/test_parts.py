import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.build.parts import parts_of, project_files
from playhead.errors import InvalidBody

TYPE = "multipart/form-data; boundary=edge"


def body(*files: tuple[str, str, bytes]) -> bytes:
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{name}"; filename="{path}"\r\n'
        "Content-Type: text/plain\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, path, content in files
    ]
    return b"".join(parts) + b"--edge--\r\n"


def test_the_files_of_a_project_are_read_and_the_rest_is_left() -> None:
    sent = body(
        ("context://", "cli-version", b"5.0.2"),
        ("data_project://", "pipes/a b.pipe", "SQL >\r\n  ü".encode()),
        ("data_project_vendored://", "vendor/other/x.pipe", b"SQL >"),
    )
    assert project_files(sent, TYPE) == {"pipes/a b.pipe": "SQL >\r\n  ü"}


@pytest.mark.parametrize("path", ["../x.pipe", "/etc/x.pipe", "a/../../x.pipe", "", "..", "a\x00b"])
def test_a_path_stays_in_the_project(path: str) -> None:
    with pytest.raises(InvalidBody):
        project_files(body(("data_project://", path, b"x")), TYPE)


@pytest.mark.parametrize(
    ("sent", "type_"),
    [
        (b"", TYPE),
        (b"--edge--\r\n", TYPE),
        (body(("data_project://", "a.pipe", b"\xff")), TYPE),
        (body(("data_project://", "a.pipe", b"x"), ("data_project://", "a.pipe", b"y")), TYPE),
        (body(("data_project://", "a.pipe", b"x"))[:-4], TYPE),
        (body(("data_project://", "a.pipe", b"x")), "multipart/form-data"),
        (body(("data_project://", "a.pipe", b"x")), "application/json"),
        (b"--edge\r\nno head\r\n--edge--\r\n", TYPE),
    ],
)
def test_what_is_no_project_is_refused(sent: bytes, type_: str) -> None:
    with pytest.raises(InvalidBody):
        project_files(sent, type_)


@given(st.lists(st.binary(max_size=60).filter(lambda one: b"--edge" not in one), max_size=5))
def test_every_content_comes_out_as_it_went_in(contents: list[bytes]) -> None:
    sent = body(*(("x", f"{n}", content) for n, content in enumerate(contents)))
    assert [part.content for part in parts_of(sent, TYPE)] == contents
