import pytest

from playhead.errors import InvalidRequest, NotFound
from playhead.query.pipes.formats import FORMS, engine_format, media_of, output_settings


@pytest.mark.parametrize(
    ("name", "media"),
    [
        ("JSON", "application/json"),
        ("JSONStrings", "application/json"),
        ("JSONEachRow", "application/x-ndjson"),
        ("JSONCompactEachRowWithNames", "application/x-ndjson"),
        ("CSVWithNames", "text/csv"),
        ("TSVWithNames", "text/tab-separated-values"),
        ("TabSeparatedWithNamesAndTypes", "text/tab-separated-values"),
        ("RowBinaryWithNamesAndTypes", "application/octet-stream"),
        ("PrettyCompact", "text/plain"),
    ],
)
def test_formats_have_a_media_type(name: str, media: str) -> None:
    assert media_of(name).partition(";")[0] == media


def test_forms_are_formats_of_the_engine() -> None:
    assert [engine_format(form) for form in FORMS] == list(FORMS.values())
    with pytest.raises(NotFound, match="xml"):
        engine_format("xml")


def test_switches_are_yes_or_no() -> None:
    given = output_settings({"output_format_json_quote_denormals": "TRUE"})
    assert given["output_format_json_quote_denormals"] == "1"
    assert given["output_format_json_quote_64bit_integers"] == "0"
    with pytest.raises(InvalidRequest, match="0 or 1"):
        output_settings({"output_format_json_quote_denormals": "maybe"})
