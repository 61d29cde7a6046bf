"""Forms of an answer: how an address or a FORMAT names them, and what they are called on the way."""

from collections.abc import Mapping
from typing import Final

from playhead.errors import InvalidRequest, NotFound

FORMS: Final = {
    "json": "JSON",
    "csv": "CSVWithNames",
    "ndjson": "JSONEachRow",
    "parquet": "Parquet",
    "prometheus": "Prometheus",
}
"""What stands behind the dot of an address, and the engine's format."""
_JSON: Final = "application/json; charset=utf-8"
_TSV: Final = "text/tab-separated-values; charset=utf-8"
_PLAIN: Final = "text/plain; charset=utf-8"
_BYTES: Final = "application/octet-stream"
_MEDIA: Final = {
    "CSV": "text/csv; charset=utf-8; header=absent",
    "CSVWithNames": "text/csv; charset=utf-8; header=present",
    "JSONEachRow": "application/x-ndjson; charset=utf-8",
    "JSONCompactEachRow": "application/x-ndjson; charset=utf-8",
    "Parquet": "application/vnd.apache.parquet",
    "Prometheus": "text/plain; version=0.0.4; charset=utf-8",
    "Native": _BYTES,
    "Markdown": "text/markdown; charset=utf-8",
}
OUTPUT: Final = {
    "output_format_json_quote_64bit_integers": "0",
    "output_format_json_quote_denormals": "0",
    "output_format_parquet_string_as_string": "1",
}
"""Parameters that concern the output, and what holds without them."""
_SWITCH: Final = {"1": "1", "true": "1", "0": "0", "false": "0"}


def engine_format(form: str) -> str:
    """Return the engine's format for what stands behind the dot.

    Raises:
        NotFound: There is no such form.
    """
    found = FORMS.get(form)
    if found is None:
        raise NotFound(
            f"There is no form '.{form}' of an endpoint.",
            hint=f"Use one of {', '.join(f'.{name}' for name in FORMS)}.",
        )
    return found


def media_of(format_name: str) -> str:
    """Return the media type of a format of the engine."""
    if format_name in _MEDIA:
        return _MEDIA[format_name]
    if format_name.startswith("JSON"):
        return _MEDIA["JSONEachRow"] if "EachRow" in format_name else _JSON
    if format_name.startswith(("TSV", "TabSeparated")):
        return _TSV
    if format_name.startswith("RowBinary"):
        return _BYTES
    return _MEDIA["CSVWithNames"] if format_name.startswith("CSVWith") else _PLAIN


def output_settings(given: Mapping[str, str]) -> dict[str, str]:
    """Return the engine's settings for what a request says of its output.

    Raises:
        InvalidRequest: A value that is neither yes nor no.
    """
    settings = dict(OUTPUT)
    for name, value in given.items():
        switch = _SWITCH.get(value.lower())
        if switch is None:
            raise InvalidRequest(f"The parameter '{name}' takes 0 or 1.")
        settings[name] = switch
    return settings
