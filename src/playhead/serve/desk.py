"""The desk: what every endpoint that reads the store needs, once."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

from starlette.requests import ClientDisconnect, Request

from playhead.access import Grant
from playhead.collect import body as bodies
from playhead.query.catalogue import Catalogue, Metric, catalogue
from playhead.query.question import Asking
from playhead.query.reader import Reader
from playhead.query.span import Span, iso
from playhead.serve.admission import Admission
from playhead.serve.pipeline import pipeline_of
from playhead.serve.services import Services

T = TypeVar("T")

LOOK_OUT_S: Final = 0.02
"""After this long a caller is watched for leaving."""


class Desk:
    """Who may ask, the reader of the store, and what an answer says about its age."""

    def __init__(self, services: Services, admission: Admission) -> None:
        self._services = services
        self.admission = admission
        self.catalogue: Catalogue = catalogue(services.config.query)
        self.reader = Reader(services.store, services.config, services.clock, self.catalogue)

    def asking(self, grant: Grant) -> Asking:
        """Return what a question of this caller is read with."""
        return Asking(
            catalogue=self.catalogue,
            config=self._services.config,
            now_ms=self.reader.now_ms(),
            property=grant.property,
        )

    async def meta(
        self, span: Span, *, metric: Metric | None = None, measurement: str | None = None
    ) -> dict[str, Any]:
        """Return the meta of an answer about a span."""
        return {
            "metric": metric.id if metric else None,
            "unit": metric.unit_of(measurement or "") if metric else None,
            "measurement": measurement,
            "from": iso(span.from_ms),
            "to": iso(span.to_ms),
            "interval": None,
            "timezone": "UTC",
            **await self.freshness(),
            "provisional": self.reader.is_open(span),
        }

    async def freshness(self) -> dict[str, Any]:
        """Return how far answers are behind the log."""
        pipeline = await asyncio.to_thread(pipeline_of, self._services)
        newest = pipeline.newest_received_at
        return {
            "freshness_ms": pipeline.freshness_ms,
            "newest_event_at": iso(newest) if newest else None,
        }


async def body_of(request: Request, *, max_bytes: int, timeout_s: float) -> bytes:
    """Return the body of a request.

    Raises:
        BodyTooLarge: It has more bytes.
        BodyTimeout: It did not come in time.
        ClientDisconnect: The caller went away.
    """
    declared = request.headers.get("content-length")
    try:
        return await bodies.read(
            request.receive,
            declared=declared.encode() if declared else None,
            max_bytes=max_bytes,
            timeout_s=timeout_s,
        )
    except bodies.Gone:
        raise ClientDisconnect from None


async def while_connected(request: Request, asked: Coroutine[Any, Any, T]) -> T:
    """Return what was asked; when the caller goes away, cancel it, which ends its query."""
    asking = asyncio.ensure_future(asked)
    beside: set[asyncio.Future[Any]] = {asking}
    try:
        # Most is answered before it is worth the trouble to look out for a caller who leaves.
        await asyncio.wait(beside, timeout=LOOK_OUT_S)
        if not asking.done():
            beside.add(asyncio.ensure_future(_left(request.receive)))
            await asyncio.wait(beside, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            raise ClientDisconnect
        return asking.result()
    finally:
        under_way = [one for one in beside if not one.done()]
        for one in under_way:
            one.cancel()
        if under_way or len(beside) > 1:
            await asyncio.gather(*beside, return_exceptions=True)


async def _left(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
