from typing import Any

import msgspec
import pytest

from playhead.log.base import Record
from playhead.model.event import Context, Meta, Refusal
from playhead.model.forgotten import digest_of, name_of
from playhead.process.folder import event_at
from playhead.process.forgotten import Forgotten
from playhead.process.unpack import Unpacked, Unpacker

KEY = "ab" * 32
AT = 1_000_000
WEEK_MS = 7 * 86_400_000


class Remembering(Forgotten):
    """Knows somebody without a store."""

    def __init__(self, *known: tuple[str, str, str]) -> None:
        super().__init__()
        self._use(KEY)
        self._known = {(kind, where, digest_of(KEY, value)): AT for kind, where, value in known}


def unpacked(*items: dict[str, Any], at: int = AT, **meta: Any) -> Unpacked:
    events = [{"eventType": "PLAY", "timestamp": at} | item for item in items]
    of = msgspec.json.encode(Meta(context=Context(property="p"), **meta))
    body = msgspec.json.encode(events)
    return Unpacker().unpack(Record(1, "telemetry", "", at, len(events), of, body))


@pytest.mark.parametrize(
    ("known", "event", "before", "after"),
    [
        (("viewer", "", "u"), {"viewerId": "u"}, True, False),
        (("viewer", "p", "u"), {"viewerId": "u", "viewId": "v"}, True, False),
        (("viewer", "q", "u"), {"viewerId": "u"}, False, False),
        (("viewer", "", "u"), {"viewerId": "v"}, False, False),
        (("session", "p", "s"), {"sessionId": "s"}, True, False),
        (("session", "p", "s"), {"sessionId": "s", "viewerId": "v"}, False, False),
        (("session", "q", "s"), {"sessionId": "s"}, False, False),
        (("view", "p", "p/v"), {"viewId": "v"}, True, True),
        (("view", "p", "p/s:s"), {"sessionId": "s", "viewerId": "v"}, True, False),
    ],
)
def test_what_happened_before_is_dropped(
    known: tuple[str, str, str], event: dict[str, Any], *, before: bool, after: bool
) -> None:
    forgotten = Remembering(known)
    for at, gone in ((AT, before), (AT + 1, after)):
        item = unpacked(event, {"viewId": "else", "viewerId": "x"}, at=at)
        forgotten.sift([item], event_at)
        assert [index for index, _ in item.events] == ([1] if gone else [0, 1])
        assert item.dropped == (["forgotten"] if gone else [])


def test_a_refused_event_of_theirs_is_not_kept_again() -> None:
    refused = (Refusal(0, "invalid_event", "no"), Refusal(1, "invalid_event", "no"))
    for at, kept in ((AT + WEEK_MS, 1), (AT + WEEK_MS + 1, 2)):
        item = unpacked({"viewerId": "u"}, {"viewerId": 5}, at=at, refused=refused)
        Remembering(("viewer", "", "u")).sift([item], event_at)
        assert (len(item.quarantined), item.quarantined_count) == (kept, kept)
        assert len(item.dropped) == 2 - kept


def test_a_hash_says_nothing_without_its_key() -> None:
    assert digest_of(KEY, "u") != digest_of("cd" * 32, "u")
    assert name_of(KEY) != name_of("cd" * 32)
    assert len(digest_of(KEY, "\udce4")) == 32
