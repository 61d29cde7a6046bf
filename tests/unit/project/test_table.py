import pytest

from playhead.errors import ProjectInvalid
from playhead.project.expression import backquoted, fault, parts
from playhead.project.resources import Column, Datasource, Engine, Index
from playhead.project.table import (
    CREATE_SETTINGS,
    create_table,
    default_is_zero,
    expressions,
    quarantine_table,
)
from playhead.project.ttl import elements, expired

AT = Column(name="at", type="DateTime", line=2)


def source(*columns: Column, engine: Engine | None = None, name: str = "views") -> Datasource:
    return Datasource(
        name=name,
        path=f"datasources/{name}.datasource",
        columns=columns or (AT,),
        engine=engine or Engine(),
    )


def test_the_statement_is_exact() -> None:
    given = source(
        AT,
        Column(name="video", type="LowCardinality(String)", default="'none'", codec="ZSTD(1)"),
        engine=Engine(
            kind="ReplacingMergeTree",
            sorting_key="video, at",
            partition_key="toYYYYMM(at)",
            ver="at",
            ttl="at + toIntervalDay(90)",
        ),
    )
    assert create_table(given, database="project") == (
        "CREATE TABLE `project`.`views`\n(\n"
        "    `at` DateTime,\n"
        "    `video` LowCardinality(String) DEFAULT ('none') CODEC(ZSTD(1))\n)\n"
        "ENGINE = ReplacingMergeTree(`at`)\n"
        "PARTITION BY (toYYYYMM(at))\n"
        "ORDER BY (video, at)\n"
        "TTL (at + toIntervalDay(90))\n"
        "SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1,"
        " non_replicated_deduplication_window = 10000"
    )
    assert "TTL" not in create_table(given, database="project", with_ttl=False)


def test_another_name_can_be_given() -> None:
    statement = create_table(source(), database="branch", table="views_2")
    assert statement.startswith("CREATE TABLE `branch`.`views_2`\n")
    assert all(value in ("0", "1") for value in CREATE_SETTINGS.values())


@pytest.mark.parametrize(
    "sql",
    ["1; DROP TABLE x", "1 -- x", "1 /* x */", "1 # x", "f(1", "1)", "(1]", "'x", '"x', "`x",
     "$$x$$", "$a$;$a$", "1\0", "", "  ", "\u2018x\u2019", "(" * 300 + ")" * 300, "x" * 70_000],
)  # fmt: skip
def test_an_expression_that_is_not_whole_is_refused(sql: str) -> None:
    assert fault(sql)
    with pytest.raises(ProjectInvalid, match=r"views\.datasource"):
        create_table(source(Column(name="a", type="String", default=sql)), database="p")


@pytest.mark.parametrize(
    "sql", ["'a;b--c/*'", "'it''s'", r"'it\'s'", '"a;b"', "`a)`", "f(1, [2], (3, 4))", "a->b"]
)
def test_an_expression_that_is_whole_passes(sql: str) -> None:
    assert fault(sql) == ""
    assert f"DEFAULT ({sql})" in create_table(
        source(Column(name="a", type="String", default=sql)), database="p"
    )


def test_parts_are_cut_at_outer_commas_only() -> None:
    assert parts("a, f(b, c), 'd,e', [1, 2]") == ["a", "f(b, c)", "'d,e'", "[1, 2]"]
    assert parts("") == []


@pytest.mark.parametrize("name", ["", "a b", "a`b", "a\\b", "a\nb", "x" * 300, "a\0"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        backquoted(name)
    with pytest.raises(ProjectInvalid):
        create_table(source(Column(name=name, type="String")), database="p")


def test_every_fault_is_named_with_its_line() -> None:
    given = source(
        Column(name="a", type="String)", line=3),
        Column(name="b", type="String", codec="Zip", line=4),
        engine=Engine(kind="Log"),
    )
    with pytest.raises(ProjectInvalid) as raised:
        create_table(given, database="p")
    lines = raised.value.message.splitlines()
    assert [line.split(":")[1] for line in lines] == ["3", "4", "0"]
    assert "Log" in lines[2]


@pytest.mark.parametrize(
    ("kind", "type_"),
    [("set(1) GRANULARITY 1, INDEX b (a) TYPE set(1)", "index"), ("hypothesis", "index")],
)
def test_an_index_is_of_a_known_type_and_nothing_more(kind: str, type_: str) -> None:
    given = Datasource(name="v", path="v", columns=(AT,), indexes=(Index("i", "at", kind),))
    with pytest.raises(ProjectInvalid, match=r"type .* (closes|is none)|none that can be used"):
        create_table(given, database="p")
    assert type_ in str(expressions(given))


def test_expressions_are_all_that_the_engine_would_run() -> None:
    given = Datasource(
        name="v",
        path="v",
        columns=(
            AT,
            Column(name="day", type="Date", default="toDate(at)"),
            Column(name="zero", type="Date", default="''"),
        ),
        indexes=(Index("i", "lower(x)", "minmax"),),
        engine=Engine(
            sorting_key="at, day", partition_key="toYYYYMM(at)", ttl="at DELETE WHERE day > 1"
        ),
    )
    assert expressions(given) == [
        ("DEFAULT of column 'day'", "(toDate(at))"),
        ("index 'i'", "(lower(x))"),
        ("ENGINE_PARTITION_KEY", "(toYYYYMM(at))"),
        ("ENGINE_SORTING_KEY", "(at, day)"),
        ("ENGINE_TTL", "(at)"),
        ("ENGINE_TTL", "(day > 1)"),
    ]
    with pytest.raises(ProjectInvalid):
        expressions(source(engine=Engine(ttl="at; x")))


def test_an_empty_default_is_zero_only_where_text_is_none() -> None:
    assert default_is_zero(Column(name="a", type="Nullable(DateTime)", default="''"))
    assert not default_is_zero(Column(name="a", type="LowCardinality(String)", default="''"))
    assert "`a` DEFAULT ('')" in create_table(
        source(Column(name="a", type="", default="''")), database="p"
    )


def test_the_quarantine_holds_every_column_as_text() -> None:
    statement = quarantine_table(source(), database="p")
    assert "`p`.`views_quarantine`" in statement
    assert "`at` Nullable(String)" in statement


def test_a_ttl_is_taken_apart() -> None:
    found = elements("at + INTERVAL 1 DAY DELETE, toDate(at) + f(1, 2) WHERE bot = 1")
    assert [(one.expression, one.where) for one in found] == [
        ("at + INTERVAL 1 DAY", ""),
        ("toDate(at) + f(1, 2)", "bot = 1"),
    ]
    assert expired("", 1) == ""


@pytest.mark.parametrize(
    "ttl", ["at TO VOLUME 'x'", "at GROUP BY a SET b = 1", "DELETE", "at WHERE"]
)
def test_a_ttl_that_does_something_else_is_refused(ttl: str) -> None:
    with pytest.raises(ValueError, match="ENGINE_TTL"):
        elements(ttl)
    with pytest.raises(ProjectInvalid):
        create_table(source(engine=Engine(ttl=ttl)), database="p")
