"""`playhead replay`: recorded files to the doors of a server, as often as wanted and once only."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from playhead.cli.replay_bar import Bar
from playhead.cli.settings import fail
from playhead.clock import Clock, SystemClock
from playhead.connect.files import mapping
from playhead.connect.files.job import Job
from playhead.connect.files.kind import Kind
from playhead.connect.files.pace import start_ms
from playhead.connect.files.replay import Part, Replay
from playhead.connect.files.sending import Sender
from playhead.errors import InvalidRequest, PlayheadError

INTERRUPTED = 130
_TOO_OLD = (
    "Events were too old for the server: replay them later in time, for example with "
    "--start -2h --again, or raise collect.max_event_age_ms there."
)
_LINES_TOO_OLD = (
    "Lines were too old for the server: raise collect.max_log_age_ms there. For an hour it repeats "
    "its answer to the same lines; then replay them with --again."
)
_TOO_FAR_AHEAD = (
    "Events lay in the future: begin earlier, for example with --start -2h --again, or let them "
    "happen in real time with --start now --speed 1 --again."
)


@click.command(name="replay")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--map", "map_name", metavar="FILE",
    help="How the rows of a table become events: a mapping file, or 'lumos'.",
)  # fmt: skip
@click.option(
    "--speed", metavar="X", type=click.FloatRange(0, 10_000, min_open=True),
    help="Times real time, 1 = as recorded (default: as fast as the server takes it).",
)  # fmt: skip
@click.option(
    "--start", metavar="TIME", default="",
    help="Move all times so that the first event is then: ISO 8601, now, or -2h.",
)  # fmt: skip
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in Kind]),
    help="What the files hold, where it cannot be guessed.",
)
@click.option("--format", "format_name", metavar="NAME", default="", help="The format of CDN logs.")
@click.option(
    "--name", metavar="TABLE", default="", help="The data source of rows (--kind events)."
)
@click.option(
    "--url", metavar="URL", default="http://127.0.0.1:8700", show_default=True, help="The server."
)
@click.option("--key", metavar="KEY", help="A write key, where the server asks for one.")
@click.option(
    "--state", "state_path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="Where it is kept how far it got (default: playhead-replay-....json here).",
)  # fmt: skip
@click.option("--again", is_flag=True, help="Begin anew; what the server has stays counted once.")
def command(
    *, paths: tuple[str, ...], map_name: str | None, speed: float | None, start: str,
    kind: str | None, format_name: str, name: str, url: str, key: str | None,
    state_path: Path | None, again: bool,
) -> None:  # fmt: skip
    """Replay recorded files: telemetry, tables with a mapping, CDN logs, CMCD.

    PATH is a file, a folder or a pattern; gzip and zstd are unpacked. Stopped, it goes on where
    it was. Done again, it changes nothing. Exits with 1 when anything was refused.
    """
    clock = SystemClock()
    if not kind and not map_name:  # these options are of one kind only
        kind = "cdn" if format_name else "events" if name else None
    job = Job(
        asked=list(paths), url=(url if "://" in url else f"http://{url}").rstrip("/"),
        kind=kind or "", format=format_name, name=name, start=start, speed=speed,
        state_path=state_path, again=again,
    )  # fmt: skip
    try:
        if map_name is not None:
            job.mapping = mapping.load(mapping.named(map_name))
        replay, total_bytes = _prepared(job, clock)
    except PlayheadError as error:
        fail(error)
    _run(job, replay, key or "", clock, total_bytes)


def _prepared(job: Job, clock: Clock) -> tuple[Replay, int]:
    """Return the replay, its files checked and its times set, and the bytes there are to read."""
    if job.start:
        start_ms(job.start, clock.now_ms())  # a mistake in it is told before anything else
    state = job.state()
    parts = job.parts(state)
    if state.finished:
        click.echo(f"Already replayed ({job.path}). Replay it again with --again.")
        sys.exit(1 if state.refused else 0)
    total_bytes = sum(part.source.size for part in parts)
    replay = Replay(parts, job.mapping, state, job.path, clock)
    replay.begin(_start_ms(job, parts, clock))
    return replay, total_bytes


def _start_ms(job: Job, parts: list[Part], clock: Clock) -> int | None:
    """Return where the first event shall lie; None if times stay."""
    text = job.start
    if not text and job.mapping is not None and job.mapping.relative:
        text = job.mapping.table.time.start
        if not text:
            raise InvalidRequest(
                f"The times of {parts[0].source.path} count from its beginning.",
                hint="Say when that was with --start, for example --start -2h.",
            )
    return start_ms(text, clock.now_ms()) if text else None


def _run(job: Job, replay: Replay, key: str, clock: Clock, total_bytes: int) -> NoReturn:
    begun = any(part.state.done or part.state.complete for part in replay.parts)
    files = _counted(len(replay.parts), "file")
    verb = "Going on with" if begun else "Replaying"
    click.echo(f"{verb} {files} to {job.url}; progress is kept in {job.path}.", err=True)
    signal.signal(signal.SIGTERM, _interrupt)
    began_s, stopped = clock.monotonic_s(), None
    sender = None
    try:
        sender = Sender(
            job.url, key, [part.source for part in replay.parts],
            [part.state.shift_ms for part in replay.parts], clock,
        )  # fmt: skip
        with Bar(total_bytes, clock) as bar:
            replay.run(
                sender,
                job.speed,
                lambda now: bar.show(now.read_bytes, now.tally.accepted, now.tally.refused),
            )
    except PlayheadError as error:
        stopped = error
    except KeyboardInterrupt:
        _summary(replay, clock.monotonic_s() - began_s)
        click.echo("Interrupted. Run the same command again: it goes on where it stopped.")
        sys.exit(INTERRUPTED)
    finally:
        if sender is not None:
            sender.close()
    _summary(replay, clock.monotonic_s() - began_s)
    if stopped is not None:
        fail(stopped, 1)
    sys.exit(1 if replay.state.refused else 0)


def _interrupt(_: int, __: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _summary(replay: Replay, took_s: float) -> None:
    """Print what was done, what was refused and why, and what can be done about it."""
    tally, state = replay.tally, replay.state
    for one in tally.named:
        click.echo(f"{one.where}: {one.code}: {one.message}")
    if tally.refused > len(tally.named):
        click.echo(f"... and {tally.refused - len(tally.named):,} more.")
    rate = tally.accepted / took_s if took_s > 0 else 0.0
    click.echo(
        f"{_counted(tally.files, 'file')} of {len(replay.parts):,}, "
        f"{_counted(tally.accepted, 'record')} accepted in {took_s:.1f} s ({rate:,.0f}/s)."
    )
    if state.accepted > tally.accepted:
        click.echo(f"With earlier runs: {_counted(state.accepted, 'record')} accepted.")
    if state.refused:
        codes = ", ".join(f"{code} {count:,}" for code, count in sorted(state.refused.items()))
        click.echo(f"Refused: {codes}.")
    if "too_old" in state.refused:
        fixed = any(part.kind in {Kind.CDN, Kind.EVENTS} for part in replay.parts)
        click.echo(_LINES_TOO_OLD if fixed else _TOO_OLD)
    if "too_far_ahead" in state.refused:
        click.echo(_TOO_FAR_AHEAD)


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
