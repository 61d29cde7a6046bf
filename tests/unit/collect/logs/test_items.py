import pytest

from playhead.collect.logs.items import chunks_of
from playhead.errors import BodyTooLarge, InvalidBody


def items(body: bytes, *, is_text: bool = False) -> list[bytes]:
    chunks = chunks_of(body, is_text=is_text, max_document_bytes=1_000, most=3, max_bytes=99)
    return [item for chunk in chunks for item in chunk]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a":1}\r\n\n  {"a":2} ', [b'{"a":1}', b'{"a":2}']),
        (b'{"a":1}', [b'{"a":1}']),
        (b'{\n"a":\n1}', [b'{ "a": 1}']),
        (b'[{"a":1}, {"a":\n2}]', [b'{"a":1}', b'{"a": 2}']),
        (b'["x y", "z\\nw"]', [b"x y", b"z w"]),
        (b'{"records":[{"a":1},{"a":2}],"n":2}', [b'{"a":1}', b'{"a":2}']),
        (b'{"records":3}', [b'{"records":3}']),
        (b'{"a":1}\n{"a":', [b'{"a":1}', b'{"a":']),
        (b"x\ty\t\nz", [b"x\ty\t", b"z"]),
        (b"[]", []),
        (b"", []),
    ],
)
def test_bodies(body: bytes, expected: list[bytes]) -> None:
    assert items(body) == expected


def test_text_may_begin_with_a_bracket() -> None:
    line = b"[15/Dec/2025:22:16:40 +0000] /a"
    assert items(line, is_text=True) == [line]


def test_a_broken_array_is_refused_whole() -> None:
    with pytest.raises(InvalidBody, match="array"):
        items(b'[{"a":1},')


def test_a_large_array_is_refused_and_large_ndjson_is_not() -> None:
    with pytest.raises(BodyTooLarge, match="1000 bytes"):
        items(b"[" + b"1," * 600 + b"1]")
    assert len(items(b'{"a":1}\n' * 600)) == 600
