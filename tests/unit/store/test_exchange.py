"""What a broken exchange with the store means."""

import httpx2
import pytest

from playhead.errors import PlayheadError, QueryTimeout, StoreUnavailable
from playhead.store.exchange import Call, raise_transport, read_call
from playhead.store.result import Limits


def limited(timeout_ms: int) -> Call:
    return read_call("SELECT 1", None, Limits(timeout_ms=timeout_ms), None, "default")


@pytest.mark.parametrize(
    ("call", "broken", "meant"),
    [
        # The engine ends what has a limit: silence long after it is the store's.
        (limited(2_000), httpx2.ReadTimeout("silence"), StoreUnavailable),
        (limited(0), httpx2.ReadTimeout("silence"), QueryTimeout),
        (limited(0), httpx2.ConnectTimeout("nobody there"), StoreUnavailable),
        (limited(0), httpx2.RemoteProtocolError("cut"), StoreUnavailable),
    ],
)
def test_what_silence_means(
    call: Call, broken: httpx2.HTTPError, meant: type[PlayheadError]
) -> None:
    with pytest.raises(meant):
        raise_transport(call, broken)
