"""The resources of a project, as its files say them."""

from typing import Literal

import msgspec

from playhead.project.problem import Problem

NodeKind = Literal["standard", "endpoint", "materialized", "copy", "sink"]
Permission = Literal["READ", "APPEND", "CREATE"]
Options = dict[str, str]
"""Further instructions by their upper-case name: `{"KAFKA_TOPIC": "views"}`."""


class TokenGrant(msgspec.Struct, frozen=True):
    """`TOKEN "name" READ`."""

    name: str
    permission: Permission


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a SCHEMA."""

    name: str
    type: str
    """As the engine knows it, already rewritten where the language says so; "" = by its default."""
    json_path: str | None = None
    """`$.a.b[:].c` without the backquotes."""
    default: str | None = None
    """An expression of the engine's SQL."""
    codec: str | None = None
    """What stands in CODEC(...)."""
    line: int = 0


class Index(msgspec.Struct, frozen=True):
    """One data-skipping index."""

    name: str
    expression: str
    type: str
    granularity: int = 1


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """The table engine and its options; "" = not said."""

    kind: str = "MergeTree"
    given: bool = False
    """Whether the file names an engine."""
    sorting_key: str = ""
    partition_key: str = ""
    primary_key: str = ""
    sampling_key: str = ""
    ttl: str = ""
    settings: str = ""
    ver: str = ""
    is_deleted: str = ""
    columns: str = ""
    sign: str = ""
    version: str = ""
    join_strictness: str = ""
    join_type: str = ""
    key_columns: str = ""


class Datasource(msgspec.Struct, frozen=True, kw_only=True):
    """A `.datasource` file."""

    name: str
    path: str
    text: str = ""
    """The file's own text."""
    description: str = ""
    columns: tuple[Column, ...] = ()
    engine: Engine = Engine()
    indexes: tuple[Index, ...] = ()
    tokens: tuple[TokenGrant, ...] = ()
    tags: tuple[str, ...] = ()
    forward_query: str = ""
    backfill: str = ""
    shared_with: tuple[str, ...] = ()
    options: Options = {}
    """KAFKA_*, IMPORT_*, PG_*."""
    version: int | None = None
    """VERSION of a Classic file: it is also called `<name>__v<version>`."""
    warnings: tuple[Problem, ...] = ()


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One node of a pipe."""

    name: str
    sql: str
    """Plain SQL, or a template with its first `%` taken off when `template`."""
    template: bool = False
    kind: NodeKind = "standard"
    description: str = ""
    target: str = ""
    """DATASOURCE of a materialized, TARGET_DATASOURCE of a copy node."""
    engine: Engine | None = None
    """Classic: ENGINE* of a materialized node, to make its target."""
    options: Options = {}
    """COPY_*, EXPORT_*, DEPLOYMENT_METHOD, ...."""
    line: int = 0
    """Where its SQL begins in the file (the line of the `%` for a template)."""


class Pipe(msgspec.Struct, frozen=True, kw_only=True):
    """A `.pipe` file. In Classic, without any TYPE, the last node is the endpoint (already applied)."""

    name: str
    path: str
    text: str = ""
    description: str = ""
    nodes: tuple[Node, ...] = ()
    tokens: tuple[TokenGrant, ...] = ()
    tags: tuple[str, ...] = ()
    version: int | None = None
    warnings: tuple[Problem, ...] = ()

    @property
    def endpoint(self) -> Node | None:
        """Return the node that is published, or None."""
        return next((node for node in self.nodes if node.kind == "endpoint"), None)

    @property
    def output(self) -> Node:
        """Return the node that stands for the pipe when another query names it: its last."""
        return self.endpoint or self.nodes[-1]


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A `.connection` file."""

    name: str
    path: str
    kind: str = ""
    """kafka, s3, gcs, dynamodb, postgres."""
    options: Options = {}
    warnings: tuple[Problem, ...] = ()


class Fixture(msgspec.Struct, frozen=True):
    """Rows for a data source: `.ndjson`, else `.csv`, else a generator `.sql`."""

    datasource: str
    path: str
    """Relative to the project's folder."""
    format: Literal["ndjson", "csv", "sql"]


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of files, read. What could not be read is in `problems`, and only there."""

    root: str = ""
    datasources: dict[str, Datasource] = {}
    pipes: dict[str, Pipe] = {}
    connections: dict[str, Connection] = {}
    fixtures: dict[str, Fixture] = {}
    tests: tuple[str, ...] = ()
    """Files of tests, relative to the root."""
    secrets: dict[str, str] = {}
    """Of `.env.local`."""
    files: dict[str, str] = {}
    """Data files and what they include, by path: `read_texts` makes the same project of them."""
    aliases: dict[str, str] = {}
    """Second names: `<stem>__v<n>` of Classic files to the name."""
    problems: tuple[Problem, ...] = ()
