"""`playhead seed`: past views by the million, made inside the store, for benches and demos."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from playhead.cli.settings import fail, load
from playhead.clock import SystemClock
from playhead.config import Config
from playhead.errors import ConfigInvalid, PlayheadError, StoreUnavailable
from playhead.query.catalogue import catalogue
from playhead.query.pieces import layout_of
from playhead.simulate.history import backfill
from playhead.simulate.settings import duration_ms
from playhead.store.client import StoreClient
from playhead.store.location import Location, embedded
from playhead.store.rollup import Rollups
from playhead.store.upkeep import optimize_closed_days

_DAY_MS = 86_400_000
MAX_DAYS = 3_650


@click.command(name="seed")
@click.option(
    "--views",
    metavar="N",
    type=click.IntRange(1, 1_000_000_000),
    required=True,
    help="How many views.",
)
@click.option(
    "--days",
    metavar="N",
    type=click.IntRange(1, MAX_DAYS),
    default=30,
    show_default=True,
    help="Over how many days up to now.",
)
@click.option(
    "--seed", metavar="N", type=int, default=1, show_default=True, help="Same seed, same views."
)
@click.option(
    "--rollups", is_flag=True, help="Make the rollups of past days, too, and wait for them."
)
@click.option(
    "--data",
    metavar="DIR",
    help="The data folder of a running Playhead (default: playhead-data).",
)
@click.option("--url", metavar="URL", help="A ClickHouse server instead (http://host:8123).")
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file of settings.",
)
def command(
    *, views: int, days: int, seed: int, rollups: bool, data: str | None, url: str | None,
    config_file: Path | None,
) -> None:  # fmt: skip
    """Make history: finished views of past days, straight into the store.

    Playhead must be running on the data folder ('playhead up' in another terminal). Call it
    once: again with another --seed adds views, with the same one it replaces part of them.
    """
    try:
        config = load(data, None, None, config_file).config
        location = Location(url=url) if url else location_of(config)
        clock = SystemClock()
        began_s = clock.monotonic_s()
        made = fill(location, views, days, now_ms=clock.now_ms(), seed=seed)
        if rollups:
            sum_closed_days(location, config, now_ms=clock.now_ms())
    except StoreUnavailable:
        where = url or str(config.data_dir)
        fail(
            StoreUnavailable(
                f"There is no running store at {where}.",
                hint="Start it with 'playhead up' and name its data folder with --data.",
            ),
            1,
        )
    except PlayheadError as error:
        fail(error, 1)
    took_s = clock.monotonic_s() - began_s
    click.echo(f"{made:,} views over {days} days in {took_s:.1f} s.")


def location_of(config: Config) -> Location:
    """Return where the store of a configuration answers."""
    if config.store.url:
        return Location(url=config.store.url)
    return embedded(config.data_dir)


def fill(location: Location, views: int, days: int, *, now_ms: int, seed: int = 1) -> int:
    """Make `views` views in the store at `location` and show how far it is on a terminal."""
    client = StoreClient(location)
    try:
        made = backfill(client, views, days, until_ms=now_ms, seed=seed, progress=_progress)
        _merge_closed_days(client, now_ms)
        return made
    finally:
        client.close()
        if sys.stderr.isatty():
            click.echo(err=True)


def _merge_closed_days(client: StoreClient, now_ms: int) -> None:
    """Merge each past day to one part now, as the worker does in idle time: queries are faster."""
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    while optimize_closed_days(client, today):
        pass


def sum_closed_days(location: Location, config: Config, *, now_ms: int) -> None:
    """Make the rollups of past days now, as the worker does in idle time."""
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    client = StoreClient(location)
    rollups = Rollups(
        client,
        layout_of(catalogue(config.query)),
        values_max=config.process.max_rollup_values,
        settled=False,
        threads=config.store.max_threads,
    )
    days_max = config.process.rollup_days_per_round
    try:
        while days_max and rollups.make(today, days_max=days_max):
            pass
    finally:
        client.close()


def backfill_days(config: Config, text: str, *, views_per_day: int, seed: int = 1) -> int:
    """Make history for a duration such as `30d`; return the rows made.

    Raises:
        ConfigInvalid: No duration of at least a day.
        StoreUnavailable: The store is not running.
    """
    days = days_of(text)
    now_ms = SystemClock().now_ms()
    return fill(location_of(config), views_per_day * days, days, now_ms=now_ms, seed=seed)


def days_of(text: str) -> int:
    """Return the whole days of a duration such as `30d`.

    Raises:
        ConfigInvalid: No duration of at least a day.
    """
    days = round(duration_ms(text) / _DAY_MS)
    if not 1 <= days <= MAX_DAYS:
        raise ConfigInvalid(f"'{text}' is no time to fill: write 1d to {MAX_DAYS}d.")
    return days


def _progress(made: int, of: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{made:,} of {of:,} views", nl=False, err=True)
