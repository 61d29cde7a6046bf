"""Make the kept data folder of this release: `folders/<release>.tar.zst`, its answers beside it.

    .venv/bin/python tests/migration/make_fixture.py

Run it once when a release is made, after the formats are final; never again for a release that is out.
The folder is that of a server whose processes were all killed: batches in the write-ahead files, and
one in the log that the worker has not seen.
"""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import zstandard

from migration.questions import HOUR_MS, KEEP, asked, lost
from playhead import __version__
from support.server import Server

FOLDERS = Path(__file__).parent / "folders"
BYTES_MAX = 600_000
LEFT_OUT = {"run", "server.log"}
PROJECT = {
    "plays.datasource": """SCHEMA >
    title String `json:$.title`,
    n UInt32 `json:$.n`

ENGINE "MergeTree"
ENGINE_SORTING_KEY "title"
""",
    "plays_by_title.datasource": """SCHEMA >
    title String,
    n UInt64

ENGINE "SummingMergeTree"
ENGINE_SORTING_KEY "title"
""",
    "plays_mv.pipe": """NODE sums
SQL >
    SELECT title, sum(n) AS n FROM plays GROUP BY title

TYPE materialized
DATASOURCE plays_by_title
""",
    "top.pipe": """NODE best
SQL >
    SELECT title, sum(n) AS n FROM plays_by_title GROUP BY title ORDER BY n DESC, title LIMIT 10

TYPE endpoint
""",
}


def view_of(name: str, start_ms: int, *, ends: bool, **more: Any) -> list[dict[str, Any]]:
    """A view with a stall, an ad now and then, and an end or none."""
    kinds = ["VIEW_INIT", "PLAY", "PLAYING", "QUALITY_CHANGE", "BUFFER_START", "BUFFER_END"]
    kinds += ["TIME_UPDATE"] * 3 + (["ENDED"] if ends else [])
    return [
        {
            "eventType": kind, "timestamp": start_ms + at * 2_500, "seq": at, "sentAt": now_ms(),
            "videoId": f"film-{len(name) % 3}", "videoTitle": "A film", "durationSec": 120,
            "playbackPositionSec": max(0, at - 2) * 2.5, "viewerId": f"viewer-{name}",
            **({"viewId": name} if name else {}), **more,
        }
        for at, kind in enumerate(kinds)
    ]  # fmt: skip


def now_ms() -> int:
    return int(time.time() * 1000)


def fill(server: Server, start_ms: int) -> None:
    """Send something to every door, and wait until it is stored."""
    for number in range(8):
        ends, day_ms = bool(number % 2), start_ms + number * 60_000
        more = {"quality": {"bitrate": 2_000 + number}} if number % 3 else {}
        assert server.send(view_of(f"v{number}", day_ms, ends=ends, **more)).status_code == 200
    server.send(view_of("", start_ms, ends=False, sessionId="a-session"))
    server.send(view_of("open", now_ms() - 20_000, ends=False))
    server.send([{"eventType": "PLAY", "timestamp": "never", "viewId": "bad"}])
    report = "br=3200,sid=%22cmcd-1%22,sf=h,st=v,bl=4000,pr=1,v=1"
    server.http.get(f"{server.url}/cmcd?CMCD={report}")
    line = {"timestamp": start_ms, "path": "/films/a/seg-1.ts", "status": 200, "bytes": 900_000}
    server.http.post(
        f"{server.url}/logs/cdn?format=json&cdn=aurora", content=json.dumps(line),
        headers={"Idempotency-Key": "one"},
    ).raise_for_status()  # fmt: skip
    bearer = {"Authorization": f"Bearer {server.token}"}
    frames = [{"streamId": "cam", "timestamp": start_ms + at} for at in range(3)]
    rows = [{"title": f"t{at % 3}", "n": at} for at in range(9)]
    for name, sent in (("stream_frames", frames), ("plays", rows)):
        text = "\n".join(map(json.dumps, sent))
        server.http.post(
            f"{server.url}/v0/events?name={name}&wait=true", content=text, headers=bearer
        ).raise_for_status()
    server.wait_until_stored()


def build(folder: Path, data: Path, environment: dict[str, str]) -> None:
    for name, text in PROJECT.items():
        (folder / name).write_text(text, "utf-8")
    command = [sys.executable, "-m", "playhead", "build", "--project", str(folder)]
    subprocess.run([*command, "--data", str(data)], env=environment, check=True)


def killed_folder(data: Path, project: Path, start_ms: int) -> None:
    """Fill a data folder and end all of its processes at once, one batch unread in the log."""
    environment = {**os.environ, **KEEP}
    server = Server(data, env=KEEP)
    try:
        server.start()
        build(project, data, environment)
        fill(server, start_ms)
        os.kill(server.pid("worker"), signal.SIGSTOP)
        late = view_of("in-the-log", start_ms, ends=True)
        server.send(late).raise_for_status()
    finally:
        running = server._process
        assert running is not None
        running.kill()
        for role in ("worker", "web", "store"):
            server.kill(role)
        running.wait()
        server.http.close()


def packed(data: Path) -> bytes:
    """The folder as an archive: no owner, no time, no links that name this machine."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for path in sorted(data.rglob("*")):
            name = path.relative_to(data)
            if name.parts[0] in LEFT_OUT or path.name.endswith(("-shm", ".lock", ".gate", ".log")):
                continue
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                continue
            if path.is_file():
                assert str(data).encode() not in path.read_bytes(), f"{name} names this machine"
            member = archive.gettarinfo(path, str(name))
            member.uid = member.gid = member.mtime = 0
            member.uname = member.gname = ""
            if path.is_dir():
                archive.addfile(member)
            else:
                with path.open("rb") as file:
                    archive.addfile(member, file)
    return zstandard.ZstdCompressor(level=19).compress(raw.getvalue())


def unpacked(archive: bytes, folder: Path) -> None:
    """Lay the folder out again."""
    raw = zstandard.ZstdDecompressor().decompress(archive, max_output_size=1 << 30)
    with tarfile.open(fileobj=io.BytesIO(raw)) as found:
        found.extractall(folder, filter="data")


def main() -> None:
    start_ms = now_ms() - 3 * HOUR_MS
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        (scratch / "project").mkdir()
        killed_folder(scratch / "data", scratch / "project", start_ms)
        archive = packed(scratch / "data")
        answers = []
        for copy in ("one", "two"):  # what differs between two openings is nothing to keep
            unpacked(archive, scratch / copy)
            with Server(scratch / copy, env=KEEP) as server:
                server.wait_until_stored()
                answers.append(asked(server, start_ms))
        assert lost(answers[0], answers[1]) == []
    assert len(archive) <= BYTES_MAX, f"{len(archive):,} bytes"
    FOLDERS.mkdir(exist_ok=True)
    (FOLDERS / f"{__version__}.tar.zst").write_bytes(archive)
    kept = {"release": __version__, "start_ms": start_ms, "answers": answers[0]}
    (FOLDERS / f"{__version__}.json").write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    print(f"{__version__}: {len(archive):,} bytes, {len(answers[0])} answers")


if __name__ == "__main__":
    main()
