import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from playhead.cli.replay import command
from support.listener import Listener, Told

NOWHERE = "http://127.0.0.1:9"
EVENTS = '{"eventType":"PLAY","timestamp":1000}\n{"eventType":"ENDED","timestamp":3000}\n'
BUSY: Told = (503, {}, {"retry-after": "0"})


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def replay(*arguments: str, url: str = NOWHERE) -> Result:
    return CliRunner().invoke(command, [*arguments, "--url", url])


def sent(listener: Listener) -> list[dict[str, object]]:
    return [event for post in listener.posts for event in json.loads(post.body)]


def test_a_file_is_sent_and_then_done() -> None:
    Path("a.ndjson").write_text(EVENTS)
    with Listener() as listener:
        first = replay("a.ndjson", url=listener.url)
        again = replay("a.ndjson", url=listener.url)
    assert (first.exit_code, len(listener.posts)) == (0, 1)
    assert "1 file of 1, 2 records accepted" in first.output
    assert "Already replayed" in again.output


def test_again_sends_the_same_ids() -> None:
    Path("a.ndjson").write_text(EVENTS)
    with Listener() as listener:
        replay("a.ndjson", url=listener.url)
        replay("a.ndjson", "--again", "--start", "-1h", url=listener.url)
    ids = [event["eventId"] for event in sent(listener)]
    assert ids[:2] == ids[2:]


def test_a_start_moves_all_files_together() -> None:
    Path("a.ndjson").write_text(EVENTS)
    Path("b.ndjson").write_text(EVENTS.replace("000", "500"))
    with Listener() as listener:
        replay("a.ndjson", "b.ndjson", "--start", "1970-01-01T00:00:10", url=listener.url)
    assert [event["timestamp"] for event in sent(listener)] == [10_000, 12_000, 10_500, 12_500]


def test_with_a_speed_the_files_go_together() -> None:
    Path("a.ndjson").write_text(EVENTS)
    Path("b.ndjson").write_text(EVENTS.replace("000", "500"))
    with Listener() as listener:
        replay("a.ndjson", "b.ndjson", "--speed", "1000", url=listener.url)
    assert [event["timestamp"] for event in sent(listener)] == [1_000, 1_500, 3_000, 3_500]


def test_it_goes_on_where_the_server_stopped_it() -> None:
    Path("a.ndjson").write_text(EVENTS * 600)
    with Listener((200, {}, {}), (401, {"message": "No."}, {})) as listener:
        stopped = replay("a.ndjson", url=listener.url)
        resumed = replay("a.ndjson", url=listener.url)
    sizes = [len(json.loads(post.body)) for post in listener.posts]
    assert (stopped.exit_code, resumed.exit_code) == (1, 0)
    assert sizes == [500, 500, 500, 200]


def test_another_start_in_the_middle_is_refused() -> None:
    Path("a.ndjson").write_text(EVENTS)
    with Listener((401, {}, {})) as listener:
        replay("a.ndjson", "--start", "-1h", url=listener.url)
        other = replay("a.ndjson", "--start", "-2h", url=listener.url)
    assert other.exit_code == 2
    assert "begun with --start -1h" in other.output


def test_a_broken_line_is_named_and_the_rest_is_sent() -> None:
    Path("a.ndjson").write_text(EVENTS + "{broken\n" + EVENTS)
    with Listener() as listener:
        result = replay("a.ndjson", "--kind", "telemetry", url=listener.url)
    assert result.exit_code == 1
    assert "a.ndjson:3: invalid_line: The line is no JSON" in result.output
    assert len(sent(listener)) == 4


def test_too_old_is_told_with_its_remedy() -> None:
    Path("a.ndjson").write_text(EVENTS)
    rejected = {"rejected": [{"index": 0, "code": "too_old", "message": "Old."}]}
    with Listener((200, rejected, {})) as listener:
        result = replay("a.ndjson", url=listener.url)
    assert result.exit_code == 1
    assert "Refused: too_old 1." in result.output
    assert "--start -2h --again" in result.output


