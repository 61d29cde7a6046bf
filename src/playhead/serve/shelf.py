"""Files that come with Playhead and go out as they are: the SDK for players, the examples."""

import gzip
import hashlib
import html
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response

import playhead

MEDIA: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4s": "video/iso.segment",
    ".map": "application/json",
    ".mp4": "video/mp4",
    ".mpd": "application/dash+xml",
    ".svg": "image/svg+xml",
    ".ts": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
"""Media types by ending; a file of another ending is not served."""
TEXTS: Final = (".css", ".html", ".js", ".json", ".map", ".mpd", ".svg", ".ts", ".txt")
"""Endings of files that are small, kept in memory and sent compressed."""
_KEPT_FILES: Final = 256
_PACKED_FROM_BYTES: Final = 512


class Text(msgspec.Struct, frozen=True):
    """A text file as it goes out."""

    plain: bytes
    packed: bytes
    """Compressed by gzip; empty where that is not worth it."""
    tag: str


def shipped(in_package: str, in_checkout: str) -> Path:
    """Return a folder that comes along: in the package, else where a checkout keeps it."""
    package = Path(playhead.__file__).parent
    inside = package / "serve" / "static" / in_package
    return inside if inside.is_dir() else package.parents[1] / in_checkout


def sdk() -> Path:
    """Return the folder of the built SDK, which may not be there."""
    return shipped("sdk", "player/dist")


def examples() -> Path:
    """Return the folder of the example pages."""
    return shipped("examples", "examples")


def dashboard() -> Path:
    """Return the folder of the built dashboard, which may not be there."""
    return shipped("dashboard", "dashboard/dist")


def find(folder: Path, name: str) -> Path | None:
    """Return the file of that name below `folder`; None for whatever is not to be had."""
    parts = name.split("/")
    if any(not part or part.startswith(".") or "\\" in part or "\0" in part for part in parts):
        return None
    path = folder.joinpath(*parts)
    try:
        if path.suffix not in MEDIA or not path.is_file():
            return None
    except OSError:  # a name longer than any file's
        return None
    return path if path.resolve().is_relative_to(folder.resolve()) else None


def respond(request: Request, path: Path, headers: dict[str, str], base: str = "") -> Response:
    """Return a file with its type and tag: 304 where the caller has it, ranges where it is media.

    Args:
        request: Who asks, and what it has already.
        path: The file.
        headers: What else to say of it.
        base: What the relative addresses of a page are relative to, if not to its own address.
    """
    stat = path.stat()
    media_type = MEDIA[path.suffix]
    if path.suffix not in TEXTS:
        tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
        if _has(request, tag):
            return Response(status_code=304, headers={**headers, "etag": tag})
        more = {**headers, "etag": tag}
        return FileResponse(path, headers=more, media_type=media_type, stat_result=stat)
    text = _read(path, stat.st_mtime_ns, stat.st_size, base)
    packed = bool(text.packed) and "gzip" in request.headers.get("accept-encoding", "").lower()
    tag = f'"{text.tag}-gzip"' if packed else f'"{text.tag}"'
    headers = {**headers, "etag": tag, "vary": "accept-encoding"}
    if _has(request, tag):
        return Response(status_code=304, headers=headers)
    if packed:
        headers["content-encoding"] = "gzip"
    # A type with a parameter of ours: Starlette would add a character set to every text/….
    headers["content-type"] = media_type
    return Response(text.packed if packed else text.plain, headers=headers)


def _has(request: Request, tag: str) -> bool:
    """Say whether the caller already has what bears this tag (a proxy may have made it weak)."""
    known = request.headers.get("if-none-match", "")
    return any(one.strip().removeprefix("W/") in {tag, "*"} for one in known.split(","))


@lru_cache(maxsize=_KEPT_FILES)
def _read(path: Path, _mtime_ns: int, _size: int, base: str) -> Text:
    """Read a file once for each time it was changed."""
    plain = path.read_bytes()
    if base:
        plain = plain.replace(b"<head>", f'<head><base href="{html.escape(base)}">'.encode(), 1)
    packed = gzip.compress(plain, mtime=0) if len(plain) >= _PACKED_FROM_BYTES else b""
    return Text(plain, packed, hashlib.sha256(plain).hexdigest()[:32])
