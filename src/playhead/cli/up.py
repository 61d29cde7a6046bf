"""`playhead up`: serve everything from one data folder, on one port, until told to stop."""

import sys
import time
from pathlib import Path

import click

from playhead.cli.settings import arguments_of, fail, load, serving_options
from playhead.clock import SystemClock
from playhead.config import Config
from playhead.errors import PlayheadError
from playhead.observe import configure_logging
from playhead.runtime import lifeline
from playhead.runtime.supervisor import Supervisor

POLL_S = 0.05


@click.command(name="up")
@serving_options
@click.option(
    "--role",
    type=click.Choice(["web", "worker", "store"]),
    help="Run one part only (the supervisor does this).",
)
@click.option("--listen-fd", type=int, hidden=True)
@click.option("--lifeline-fd", type=int, hidden=True)
def command(
    data: str | None,
    host: str | None,
    port: int | None,
    config_file: Path | None,
    role: str | None,
    listen_fd: int | None,
    lifeline_fd: int | None,
) -> None:
    """Serve everything from one data folder, on one port.

    The admin token is written to DIR/admin.token. SIGTERM or Ctrl-C stops it cleanly.
    """
    loaded = load(data, host, port, config_file)
    configure_logging()
    if lifeline_fd is not None:
        lifeline.hold(lifeline_fd)
    try:
        if role is not None:
            sys.exit(_run_role(role, loaded.config, listen_fd))
        supervise(loaded.config, arguments_of(data, host, port, config_file))
    except PlayheadError as error:
        fail(error)


def supervise(config: Config, arguments: list[str]) -> None:
    """Run store, worker and web until SIGTERM or Ctrl-C."""
    supervisor = Supervisor(config, arguments, SystemClock())
    supervisor.start()
    click.echo(greeting(config, supervisor.port), err=True)
    while not supervisor.stopping:
        supervisor.poll()
        time.sleep(POLL_S)
    supervisor.stop()


def greeting(config: Config, port: int) -> str:
    """Return what a person needs to know first: where it listens, where the token is."""
    host = config.server.host
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 (only compared)
    return (
        f"Playhead listens on http://{shown}:{port}\n"
        f"Admin token: {config.data_dir / 'admin.token'}\n"
        "Stop it with Ctrl-C."
    )


def _run_role(role: str, config: Config, listen_fd: int | None) -> int:
    """Run one part; each imports only what it needs: the engine alone takes 200 MB."""
    if role == "store":
        from playhead.runtime import store  # noqa: PLC0415 (see above)

        return store.run(config)
    if role == "worker":
        from playhead.runtime import worker  # noqa: PLC0415 (see above)

        return worker.run(config)
    from playhead.runtime import web  # noqa: PLC0415 (see above)

    return web.run(config, listen_fd)