def test_batches_of_lines_are_the_same_again() -> None:
    Path("a.cmcd").write_text("".join(f'e=t,sid="s",ts={n * 100},v=2\n' for n in range(300)))
    with Listener() as listener:
        for again in ((), ("--again",)):
            assert replay("a.cmcd", *again, url=listener.url).exit_code == 0
    keys = [post.headers["idempotency-key"] for post in listener.posts]
    assert {post.path for post in listener.posts} == {"/cmcd"}
    assert keys == [*keys[:3], *keys[:3]]


def test_a_batch_of_lines_is_of_one_file() -> None:
    for name in ("a.cmcd", "b.cmcd"):
        Path(name).write_text('e=t,sid="s",v=2\n')
    with Listener() as listener:
        replay("a.cmcd", "b.cmcd", url=listener.url)
    assert len({post.headers["idempotency-key"] for post in listener.posts}) == 2


def test_cdn_lines_go_with_their_format_and_head() -> None:
    Path("a.log").write_text("#Fields: a\n" + "line\n" * 2_001)
    with Listener() as listener:
        replay("a.log", "--format", "nginx", url=listener.url)
    assert [post.path for post in listener.posts] == ["/logs/cdn?format=nginx"] * 2
    assert listener.posts[1].body == b"#Fields: a\nline"


@pytest.mark.parametrize(
    ("option", "door"),
    [(("--format", "nginx"), "/logs/cdn?format=nginx"), (("--name", "x"), "/v0/events?name=x")],
)
def test_a_format_or_a_data_source_says_what_the_lines_are(
    option: tuple[str, str], door: str
) -> None:
    Path("a.log").write_text("nothing that tells\n")
    with Listener() as listener:
        replay("a.log", *option, url=listener.url)
    assert [post.path for post in listener.posts] == [door]


def test_rows_of_a_table_go_to_their_data_source() -> None:
    Path("m.toml").write_text(
        'name = "m"\ninto = "stream_frames"\n[time]\ncolumn = "t"\n'
        '[[row]]\nfields = { streamId = "{s}" }\n'
    )
    Path("a.csv").write_text("t,s\n1000,a\n2000,b\n")
    with Listener() as listener:
        replay("a.csv", "--map", "m.toml", "--start", "1970-01-01T00:00:05", url=listener.url)
    [post] = listener.posts
    assert post.path == "/v0/events?name=stream_frames"
    assert [json.loads(line) for line in post.body.splitlines()] == [
        {"streamId": "a", "timestamp": 5_000},
        {"streamId": "b", "timestamp": 6_000},
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("gone.ndjson",), "There is no file or folder gone.ndjson."),
        (("a.csv",), "A CSV file needs a mapping"),
        (("a.csv", "--map", "nothing"), "There is no mapping file nothing."),
        (("a.cdn.log", "--kind", "cdn", "--speed", "1"), "read by the server only"),
        (("a.ndjson", "--start", "someday"), "'someday' is no time to begin at."),
        (("a.ndjson", "--state", "a.csv"), "The state file a.csv cannot be read"),
    ],
)
def test_a_wrong_option_is_a_sentence_and_exit_2(arguments: tuple[str, ...], said: str) -> None:
    for name in ("a.csv", "a.cdn.log", "a.ndjson"):
        Path(name).write_text(EVENTS)
    result = replay(*arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_no_server_is_said_and_nothing_is_done() -> None:
    Path("a.ndjson").write_text(EVENTS)
    result = replay("a.ndjson")
    assert result.exit_code == 1
    assert f"Nothing answers at {NOWHERE}." in result.output


def test_a_busy_server_is_waited_for() -> None:
    Path("a.ndjson").write_text(EVENTS)
    with Listener(BUSY) as listener:
        assert replay("a.ndjson", url=listener.url).exit_code == 0
