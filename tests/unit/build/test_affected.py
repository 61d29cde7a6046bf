from playhead.build.affected import affected_tests, reached_by
from playhead.project.folder import read_texts

SOURCE = "SCHEMA >\n    `day` Date,\n    `title` String\n"


def pipe(sql: str, more: str = "TYPE endpoint") -> str:
    return f"NODE one\nSQL >\n    {sql}\n\n{more}\n"


PROJECT = read_texts(
    {
        "datasources/plays.datasource": SOURCE,
        "datasources/days.datasource": SOURCE,
        "datasources/other.datasource": SOURCE,
        "pipes/fill.pipe": pipe(
            "SELECT day, title FROM plays", "TYPE materialized\nDATASOURCE days"
        ),
        "pipes/top.pipe": pipe("SELECT * FROM days"),
        "pipes/best.pipe": pipe("SELECT * FROM top"),
        "pipes/else.pipe": pipe("SELECT * FROM other"),
        **dict.fromkeys(
            ("tests/top.yaml", "tests/best.yaml", "tests/else.yaml", "tests/q.test"), ""
        ),
    }
)


def test_a_change_reaches_what_reads_it_through_views_and_pipes() -> None:
    assert reached_by(PROJECT, {"plays"}) == {"plays", "fill", "days", "top", "best"}
    assert affected_tests(PROJECT, {"plays"}) == [
        "tests/best.yaml",
        "tests/q.test",
        "tests/top.yaml",
    ]


def test_a_changed_test_is_run_and_the_others_are_left() -> None:
    assert affected_tests(PROJECT, {"tests/else.yaml"}) == ["tests/else.yaml", "tests/q.test"]
    assert affected_tests(PROJECT, {"best"}) == ["tests/best.yaml", "tests/q.test"]
