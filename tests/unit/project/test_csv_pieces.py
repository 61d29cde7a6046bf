import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import InvalidBody
from playhead.project.csv_pieces import Cut, Dialect, cut_csv, cut_lines, record_count, records_of

COMMA = Dialect()
MANY = 1_000_000
TEXTS = st.lists(
    st.sampled_from(['"', '""', "a", ",", "\n", "\r\n", '5" disc', '"x\ny"', '"a""b"', '","', "\\"])
).map("".join)


def cells(text: bytes, dialect: Dialect = COMMA) -> list[list[str]]:
    lines = io.StringIO(text.decode(), newline="")
    reader = csv.reader(lines, delimiter=dialect.delimiter, escapechar=dialect.escape or None)
    return [record for record in reader if record]


def pieces(text: bytes, dialect: Dialect, size: int, records_max: int = MANY) -> list[bytes]:
    """Cut a text as an import does: what is left goes before what is read next."""
    found, held, at = [], b"", 0
    while True:
        last = at >= len(text)
        if held or not last:
            held += text[at : at + size]
            at += size
            last = at >= len(text)
        cut = cut_csv(held, dialect, last=last, records_max=records_max)
        if cut.size:
            found.append(held[: cut.size])
            held = held[cut.size :]
        if last and not held:
            return found


@given(TEXTS, st.sampled_from([Dialect(), Dialect(";"), Dialect(",", "\\")]), st.integers(1, 9))
def test_pieces_hold_the_records_of_the_whole(text: str, dialect: Dialect, size: int) -> None:
    raw = text.encode()
    try:
        whole = cells(raw, dialect)
    except csv.Error:
        return
    cut = pieces(raw, dialect, size)
    assert b"".join(cut) == raw
    assert [record for piece in cut for record in cells(piece, dialect)] == whole


@given(TEXTS, st.integers(1, 3))
def test_no_piece_has_more_records_than_allowed(text: str, most: int) -> None:
    cut = pieces(text.encode(), COMMA, 4, most)
    assert all(len(cells(piece)) <= most for piece in cut)
    assert b"".join(cut) == text.encode()


@pytest.mark.parametrize(
    ("text", "size"),
    [(b"a,b\nc", 4), (b'a,"x\ny', 0), (b'a\n"x\ny"\nz', 8), (b'5" a\n6" b\nc', 10), (b'a,"\n', 0)],
)
def test_what_is_not_whole_waits(text: bytes, size: int) -> None:
    assert cut_csv(text, COMMA, last=False, records_max=MANY).size == size
    assert cut_csv(text, COMMA, last=True, records_max=MANY).size == len(text)


def test_records_are_counted_as_they_are_read() -> None:
    text = b'a,"x\n""y"\nb,c\n5" d,e'
    assert record_count(text, COMMA) == len(list(records_of(text, COMMA))) == 3
    assert record_count(b'1,"a\nb"\n2,c\n', COMMA) == 2
    assert cut_lines(b"{}\n{}\n{", last=False, records_max=MANY) == Cut(6, 2)
    assert cut_lines(b"{}\n{}\n{", last=True, records_max=2) == Cut(6, 2)


def test_a_text_that_is_no_csv_is_refused() -> None:
    with pytest.raises(InvalidBody, match="no CSV"):
        record_count(b'5" disc\rsecond\n', COMMA)
