"""`playhead rebuild`: stored events folded again beside the live views, compared, switched."""

import json
import os
import sys
from datetime import date
from pathlib import Path
from typing import Final

import click

from playhead.cli.rebuild_report import document, lines, progress_line
from playhead.cli.settings import fail, load
from playhead.clock import SystemClock
from playhead.errors import InvalidRequest, PlayheadError, StoreUnavailable
from playhead.observe import configure_logging
from playhead.rebuild.progress import Progress
from playhead.rebuild.rebuild import Rebuild
from playhead.runtime.location import location_of
from playhead.store.client import StoreClient

NICENESS: Final = 15
"""Far behind doors and worker where processors are short."""


@click.command(name="rebuild")
@click.option("--from", "from_day", metavar="DAY", help="First day (2026-11-01) of views.")
@click.option("--to", "to_day", metavar="DAY", help="Last day of views.")
@click.option("--switch", is_flag=True, help="Take the new rows over without asking.")
@click.option("--discard", is_flag=True, help="Let go of what was folded and not taken over.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; never ask.")
@click.option("--data", metavar="DIR", help="The data folder (default: playhead-data).")
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The server's file of settings.",
)
def command(
    *,
    from_day: str | None,
    to_day: str | None,
    switch: bool,
    discard: bool,
    as_json: bool,
    data: str | None,
    config_file: Path | None,
) -> None:
    """Fold stored events again, after a change of fold, scores or settings.

    The server runs meanwhile. New rows are written beside the live ones; the difference of the
    totals is shown before anything counts. Views whose events are gone by retention, and open
    ones, stay as they are. Killed in the middle, the same command goes on where it was.
    """
    config = load(data, None, None, config_file).config
    configure_logging()
    os.nice(NICENESS)
    client = StoreClient(location_of(config))
    try:
        days = _day(from_day), _day(to_day)
        if not client.ping():
            raise StoreUnavailable(
                f"There is no running store at {config.data_dir}.",
                hint="Start it with 'playhead up' and name its data folder with --data.",
            )
        rebuild = Rebuild(config, client, SystemClock())
        try:
            if discard:
                rebuild.discard()
                click.echo("What was folded is gone; the views are as they were.")
                return
            _run(rebuild, days, switch=switch, as_json=as_json)
        finally:
            rebuild.close()
    except PlayheadError as error:
        fail(error, 1)
    except KeyboardInterrupt:
        click.echo(
            "Interrupted. Run the same command again: it goes on where it stopped.", err=True
        )
        sys.exit(130)
    finally:
        client.close()


def _run(rebuild: Rebuild, days: tuple[str, str], *, switch: bool, as_json: bool) -> None:
    """Fold, show, and switch where that is wanted."""
    said = _quiet if as_json or not sys.stderr.isatty() else _say
    if not rebuild.goes_on(*days):
        rebuild.begin(*days)
    elif not as_json:
        click.echo("Going on with the rebuild that was begun.", err=True)
    found = rebuild.fold(said)
    metrics = rebuild.totals.differences(found.old, found.new)
    if not as_json:
        for line in lines(found, metrics, color=sys.stdout.isatty()):
            click.echo(line)
    begun = found.stage != "folded"
    if not found.tally.written or begun or switch or (not as_json and _is_wanted()):
        found = rebuild.switch(said)
        if not as_json:
            click.echo(_ended(found))
    elif not as_json:
        click.echo(
            "Nothing counts yet. 'playhead rebuild --switch' takes it over,"
            " 'playhead rebuild --discard' lets it go."
        )
    if as_json:
        click.echo(json.dumps(document(found, metrics)))


def _is_wanted() -> bool:
    return sys.stdin.isatty() and click.confirm("Take the new rows over?", default=False)


def _ended(found: Progress) -> str:
    tally = found.tally
    if not tally.written:
        return "Nothing to take over: every view that was folded is as it was."
    days = len(found.touched)
    return f"Taken over: {tally.written:,} views of {days:,} {'day' if days == 1 else 'days'}."


def _say(found: Progress) -> None:
    click.echo(f"\r\x1b[K{progress_line(found)}", nl=False, err=True)
    if found.at == (len(found.touched) if found.stage == "switching" else len(found.plan.days)):
        click.echo("\r\x1b[K", nl=False, err=True)


def _quiet(_found: Progress) -> None:
    return None


def _day(text: str | None) -> str:
    if text is None:
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise InvalidRequest(
            f"'{text[:40]}' is no day.", hint="Write it as 2026-11-01 (UTC)."
        ) from None
