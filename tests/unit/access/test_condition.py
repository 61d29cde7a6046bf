import pytest

from playhead.access.condition import FILTER_CHARS_MAX, both, condition, is_text
from playhead.errors import InvalidRequest

GOOD = [
    "country = 'DE'", "country = 'it''s; -- no'", r"name = 'a\'b;'", "n > 1 AND (m < 2 OR NOT p)",
    "id IN (1, 2, -3)", "id NOT IN ('a', 'b')", "day IN (toDate('2025-01-01'))", "x IN [1, 2]",
    "(a, b) IN ((1, 2), (3, 4))", "`from` = 1", '"select" = 2', "arrayExists(x -> x > 1, [n])",
    "toDate(at) >= '2025-01-01'", "price::Float64 > 1.5e3", "a.b = 1 ? 1 : 0", "n % 2 = 0",
    "m['key'] = 'v'", "n BETWEEN 1 AND 2", "name ILIKE '%x%'", "e IN (NULL, TRUE)", "1", "ok",
]  # fmt: skip
BAD = [
    "", "   ", "a = 1; DROP TABLE t", "a = 1 -- x", "a = 1 /* x */", "a = 1 # x", "a = 'x", 'a = "x',
    "a = `x", "(a = 1", "a = 1)", "[1", "f(]", "a = 1, b = 2", "a IN (SELECT 1)", "(select 1)",
    "a = 1 UNION ALL SELECT 1", "a IN other", "in(a, other)", "a NOT IN other", "a IN (other)",
    "a IN (`other`)", "NOT in(a, other)", "in(lower(a), other)", "globalIn(a, other)",
    "notIn(a, other)", "`in`(a, other)", "joinGet('t', 'a', 1) = 1", "dictGet('d', 'a', 1) = 1",
    "file('/etc/passwd') = ''", "{x:String} = 1", "a = $$x$$", "a = 1 \\ b", "exists(1)",
    "a = 1\x00", "url('http://a') = 1", "COLUMNS('a') = 1", "throwIf(a = 1) = 0", "a = @b",
    "a IN ((SELECT 1))", "a = (FROM t)", "WITH 1 AS x", "a" * (FILTER_CHARS_MAX + 1), "a = €",
]  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_a_condition_passes_as_it_is(text: str) -> None:
    assert condition(f"  {text}\n") == text
    assert condition(both([text, text])) == f"({text}) AND ({text})"


@pytest.mark.parametrize("text", BAD)
def test_what_is_more_than_a_condition_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        condition(text)
    assert refused.value.message.endswith((".", "?"))


@pytest.mark.parametrize("value", ["a", "it's", "a\\", "\\' OR 1 = 1 --", "'"])
def test_a_text_cannot_leave_its_quotes(value: str) -> None:
    made = is_text("property", value)
    assert condition(made) == made
    assert made.startswith("property = '")
