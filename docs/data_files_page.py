"""The page of data files, made from the tables of instructions the readers go by."""

from collections.abc import Iterator, Mapping

from playhead.project import folder, include, indexes, names, pieces, pipe, reading, schema
from playhead.project.connection import KINDS as CONNECTIONS
from playhead.project.engine import ENGINES
from playhead.project.families import FAMILIES
from playhead.project.findings import PROBLEMS_MAX
from playhead.project.instructions import TABLES, Known

HEAD = """# Data files

A project is a folder of text files: `.datasource` files are tables, `.pipe` files are queries, endpoints
and materialized views, `.connection` files say where else data is. They are the files of Tinybird,
Forward and Classic; existing projects run as they are. `playhead fmt` checks files, or all of a folder, and writes
them in one form, `playhead build` builds a folder, `playhead test run` tests it.

```
DESCRIPTION >
    Every view, one row.

TOKEN "player" APPEND

SCHEMA >
    view_id String `json:$.view.id`,
    started_at DateTime64(3) `json:$.startedAt`,
    country LowCardinality(String) `json:$.geo.country` DEFAULT '',
    stalls UInt32 `json:$.stalls` DEFAULT 0

ENGINE "MergeTree"
ENGINE_PARTITION_KEY "toYYYYMM(started_at)"
ENGINE_SORTING_KEY "country, started_at"
ENGINE_TTL "toDate(started_at) + toIntervalDay(90)"
```

```
TOKEN "dashboard" READ

NODE by_country
SQL >
    %
    SELECT country, count() AS views, sum(stalls) AS stalls
    FROM views
    WHERE started_at >= {{DateTime(since, '2026-01-01 00:00:00')}}
    GROUP BY country

NODE worst
SQL >
    SELECT * FROM by_country ORDER BY stalls / views DESC LIMIT 10

TYPE endpoint
```

## Lines

- The first word of a line is the instruction, in any case. The rest of the line is its value: words
  joined by one space, one pair of quotes around the whole taken off. What quotes enclose stays together.
- `#` where a word could begin starts a comment, up to the line's end.
- `KEY >` begins a block. It ends at the first line that does not begin with a space or a tab *and* whose
  first word is an instruction of that kind of file, so SQL at the left edge stays in its block. Inside a
  block, empty lines and lines that begin with `#` are dropped. A word that is no instruction, right after
  a block, is taken into the block. Below, what must be a block has a `>`; any other value may be one.
- `$NAME` and `${NAME}` in values are taken from the environment of the command; a name without a value stays.
- `INCLUDE "path.incl" "key=value"` puts the lines of that file here, `$key` replaced.
- `{{ tb_secret("NAME", "default") }}` in `.datasource` and `.connection` files is the value of a secret: locally
  of `NAME=value` in `.env.local`. No other template words may stand in them.
- A node's SQL that begins with `%` is a template. `{{ }}` or `{% %}` in one that does not is an error.

Problems are said as `file:line:column: message`, all of a file at once. What older projects carry along and
nothing here needs is a warning.
"""
SCHEMA = """## SCHEMA

`name Type` and then, in any order but DEFAULT before CODEC: `` `json:$.path` ``, `DEFAULT expression`,
`CODEC(…)`. A comma stands between columns; one may trail. `--` starts a comment.

- A name of letters, digits, `_` and `.`; any other goes into backticks, without white space.
- A path is `$` (the whole event as text), `$.key.key`, `$.list[:]`, `$.list[:].key`. When it is absent in an
  event the column is its DEFAULT, else NULL if it is Nullable, else the event is put into quarantine.
- A column with a DEFAULT may leave its type out.
- `Nullable(SimpleAggregateFunction(f, T))` is read as `SimpleAggregateFunction(f, Nullable(T))`; `DEFAULT NULL`
  of a Nullable column is dropped.
- Not understood, each with a hint: `NULL`, `NOT NULL`, `MATERIALIZED`, `ALIAS`, `EPHEMERAL`, `COMMENT` and `TTL` of a
  column, `INDEX`, `Boolean`, `Int` and `UInt` without a size, `DateTime64` without a precision.
"""
KEYS = """The sorting key names no Nullable column, no AggregateFunction column, calls no aggregate function, and
does not hold `ENGINE_VER`. Replacing and Collapsing engines need one. `ENGINE_VER`, `ENGINE_IS_DELETED`, `ENGINE_SIGN`
and `ENGINE_VERSION` are columns.
"""
FOLDER = """## The folder

- A resource is called as its file without the ending: letters, digits and `_`. Folders may have any names and lie
  at most {levels} below the root; hidden folders and `vendor/` are left out.
- `VERSION n` gives a second name, `<name>__v<n>`, unless a file has it.
- A data source, a pipe and a node never share a name.
- `fixtures/<datasource>.ndjson`, else `.csv`, else `.sql` (a query that makes the rows); also in
  `datasources/fixtures/`. Rows may be packed: `.ndjson.gz`, `.csv.gz`. A fixture without a data source is left out.
- Tests lie below a folder `tests`, at any depth: `.yaml`, `.yml`, and `.test` of the older dialect.
- A data source or sink whose `.connection` is absent is built, with a warning. Nothing fills data sources from a
  connection yet, and nothing writes to Kafka; a build says so of each.
"""
TITLES = {
    "datasource": "`.datasource`",
    "pipe": "`.pipe`",
    "connection": "`.connection`",
}


