"""Templates: nothing but a declared answer, in bounded time; no way to Python; no way out of the quotes."""

import re
import time
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from playhead.template.rendering import (
    CustomRefusal,
    Inputs,
    Rendered,
    TemplateInvalid,
    TemplateRefused,
)
from playhead.template.template import FUNCTIONS, Template

SECONDS_MAX = 2.0
STEPS = 20_000
BYTES = 100_000

PARAMETERS = ("a", "b", "c")
values = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["", "1", "-7", "a,b", "1,2,3", "2025-01-01", "2025-01-01 10:00:00", "'", "\\", "%"]),
    st.lists(st.text(max_size=5), min_size=1, max_size=4),
)  # fmt: skip
requests = st.dictionaries(st.sampled_from(PARAMETERS), values)

# Programs: expressions first, then what can be made of them.
names = st.sampled_from([*PARAMETERS, "i", "l"])
functions = st.sampled_from(sorted(FUNCTIONS.statement))
texts = st.sampled_from(["''", "'a'", "'a,b'", "'{}{:>99}'", "'%'", "'x' * 999", '"\'"', "'1'"])
numbers = st.sampled_from(["0", "1", "-1", "2", "7", "1.5", "999999999", "10000000000000000000"])
GREEDY = ("[i for i in {0}]", "[(i, l) for i in {0} for l in {0}]", "{{i: {0} for i in {0}}}", "{{i for i in {0}}}",
          "sum(i for i in {0})", "next(({0} for i in {0}), {0})", "sorted({0}, key=lambda i: {0})", "{0} ** {0}",
          "map(lambda i: [i] * 99, {0})", "filter(lambda i: i, {0})", "(lambda i: {0})", "f({0})", "[*{0}, *{0}]",
          "max({0}, key=len)", "len(*{0})", "dict(**{0})", "'%s%99s%.9f' % {0}", "'%s' * 99 % ({0},)", "{{**{0}}}",
          "list(map(str, {0}))", "sorted({0}, key=str.upper)", "divmod({0}, {0})", "pow({0}, {0})", "repr({0})",
          "{0} | {0}", "isinstance({0}, (str, list))")  # fmt: skip
HUNGRY = ("[{0}, {0}]", "({0},) * 99", "'a' * {0}", "range({0})", "str({0})", "{0} * {0}", "sorted({0})",
          "f'{{{0}}}{{{0}!r}}'", "{0} == {0}", "{0} in {0}", "{{{0}: {0}}}", "list({0})", "round({0}, {0})",
          "min({0}, {0})", "','.join({0})", "{0}.replace('', {0})", "{0}.format({0})", "set({0})")  # fmt: skip


def grown(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return expressions made of smaller ones."""
    operators = st.sampled_from(
        ["+", "-", "*", "/", "//", "%", "==", "<", "in", "and", "or", "is not"]
    )
    methods = st.sampled_from(
        ["split", "join", "get", "replace", "append", "upper", "strip", "format", "items", "zfill"]
    )
    return st.one_of(
        st.builds("({} {} {})".format, parts, operators, parts),
        st.builds("{}({}, {})".format, functions, parts, parts),
        st.builds("{}({})".format, functions, parts),
        st.builds("{}.{}({})".format, parts, methods, parts),
        st.builds("{}[{}]".format, parts, parts),
        st.builds("({} if {} else {})".format, parts, parts, parts),
        st.builds(lambda form, part: form.format(part), st.sampled_from(HUNGRY + GREEDY), parts),
    )  # fmt: skip


expressions = st.recursive(st.one_of(names, texts, numbers), grown, max_leaves=8)


def nested(body: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return blocks made of smaller ones."""
    return st.one_of(
        st.builds("{}{}".format, body, body),
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% end %}}".format, expressions, body, body),
        st.builds("{{% for i in {} %}}{}{{% end %}}".format, expressions, body),
        st.builds("{{% while {} %}}{}{{% end %}}".format, expressions, body),
        st.builds("{{% try %}}{}{{% except %}}{}{{% finally %}}{}{{% end %}}".format, body, body, body),
    )  # fmt: skip


programs = st.recursive(
    st.one_of(
        st.sampled_from(["text ", "'", "--", "/* ", "\n", "{{!", "{% set l = [] %}"]),
        st.builds("{{{{ {} }}}}".format, expressions),
        # What {{ }} does not take is computed before it, and a failure does not end the program.
        st.builds("{{% try %}}{{% set i = {} %}}{{{{ i }}}}{{% except %}}!{{% end %}}".format, expressions),
        st.builds("{{% try %}}{{% set l = {} %}}{{% except %}}{{% set l = [l] %}}{{% end %}}".format, expressions),
        st.builds("{{% set {} = {} %}}".format, names, expressions),
        st.builds("{{% set {} += {} %}}".format, names, expressions),
        st.builds("{{% set f = lambda i: {} %}}".format, expressions),
        st.builds("{{% set {}[{}] = {} %}}".format, names, expressions, expressions),
        st.builds("{{% set (i, *l), a = {} %}}".format, expressions),
        st.builds("{{% set l = {} %}}".format, st.sampled_from(["[l, l]", "[l] * 9", "l + l", "(l, l)"])),
    ),
    nested,
    max_leaves=10,
)  # fmt: skip


