import pytest

from playhead.access import Grant, Scope
from playhead.access.scopes import TYPES, scope_of

ALL = [(type_, "" if needs == "never" else "x") for type_, needs in TYPES.items()]


def grant(*scopes: str, kind: str = "scoped", property_: str | None = None) -> Grant:
    return Grant("id", "", kind, property_, 0, tuple(scope_of(one) for one in scopes))


def allowed(one: Grant) -> set[str]:
    return {type_ for type_, resource in ALL if one.may(type_, resource)}


@pytest.mark.parametrize(
    ("one", "may"),
    [
        (grant(kind="admin"), set(TYPES)),
        (grant(kind="read"), {"WORKSPACE:READ_ALL", "DATASOURCES:READ", "PIPES:READ"}),
        (grant(kind="write"), set()),
        (grant(kind="read", property_="shop"), set()),
        (grant(kind="admin", property_="shop"), set()),
        (grant("TOKENS"), {"TOKENS"}),
        (grant("DATASOURCES:CREATE"), {"DATASOURCES:CREATE", "DATASOURCES:APPEND"}),
        (grant("WORKSPACE:READ_ALL"), {"WORKSPACE:READ_ALL", "DATASOURCES:READ", "PIPES:READ"}),
        (grant("DATASOURCES:READ:x"), {"DATASOURCES:READ"}),
        (grant("DATASOURCES:READ:y"), set()),
        (grant("PIPES:DROP"), {"PIPES:DROP"}),
        (grant("PIPES:DROP:y"), set()),
        (grant(), set()),
    ],
)
def test_what_it_may(one: Grant, may: set[str]) -> None:
    assert allowed(one) == may
    assert not one.may("NO:SUCH", "x") or one.is_whole()


def test_a_property_sees_playhead_s_tables_and_nothing_else() -> None:
    one = grant(kind="read", property_="it's")
    assert one.may("DATASOURCES:READ", "playhead.views")
    assert not one.may("DATASOURCES:READ", "plays")
    assert one.property_filter() == r"property = 'it\'s'"
    assert grant(kind="read").property_filter() is None


def test_quarantine_goes_with_its_data_source_unless_rows_are_hidden() -> None:
    assert grant("DATASOURCES:READ:x").may("DATASOURCES:READ", "x_quarantine")
    for hidden in (
        grant("DATASOURCES:READ:x:n > 1"),
        grant("DATASOURCES:READ:x", "DATASOURCES:READ:x:n > 1"),
        grant("WORKSPACE:READ_ALL", "DATASOURCES:READ:x:n > 1"),
    ):
        assert hidden.may("DATASOURCES:READ", "x")
        assert not hidden.may("DATASOURCES:READ", "x_quarantine")


def test_several_filters_must_all_hold() -> None:
    one = grant(
        "DATASOURCES:READ:x:a", "DATASOURCES:READ:x:b", "DATASOURCES:READ:x:a", "PIPES:READ:p:c"
    )
    assert one.filters() == {"x": "(a) AND (b)"}
    assert one.pipe_filters() == {"p": "(c)"}


def test_fixed_parameters_are_a_pipe_s() -> None:
    scopes = (Scope("PIPES:READ", "p", "", {"org": "7"}), Scope("PIPES:READ", "q"))
    one = Grant("id", "", "jwt", None, 0, scopes)
    assert one.fixed_params("p") == {"org": "7"}
    assert one.fixed_params("q") == {}