def page() -> str:
    """Return the page as Markdown."""
    lines = [HEAD]
    for kind, table in TABLES.items():
        lines += [f"## {TITLES[kind]}\n", *_instructions(table)]
        if kind == "datasource":
            lines += [f"Engines: {_names(ENGINES)}.\n", KEYS]
        if kind == "connection":
            lines.append(
                f"Kinds: {_names(CONNECTIONS)}. Further options of these beginnings are kept too.\n"
            )
    lines += [SCHEMA, f"Types: {_names(sorted(FAMILIES))}.\n"]
    lines += [FOLDER.format(levels=folder.LEVELS_MAX - 1), *_limits()]
    return "\n".join(lines) + "\n"


def _names(some: object) -> str:
    return ", ".join(f"`{name}`" for name in some)  # type: ignore[attr-defined]


def _instructions(table: Mapping[str, Known]) -> Iterator[str]:
    """Yield a table of instructions a group."""
    groups: dict[str, list[Known]] = {}
    for known in table.values():
        groups.setdefault(known.group, []).append(known)
    for group, members in groups.items():
        if group:
            yield f"### {group[:1].upper()}{group[1:]}\n"
        yield "| instruction | meaning |\n|---|---|"
        for known in members:
            name = f"{known.name} >" if known.form == "block" else known.name
            said = " Warns." if known.warning else " Refused." if known.refusal else ""
            yield f"| `{name}` | {known.meaning.replace('|', chr(92) + '|')}{said} |"
        yield ""


def _limits() -> Iterator[str]:
    yield "## Limits\n\n| what | most |\n|---|---|"
    for what, most in (
        ("letters of a file", reading.FILE_BYTES_MAX),
        ("letters of all files", folder.TOTAL_CHARS_MAX),
        ("files", folder.FILES_MAX),
        ("entries of the folder", folder.ENTRIES_MAX),
        ("columns of a data source", schema.COLUMNS_MAX),
        ("indexes of a data source", indexes.INDEXES_MAX),
        ("nodes of a pipe", pipe.NODES_MAX),
        ("letters of a name", names.NAME_CHARS_MAX),
        ("nesting of brackets in a schema", pieces.DEPTH_MAX),
        ("files that include each other, in depth", include.DEPTH_MAX),
        ("INCLUDE lines a file comes to", include.INCLUDES_MAX),
        ("problems said of a file", PROBLEMS_MAX),
    ):
        yield f"| {what} | {most:,} |"