def answer(template: str, params: dict[str, Any], *, check: bool = False) -> object:
    """Return what comes of a template: rendered, or one of the declared errors."""
    try:
        compiled = Template.compile(template, name="n")
        if check:
            return compiled.check()
        return compiled.render(Inputs(params=params), steps_max=STEPS, bytes_max=BYTES)
    except (TemplateInvalid, TemplateRefused, CustomRefusal) as refusal:
        return refusal


def assert_answers(template: str, params: dict[str, Any]) -> None:
    started = time.perf_counter()
    for check in (False, True):
        found = answer(template, params, check=check)
        if isinstance(found, Rendered):
            assert isinstance(found.sql, str)
            assert check or len(found.sql) <= BYTES
        else:
            assert "object at 0x" not in str(found)
    assert time.perf_counter() - started < SECONDS_MAX


@given(text=st.text(max_size=200), params=requests)
@settings(max_examples=150, deadline=None)
def test_any_text_has_an_answer(text: str, params: dict[str, Any]) -> None:
    assert_answers(text, params)
    assert_answers("{{" + text + "}}", params)


@given(
    text=st.lists(
        st.sampled_from(["{{", "}}", "{%", "%}", "{#", "#}", "{", "!", "if ", "for ", "else", "end", "a", " in ", "(",
                         ")", "'", "[", "]", ":", "set ", "=", "String", ",", "\n", "while", "try", "except", "\0", "é"]),
        max_size=40,
    ).map("".join)
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_any_order_of_tags_has_an_answer(text: str) -> None:
    assert_answers(text, {"a": "1"})
    assert_answers(text + "{% end %}", {})


@given(program=programs, params=requests)
@example(program="{% set l = [1] %}" + "{% set l = [l, l] %}" * 60 + "{{ l }}", params={})
@example(
    program="{% set l = (1,) %}" + "{% set l = (l, l) %}" * 60 + "{% set i = {l: 1} %}", params={}
)
@example(program="{% set l = [1] %}{% set i = [1] %}" + "{% set l = [l, l] %}{% set i = [i, i] %}" * 40
         + "{% if min(l, i) %}{% end %}", params={})  # fmt: skip
@example(program="{% if round(1, -1000000000) %}{% end %}", params={})
@example(
    program="{{ int('9' * 4000) }}{% set a = int('9' * 399) %}{% while True %}{% set a = a * a %}{% end %}",
    params={},
)
@example(program="{% set f = lambda i: f(i) + f(i) %}{% set i = f(1) %}", params={})
@example(program="{% set f = lambda i: [f(j) for j in range(99)] %}{% set i = f(1) %}", params={})
@example(program="{% set l = [1] %}{% set i = [l.append(i) for i in l] %}", params={})
@example(
    program="{% set l = {} %}{% set l['a'] = l %}{{ l }}{% set i = '%s' % l %}{{ l == l }}",
    params={},
)
@example(program="{% set i = '%(a)s' * 999 % {'a': 'x' * 9999} %}{{ i }}", params={})
@example(program="{% while True %}{% try %}{{ a }}{% except %}{% end %}{% end %}", params={})
@settings(max_examples=300, deadline=None)
def test_any_program_has_an_answer_in_time(program: str, params: dict[str, Any]) -> None:
    assert_answers(program, params)
    assert_answers(f"{{% for i in range(999) %}}{program}{{% end %}}", params)


DUNDERS = ("__class__", "__globals__", "__builtins__", "__import__", "__subclasses__", "__mro__", "__init__",
           "__getattribute__", "__dict__", "__code__", "gi_frame", "f_globals", "f_back", "cr_frame", "tb_frame",
           "mro", "func_globals", "real", "context", "inputs", "format_map", "encode", "translate")  # fmt: skip
REACHING = ("eval", "exec", "compile", "open", "getattr", "setattr", "globals", "locals", "vars", "type", "object",
            "super", "__import__", "breakpoint", "input", "dir", "memoryview")  # fmt: skip


@given(
    start=expressions,
    attribute=st.sampled_from(DUNDERS),
    function=st.sampled_from(REACHING),
    form=st.sampled_from(
        ["{s}.{a}", "{s}.{a}()", "({s}).{a}[0]", "[{s}][0].{a}", "f'{{ {s}.{a} }}'", "{f}({s})", "{f}({s}, '{a}')",
         "{f}", "len({f}({s}))", "String({s}).{a}.{a}", "'a'.join({f}({s}))", "[x for x in {s}.{a}]", "lambda: {s}.{a}", "[{f}(x) for x in {s}]",
         "sorted({s}, key=str.{a})", "map(lambda x: {f}(x), {s})", "[*{s}.{a}()]", "{{**{f}({s})}}", "'%s' % {s}.{a}",
         "{s}.{a}({f})", "String(a, default={f}({s}))", "(y := {s})"]
    ),
    tag=st.sampled_from(["{{{{ {} }}}}", "{{% if {} %}}{{% end %}}", "{{% set y = {} %}}", "{{% for y in {} %}}{{% end %}}"]),
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_no_way_to_python(start: str, attribute: str, function: str, form: str, tag: str) -> None:
    expression = form.format(s=start, a=attribute, f=function)
    if form == "{f}":
        # As a name it is a parameter, which nobody sent.
        found = answer(tag.format(expression), {})
        assert not isinstance(found, Rendered) or "<" not in found.sql
        return
    found = answer(tag.format(expression), dict.fromkeys(PARAMETERS, "v"))
    assert isinstance(found, TemplateInvalid), found


ESCAPES = {"0": "\0", "b": "\b", "t": "\t", "n": "\n", "r": "\r"}


def literals(sql: str) -> tuple[list[str], str]:
    """Return the texts between single quotes as the engine reads them, and everything outside."""
    inside: list[str] = []
    outside = []
    at = 0
    while at < len(sql):
        if sql[at] != "'":
            outside.append(sql[at])
            at += 1
            continue
        at += 1
        text = []
        while sql[at] != "'":
            if sql[at] == "\\":
                at += 1
                # The engine keeps the backslash before what needs none: \% and \_ of LIKE.
                text.append(
                    ESCAPES.get(sql[at], sql[at] if sql[at] in "'\"\\`" else "\\" + sql[at])
                )
            else:
                text.append(sql[at])
            at += 1
        at += 1
        inside.append("".join(text))
    return inside, "".join(outside)


def as_read(value: str) -> str:
    """Return the text the engine reads for a value: `\\%` and `\\z` stay as they are (pipes.md 2.3)."""
    return value.replace("%", "\\%").replace("\x1a", "\\z")


@given(value=st.text(max_size=60))
@example(value="' OR 1=1 --")
@example(value="\\' OR 1=1 --")
@example(value="\0\b\t\n\r\x1a\"'\\`%")
@settings(max_examples=300, deadline=None)
def test_a_text_stays_between_its_quotes(value: str) -> None:
    template = Template.compile(
        "A {{String(v)}} B {{v}} C {{v + '!'}} D {{sql_unescape(String(v), '%')}} E"
    )
    found = template.render(Inputs(params={"v": value}))
    inside, outside = literals(found.sql)
    assert inside == [
        as_read(value),
        as_read(value),
        as_read(value) + "!",
        as_read(value).replace("\\%", "%"),
    ]
    assert outside == "A  B  C  D  E"


@given(items=st.lists(st.text(max_size=20), min_size=2, max_size=5))
@settings(max_examples=200, deadline=None)
def test_items_of_an_array_stay_between_their_quotes(items: list[str]) -> None:
    template = Template.compile("{{Array(v, 'String')}}")
    inside, outside = literals(template.render(Inputs(params={"v": items})).sql)
    assert inside == [as_read(item) for item in items]
    assert outside == f"[{',' * (len(items) - 1)}]"


TYPED = sorted(
    name
    for name in FUNCTIONS.output
    if re.fullmatch(r"U?Int\d*|Integer|Float\d+|Date|DateTime|DateTime64|Boolean|String|JSON", name)
)
STARTS = (
    "",
    "2025-01-01",
    "2025-01-01 10:00:00",
    "2025-01-01T10:00:00.000",
    "7",
    "-1",
    "1e3",
    "nan",
    "true",
)


@given(
    type_=st.sampled_from(TYPED),
    start=st.sampled_from(STARTS),
    rest=st.text(max_size=30) | st.sampled_from(["' OR 1=1", "\\", "') --", "`;", "\n"]),
)
@settings(max_examples=500, deadline=None)
def test_no_type_lets_a_value_out(type_: str, start: str, rest: str) -> None:
    value = start + rest
    found = answer(f"A {{{{{type_}(v)}}}} B", {"v": value})
    if not isinstance(found, Rendered):
        assert isinstance(found, TemplateRefused)
        return
    inside, outside = literals(found.sql)
    assert re.fullmatch(r"A (to\w+\(\)|-?[\d.]+(e[+-]?\d+)?|[\[\]{}:, \w.+-]*|) B", outside), (
        found.sql
    )
    if type_ in {"String", "Date", "DateTime", "DateTime64"}:
        assert inside == [as_read(value)]


NAMING = ("column(v, 'a')", "columns(v, 'a')", "symbol(v)", "table(v)", "TABLE(v)")


@given(
    call=st.sampled_from(NAMING),
    value=st.text(max_size=30)
    | st.sampled_from(["a` OR 1", "a.b", "x; DROP", "views--", "a,b`", 'a"b', "file('x')"]),
)
@settings(max_examples=500, deadline=None)
def test_no_name_lets_a_value_out(call: str, value: str) -> None:
    found = answer(f"A {{{{{call}}}}} B", {"v": value})
    if not isinstance(found, Rendered):
        assert isinstance(found, TemplateRefused | TemplateInvalid)
        return
    outside = re.sub(r"`(?:[^`\\]|\\.)*`", "", found.sql, flags=re.DOTALL)
    assert re.fullmatch(r"A [\w., ]* B", outside), found.sql
