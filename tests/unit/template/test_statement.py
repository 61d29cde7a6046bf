import pytest

from playhead.template.rendering import CustomRefusal, TemplateInvalid, TemplateRefused
from playhead.template.statement import read_handler, read_loop, read_setting
from playhead.template.syntax import Position
from playhead.template.target import names_in

HERE = Position("n", 2)


def test_heads_of_loops() -> None:
    one = read_loop("x in y", HERE, frozenset())
    two = read_loop("a, b in {'k': 1}.items()", HERE, frozenset())
    assert names_in(one.target) == ("x",)
    assert names_in(two.target) == ("a", "b")


@pytest.mark.parametrize("source", ["", "x", "x in", "x.y in z", "x in *z", "__x in y", "x in y: 1\nz",
                                    "x in y:\n a\nelse"])  # fmt: skip
def test_what_is_no_loop(source: str) -> None:
    with pytest.raises(TemplateInvalid) as caught:
        read_loop(source, HERE, frozenset())
    assert caught.value.line == 2


def test_settings_name_their_targets() -> None:
    several = read_setting("a = b, (c, *d) = x", HERE, frozenset()).targets
    assert [names_in(one) for one in several] == [("a",), ("b", "c", "d")]
    assert names_in(read_setting("a['b'] += 1", HERE, frozenset()).targets[0]) == ()


@pytest.mark.parametrize("source", ["a.b = 1", "a: int = 1", "*a, *b = c", "__a = 1", "a, b += 1", "a = 1; b = 2", "f() = 1",
                                    "a.b['c'] = 1", "a[b.c] = 1", "del a", "a <<= 1"])  # fmt: skip
def test_what_is_no_setting(source: str) -> None:
    with pytest.raises(TemplateInvalid) as caught:
        read_setting(source, HERE, frozenset())
    assert caught.value.line == 2


def invalid(reason: Exception) -> TemplateInvalid:
    error = TemplateInvalid("no")
    error.__cause__ = reason
    return error


@pytest.mark.parametrize(
    ("source", "catches", "passes"),
    [
        ("", TemplateInvalid("no"), None),
        ("Exception as e", CustomRefusal({}, 400), None),
        ("ValueError", TemplateRefused("no"), invalid(KeyError())),
        ("(KeyError, TypeError)", invalid(TypeError()), TemplateRefused("no")),
        ("LookupError", invalid(IndexError()), invalid(TypeError())),
    ],
)
def test_what_an_except_catches(
    source: str, catches: TemplateInvalid, passes: TemplateInvalid | None
) -> None:
    head = read_handler(source, HERE)
    assert head.catches(catches)
    assert passes is None or not head.catches(passes)


def test_name_of_an_error() -> None:
    assert read_handler("KeyError as e", HERE).name == "e"
    with pytest.raises(TemplateInvalid):
        read_handler("as e", HERE)
