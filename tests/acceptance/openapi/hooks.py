"""How bodies of text are sent: the doors take them as they are."""

import schemathesis


@schemathesis.serializer("application/cmcd", "application/x-ndjson")
def text(_: object, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
