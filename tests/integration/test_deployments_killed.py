"""`kill -9` at any point of a deployment and of its promotion: done again, it is whole."""

import asyncio
import signal
import subprocess
import sys

import pytest

from playhead.build.lock import barrier
from playhead.project.folder import read_texts
from playhead.project.manifest import STAGING_FILE
from support.deploying import CHANGES, Site, running, site

__all__ = ["running", "site"]

POINTS = (1, 9, 17, 23, 28, 33, 37, 40, 43, 46, 50, 55)
"""After how many commands to the store and files written the process ends."""
VIEWS = (".view.daily_view.by_day", ".view.monthly_view.by_month")
_RUN = """
import asyncio, os, signal, sys
from pathlib import Path
import msgspec
from playhead.access import files
from playhead.build import manifest, routing
from playhead.build.deployment import making, record
from playhead.build.deployment.deployments import Deployments
from playhead.build.target import target_of
from playhead.clock import SystemClock
from playhead.config import Pipes
from playhead.store.async_client import AsyncStoreClient
from playhead.store.location import Location

socket, folder, database, id, point = sys.argv[1:]
left = int(point)

def step():
    global left
    left -= 1
    if left == 0:
        print("killed", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

command = AsyncStoreClient.command

async def counted(self, sql, **more):
    step()
    await command(self, sql, **more)

AsyncStoreClient.command = counted
plain = files.write_private

def written(path, text):
    step()
    plain(path, text)

for module in (making, manifest, routing, record):
    if hasattr(module, "write_private"):
        module.write_private = written

async def main():
    store = AsyncStoreClient(Location(socket=socket))
    target = await target_of(store, Pipes())
    target = msgspec.structs.replace(target, data_dir=Path(folder), database=database)
    deployments = Deployments(target, SystemClock())
    made = await deployments.run(id)
    assert made.status == "data_ready", made.errors
    await deployments.promote(id)
    print("done", int(point) - left, flush=True)

asyncio.run(main())
"""


def killed(site: Site, deployment: str, point: int) -> str:
    """Make and promote a deployment in a process that ends after so many steps."""
    words = [sys.executable, "-c", _RUN, site.socket, str(site.folder), site.target.database]
    done = subprocess.run(
        [*words, deployment, str(point)], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.stdout.split()[-2 if "done" in done.stdout else -1]


@pytest.mark.parametrize("point", POINTS)
async def test_a_deployment_that_was_cut_off_goes_on(site: Site, point: int) -> None:
    files = CHANGES["another type by a query"][0] | {
        "datasources/more.datasource": "SCHEMA >\n    id Int64 `json:$.id`\n"
    }
    outcome = await site.deployments.create(read_texts(files))
    number = outcome.deployment.id
    stop = asyncio.Event()
    flowing = asyncio.create_task(site.flow(stop))
    said = await asyncio.to_thread(killed, site, number, point)
    assert said in {"killed", "done"}
    async with barrier(site.folder, site.clock):
        await site.send()  # the worker goes on while nobody takes the deployment up again
    if site.deployments.records.known(number).status != "live":
        assert (await site.deployments.run(number)).status == "data_ready"
        await site.deployments.promote(number)
    stop.set()
    await flowing
    async with barrier(site.folder, site.clock):
        assert await site.books() == [site.sent] * 4
    assert (site.live.deployment, (site.folder / STAGING_FILE).exists()) == (number, False)
    left = {name for _, name in site.deployments.records.known(number).left}
    assert left == {"plays", "daily", "monthly", *VIEWS}


async def test_a_cut_off_deployment_can_be_discarded(site: Site) -> None:
    before = site.live
    outcome = await site.deployments.create(read_texts(CHANGES["another sorting key"][0]))
    assert killed(site, outcome.deployment.id, 20) == "killed"
    await site.deployments.discard(outcome.deployment.id)
    await site.send()
    assert (site.live, await site.books()) == (before, [site.sent] * 4)
