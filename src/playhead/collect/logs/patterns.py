"""Path patterns: from the path of a media object to whose it is, which video and which part."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from playhead.errors import ConfigInvalid

GROUPS: Final = ("owner", "video_id", "rendition", "segment", "session")
NAME_MAX: Final = 128
_CACHE: Final = 16_384
_REMEMBERED_MAX: Final = 1_024
"""Characters of a path that is remembered: strangers' long ones would fill the memory."""
_MEDIA = re.compile(
    r"(.+)\.(?:ts|m4s|m4f|mp4|m4v|m4a|cmf[vat]|aac|ac3|ec3|mp3|webm|vtt|webvtt|m3u8|mpd)"
)
_TOP: Final = frozenset({"master.m3u8", "main.m3u8", "manifest.m3u8", "manifest.mpd", "stream.mpd"})
"""Manifests of a whole video: the folder they stand in is the video, no rendition."""
_SLICES = re.compile(r".*/slices/\w{3}/(\w+)/(\w+)")
_SLICE = re.compile(r"([A-Z]{1,3})_?([0-9A-Z]{0,64}[0-9][0-9A-Z]{6,64})(?![0-9A-Z])")


class Parts(NamedTuple):
    """What a path names; empty where it does not."""

    owner: str = ""
    video_id: str = ""
    rendition: str = ""
    segment: str = ""
    session: str = ""


NOTHING: Final = Parts()


class Patterns:
    """Finds the parts of a path: the settings' patterns first, then the built-in ones.

    Args:
        own: `collect.log_path_patterns`: regular expressions with groups named as in `GROUPS`;
            the first found anywhere in a path wins.

    Raises:
        ConfigInvalid: One is no regular expression, or has other groups.
    """

    def __init__(self, own: Sequence[str] = ()) -> None:
        self._own = tuple(_compiled(pattern) for pattern in own)
        self._known = lru_cache(maxsize=_CACHE)(self._parts)
        self.parts = self._remembered if own else _built_in

    def _remembered(self, path: str) -> Parts:
        return self._known(path) if len(path) <= _REMEMBERED_MAX else self._parts(path)

    def _parts(self, path: str) -> Parts:
        for pattern in self._own:
            found = pattern.search(path)
            if found is not None:
                named = {k: (v or "")[:NAME_MAX] for k, v in found.groupdict().items()}
                return Parts(**named)
        return _built_in(path)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        made = re.compile(pattern)
    except re.error as error:
        raise ConfigInvalid(
            f"collect.log_path_patterns: '{pattern}' is no pattern: {error}."
        ) from error
    strange = sorted(set(made.groupindex) - set(GROUPS))
    if strange or not made.groupindex:
        said = f"has the group '{strange[0]}'" if strange else "has no named group"
        raise ConfigInvalid(
            f"collect.log_path_patterns: '{pattern}' {said}; groups are {', '.join(GROUPS)}."
        )
    return made


def _built_in(path: str) -> Parts:
    folder, _, name = path.rpartition("/")
    known = len(folder) <= _REMEMBERED_MAX
    owner, video_id, rendition, _, _ = _folder(folder) if known else _names(folder)
    if owner:
        found = _SLICE.match(name)
        if found is not None:
            return Parts(owner, video_id, found[1], found[2])
        media = _MEDIA.fullmatch(name)
        return Parts(owner, video_id, "", media[1][:NAME_MAX] if media else "")
    if not video_id and name not in _TOP:
        return NOTHING
    media = _MEDIA.fullmatch(name)
    if media is None:
        return NOTHING
    segment = media[1][:NAME_MAX]
    if name in _TOP:
        return Parts("", rendition, "", segment)
    return Parts("", video_id, rendition, segment)


def _names(folder: str) -> Parts:
    """Return what a folder says: owner and video, or else its last two names."""
    found = _SLICES.fullmatch(folder)
    if found is not None:
        return Parts(found[1][:NAME_MAX], found[2][:NAME_MAX])
    above, _, last = folder.rpartition("/")
    video = above.rpartition("/")[2]
    if video == "slices":
        return NOTHING
    return Parts("", video[:NAME_MAX], last[:NAME_MAX])


_folder = lru_cache(maxsize=_CACHE)(_names)
