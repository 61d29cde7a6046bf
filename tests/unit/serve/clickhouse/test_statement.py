"""Statements that are no SELECT, and what they come down to."""

import pytest

from playhead.errors import QueryRefused
from playhead.serve.clickhouse.statement import understood


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("SHOW TABLES", "database = 'default' ORDER BY name"),
        ("show tables from `a\\`b` like 'x%' limit 5", "database = 'a`b' AND name like 'x%'"),
        ('SHOW TABLES IN "other";', "database = 'other'"),
        ("SHOW FULL TABLES NOT ILIKE '%y'", "AND name NOT ILIKE '%y'"),
        ("-- a remark\nDESC TABLE db.t", "database = 'db' AND table = 't'"),
        ("DESCRIBE t", "table = 't'"),
        ("SHOW COLUMNS FROM t FROM db", "database = 'db' AND table = 't'"),
        ("EXISTS DATABASE x", "system.databases WHERE name = 'x'"),
        ("SHOW CREATE TABLE `we.ird`.`t`", "database = 'we.ird' AND name = 't'"),
    ],
)
def test_they_are_selects_over_the_catalogue(text: str, part: str) -> None:
    assert part in understood(text, "default").sql


def test_a_quote_in_a_pattern_stays_inside_it() -> None:
    sql = understood(r"SHOW TABLES LIKE 'a\' OR 1 -- '", "default").sql
    assert r"name LIKE 'a\' OR 1 -- '" in sql


@pytest.mark.parametrize("text", ["SET readonly=1", "USE db", "use `db`;"])
def test_what_keeps_state_does_nothing(text: str) -> None:
    assert understood(text, "default").sql == ""


@pytest.mark.parametrize(
    "text", ["SELECT 1;", "  WITH 1 AS x SELECT x", "(SELECT 1)", "/* a */SELECT 1"]
)
def test_a_query_is_left_as_it_is(text: str) -> None:
    assert "SELECT" in understood(text, "default").sql
    assert not understood(text, "default").sql.endswith(";")


@pytest.mark.parametrize(
    "text",
    [
        "DROP TABLE t",
        "INSERT INTO t VALUES (1)",
        "SYSTEM SHUTDOWN",
        "SHOW GRANTS",
        "EXPLAIN SELECT 1",
    ],
)
def test_everything_else_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        understood(text, "default")
    assert refused.value.message.endswith(".")


def test_the_columns_of_a_query_may_be_asked_for() -> None:
    found = understood("DESCRIBE TABLE (SELECT 1 AS a) FORMAT JSON", "default")
    assert (found.sql, found.describe, found.format) == ("SELECT 1 AS a", True, "JSON")
