"""What is larger than any player sends: too many events of a request, too large an event.

Both are known before an event is read: eight megabytes of `{},{},…` fit into eight kilobytes packed
and would keep every other request waiting for seconds.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from playhead.collect.request import DropReason, Request
from playhead.errors import BodyTooLarge

VALUES_PER_EVENT_MAX: Final = 200
"""Values a body may have for each event it may have; players send thirty or so."""
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def check_count(array: bytes, most: int) -> None:
    """Refuse a JSON array of more events than a request may have; what is no JSON passes.

    Raises:
        BodyTooLarge: It holds more, or far more values than so many events have.
    """
    commas = array.count(b",")
    if commas < most:
        return  # nearly every batch
    if commas > most * VALUES_PER_EVENT_MAX:
        held = f"more than {most * VALUES_PER_EVENT_MAX} values"
    else:
        try:
            count = len(_RAWS.decode(array))
        except _UNREADABLE:
            return
        if count <= most:
            return
        held = f"{count} events"
    raise BodyTooLarge(
        f"The request holds {held}; {most} events are allowed. Nothing of it was stored.",
        hint="Send smaller batches, or raise collect.max_events_per_request.",
    )


def drop_large(request: Request, items: bytes | list[bytes], most_bytes: int) -> None:
    """Drop the events of a request that are larger than allowed, each alone.

    The worker keeps events in memory for a while, to put late ones in order.

    Args:
        request: With its events, None where one was refused.
        items: What they were read from: a JSON array, or each as it was sent.
        most_bytes: `limits.max_event_bytes`.
    """
    sizes: Iterable[int]
    if isinstance(items, bytes):
        if len(items) <= most_bytes:
            return  # nearly every batch
        sizes = (memoryview(raw).nbytes for raw in _RAWS.decode(items))
    else:
        sizes = map(len, items)
    for index, size in enumerate(sizes):
        if size > most_bytes and request.events[index] is not None:
            message = f"The event has more than {most_bytes} bytes (limits.max_event_bytes)."
            request.drop(index, DropReason.TOO_LARGE, message)
