from collections.abc import Mapping

import pytest

from playhead.errors import QueryRefused
from playhead.project.folder import read_texts
from playhead.query.pipes.texts import Bounds, Templates, Texts
from playhead.query.pipes.workspace import Namespace, Place, Workspace
from playhead.template.rendering import Given, Inputs, TemplateRefused

TOP = """NODE a
SQL >
    % SELECT {{String(x)}} AS x {{max_threads(2)}}

NODE b
SQL >
    % SELECT * FROM a WHERE {{tb_secret('key')}} != '' {{cache_ttl('5s')}}

NODE end
SQL >
    SELECT * FROM b
TYPE endpoint
"""
FILES = {"top.pipe": TOP, "above.pipe": "NODE n\nSQL >\n    SELECT * FROM top\n"}
END = Place("top", 2)


def texts(params: Mapping[str, Given] | None, *, bounds: Bounds | None = None) -> Texts:
    names = Namespace(Workspace(project=read_texts(FILES)))
    bounds = bounds or Bounds()
    inputs = None if params is None else Inputs(params=params)
    return Texts(
        names, Templates(names, bounds), bounds, params=inputs, secrets={"key": "k"}, pipe="top"
    )


def test_everything_that_is_named_is_rendered() -> None:
    made = texts({"x": "1"})
    made.one(Place("above", 0))
    made.gather(Place("above", 0))
    assert set(made.done) == {Place("above", 0), Place("top", 0), Place("top", 1), END}
    assert made.done[Place("top", 0)].sql.strip().startswith("SELECT '1' AS x")


def test_values_and_directives_of_all_of_them_count() -> None:
    made = texts({"x": "1"})
    made.one(END)
    made.gather(END)
    assert made.bound() == {"key": "k"}
    assert (made.directives().max_threads, made.directives().cache_ttl_s) == (2, 5)


def test_a_node_that_fails_is_kept_until_it_is_needed() -> None:
    made = texts({})
    made.one(END)
    made.gather(END)
    assert set(made.failed) == {Place("top", 0)}
    with pytest.raises(TemplateRefused, match="Check the parameters x"):
        made.one(Place("top", 0))


def test_check_mode_needs_no_parameters() -> None:
    made = texts(None)
    made.one(Place("top", 0))
    assert "__no_value__" in made.done[Place("top", 0)].sql
    assert made.failed == {}


def test_a_text_from_outside_sees_no_secret() -> None:
    made = texts({})
    # With a default it would get the value that a node of the same query brings for the name.
    with pytest.raises(QueryRefused, match="secrets"):
        made.outside("% SELECT {{tb_secret('key', 'none')}}")
    made.outside("% SELECT {{tb_secret('key')}}", trusted=True)
    assert made.bound() == {"key": "k"}


def test_the_key_changes_with_every_text() -> None:
    keys = set()
    for value in ("1", "2", "1"):
        made = texts({"x": value})
        made.one(END)
        made.gather(END)
        keys.add(made.key())
    assert len(keys) == 2


def test_nodes_have_a_limit() -> None:
    made = texts({"x": "1"}, bounds=Bounds(units=2))
    made.one(END)
    made.gather(END)
    with pytest.raises(QueryRefused, match="2 nodes"):
        made.one(Place("top", 0))
