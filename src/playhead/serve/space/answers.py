"""What uses the space, over HTTP."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from playhead.errors import Forbidden
from playhead.query.question import check_names
from playhead.query.span import iso
from playhead.serve.admission import Admission, is_whole
from playhead.serve.answer import answer, values_of
from playhead.serve.services import Services
from playhead.serve.space.watch import SpaceWatch


class SpaceAnswers:
    """Answers `/v1/space`."""

    def __init__(self, services: Services, admission: Admission) -> None:
        self._watch: SpaceWatch = services.space_watch()
        self._clock = services.clock
        self._admission = admission

    async def space(self, request: Request) -> Response:
        """`GET /v1/space`: what uses the disk, by what rule it goes, and when the disk is full."""
        if not is_whole(self._admission.reader(request)):
            raise Forbidden("What uses the space is told to admin tokens only.")
        check_names(values_of(request), frozenset(), frozenset())
        space = await self._watch.space()
        data = {
            "disk": msgspec.to_builtins(self._watch.outlook()),
            "data_bytes": space.data_bytes,
            "items": msgspec.to_builtins(space.items),
            "removed": msgspec.to_builtins(await self._watch.gone()),
            "complete": not space.reason,
            "reason": space.reason or None,
        }
        return answer(data, {"now": iso(self._clock.now_ms()), "measured_at": iso(space.at_ms)})
