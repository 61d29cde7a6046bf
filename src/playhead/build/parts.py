"""A project as one multipart body: what `tb build` and `tb deploy` post."""

import posixpath
import re
from email.message import Message
from typing import Final

import msgspec

from playhead.errors import InvalidBody

PROJECT: Final = "data_project://"
VENDORED: Final = "data_project_vendored://"
"""Files of other workspaces that a project carries along; nothing here reads them."""
PARTS_MAX: Final = 12_000
HEAD_BYTES_MAX: Final = 8_192
"""Longest head of one part."""
PATH_CHARS_MAX: Final = 1_024
_FORM: Final = "multipart/form-data"
_HINT: Final = (
    f"Send multipart/form-data: one part a file, of the name {PROJECT}, with its path as filename."
)
_BOUNDARY: Final = re.compile(r"[\x20-\x7e]{1,200}")


class Part(msgspec.Struct, frozen=True):
    """One part of a body."""

    name: str
    filename: str
    content: bytes


def project_files(body: bytes, content_type: str) -> dict[str, str]:
    """Return the texts of a posted project's files by their relative path.

    Raises:
        InvalidBody: It is no such body, or a path leads out of the project.
    """
    files: dict[str, str] = {}
    for part in parts_of(body, content_type):
        if part.name != PROJECT:
            continue
        path = _path(part.filename)
        if path in files:
            raise InvalidBody(f"The file '{path[:200]}' comes twice.", hint=_HINT)
        try:
            files[path] = part.content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InvalidBody(f"The file '{path[:200]}' is not written in UTF-8.") from None
    if not files:
        raise InvalidBody("There is no file of a project in the body.", hint=_HINT)
    return files


def parts_of(body: bytes, content_type: str) -> list[Part]:
    """Return the parts of a multipart body, in order.

    Raises:
        InvalidBody: It is none.
    """
    boundary = boundary_of(content_type)
    if boundary is None:
        raise InvalidBody("The body is no multipart/form-data with a boundary.", hint=_HINT)
    mark = b"--" + boundary
    # A line break before the first mark makes it look like every other.
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise InvalidBody("The multipart body does not end as it should.", hint=_HINT)
    if len(pieces) - 2 > PARTS_MAX:
        raise InvalidBody(f"The body has more than {PARTS_MAX} parts.")
    return [_part(piece) for piece in pieces[1:-1]]


def boundary_of(content_type: str) -> bytes | None:
    """Return what stands between the parts of a multipart/form-data body; None for another type."""
    message = Message()
    message["content-type"] = content_type
    boundary = message.get_param("boundary")
    kind = message.get_content_type()
    if kind != _FORM or not isinstance(boundary, str) or not _BOUNDARY.fullmatch(boundary):
        return None
    return boundary.encode("ascii")


def disposition_of(head: bytes) -> tuple[str, str | None]:
    """Return the name and the filename that the head of a part gives; None for no filename."""
    message = Message()
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            message["content-disposition"] = value.strip()
    named = message.get_param("name", "", "content-disposition")
    return named if isinstance(named, str) else "", message.get_filename()


def _part(piece: bytes) -> Part:
    head, blank, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not blank or len(head) > HEAD_BYTES_MAX:
        raise InvalidBody("A part of the body has no head that can be read.", hint=_HINT)
    name, filename = disposition_of(head)
    return Part(name, filename or "", content)


def _path(filename: str) -> str:
    """Return a path below the project's folder, as data files are named."""
    path = posixpath.normpath(filename.replace("\\", "/"))
    good = (
        0 < len(filename) <= PATH_CHARS_MAX
        and path.isprintable()
        and not path.startswith(("/", "../"))
        and path not in {".", ".."}
    )
    if not good:
        raise InvalidBody(f"'{filename[:200]!r}' is no path of a file in a project.", hint=_HINT)
    return path
