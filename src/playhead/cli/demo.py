"""`playhead demo`: the real thing with simulated viewers, and a table of live numbers."""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from playhead.cli.settings import arguments_of, fail, load, serving_options
from playhead.cli.up import POLL_S, greeting
from playhead.clock import SystemClock
from playhead.config import Config
from playhead.errors import PlayheadError, StartupError
from playhead.observe import configure_logging
from playhead.runtime import lifeline
from playhead.runtime.supervisor import Supervisor

if TYPE_CHECKING:
    from playhead.simulate.simulation import Simulation

READY_WITHIN_S = 30.0
TABLE_EVERY_S = 2.0
DEMO_DATA = "demo-data"
BACKFILL_VIEWS_PER_DAY = 2_000
CATCH_UP_S = 30.0
"""How long viewers faster than time lie behind it: until then nobody of them watches *now*."""


def _incident_checked(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    """Refuse an incident that nobody would notice, before anything is started."""
    from playhead.simulate.network import CDNS  # noqa: PLC0415 (a parent without it need not load)
    from playhead.simulate.settings import parse_incident  # noqa: PLC0415 (the same)

    if text is None:
        return None
    try:
        incident = parse_incident(text)
    except PlayheadError as error:
        raise click.BadParameter(error.message) from error
    names = [cdn.name for cdn in CDNS]
    if incident.cdn and incident.cdn not in names:
        raise click.BadParameter(f"there is no CDN '{incident.cdn}'; use {', '.join(names)}.")
    return text


def _backfill_checked(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    """Refuse a duration that cannot be read, before anything is started."""
    from playhead.cli.seed import days_of  # noqa: PLC0415 (rarely asked for)

    try:
        return text if text is None or days_of(text) else None
    except PlayheadError as error:
        raise click.BadParameter(error.message) from error


@click.command(name="demo")
@partial(serving_options, data=DEMO_DATA)
@click.option(
    "--viewers",
    metavar="N",
    type=click.IntRange(1, 20_000),
    default=200,
    show_default=True,
    help="How many watch at once, about.",
)
@click.option(
    "--speed",
    metavar="X",
    type=click.FloatRange(0.1, 100),
    default=1.0,
    show_default=True,
    help="Faster than real time: begins in the past and catches up within half a minute.",
)
@click.option(
    "--seed", metavar="N", type=int, default=1, show_default=True, help="Same seed, same viewers."
)
@click.option(
    "--incident",
    metavar="SPEC",
    callback=_incident_checked,
    help="Make delivery bad: cdn=aurora,country=DE,after=60s,for=5m; each part may be left out.",
)
@click.option(
    "--for",
    "for_s",
    metavar="SECONDS",
    type=click.FloatRange(0),
    help="Stop after this long; without it, run until Ctrl-C.",
)
@click.option(
    "--backfill",
    metavar="DAYS",
    callback=_backfill_checked,
    help="First make history, for example 30d (2,000 views a day).",
)
@click.option("--viewers-only", is_flag=True, hidden=True)
@click.option("--lifeline-fd", type=int, hidden=True)
def command(
    data: str | None,
    host: str | None,
    port: int | None,
    config_file: Path | None,
    viewers: int,
    speed: float,
    seed: int,
    incident: str | None,
    for_s: float | None,
    backfill: str | None,
    lifeline_fd: int | None,
    *,
    viewers_only: bool,
) -> None:
    """Serve with simulated viewers and show live numbers.

    The server is the real one: everything that works with 'playhead up' works here, on
    its own data folder.
    """
    data = data or DEMO_DATA
    loaded = load(data, host, port, config_file)
    if "server.examples" not in loaded.origins:
        # By the environment: the server's processes read the settings again, each for itself.
        os.environ["PLAYHEAD_SERVER__EXAMPLES"] = "true"
        loaded = load(data, host, port, config_file)
    if lifeline_fd is not None:
        lifeline.hold(lifeline_fd)
    simulated = ["--viewers", str(viewers), "--speed", str(speed), "--seed", str(seed)]
    if incident:
        simulated += ["--incident", incident]
    if for_s:
        simulated += ["--for", str(for_s)]
    try:
        if viewers_only:
            configure_logging()
            catch_up_s = min(CATCH_UP_S, for_s / 2) if for_s else CATCH_UP_S
            simulation = _simulation(viewers, seed, incident, behind=(speed, catch_up_s))
            watch(f"http://127.0.0.1:{port}", simulation, speed)
            return
        _quiet_log(loaded.config)
        shared = arguments_of(data, host, port, config_file)
        run(loaded.config, shared, simulated, for_s=for_s, backfill=backfill)
    except PlayheadError as error:
        fail(error)


def run(
    config: Config,
    shared: list[str],
    simulated: list[str],
    *,
    for_s: float | None,
    backfill: str | None,
) -> None:
    """Start everything, then show the table until stopped or for `for_s` seconds."""
    from playhead.cli.demo_film import Film  # noqa: PLC0415 (only a parent has it made)
    from playhead.cli.demo_table import DemoTable  # noqa: PLC0415 (only a parent shows it)

    clock = SystemClock()
    supervisor = Supervisor(config, shared, clock)
    film = Film(config.data_dir)
    supervisor.start()
    try:
        url = f"http://127.0.0.1:{supervisor.port}"
        click.echo(greeting(config, supervisor.port))
        _wait_ready(supervisor, url)
        if config.server.examples:
            click.echo(f"A page for each player: {url}{config.server.base_path}/examples/")
            film.start()
        if backfill:
            _backfill(config, backfill)
        port = ["--port", str(supervisor.port)]
        supervisor.add("viewers", ["demo", *shared, *port, *simulated, "--viewers-only"])
        secret = (config.data_dir / "admin.token").read_text().strip()
        with DemoTable(url, secret, token_file=_shown(config.data_dir / "admin.token")) as table:
            until_s = clock.monotonic_s() + for_s if for_s else None
            next_s = clock.monotonic_s()
            while not supervisor.stopping and (until_s is None or clock.monotonic_s() < until_s):
                supervisor.poll()
                if clock.monotonic_s() >= next_s:
                    table.refresh()
                    next_s = clock.monotonic_s() + TABLE_EVERY_S
                time.sleep(POLL_S)
    finally:
        film.stop()
        supervisor.stop()
    click.echo(f"Stopped. What was measured stays in {_shown(config.data_dir)}.")


def _shown(path: Path) -> Path:
    """Return a path as a person would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def watch(url: str, simulation: "Simulation", speed: float) -> None:
    """Send what simulated viewers do, in time, until stopped."""
    import asyncio  # noqa: PLC0415 (only the viewers' process needs it)

    from playhead.simulate.sender import Sender  # noqa: PLC0415 (the same)

    asyncio.run(Sender(url, clock=SystemClock()).run(simulation, speed=speed))


def _simulation(
    viewers: int, seed: int, incident: str | None, *, behind: tuple[float, float]
) -> "Simulation":
    """Return the viewers; `behind` = how fast they live and for how many seconds of ours."""
    from playhead.simulate.settings import (  # noqa: PLC0415 (the parent only checks the options)
        SimulationConfig,
        parse_incident,
        start_of,
    )
    from playhead.simulate.simulation import Simulation  # noqa: PLC0415

    return Simulation(
        SimulationConfig(
            viewers=viewers,
            seed=seed,
            start_ms=start_of(SystemClock().now_ms(), *behind),
            incident=parse_incident(incident) if incident else None,
        )
    )


def _backfill(config: Config, text: str) -> None:
    from playhead.cli.seed import backfill_days  # noqa: PLC0415 (rarely asked for)

    backfill_days(config, text, views_per_day=BACKFILL_VIEWS_PER_DAY)


def _quiet_log(config: Config) -> None:
    """Put the server's log lines into a file: the terminal belongs to the table."""
    folder = config.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(folder / "demo.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise StartupError(
            f"The data folder {folder} cannot be written: {error.strerror}."
        ) from error
    terminal = os.dup(2)
    os.dup2(file, 2)
    configure_logging(sys.stderr)
    sys.stderr = os.fdopen(terminal, "w", buffering=1)


def _wait_ready(supervisor: Supervisor, url: str) -> None:
    until_s = time.monotonic() + READY_WITHIN_S
    reason = "it does not answer"
    while time.monotonic() < until_s and not supervisor.stopping:
        supervisor.poll()
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=1) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except urllib.error.HTTPError as error:
            reason = json.loads(error.read() or b"{}").get("message", reason)
        except OSError:
            pass
        time.sleep(POLL_S)
    if not supervisor.stopping:
        raise StartupError(f"The server was not ready within {READY_WITHIN_S:.0f} s: {reason}.")
