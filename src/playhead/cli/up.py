"""`playhead up`: serve everything from one data folder, on one port, until told to stop."""

import sys
import time
from pathlib import Path

import click

from playhead.cli.settings import arguments_of, fail, load, serving_options
from playhead.clock import SystemClock
from playhead.config import Config
from playhead.errors import PlayheadError
from playhead.observe import SteadyOutput, configure_logging
from playhead.runtime import lifeline
from playhead.runtime.supervisor import Supervisor
from playhead.runtime.upgrade import lines_of, upgrade_of

POLL_S = 0.05
TB_LOCAL = "For tb: export TB_LOCAL_HOST=127.0.0.1 TB_LOCAL_PORT={port}\n"


@click.command(name="up")
@serving_options
@click.option(
    "--role",
    type=click.Choice(["web", "worker", "store"]),
    help="Run one part only (the supervisor does this).",
)
@click.option(
    "--tb-local",
    is_flag=True,
    help="Give the admin token to any program on this machine that asks, as 'tb --local' does.",
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
    *,
    tb_local: bool,
) -> None:
    """Serve everything from one data folder, on one port.

    The admin token is written to DIR/admin.token. SIGTERM or Ctrl-C stops it cleanly.
    """
    loaded = load(data, host, port, config_file, {"server.tb_local": True} if tb_local else {})
    configure_logging()
    if lifeline_fd is not None:
        lifeline.hold(lifeline_fd)
    try:
        if role is not None:
            sys.exit(_run_role(role, loaded.config, listen_fd))
        more = ["--tb-local"] if tb_local else []
        supervise(loaded.config, [*arguments_of(data, host, port, config_file), *more])
    except PlayheadError as error:
        fail(error)


def supervise(config: Config, arguments: list[str]) -> None:
    """Run store, worker and web until SIGTERM or Ctrl-C."""
    for line in lines_of(upgrade_of(config.data_dir)):
        _say(line)
    supervisor = Supervisor(config, arguments, SystemClock())
    supervisor.start()
    _say(greeting(config, supervisor.port))
    while not supervisor.stopping:
        supervisor.poll()
        time.sleep(POLL_S)
    supervisor.stop()


def _say(text: str) -> None:
    """Print for a person who may not be there: a full disk behind stderr must not stop the start."""
    print(text, file=SteadyOutput(sys.stderr), flush=True)


def greeting(config: Config, port: int) -> str:
    """Return what a person needs to know first: where it listens, where the token is."""
    host = config.server.host
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 (only compared)
    local = TB_LOCAL.format(port=port) if config.server.tb_local else ""
    return (
        f"Playhead listens on http://{shown}:{port}\n"
        f"Admin token: {config.data_dir / 'admin.token'}\n"
        f"{local}Stop it with Ctrl-C."
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
