import pytest

from playhead.errors import QueryFailed
from playhead.store.external import External, body_of, external_of

STRUCTURE = "`a b` Nullable(Int64), `at` Nullable(DateTime64(3, 'UTC')), `c` String"


@pytest.mark.parametrize("data", [b"", b"{}\n", b'{"a":"\r\n--x\r\n"}\n', b"\r\n\r\n"])
def test_what_goes_in_comes_out(data: bytes) -> None:
    found = external_of(STRUCTURE, "JSONEachRow", *body_of(data))
    assert found == External(STRUCTURE, "JSONEachRow", data)


@pytest.mark.parametrize(
    "structure",
    ["a Int8", "`a` Int8) ENGINE = File(CSV, '/etc/passwd'", "`a` Int8; DROP", "`a\\` Int8", ""],
)
def test_a_structure_is_columns_and_nothing_else(structure: str) -> None:
    with pytest.raises(QueryFailed) as refused:
        external_of(structure, "JSONEachRow", *body_of(b"{}"))
    assert refused.value.engine_code == 36


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", "application/json"),
        (b"{}", "multipart/form-data; boundary=x"),
        (b"--x\r\nno end", "multipart/form-data; boundary=x"),
        (b"--y\r\nhead\r\n\r\n{}\r\n--y--", "multipart/form-data; boundary=x"),
    ],
)
def test_a_body_that_is_no_form_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(QueryFailed):
        external_of("`a` Int8", "JSONEachRow", body, content_type)
