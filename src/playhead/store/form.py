"""A statement and its values as the fields of a form: what is too long for an address.

ClickHouse's own way: https://clickhouse.com/docs/interfaces/http#http-parameters (`-F "param_a=1"`).
"""

import re
import secrets
from collections.abc import Mapping
from typing import Final

from playhead.errors import QueryFailed

FIELDS_MAX: Final = 1_000
_NAME: Final = re.compile(rb'content-disposition: form-data; name="(\w{1,80})"', re.IGNORECASE)
_SENT: Final = re.compile(r'multipart/form-data; ?boundary="?([\w-]{1,70})"?')


def form_of(fields: Mapping[str, str]) -> tuple[bytes, str]:
    """Return fields as the body of a request, and that body's content type."""
    # Drawn for each request: no value can hold it.
    boundary = f"playhead-{secrets.token_hex(16)}"
    parts = [
        f'--{boundary}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    body = "".join((*parts, f"--{boundary}--\r\n")).encode("utf-8", "surrogatepass")
    return body, f"multipart/form-data; boundary={boundary}"


def is_form(content_type: str) -> bool:
    """Return whether a body of this type is a form."""
    return _SENT.fullmatch(content_type.strip()) is not None


def fields_of(body: bytes, content_type: str) -> dict[str, str]:
    """Return the fields of a form by name.

    Raises:
        QueryFailed: It is none, or has too many fields.
    """
    sent = _SENT.fullmatch(content_type.strip())
    if sent is None:
        raise _refused("The body is no form")
    parts = body.split(b"--" + sent[1].encode(), FIELDS_MAX + 2)
    if len(parts) > FIELDS_MAX + 2 or parts[-1].strip() != b"--":
        raise _refused(f"The form has no end, or more than {FIELDS_MAX} fields")
    fields: dict[str, str] = {}
    for part in parts[1:-1]:
        head, gap, value = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if name is None or not gap:
            raise _refused("A field of the form has no name")
        fields[name[1].decode()] = value.removesuffix(b"\r\n").decode("utf-8", "replace")
    return fields


def _refused(sentence: str) -> QueryFailed:
    return QueryFailed(f"Code: 36. DB::Exception: {sentence}. (BAD_ARGUMENTS)", engine_code=36)
