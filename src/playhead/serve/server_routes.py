"""The addresses of the server itself, and of the pages that it serves."""

from starlette.routing import BaseRoute, Route

from playhead.config import Config
from playhead.query.pipes.live import LiveProject
from playhead.serve.admission import Admission
from playhead.serve.backup_answers import BackupAnswers
from playhead.serve.dashboard import Dashboard
from playhead.serve.examples import Examples
from playhead.serve.health import Health
from playhead.serve.reference import Reference
from playhead.serve.sdk import sdk
from playhead.serve.services import Services
from playhead.serve.session import BrowserSession
from playhead.serve.space.answers import SpaceAnswers
from playhead.serve.watch.watchdog import Watchdog


def page_routes(config: Config) -> list[BaseRoute]:
    """Return the addresses of pages and of what they load."""
    examples = Examples(config)
    return [
        *Reference(config).routes(),
        *Dashboard().routes(),
        Route("/sdk/{file:path}", sdk),
        Route("/examples", examples.index),
        Route("/examples/{file:path}", examples.file),
    ]


def server_routes(
    services: Services, admission: Admission, project: LiveProject, watchdog: Watchdog
) -> list[BaseRoute]:
    """Return the addresses that tell how the server does, and that begin a session."""
    health = Health(services, admission, project, watchdog)
    session = BrowserSession(admission, services.config.query)
    return [
        Route("/healthz", health.alive),
        Route("/readyz", health.ready),
        Route("/metrics", health.prometheus),
        Route("/v1/status", health.status),
        *BackupAnswers(services, admission).routes(),
        Route("/v1/space", SpaceAnswers(services, admission).space),
        Route("/v1/session", session.session, methods=["GET", "POST", "DELETE"]),
    ]
