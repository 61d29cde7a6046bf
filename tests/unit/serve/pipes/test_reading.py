from playhead.access import Grant, Scope
from playhead.query.source import BOUND_TABLES
from playhead.serve.pipes.reading import Reading


def reading(kind: str, *scopes: Scope, bound: str | None = None) -> Reading:
    return Reading(Grant("id", "name", kind, bound, 0, scopes))


def test_admins_and_readers_read_everything() -> None:
    for kind in ("admin", "read"):
        everything = reading(kind)
        assert everything.all()
        assert everything.datasource("plays")
        assert everything.pipe("top")


def test_a_write_key_reads_nothing() -> None:
    nothing = reading("write")
    assert not nothing.all()
    assert not nothing.datasource("plays")
    assert not nothing.pipe("top")


def test_who_sends_files() -> None:
    append = Scope("DATASOURCES:APPEND", "plays")
    assert reading("admin").sends_files()
    assert reading("scoped", append).sends_files()
    assert not reading("write").sends_files()
    assert not reading("scoped", Scope("DATASOURCES:READ", "plays")).sends_files()


def test_a_property_has_rows_of_playheads_tables_alone() -> None:
    bound = reading("read", bound="kids")
    assert bound.datasource("playhead.views")
    assert not bound.datasource("plays")
    assert not bound.datasource("playhead.quarantine_retries")
    assert set(bound.conditions()) == set(BOUND_TABLES)
    assert bound.terms().tables == set(BOUND_TABLES)


def test_scopes_become_terms() -> None:
    scoped = reading(
        "scoped",
        Scope("DATASOURCES:READ", "plays", "country = 'DE'"),
        Scope("PIPES:READ", "top", "", {"land": "DE"}),
        Scope("PIPES:READ", "raw", "title = 'film'"),
    )
    terms = scoped.terms()
    assert list(scoped.conditions()) == ["plays"]
    assert terms.tables == {"plays"}
    assert set(terms.pipes) == {"raw"}
    assert terms.fixed == {"top": {"land": "DE"}}


def test_a_filter_on_the_short_name_of_a_table_holds() -> None:
    everything = Scope("WORKSPACE:READ_ALL")
    short = reading("scoped", everything, Scope("DATASOURCES:READ", "views", "country = 'DE'"))
    assert short.conditions()["playhead.views"] == "(country = 'DE')"
    assert "playhead.views" in short.terms().tables


def test_nodes_inside_pipes_are_for_who_reads_the_project() -> None:
    assert reading("scoped", Scope("WORKSPACE:READ_ALL")).nodes()
    assert not reading("scoped", Scope("PIPES:READ", "top")).nodes()
