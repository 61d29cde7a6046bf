"""Data files: any text is read or refused in bounded time; the canonical form means the same."""

from contextlib import suppress
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.project.datafile import meaning, read_data_file
from playhead.project.folder import read_texts
from playhead.project.format import formatted
from playhead.project.instructions import TABLES
from playhead.project.problem import Unreadable

KINDS = st.sampled_from(["datasource", "pipe", "connection"])
WORDS = st.sampled_from(
    [
        *sorted({name for table in TABLES.values() for name in table}),
        *("node", "sql >", "Schema >", "DESCRIPTION >", ">", "INCLUDE x.incl", "INDEXES >"),
    ]
)
BITS = st.sampled_from([
    "a String", "a", "b Nullable(DateTime64(3))", "`json:$.a[:]`", "DEFAULT 1", "CODEC(ZSTD)", ",",
    "-- c", "# c", "%", "SELECT 1", "FROM views", "{{String(x)}}", '{{ tb_secret("k", "v") }}',
    '"', "'", "`", "(", ")", "endpoint", "copy", "READ", "w", "MergeTree", "a, b", "$VAR", "é",
    "  ", "\t", "TYPE minmax", "GRANULARITY 4", "(a, b)", "tuple()", "x=1", "0 * * * *",
])  # fmt: skip
LINES = st.lists(
    st.one_of(
        st.tuples(WORDS, st.lists(BITS, max_size=3)).map(lambda w: " ".join([w[0], *w[1]])),
        st.lists(BITS, max_size=4).map(lambda bits: "  " + " ".join(bits)),
        st.lists(BITS, max_size=4).map(" ".join),
        st.just(""),
    ),
    max_size=25,
).map("\n".join)


@given(kind=KINDS, text=st.one_of(st.text(max_size=400), LINES))
@settings(max_examples=600)
def test_any_text_is_read_or_refused_with_places(kind: str, text: str) -> None:
    try:
        read_data_file(text, path=f"x.{kind}")
    except Unreadable as error:
        errors = [one for one in error.problems if not one.warning]
        assert errors
        assert all(0 <= one.line <= text.count("\n") + text.count("\r") + 1 for one in errors)


VALUES = st.sampled_from(["a", "a, b", '"a"', "'a b'", "(a, b)", "it's", "x # c", '""', "a  b"])
NOTES = st.sampled_from(["", "", "# note", "  # indented", "\n"])
COLUMNS = st.lists(
    st.sampled_from([
        "a String", "b Nullable(Int32) `json:$.b` DEFAULT NULL", "`c-d` Array(String) `json:$.c[:]`",
        "e DEFAULT toDate( 'x--y' )", "f Nullable(SimpleAggregateFunction(sum,UInt64))",
        "g DateTime64(3 , 'UTC')  CODEC( Delta(4) , ZSTD )", "h String -- note", "i  Enum8('a'=1)",
    ]),
    min_size=1, max_size=6, unique=True,
)  # fmt: skip


@st.composite
def datasources(draw: st.DrawFn) -> str:
    columns = draw(COLUMNS)
    separator = draw(st.sampled_from([",\n    ", " ,", ",\n\n  # note\n"]))
    schema = "\n,".join(columns) if "-- note" in str(columns) else separator.join(columns)
    lines = [draw(NOTES), f"schema >\n{schema}", draw(NOTES)]
    for key in ("DESCRIPTION", "TAGS", "SHARED_WITH", "KAFKA_KEY_FORMAT", "IMPORT_FORMAT"):
        if draw(st.booleans()):
            lines += [f"{draw(st.sampled_from(['', ' ']))}{key} {draw(VALUES)}", draw(NOTES)]
    if draw(st.booleans()):
        lines += ["DESCRIPTION >\n  one\n    two  \n\n\tthree", draw(NOTES)]
    return "\n".join(lines)


SQL = st.sampled_from([
    "SELECT 1", "  SELECT a,\n      b\n    FROM x  ", "SELECT 'a\n   b'", "\n\n\tSELECT 1\n\t  FROM y",
    "%\nSELECT {{Int32(x, 1)}}", "   %\n  {% if defined(x) %}\n SELECT 1\n{% end %}\n\n   x",
    "# note\nSELECT 1\n  # note\nFROM x\n# end", "% SELECT 1",
])  # fmt: skip


