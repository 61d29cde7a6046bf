import gzip
from collections.abc import AsyncIterator

import pytest
import zstandard

from playhead.errors import ProjectInvalid
from playhead.jobs.sink_files import form_of, naming_of, packed


async def chunks() -> AsyncIterator[bytes]:
    for part in (b"one ", b"", b"two"):
        yield part


@pytest.mark.parametrize(
    ("template", "sql", "bound"),
    [
        ("daily", "concat({file0:String}, '')", {"file0": "daily"}),
        ("d_{timestamp}", "concat({file0:String}, {file1:String}, '')", {"file0": "d_", "file1": "T"}),
        ("{8}", "concat(toString(cityHash64(*) % 8), '')", {}),
    ],
)  # fmt: skip
def test_a_template_is_a_text_for_each_row(template: str, sql: str, bound: dict[str, str]) -> None:
    naming = naming_of(template, ["day"], "T")
    assert (naming.sql, naming.bound) == (sql, bound)


def test_a_columns_value_makes_no_folder() -> None:
    naming = naming_of("by/{ day , '%Y-%m' }", ["day"], "T")
    assert "formatDateTime(`day`, {file1:String})" in naming.sql
    assert naming.bound == {"file0": "by/", "file1": "%Y-%m"}
    assert "replaceRegexpAll" in naming.sql


@pytest.mark.parametrize("template", ["{other}", "{day", "{0}", "{9999999}", "{day, 'it''s'}"])
def test_a_template_that_means_nothing_is_refused(template: str) -> None:
    with pytest.raises(ProjectInvalid, match="EXPORT_FILE_TEMPLATE"):
        naming_of(template, ["day"], "T")


@pytest.mark.parametrize(
    ("options", "extension", "packing"),
    [
        ({}, "csv", ""),
        ({"EXPORT_FORMAT": "NDJSON", "EXPORT_COMPRESSION": "gzip"}, "ndjson.gz", "gz"),
        ({"EXPORT_FORMAT": "parquet", "EXPORT_COMPRESSION": "snappy"}, "parquet", ""),
    ],
)
def test_a_form_has_an_extension(options: dict[str, str], extension: str, packing: str) -> None:
    form = form_of(options)
    assert (form.extension, form.packing) == (extension, packing)


@pytest.mark.parametrize("options", [{"EXPORT_FORMAT": "xml"}, {"EXPORT_COMPRESSION": "rar"}])
def test_an_unknown_form_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(ProjectInvalid):
        form_of(options)


async def test_what_is_packed_is_what_was_there() -> None:
    made = {p: b"".join([c async for c in packed(chunks(), p)]) for p in ("", "gz", "zst")}
    assert made[""] == b"one two"
    assert gzip.decompress(made["gz"]) == b"one two"
    assert zstandard.ZstdDecompressor().decompressobj().decompress(made["zst"]) == b"one two"
