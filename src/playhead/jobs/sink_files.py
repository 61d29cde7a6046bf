"""The files of a sink: what they are called, in which form they are, how they are packed."""

import re
import zlib
from collections.abc import AsyncIterator
from typing import Final, Protocol

import msgspec
import zstandard

from playhead.build.definition import quoted
from playhead.errors import ProjectInvalid

FORMATS: Final = {"csv": "CSVWithNames", "ndjson": "JSONEachRow", "parquet": "Parquet"}
PACKINGS: Final = {"none": "", "gz": "gz", "gzip": "gz", "zst": "zst", "zstd": "zst"}
_OF_PARQUET: Final = {
    "none": "none", "gz": "gzip", "gzip": "gzip", "zst": "zstd", "zstd": "zstd", "snappy": "snappy",
    "lz4": "lz4", "br": "brotli", "brotli": "brotli",
}  # fmt: skip
FILE_COLUMN: Final = ".file"
"""The column of the job's table that says which file a row goes to."""
SPLITS_MAX: Final = 1_000
_SLOT: Final = re.compile(
    r"\{\s*(?:(?P<splits>\d+)|(?P<name>[A-Za-z_]\w*)\s*(?:,\s*'(?P<form>[^'\\]*)'\s*)?)\}", re.ASCII
)


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """How the files of a sink are written."""

    format: str
    """Of the engine."""
    extension: str
    packing: str = ""
    """"" = not packed by us: none, or the form packs itself."""
    settings: dict[str, str] = {}


class Naming(msgspec.Struct, frozen=True):
    """What says a row's file: SQL over the columns of the rows, and the texts bound in it."""

    sql: str
    bound: dict[str, str]


def form_of(options: dict[str, str]) -> Form:
    """Return how the node's files are written.

    Raises:
        ProjectInvalid: EXPORT_FORMAT or EXPORT_COMPRESSION is none.
    """
    name = options.get("EXPORT_FORMAT", "csv").lower()
    packed = options.get("EXPORT_COMPRESSION", "none").lower()
    if name not in FORMATS:
        raise ProjectInvalid(f"EXPORT_FORMAT is csv, ndjson or parquet, not '{name[:40]}'.")
    known = _OF_PARQUET if name == "parquet" else PACKINGS
    if packed not in known:
        raise ProjectInvalid(f"EXPORT_COMPRESSION of {name} is one of {', '.join(known)}.")
    if name == "parquet":
        settings = {"output_format_parquet_compression_method": known[packed]}
        return Form(format=FORMATS[name], extension=name, settings=settings)
    packing = PACKINGS[packed]
    extension = f"{name}.{packing}" if packing else name
    return Form(format=FORMATS[name], extension=extension, packing=packing)


def naming_of(template: str, columns: list[str], timestamp: str) -> Naming:
    """Return what makes a file's name, without its extension, of a row.

    `{column}` and `{column, '%Y-%m-%d'}` put rows of different values into different files, `{8}`
    spreads them over eight, `{timestamp}` is the job's unless there is such a column.

    Raises:
        ProjectInvalid: A column is not there, or a brace is not closed.
    """
    parts: list[str] = []
    bound: dict[str, str] = {}

    def text(value: str) -> None:
        if value:
            name = f"file{len(bound)}"
            bound[name] = value
            parts.append(f"{{{name}:String}}")

    at = 0
    for slot in _SLOT.finditer(template):
        text(template[at : slot.start()])
        at = slot.end()
        name, form, splits = slot["name"], slot["form"], slot["splits"]
        if splits is not None:
            if not 0 < int(splits[:6]) <= SPLITS_MAX:
                raise ProjectInvalid(f"EXPORT_FILE_TEMPLATE spreads over 1 to {SPLITS_MAX} files.")
            parts.append(f"toString(cityHash64(*) % {int(splits)})")
        elif name in columns:
            parts.append(_value(name, form, bound))
        elif name == "timestamp":
            text(timestamp)
        else:
            raise ProjectInvalid(
                f"EXPORT_FILE_TEMPLATE names the column '{name}', which the query does not make."
            )
    text(template[at:])
    if "{" in _SLOT.sub("", template):
        raise ProjectInvalid("EXPORT_FILE_TEMPLATE holds a '{' that begins no column.")
    return Naming(f"concat({', '.join([*parts, repr('')])})", bound)


def _value(name: str, form: str | None, bound: dict[str, str]) -> str:
    # What is in a value must not make folders, nor leave them.
    if form is None:
        made = f"toString({quoted(name)})"
    else:
        key = f"file{len(bound)}"
        bound[key] = form
        made = f"formatDateTime({quoted(name)}, {{{key}:String}})"
    return f"replaceRegexpAll(ifNull({made}, 'null'), '[/\\\\\\\\[:cntrl:]]|^[.]+', '_')"


class _Packer(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


async def packed(content: AsyncIterator[bytes], packing: str) -> AsyncIterator[bytes]:
    """Yield content packed as `gz` or `zst`; as it is for ""."""
    if not packing:
        async for chunk in content:
            yield chunk
        return
    packer: _Packer = (
        zlib.compressobj(wbits=31) if packing == "gz" else zstandard.ZstdCompressor().compressobj()
    )
    async for chunk in content:
        made = packer.compress(chunk)
        if made:
            yield made
    yield packer.flush()
