import ast

import pytest

from playhead.template.expression import Mode, read_expression
from playhead.template.rendering import TemplateInvalid
from playhead.template.syntax import Position

HERE = Position("n", 4)
FUNCTIONS = frozenset({"String", "len", "defined"})


def read(source: str, mode: Mode = "output") -> ast.expr:
    return read_expression(source, HERE, mode=mode, functions=FUNCTIONS)


@pytest.mark.parametrize(
    "source",
    ["x", "1", "-1", "not x", "'a' 'b'", "x + 1", "x - 1", "x * 2", "x[0]", "x['a']", "x[y[0]]",
     "x[1:3]", "x[:]", "[1, x]", "(1,)", "{'a': x}", "{1, 2}", "f'{x} and {x:>5} {x!r}'",
     "a if b else c", "String(x, 'a', description='b')", "x.split(',')", "x.get('a').join([])",
     "x.replace('a', 'b')", "String(x, required=1 == 1)", "String(x,\n'a')", "x\n+ 1"],
)  # fmt: skip
def test_forms_of_an_output(source: str) -> None:
    assert isinstance(read(source), ast.expr)
    assert isinstance(read(source, "statement"), ast.expr)


@pytest.mark.parametrize(
    "source",
    ["x == 1", "1 < x <= 2", "x in [1]", "x not in y", "x is None", "a and b or not c", "x / 2",
     "x // 2", "x % 2", "x[-1]", "x[y]", "x.upper()", "x.startswith('a')", "f(x)", "+x", "x ** 2",
     "lambda: 1", "lambda a, b=1: a + b", "[y for y in x if y]", "{y for y in x}", "{y: 1 for y, *z in x}",
     "max(y for y in x)", "len(*x)", "len(**x)", "[*x]", "(*x, 1)", "{**x}", "x | y", "sorted(x, key=lambda y: y)",
     "sorted(x, key=str.lower)", "map(str.upper, x)"],
)  # fmt: skip
def test_forms_of_a_statement_only(source: str) -> None:
    assert isinstance(read(source, "statement"), ast.expr)
    with pytest.raises(TemplateInvalid, match=r"at n:4$"):
        read(source)


@pytest.mark.parametrize(
    "source",
    ["lambda *a: 1", "lambda **a: 1", "lambda __a: 1", "[y async for y in x]", "[y for y.z in x]", "[y for __y in x]",
     "[y for y[0] in x]", "sorted(x, key=str.mro)", "sorted(x, key=x.lower)", "len(str.lower)", "[y.z for y in x]",
     "[*x, *y for x in y]", "lambda: x.__class__", "lambda a=x.y: 1", "[1 for y in x.y]", "[1 for y in x if y.z]",
     "x @ y", "x << 9", "~x", "x.y", "x.y.z()", "x.__class__",
     "x.__init__()", "x.f_globals()", "x.gi_frame", "__import__('os')", "__name__", "eval('1')",
     "exec('1')", "getattr(x, 'a')", "open('a')", "globals()", "type(x)", "vars(x)",
     "(y := 1)", "await x", "yield", "*x", "f(__a=1)", "x[0] if *y else 1",
     "b'a'", "1j", "...", "f'{x:{y}}'", "f'{x:9999}'", "f'{x!a}'", "x()()", "x[0]()", "'a'.format_map(x)",
     "x.mro()", "x.encode()", "1 +", "a b", "", ")", "a) + (b", "x\0", "\ud800", r"'\ud800'", f"({'+'.join(['a'] * 900)})()", f"(a)[{'+'.join(['a'] * 900)}]"],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["output", "statement"])
def test_nothing_else_gets_in(source: str, mode: Mode) -> None:
    with pytest.raises(TemplateInvalid) as caught:
        read(source, mode)
    assert caught.value.message.endswith(" at n:4")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("bool(x)", "Invalid function name: bool at n:4"),
        ("x.upper()", "Invalid method name: upper at n:4"),
        ("x / 2", "Invalid BinOp: Div() at n:4"),
        ("x ** 2", "Invalid BinOp: Pow() at n:4"),
        ("__x__", "Invalid name: __x__ at n:4"),
        ("x.__x__()", "Invalid attribute: __x__ at n:4"),
        ("x.a", "Invalid attribute: a at n:4"),
    ],
)
def test_sentences_of_the_reference(source: str, sentence: str) -> None:
    with pytest.raises(TemplateInvalid) as caught:
        read(source)
    assert caught.value.message == sentence
    assert caught.value.line == 4


def test_reserved_names_with_two_underscores_are_parameters() -> None:
    assert ast.unparse(read("String(__tb__semver)")) == "String(__tb__semver)"
    with pytest.raises(TemplateInvalid, match="Invalid name"):
        read("String(__builtins__)")


@pytest.mark.parametrize(
    "source",
    ["(" * 300 + "1" + ")" * 300, "-" * 20_000 + "1", "not " * 10_000 + "1", "[" * 90 + "]" * 90 + "[0]" * 200,
     "1" + "+1" * 200, "1" * 5_000, "x" * 70_000, str(1 << 1025)],
    ids=range(8),
)  # fmt: skip
def test_depth_and_size_are_bounded(source: str) -> None:
    with pytest.raises(TemplateInvalid) as caught:
        read(source)
    assert len(caught.value.message) < 300


def test_sum_of_many_terms_is_fine() -> None:
    assert isinstance(read("'a'" + " + 'b'" * 100), ast.BinOp)
    assert isinstance(read("[" + "1," * 10_000 + "]"), ast.List)
