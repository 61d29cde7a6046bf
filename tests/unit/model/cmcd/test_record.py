import pytest

from playhead.model.cmcd import decode_headers, decode_line, decode_query
from playhead.model.cmcd.fields import MEMBERS_MAX
from playhead.model.cmcd.keys import CUSTOM_KEYS_MAX
from playhead.model.cmcd.record import FAULTS_MAX, RECORD_MAX_CHARS
from playhead.model.cmcd.values import WHOLE_MAX, whole


def values(line: str) -> dict[str, object]:
    cmcd = decode_line(line)
    assert cmcd is not None
    return cmcd.values


@pytest.mark.parametrize(
    "query",
    [
        "CMCD=br%3D3200%2Csid%3D%22a%22",
        "?x=1&CMCD=br%3D3200%2Csid%3D%22a%22#f",
        "https://a.example/b?cmcd=br%3d3200%2csid%3d%22a%22",
        'br=3200,sid="a"',
        "br%253D3200%252Csid%253D%2522a%2522",
    ],
)
def test_a_record_is_found_in_a_query(query: str) -> None:
    cmcd = decode_query(query)
    assert cmcd is not None
    assert cmcd.values == {"br": [[3200, ""]], "sid": "a"}


@pytest.mark.parametrize(
    "query",
    ["", "a=1&b=2", "sid=abc", "e=1765837003", "https://a.example/?sid=1,2", "CMCD=", "CMCD=%ff",
     'token="a"&sid="b"'],
)  # fmt: skip
def test_a_query_without_a_record_has_none(query: str) -> None:
    assert decode_query(query) is None


def test_a_number_alone_is_a_record() -> None:
    cmcd = decode_query("br=3200")
    assert cmcd is not None
    assert cmcd.values == {"br": [[3200, ""]]}


def test_percent_signs_inside_strings_stay() -> None:
    assert values('cid="100%2C",sid="a%22"') == {"cid": "100%2C", "sid": "a%22"}


def test_headers_are_one_record() -> None:
    found = decode_headers({"CMCD-REQUEST": "su", "cmcd-status": "rtp=1", "Accept": "br=1"})
    assert found is not None
    assert found.values == {"su": True, "rtp": 1}
    assert decode_headers({"Accept": "*/*", "CMCD-Object": " "}) is None


def test_records_do_not_change_one_another() -> None:
    assert values("br=(1;v),sf=h") == values("br=(1;v),sf=h")
    assert values("br=(1;v),sf=d") == {"br": [[1, "v"]], "sf": "d"}


def test_nothing_is_read_of_a_version_that_is_not_understood() -> None:
    cmcd = decode_line('e=t,sid="a",com.x-b=1,v=3')
    assert cmcd is not None
    assert (cmcd.version, cmcd.values, cmcd.custom, len(cmcd.faults)) == (3, {}, {}, 1)


def test_limits_hold() -> None:
    assert decode_line("br=1," + "x" * RECORD_MAX_CHARS) is None
    many = decode_line(",".join(f"com.x-{n}={n}" for n in range(MEMBERS_MAX + 5)) + ",bl=x")
    assert many is not None
    assert (len(many.custom), len(many.faults)) == (CUSTOM_KEYS_MAX, FAULTS_MAX)


@pytest.mark.parametrize("digits", ["0", "007", "9" * 15, str(WHOLE_MAX), "٣٤"])
def test_a_counter_is_read_as_any_whole_number(digits: str) -> None:
    assert values(f"sn={digits},d={digits}") == {"sn": whole(digits), "d": whole(digits)}


@pytest.mark.parametrize("digits", [str(WHOLE_MAX + 1), "9" * 16, "1" * 17, "²", "-1", ""])
def test_a_counter_that_is_none_costs_its_key(digits: str) -> None:
    cmcd = decode_line(f"e=t,sn={digits}")
    assert cmcd is not None
    assert (cmcd.values, len(cmcd.faults)) == ({"e": "t"}, 1)


def test_lists_are_bounded() -> None:
    cmcd = decode_line(f"e=t,bsd=({' '.join('1' * 65)})")
    assert cmcd is not None
    assert "bsd" not in cmcd.values
