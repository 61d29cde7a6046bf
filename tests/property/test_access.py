"""Tokens: whatever is sent as one is refused in a sentence, and nobody gives more than it has."""

import jwt
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playhead.access import Grant, Scope, check_gives, checked_all
from playhead.access.condition import condition
from playhead.access.jwt import Signed
from playhead.access.scopes import TYPES, scope_of
from playhead.clock import ManualClock
from playhead.errors import Forbidden, InvalidRequest, PlayheadError

KEY = "ph_admin_" + "k" * 43
SIGNED = Signed("workspace", ManualClock())
SIGNED.use(KEY)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=20,
)
RESOURCES = st.sampled_from(["plays", "top", "x"])
CONDITIONS = st.sampled_from(["", "n > 1", "country = 'DE'"])
SCOPES = st.one_of(
    st.builds(Scope, st.sampled_from([t for t, needs in TYPES.items() if needs == "never" and t != "ADMIN"])),
    st.builds(Scope, st.sampled_from(["DATASOURCES:APPEND", "DATASOURCES:DROP", "PIPES:DROP"]), RESOURCES),
    st.builds(Scope, st.sampled_from(["DATASOURCES:READ", "PIPES:READ"]), RESOURCES, CONDITIONS),
)  # fmt: skip


@given(st.text(max_size=300) | st.text("abc.=_-eyJhbGciOiJIUzI1NiJ9", max_size=300))
def test_no_text_is_a_token(text: str) -> None:
    with pytest.raises(Forbidden) as refused:
        SIGNED.verify(text)
    assert refused.value.message.endswith(".")


@given(JSON)
def test_no_signed_payload_breaks_it(payload: object) -> None:
    body = msgspec.json.encode(
        {"workspace_id": "workspace", "exp": 1_700_000_060, "scopes": payload}
    )
    try:
        said = len(SIGNED.verify(jwt.PyJWS().encode(body, KEY, algorithm="HS256")).scopes)
    except Forbidden as error:
        said = len(error.message)
    assert said


@given(st.text(max_size=60))
def test_scopes_and_filters_are_refused_in_a_sentence(text: str) -> None:
    for read in (scope_of, condition):
        message = ""
        try:
            read(text)
        except InvalidRequest as error:
            message = error.message
        assert len(message) < 300


@given(st.text("()[]'\"`;-/*#ab =1,\\", max_size=24))
def test_a_filter_stays_in_its_parentheses(text: str) -> None:
    try:
        made = condition(text)
    except InvalidRequest:
        return
    assert condition(f"({made}) AND (1)")
    assert ";" not in made or "'" in made or '"' in made or "`" in made


@settings(max_examples=300)
@given(st.lists(SCOPES, min_size=1, max_size=4), st.lists(SCOPES, min_size=1, max_size=4))
def test_nobody_gives_more_than_it_has(own: list[Scope], wanted: list[Scope]) -> None:
    caller = Grant("a", "", "scoped", None, 0, checked_all([Scope("TOKENS"), *own]))
    given_ = Grant("b", "", "scoped", None, 0, checked_all(wanted))
    try:
        check_gives(caller, given_.scopes, None)
    except PlayheadError:
        return
    for type_ in TYPES:
        for resource in ("", "plays", "top", "x", "plays_quarantine"):
            assert caller.may(type_, resource) or not given_.may(type_, resource)
    for type_ in ("DATASOURCES:READ", "PIPES:READ"):
        for name, conditions in caller.conditions(type_).items():
            if given_.may(type_, name):
                assert set(conditions) <= set(given_.conditions(type_).get(name, ()))
