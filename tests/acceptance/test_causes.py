"""A CDN fails in the simulation; what the server says of the stalls over it names the CDN."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from playhead.query.span import ms_of
from playhead.simulate.settings import Incident, SimulationConfig
from playhead.simulate.simulation import Simulation
from support.server import Server
from support.simulated import deliver

VIEWERS = 200
SECONDS = 150
AFTER_MS = 40_000
BROKEN = "aurora"
OF_THE_CDN = {"cdn_slow", "cdn_errors"}


class Outage:
    """A server that was told of an outage of one CDN."""

    def __init__(self, server: Server) -> None:
        self.server = server
        start_ms = int(time.time() * 1000) - 5_000 - SECONDS * 1_000
        self.began_ms = start_ms + AFTER_MS
        config = SimulationConfig(
            viewers=VIEWERS, seconds=SECONDS, start_ms=start_ms, seed=5, keep_truth=True,
            skewed_clock_share=0, incident=Incident(cdn=BROKEN, after_ms=AFTER_MS),
        )  # fmt: skip
        simulation = Simulation(config)
        asyncio.run(deliver(server.url, list(simulation)))
        server.wait_until_stored()
        self.truth = simulation.truth

    def codes(self, *, broken: bool) -> Counter[str]:
        """Count the causes of stalls during the outage, over the broken CDN or over the others."""
        found: Counter[str] = Counter()
        for view in self.truth.views.values():
            if not any(begin >= self.began_ms for begin, _ in view.stalls):
                continue
            shown = self.server.get(f"/v1/views/{view.view_id}")["data"]
            for interval in shown["intervals"]:
                begun_ms = ms_of(interval["from"].rstrip("Z"))
                if interval["state"] != "rebuffering" or begun_ms < self.began_ms:
                    continue
                if (interval["cdn"] == BROKEN) is broken:
                    found[interval["cause"]["code"]] += 1
        return found


@pytest.fixture(scope="module")
def outage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    with Server(tmp_path_factory.mktemp("data")) as server:
        yield Outage(server)


def test_stalls_over_the_broken_cdn_are_laid_to_it(outage: Outage) -> None:
    codes = outage.codes(broken=True)
    of_the_cdn = sum(codes[code] for code in OF_THE_CDN)
    assert sum(codes.values()) > 20
    assert of_the_cdn > codes.total() / 2
    assert codes.most_common(1)[0][0] in OF_THE_CDN


def test_stalls_over_the_other_cdns_are_not(outage: Outage) -> None:
    codes = outage.codes(broken=False)
    assert codes["cdn_slow"] <= codes.total() / 10
