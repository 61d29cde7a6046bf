import pytest

from playhead.project.folder import read_texts
from playhead.query.pipes.workspace import (
    COVER,
    OUTSIDE,
    Meaning,
    Namespace,
    Place,
    Table,
    Terms,
    Workspace,
)

SOURCE = "SCHEMA >\n    `id` String\n"
FILES = {
    "plays.datasource": SOURCE,
    "lookup.datasource": SOURCE + 'ENGINE "Join"\nENGINE_KEY_COLUMNS "id"\n',
    "top.pipe": "NODE a\nSQL >\n    SELECT 1\nNODE plain\nSQL >\n    SELECT 2\nTYPE endpoint\n"
    "NODE after\nSQL >\n    SELECT 3\n",
    "filled.pipe": "NODE m\nSQL >\n    SELECT 1\nTYPE materialized\nDATASOURCE made\n",
    "old.pipe": "VERSION 3\nNODE n\nSQL >\n    SELECT 1\n",
    "events.pipe": "NODE n\nSQL >\n    SELECT 1\n",
}


@pytest.fixture(scope="module")
def names() -> Namespace:
    return Namespace(Workspace(project=read_texts(FILES), database="studio"))


@pytest.mark.parametrize(
    ("database", "name", "meaning"),
    [
        ("", "plays", Table("studio", "plays", "plays")),
        ("", "lookup", Table("studio", "lookup", "lookup", join=True)),
        ("", "plays_quarantine", Table("studio", "plays_quarantine", "plays", quarantine=True)),
        ("", "made", Table("studio", "made", "made")),
        ("", "top", Place("top", 1)),
        ("", "old__v3", Place("old", 0)),
        ("", "events", Place("events", 0)),
        ("", "views", Table("playhead", "views", "playhead.views")),
        ("playhead", "events", Table("playhead", "events", "playhead.events")),
        ("tinybird", "jobs_log", Table("tinybird", "jobs_log", "tinybird.jobs_log")),
        ("playhead", "schema_migrations", None),
        ("studio", "plays", None),
        ("", "a", None),
        ("", "_", None),
    ],
)
def test_a_name_from_outside(
    names: Namespace, database: str, name: str, meaning: Meaning | None
) -> None:
    assert names.meaning(database, name, at=OUTSIDE) == meaning


def test_a_node_sees_the_nodes_before_it(names: Namespace) -> None:
    assert names.meaning("", "a", at=Place("top", 1)) == Place("top", 0)
    assert names.meaning("", "after", at=Place("top", 1)) is None
    assert names.meaning("", "plain", at=Place("top", 1)) is None


def test_a_text_on_top_sees_the_nodes_and_the_output(names: Namespace) -> None:
    assert names.meaning("", "after", at=OUTSIDE, pipe="top") == Place("top", 2)
    assert names.meaning("", "_", at=OUTSIDE, pipe="top") == Place("top", 1)


def test_a_cover_sees_nothing_but_the_output(names: Namespace) -> None:
    at = Place("top", COVER)
    assert names.meaning("", "_", at=at) == Place("top", 1)
    assert names.meaning("", "plays", at=at) is None


def test_what_a_text_mentions_is_each_node_once(names: Namespace) -> None:
    text = "SELECT top.x FROM top JOIN `old` ON plays = 'events'"
    found = list(names.mentioned(text, at=OUTSIDE))
    assert found == [Place("top", 1), Place("old", 0), Place("events", 0)]
    assert list(names.mentioned("SELECT stop FROM topping", at=OUTSIDE)) == []


def test_sentences_say_whose_a_name_is(names: Namespace) -> None:
    assert "earlier release" in names.sentence("v0_0_1", "plays")
    assert "another workspace" in names.sentence("other", "plays")
    assert "'nothing'" in names.sentence("", "nothing")


def test_fixed_parameters_go_before_the_callers() -> None:
    terms = Terms(fixed={"a": {"x": "1"}, "b": {"x": "2", "y": "3"}})
    assert terms.params({"x": "9", "z": "4"}, "b") == {"x": "2", "y": "3", "z": "4"}
    given = terms.params({}, None)
    assert terms.holds(given, "a")
    assert not terms.holds(given, "b")