@st.composite
def pipes(draw: st.DrawFn) -> str:
    lines = [draw(NOTES)]
    for number in range(draw(st.integers(1, 4))):
        lines += [f"{draw(st.sampled_from(['NODE', 'node']))} n{number}", draw(NOTES)]
        if draw(st.booleans()):
            lines += ["DESCRIPTION >\n   text\n", draw(NOTES)]
        lines += [f"SQL >\n{draw(SQL)}", draw(NOTES)]
    lines.append(
        draw(st.sampled_from(["", "TYPE Endpoint", "TYPE copy\nTARGET_DATASOURCE t\nMODE append"]))
    )
    return "\n".join(lines)


@given(data=st.data())
@settings(max_examples=500)
def test_the_canonical_form_means_the_same_and_is_its_own(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["datasource", "pipe"]))
    text = data.draw(datasources() if kind == "datasource" else pipes())
    path = f"x.{kind}"
    try:
        before = read_data_file(text, path=path, secrets=None)
    except Unreadable:
        return
    new = formatted(text, path=path)
    assert meaning(read_data_file(new, path=path, secrets=None)) == meaning(before)
    assert formatted(new, path=path) == new
    assert new.count("note") >= text.count("note")


@given(kind=KINDS, text=LINES)
@settings(max_examples=600)
def test_what_can_be_read_means_the_same_in_its_canonical_form(kind: str, text: str) -> None:
    path = f"x.{kind}"
    try:
        before = read_data_file(text, path=path, secrets=None)
    except Unreadable:
        return
    new = formatted(text, path=path)
    assert meaning(read_data_file(new, path=path, secrets=None)) == meaning(before)
    assert formatted(new, path=path) == new


@given(files=st.dictionaries(st.text("abc./-_ \0", max_size=12), LINES, max_size=6))
def test_any_files_make_a_project(files: dict[str, str]) -> None:
    project = read_texts(files)
    assert read_texts(project.files).problems == project.problems


N = 250_000
HOSTILE = {
    "quotes": "DESCRIPTION " + "\"'" * N,
    "braces": "TAGS " + "{{ }}" * N,
    "open braces": "TAGS " + "{{" * N,
    "quoted braces": 'TAGS "' + "{{}}" * (N // 2) + '"',
    "brackets": "SCHEMA >\n a " + "Array(" * N,
    "nested": "SCHEMA >\n a " + "Tuple(" * 29 + "Int32," * (N // 2) + "Int32" + ")" * 29,
    "escapes": "SCHEMA >\n a String DEFAULT '" + "\\'" * N,
    "backticks": "SCHEMA >\n" + "`" * N,
    "commas": "SCHEMA >\n" + "," * N,
    "columns": "SCHEMA >\n" + ",".join(f"c{i} Strng" for i in range(N // 4)),
    "good columns": "SCHEMA >\n" + ",".join(f"c{i} String" for i in range(N // 4)),
    "comments": "SCHEMA >\n a String" + "--" * N,
    "dashes": "SCHEMA >\n" + "-- \n" * N,
    "unknown": "FOO\n" * N,
    "long unknown": "F" * (2 * N),
    "nodes": "NODE a\nSQL >\n SELECT 1\n" * (N // 8),
    "secrets": "SCHEMA >\n a String\nTAGS " + '{{ tb_secret("' * (N // 4),
    "index": "SCHEMA >\n a String\nINDEXES >\n" + "i a TYPE " * (N // 8),
    "key": "SCHEMA >\n a String\nENGINE_SORTING_KEY " + "(" * N,
    "keys": "SCHEMA >\n a String\nENGINE_SORTING_KEY " + "a," * (N // 8),
    "defaults": "SCHEMA >\n a String " + "DEFAULT 1 " * (N // 4),
    "codecs": "SCHEMA >\n a String DEFAULT " + "CODEC " * (N // 4),
    "path": "SCHEMA >\n a String `json:$" + ".a" * N + "`",
    "slashes": "SCHEMA >\n a String DEFAULT " + "/*" * N,
    "dollars": "SCHEMA >\n a String\nKAFKA_TOPIC " + "${" * N,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", ["datasource", "pipe"])
def test_hostile_files_take_bounded_time(name: str, kind: str) -> None:
    text = HOSTILE[name][:1_000_000]
    begun = perf_counter()
    with suppress(Unreadable):
        read_data_file(text, path=f"x.{kind}", environ={"X": "y"})
    formatted(text, path=f"x.{kind}")
    # Ten times what it takes: what is quadratic would take hours.
    assert perf_counter() - begun < 20
