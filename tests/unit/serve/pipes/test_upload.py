from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from playhead.clock import ManualClock
from playhead.config import Config, Data
from playhead.errors import BodyTimeout, InvalidBody
from playhead.jobs.spool import Spool
from playhead.serve.pipes.upload import PARTS_MAX, Uploads, found_in

KIND = "multipart/form-data; boundary=b0"


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    named = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
    return f"--b0\r\nContent-Disposition: {named}\r\n\r\n".encode() + content + b"\r\n"


def kept(folder: Path, body: bytes) -> Path:
    path = folder / "body"
    path.write_bytes(body)
    return path


@given(st.binary().filter(lambda one: b"\r\n--b0" not in one))
def test_the_file_in_a_form_is_found(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    body = part("mode", b"append") + part("csv", data, "p.csv") + part("name", b"plays") + b"--b0--"
    found = found_in(kept(tmp_path_factory.mktemp("form"), body), KIND)
    assert body[found.start : found.end] == data
    assert found.fields == {"mode": "append", "name": "plays"}
    assert (found.field, found.filename) == ("csv", "p.csv")


def test_as_many_parts_as_allowed_are_read(tmp_path: Path) -> None:
    body = part("x", b"1") * (PARTS_MAX - 1) + part("csv", b"2", "a") + b"--b0--"
    assert found_in(kept(tmp_path, body), KIND).filename == "a"


async def test_a_body_that_drips_is_not_waited_for(tmp_path: Path) -> None:
    clock = ManualClock()
    config = msgspec.structs.replace(Config(), data=Data(dir=str(tmp_path)))
    uploads = Uploads(Spool(config), config.jobs, clock)
    end_s = clock.monotonic_s() + 1_000

    async def receive() -> Message:
        clock.advance(config.jobs.upload_idle_ms - 1)
        return {"type": "http.request", "body": b"1", "more_body": clock.monotonic_s() < end_s}

    with pytest.raises(BodyTimeout, match="more slowly"):
        await uploads.take(Request({"type": "http", "headers": []}, receive), "job")
    assert not uploads.spool.folder("job").exists()


def test_a_field_of_a_known_name_is_a_file_without_a_filename(tmp_path: Path) -> None:
    body = part("ndjson", b"{}") + b"--b0--\r\n"
    found = found_in(kept(tmp_path, body), KIND)
    assert body[found.start : found.end] == b"{}"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", KIND),
        (b"1,2\n", KIND),
        (part("csv", b"1", "a"), KIND),
        (part("csv", b"1", "a") + part("csv", b"2", "b") + b"--b0--", KIND),
        (part("x", b"1" * 20_000) + b"--b0--", KIND),
        (part("csv", b"1", "a") + b"--b0--", "multipart/form-data"),
        (part("x", b"1") * PARTS_MAX + part("csv", b"1", "a") + b"--b0--", KIND),
        (b"--b0\r\n" + b"h" * 9_000 + b"\r\n\r\n1\r\n--b0--", KIND),
    ],
    ids=range(8),
)
def test_what_is_no_form_is_refused(tmp_path: Path, body: bytes, kind: str) -> None:
    with pytest.raises(InvalidBody):
        found_in(kept(tmp_path, body), kind)
