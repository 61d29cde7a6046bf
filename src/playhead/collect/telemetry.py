"""The telemetry door: `POST /telemetry`, JSON events in the product's own form."""

from typing import Final

from playhead.collect.door import Door
from playhead.collect.large import check_count, drop_large
from playhead.collect.request import Request
from playhead.collect.steps import JOURNEY, routing_key
from playhead.errors import InvalidBody
from playhead.log.base import Entry
from playhead.model.telemetry import as_array, examine, without_lone_surrogates

PATHS: Final = ("/telemetry", "/v1/telemetry")
_BOM: Final = b"\xef\xbb\xbf"


class TelemetryDoor(Door):
    """Takes a JSON event or an array of them; the accepted bytes themselves go into the log."""

    name = "telemetry"

    async def entries(self, request: Request, text: bytes) -> list[Entry]:
        """Read the events and return their one entry."""
        text = text.removeprefix(_BOM).strip()
        if text[:1] not in {b"[", b"{"}:
            raise InvalidBody("The body is neither a JSON object nor an array of objects.")
        text = self.doorway.viewer_ids.applied(request, text)
        array = as_array(text)
        single = text[:1] == b"{"
        try:
            self._look(request, array, single=single)
        except InvalidBody:
            mended = without_lone_surrogates(array)
            if mended == array:
                raise
            array = mended
            self._look(request, array, single=single)
        if not request.events:
            return []
        drop_large(request, array, self.max_event_bytes)
        self.walk(JOURNEY, request)
        entry = Entry(
            door=self.name,
            key=routing_key(request),
            events=request.count,
            meta=self.meta(request),
            body=array,
        )
        return [entry]

    def _look(self, request: Request, array: bytes, *, single: bool) -> None:
        """Read the events of an array into the request; the refused ones leave a gap."""
        check_count(array, self.config.max_events_per_request)
        request.events, request.refused = examine(array, max_depth=self.config.max_json_depth)
        request.count = len(request.events)
        if single and request.count != 1:
            raise InvalidBody("The body is no JSON: several objects need [ and ] around them.")
