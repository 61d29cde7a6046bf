import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import QueryFailed
from playhead.store.form import FIELDS_MAX, fields_of, form_of, is_form


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,9}", fullmatch=True), st.text(st.characters(codec="utf-8"))
    )
)
def test_fields_come_back_as_they_went(fields: dict[str, str]) -> None:
    body, content_type = form_of(fields)
    assert is_form(content_type)
    assert fields_of(body, content_type) == fields


@pytest.mark.parametrize("body", [b"", b"--x\r\n", b"--x\r\n\r\nvalue\r\n--x--\r\n"])
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(QueryFailed):
        fields_of(body, "multipart/form-data; boundary=x")


def test_fields_have_a_limit() -> None:
    body, content_type = form_of({f"f{n}": "" for n in range(FIELDS_MAX + 1)})
    with pytest.raises(QueryFailed):
        fields_of(body, content_type)
