"""nginx access logs: a `log_format` of the settings, `combined` where there is none.

Variables as in nginx's ngx_http_log_module and ngx_http_core_module; they mean what `generic.py`
says of their names.
"""

import re
from functools import lru_cache
from typing import ClassVar, Final

from playhead.collect.logs.fields import Field, is_known, logged, request_line
from playhead.collect.logs.generic import FIELDS as GENERIC
from playhead.collect.logs.logged import BrokenLine, Logged, Options, Reader
from playhead.collect.logs.values import country, text
from playhead.errors import ConfigInvalid

COMBINED: Final = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'
    ' "$http_referer" "$http_user_agent"'
)
FIELDS: Final = {
    **GENERIC,
    "request": Field("path", request_line, 1),
    "arg_CMCD": GENERIC["arg_cmcd"],
    "geoip_country_code": Field("country", country),
    "geoip_city": Field("city", text),
}
SILENT: Final = frozenset({"remote_user", "remote_port", "server_port", "pipe", "connection"})
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_ESCAPED = re.compile(r"\\x([0-9A-Fa-f]{2})")
_SHAPES: Final = {
    "time_local": r"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}",
    "request": r"\S+(?: \S+ \S+)?",
}
"""Variables that hold spaces, where a space ends them."""
_SEVERAL: Final = r"[^ ]*+(?:(?<=,) [^ ]*+| : [^ ]*+)*+"
"""One value per upstream tried, as many as there are: less would let lines take long to refuse."""


class Nginx(Reader):
    """Reads lines of one `log_format`."""

    is_text: ClassVar[bool] = True

    def __init__(self, options: Options) -> None:
        self._names, self._pattern = compiled(options.log_format or COMBINED)

    def read(self, line: bytes) -> Logged:
        """Return one line."""
        written = line.decode("utf-8", "replace")
        found = self._pattern.fullmatch(written)
        if found is None:
            raise BrokenLine("The line does not fit the log_format (collect.nginx_log_format).")
        values = found.groups()
        if "\\x" in written:
            values = tuple(_ESCAPED.sub(_unescaped, value) for value in values)
        return logged(dict(zip(self._names, values, strict=True)), FIELDS, silent=SILENT)


@lru_cache(maxsize=16)
def compiled(log_format: str) -> tuple[tuple[str, ...], re.Pattern[str]]:
    """Return the variables of a log_format and the pattern of its lines.

    Each variable ends where the text after it begins, so that no line takes long to refuse.

    Raises:
        ConfigInvalid: It has no time or no path, or two variables touch.
    """
    # Pieces: text, variable in braces, variable without, text, …
    pieces = _VARIABLE.split(log_format)
    names = [braced or bare for braced, bare in zip(pieces[1::3], pieces[2::3], strict=True)]
    after = pieces[3::3]
    if not is_known(names, FIELDS | {"request": Field("path", request_line)}):
        raise ConfigInvalid(
            "collect.nginx_log_format has no time ($time_local, $time_iso8601, $msec) or no path"
            " ($request, $request_uri, $uri)."
        )
    pattern = re.escape(pieces[0])
    for index, (name, text_after) in enumerate(zip(names, after, strict=True)):
        if not text_after and index < len(names) - 1:
            raise ConfigInvalid(
                f"collect.nginx_log_format: nothing stands between ${name} and ${names[index + 1]},"
                " so nobody can say where the one ends."
            )
        pattern += f"({_shape(name, text_after)}){re.escape(text_after)}"
    return tuple(names), re.compile(pattern)


def _shape(name: str, text_after: str) -> str:
    if not text_after:
        return ".*"
    if text_after[0] != " ":
        return f"[^{re.escape(text_after[0])}]*"
    return _SHAPES.get(name, _SEVERAL if name.startswith("upstream_") else "[^ ]*")


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))
