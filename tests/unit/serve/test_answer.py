import pytest
from starlette.requests import Request

from playhead.errors import InvalidRequest, QueueFull, Unauthenticated
from playhead.serve.answer import answer, failure, form_of, values_of


def request(query: str = "", accept: str = "") -> Request:
    headers = [(b"accept", accept.encode())] if accept else []
    return Request({"type": "http", "query_string": query.encode(), "headers": headers})


def test_the_form_is_asked_for_by_parameter_then_by_header() -> None:
    assert form_of(request()) == "json"
    assert form_of(request("format=csv", "application/x-ndjson")) == "csv"
    assert form_of(request(accept="text/html, application/x-ndjson;q=0.5")) == "ndjson"
    with pytest.raises(InvalidRequest):
        form_of(request("format=xml"))


def test_values_keep_their_order_and_leave_out_the_token() -> None:
    assert values_of(request("filters=a:1&filters=b:2&token=t&format=csv")) == {
        "filters": ["a:1", "b:2"]
    }


def test_json_holds_data_and_meta() -> None:
    response = answer([{"a": 1}], {"unit": "ms"})
    assert response.body == b'{"data":[{"a":1}],"meta":{"unit":"ms"}}'
    assert response.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_text_becomes_a_formula(text: str) -> None:
    body = bytes(answer([{"a": text, "b": -1.5, "c": None, "d": True}], {}, "csv").body)
    assert body.startswith(b"a,b,c,d\r\n'")
    assert body.endswith(b",-1.5,,true\r\n")


def test_an_error_says_when_to_come_back() -> None:
    assert failure(QueueFull(retry_after_s=7)).headers["retry-after"] == "7"
    assert failure(Unauthenticated()).headers["www-authenticate"] == "Bearer"
