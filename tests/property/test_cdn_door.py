"""The CDN log door against anything: never a fault of ours, never a line unaccounted for."""

from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playhead.collect.logs.edgecast import FIELDS, Edgecast
from playhead.collect.logs.formats import AUTO, FORMATS
from playhead.collect.logs.generic import FIELDS as GENERIC
from playhead.collect.logs.logged import BrokenLine, Options
from playhead.model.cdn_request import CdnRequest
from support.cdn_door import NOW, Doorstep, Sent

DOORSTEP = Doorstep(max_log_body_bytes=100_000, max_events_per_request=3, keep_addresses=False)
formats = st.sampled_from([*FORMATS, AUTO, "", "other"])
numbers = st.one_of(
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(NOW - 10**9, NOW + 10**9),
    st.floats(0, 1e6),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from([
    "-", "/a/b/c.ts", "203.0.113.7", "2001:db8::7", "CMCD=sid%3D%22a%22%2Cbl%3D100", "x" * 300,
    "1765837000.5", "GET /a HTTP/1.1", "HIT", "https://a.example/b?c",
])  # fmt: skip
scalars = st.none() | st.booleans() | numbers | texts
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(texts, scalars, max_size=2)
names = st.sampled_from([*GENERIC, *FIELDS, "reqTimeSec", "reqPath", "cmcd", "UA"]) | texts
objects = st.dictionaries(names, values, max_size=8)
good = st.fixed_dictionaries({"timestamp": st.just(NOW / 1000), "path": st.just("/a/b/c.ts")})
lines = st.lists(st.one_of(objects, good, st.builds(lambda a, b: a | b, objects, good)), max_size=8)
columns = st.lists(st.text(max_size=12) | texts, min_size=1, max_size=34).map("\t".join)


def account(sent: Sent) -> None:
    """Every line is a row or a refusal, in the log and in the answer."""
    held = sent.lines()
    assert sent.body["accepted"] + sent.body["rejected_total"] == len(held)
    assert sum(entry.events for entry in sent.entries) == len(held)
    assert sum(isinstance(line, str) for line in held) == sent.body["rejected_total"]
    for entry, meta in zip(sent.entries, sent.metas(), strict=True):
        for one in meta.refused:
            assert entry.body.split(b"\n")[one.index].startswith(b'"')
        for line in entry.body.split(b"\n"):
            if line[:1] == b"[":
                msgspec.json.decode(line, type=CdnRequest)


def check(body: bytes, query: str) -> None:
    sent = DOORSTEP.send(body, query)
    assert sent.status in {200, 400, 413}
    if sent.status == 200:
        account(sent)
    else:
        assert sent.entries == []


@given(body=st.binary(max_size=2_000), name=formats)
@example(body=b"[" * 50_000, name="auto")
@example(body=b'{"a":' * 10_000, name="json")
@example(body=b'{"timestamp":1765837000,"path":"\xed\xa0\x80"}', name="edgecast")
@example(body=b'{"timestamp":1765837000,"path":"\\ud800"}', name="json")
@example(body=b'{"timestamp":1765837000,"path":"/a","x":%d}' % 10**400, name="json")
@example(body=b"#Fields: \xff\n\xff", name="cloudfront")
def test_any_bytes_in_any_format_get_an_answer(body: bytes, name: str) -> None:
    check(body, f"format={name}")


@given(batch=lines, name=formats)
def test_any_objects_in_any_format_are_accounted_for(batch: list[Any], name: str) -> None:
    check(b"\n".join(map(msgspec.json.encode, batch)), f"format={name}")
    check(msgspec.json.encode(batch), f"format={name}")


@given(rows=st.lists(columns, max_size=6), head=st.lists(names, max_size=5), name=formats)
def test_any_columns_in_any_format_are_accounted_for(
    rows: list[str], head: list[str], name: str
) -> None:
    body = "\n".join([f"#Fields: {' '.join(head)}", *rows])
    check(body.encode(), f"format={name}")


@given(query=st.text(st.characters(max_codepoint=127), max_size=60))
def test_any_parameters_get_an_answer(query: str) -> None:
    check(b'{"at":%d,"path":"/a"}' % NOW, query)


@given(batch=lines)
def test_no_address_is_left_in_what_is_kept(batch: list[Any]) -> None:
    sent = DOORSTEP.send(b"\n".join(map(msgspec.json.encode, batch)), "format=json")
    refused = [line for line in sent.lines() if isinstance(line, str)]
    assert not any("203.0.113.7" in line or "2001:db8" in line for line in refused)


@given(batch=st.lists(st.builds(lambda a, b: a | b, objects, good), min_size=1, max_size=4))
def test_lines_read_at_once_are_those_read_one_by_one(batch: list[Any]) -> None:
    reader = Edgecast(Options())
    encoded = [msgspec.json.encode(one) for one in batch]
    at_once = reader.read_all(encoded)
    if at_once is None:
        return
    for found, line in zip(at_once, encoded, strict=True):
        try:
            expected = reader.read(line)
        except BrokenLine as error:
            pytest.fail(str(error))
        for name in expected.__struct_fields__:
            assert getattr(found, name) == getattr(expected, name), name
