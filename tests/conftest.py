"""What all tests share."""

import signal

from hypothesis import settings

# A shell starts what goes to the background deaf to Ctrl-C, and what tests start would be so too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine makes no test fail: time is measured by benches, never asserted.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

LONGEST_ID = 120


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name bytes by their length where they are packed or long, and long texts by their beginning.

    What is packed holds the second it was packed in: two processes would not name it alike.
    """
    if isinstance(val, bytes) and (not val.isascii() or b"\0" in val):
        return f"{len(val)}B"
    if isinstance(val, bytes | str) and len(val) > LONGEST_ID:
        start = val if isinstance(val, str) else val.decode()
        return f"{start[:LONGEST_ID]}~{len(val)}"
    return None
