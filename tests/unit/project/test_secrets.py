import pytest

from playhead.project.secrets import filled, substituted


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{{ tb_secret("a") }}', "one"),
        ("x-{{tb_secret('a')}}-{{tb_var('b', 'two')}}", "x-one-two"),
        ("{{ tb_secret('b', 7) }}", "7"),
        ("{{ tb_secret('b', '') }}|", "|"),
        ("{{ open", "{{ open"),
    ],
)
def test_secrets_are_filled_in(text: str, found: str) -> None:
    assert filled(text, {"a": "one"}) == (found, ())
    assert filled(text, None) == (text, ())


@pytest.mark.parametrize(
    "text", ["{{ x }}", "{{ tb_secret() }}", "{{ tb_secret('a') + 'b' }}", "{% x %}"]
)
def test_anything_else_is_a_fault_with_its_place(text: str) -> None:
    _, [fault] = filled(f"ab {text}", {"a": "one"})
    assert fault.at == 3
    assert "tb_secret" in fault.hint


def test_a_secret_is_not_looked_at_again() -> None:
    assert filled("{{ tb_secret('a') }}", {"a": "{{ x }}"}) == ("{{ x }}", ())
    assert substituted("$a", {"a": "$b", "b": "x"}) == "$b"


def test_names_without_a_value_stay() -> None:
    assert substituted("$a ${b} $$a $1", {"b": "x"}) == "$a x $$a $1"
    assert substituted("$a_b", {"a": "x"}) == "$a_b"
