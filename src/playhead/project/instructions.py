"""Every instruction of the data files, what it means and how it is taken."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

Kind = Literal["datasource", "pipe", "connection"]
Form = Literal["value", "text", "block"]
"""`value`: the rest of the line, or a block; `text`: the same, for people; `block`: `KEY >` only."""

_SUGGESTED_CHARS_MAX: Final = 64


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """One instruction of a kind of file."""

    name: str
    meaning: str
    form: Form = "value"
    group: str = ""
    """What it belongs to, as the reference puts it: "table", "Kafka", "endpoint"…"""
    same_as: str = ""
    """The instruction it is another name of."""
    field: str = ""
    """Of resources.Engine."""
    warning: str = ""
    """A sentence: it is taken (or passed over), and what to write today."""
    refusal: str = ""
    """A sentence: why it is an error."""


def _table(*known: Known) -> dict[str, Known]:
    return {one.name: one for one in known}


def _old(name: str, what: str, **more: str) -> Known:
    """Return one of the older dialect that nothing here needs: accepted and kept."""
    return Known(
        name=name,
        meaning=f"{what}. Older dialect: kept, and without effect.",
        warning=f"{name} is of the older dialect and has no effect here.",
        group=more.get("group", ""),
    )


_DESCRIPTION: Final = Known(name="DESCRIPTION", form="text", meaning="A text for people.")
_TAGS: Final = Known(name="TAGS", meaning="Words to find it by, with commas between them.")
_COMMON: Final = (
    Known(
        name="VERSION",
        meaning="A number of the older dialect: the resource is also called `<name>__v<number>`.",
        warning="VERSION is of the older dialect; the resource keeps that second name.",
    ),
    Known(
        name="INCLUDE",
        meaning='`INCLUDE "path.incl" "key=value"…`: the lines of that file stand here, '
        "`$key` replaced. The path counts from this file.",
    ),
    Known(
        name="SOURCE",
        meaning="Not supported.",
        refusal="SOURCE is not supported any more.",
    ),
    Known(
        name="MAINTAINER",
        meaning="Ignored.",
        warning="MAINTAINER has no effect any more; TAGS can say whose it is.",
    ),
)


def _engine(group: str = "table", warning: str = "") -> tuple[Known, ...]:
    def one(name: str, field: str, meaning: str) -> Known:
        return Known(
            name=name,
            field=field,
            meaning=meaning,
            group=group,
            warning=warning if name == "ENGINE" else "",
        )

    return (
        one("ENGINE", "kind", "The table's engine; MergeTree when left out."),
        one("ENGINE_SORTING_KEY", "sorting_key", "Columns or expressions rows are sorted by."),
        one("ENGINE_PARTITION_KEY", "partition_key", "What rows are parted by, often a month."),
        one("ENGINE_PRIMARY_KEY", "primary_key", "A beginning of the sorting key."),
        one("ENGINE_SAMPLING_KEY", "sampling_key", "What SAMPLE picks rows by."),
        one("ENGINE_TTL", "ttl", 'When rows expire; `""` is never.'),
        one("ENGINE_SETTINGS", "settings", "Settings of the table: `a=1, b=2`."),
        one("ENGINE_VER", "ver", "ReplacingMergeTree: the column whose highest value wins."),
        one("ENGINE_IS_DELETED", "is_deleted", "ReplacingMergeTree: the column that is 1 in a deletion."),
        one("ENGINE_COLUMNS", "columns", "SummingMergeTree: the columns that are summed."),
        one("ENGINE_SIGN", "sign", "CollapsingMergeTree: the column that is 1 or -1."),
        one("ENGINE_VERSION", "version", "VersionedCollapsingMergeTree: the version's column."),
    )  # fmt: skip


def _other_name(name: str, same_as: str, group: str) -> Known:
    return Known(name=name, same_as=same_as, meaning=f"Another name of `{same_as}`.", group=group)


_JOIN_OPTIONS: Final = tuple(
    Known(
        name=name,
        field=field,
        meaning=f"Engine Join, of the older dialect: {what}.",
        group="table",
    )
    for name, field, what in (
        ("ENGINE_JOIN_STRICTNESS", "join_strictness", "ANY, ALL, SEMI or ANTI"),
        ("ENGINE_JOIN_TYPE", "join_type", "INNER, LEFT, RIGHT or FULL"),
        ("ENGINE_KEY_COLUMNS", "key_columns", "the columns it is joined by"),
    )
)


def _options(group: str, meanings: Mapping[str, str]) -> tuple[Known, ...]:
    return tuple(Known(name=name, meaning=said, group=group) for name, said in meanings.items())


DATASOURCE: Final = _table(
    _DESCRIPTION,
    Known(name="SCHEMA", form="block", meaning="The columns, a comma between them. Required."),
    Known(
        name="TOKEN", meaning='`TOKEN "name" READ|APPEND`: the token is made when there is none.'
    ),
    _TAGS,
    *_engine(),
    *_JOIN_OPTIONS,
    *(
        _other_name(name, f"ENGINE_{name}", "table")
        for name in ("SORTING_KEY", "PARTITION_KEY", "PRIMARY_KEY", "SAMPLING_KEY", "TTL")
    ),
    Known(
        name="SETTINGS",
        meaning="Not an instruction: write `ENGINE_SETTINGS`.",
        refusal="SETTINGS is no instruction. Write ENGINE_SETTINGS.",
    ),
    Known(
        name="INDEXES",
        form="block",
        group="table",
        meaning="Data-skipping indexes, one a line: `[INDEX] name expression TYPE type [GRANULARITY n]`.",
    ),
    Known(
        name="FORWARD_QUERY",
        group="change",
        meaning="A SELECT list without FROM: how live rows become rows of a changed schema.",
    ),
    Known(name="BACKFILL", group="change", meaning="`skip`: live rows are not carried over."),
    Known(name="SHARED_WITH", meaning="Workspaces that may read it, with commas or one a line."),
    *_options(
        "Kafka",
        {
            "KAFKA_CONNECTION_NAME": "The `.connection` file. Required with the next two.",
            "KAFKA_TOPIC": "The topic that is read.",
            "KAFKA_GROUP_ID": "The consumer group.",
            "KAFKA_AUTO_OFFSET_RESET": "`earliest` or `latest`: where a new group begins.",
            "KAFKA_STORE_RAW_VALUE": "`True`: the message as it came is kept in `__value`.",
            "KAFKA_STORE_HEADERS": "`True`: its headers are kept in `__headers`.",
            "KAFKA_STORE_BINARY_HEADERS": "`True`: headers are kept as bytes.",
            "KAFKA_KEY_FORMAT": "How the key is written: avro, json_with_schema, json_without_schema.",
            "KAFKA_VALUE_FORMAT": "The same for the message.",
        },
    ),
    _old("KAFKA_TARGET_PARTITIONS", "How many partitions are read", group="Kafka"),
    _old("KAFKA_KEY_AVRO_DESERIALIZATION", "How an Avro key is read", group="Kafka"),
    *_options(
        "Files and databases",
        {
            "IMPORT_CONNECTION_NAME": "The `.connection` file.",
            "IMPORT_BUCKET_URI": "`s3://bucket/views/*.ndjson`: the files to load.",
            "IMPORT_SCHEDULE": "`@once`, `@on-demand` or `@auto`; the older dialect also has cron.",
            "IMPORT_FROM_TIMESTAMP": "Files older than this moment are left out.",
            "IMPORT_FORMAT": "`ndjson`, `csv` or `parquet`, when the name does not say it.",
            "IMPORT_TABLE_ARN": "DynamoDB: the table.",
            "IMPORT_EXPORT_BUCKET": "DynamoDB: the bucket its export goes through.",
            "PG_CONNECTION_NAME": "PostgreSQL: the `.connection` file.",
            "PG_TABLE": "PostgreSQL: the table.",
        },
    ),
    _old("IMPORT_STRATEGY", "Append or replace", group="Files and databases"),
    _old("IMPORT_SERVICE", "Where rows come from", group="Files and databases"),
    _old("IMPORT_EXTERNAL_DATASOURCE", "A table elsewhere", group="Files and databases"),
    _old("IMPORT_QUERY", "A query elsewhere", group="Files and databases"),
    *_COMMON,
)

PIPE: Final = _table(
    _DESCRIPTION,
    Known(name="TOKEN", meaning='`TOKEN "name" READ`: the token is made when there is none.'),
    _TAGS,
    Known(name="NODE", group="node", meaning="A node begins; nodes below see it by this name."),
    Known(
        name="SQL",
        form="block",
        group="node",
        meaning="The node's query; one that begins with `%` is a template.",
    ),
    Known(
        name="TYPE",
        group="node",
        meaning="`endpoint`, `materialized`, `copy` or `sink`; one node of a pipe at most has one. "
        "Without any TYPE the last node is the endpoint.",
    ),
    Known(name="DATASOURCE", group="materialized", meaning="The data source it fills. Required."),
    Known(
        name="DEPLOYMENT_METHOD",
        group="materialized",
        meaning="`alter`: a changed query does not fill its data source anew.",
    ),
    *_engine(
        "materialized",
        "ENGINE in a pipe is of the older dialect: the target is made by it when no file defines it.",
    ),
    *_options(
        "copy",
        {
            "TARGET_DATASOURCE": "The data source that is written. Required.",
            "COPY_SCHEDULE": "Five fields of cron, or `@on-demand`.",
            "COPY_MODE": "`append` or `replace`.",
            "ON_DEMAND_COMPUTE": "Whether it runs on machines of its own. Kept, without effect.",
        },
    ),
    _other_name("MODE", "COPY_MODE", "copy"),
    *_options(
        "sink",
        {
            "EXPORT_CONNECTION_NAME": "The `.connection` file. Required.",
            "EXPORT_SCHEDULE": "Five fields of cron, or `@on-demand`. Required.",
            "EXPORT_KAFKA_TOPIC": "The topic that is written; or else the next two.",
            "EXPORT_BUCKET_URI": "`s3://bucket/reports/`: where files go.",
            "EXPORT_FILE_TEMPLATE": "The files' names: `views_{timestamp}`.",
            "EXPORT_FORMAT": "`csv`, `ndjson` or `parquet`.",
            "EXPORT_COMPRESSION": "`none`, `gz`, `zstd`, ….",
            "EXPORT_WRITE_STRATEGY": "`new` or `truncate`: what happens to a file of that name.",
        },
    ),
    _old("EXPORT_SERVICE", "Where rows go", group="sink"),
    _old("EXPORT_STRATEGY", "What happens to a file of that name", group="sink"),
    _old("FILTER", "A condition on what is read"),
    _old("SCOPE", "Who may read"),
    *_COMMON,
)  # fmt: skip

CONNECTION: Final = _table(
    _DESCRIPTION,
    Known(
        name="TYPE", meaning="`kafka`, `s3`, `gcs`, `dynamodb` or `postgres`. Required."
    ),
    *_options(
        "kafka",
        {
            "KAFKA_BOOTSTRAP_SERVERS": "`host:port`, with commas. Required.",
            "KAFKA_SECURITY_PROTOCOL": "`SASL_SSL`, `PLAINTEXT`, ….",
            "KAFKA_SASL_MECHANISM": "`PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512` or `OAUTHBEARER`.",
            "KAFKA_KEY": "The user.",
            "KAFKA_SECRET": "The password.",
            "KAFKA_SCHEMA_REGISTRY_URL": "Where schemas are looked up.",
            "KAFKA_SSL_CA_PEM": "The certificate of the authority; usually a block.",
        },
    ),
    *_options(
        "s3",
        {
            "S3_REGION": "The region. Required.",
            "S3_ARN": "A role; or else the next two.",
            "S3_ACCESS_KEY": "The key's id.",
            "S3_SECRET": "The key's secret.",
            "S3_ENDPOINT": "The address of a store that is compatible with S3. Playhead's own.",
        },
    ),
    *_options(
        "gcs",
        {
            "GCS_SERVICE_ACCOUNT_CREDENTIALS_JSON": "The account's key; or else the next two.",
            "GCS_HMAC_ACCESS_ID": "The id of an HMAC key.",
            "GCS_HMAC_SECRET": "Its secret.",
        },
    ),
    *_options(
        "dynamodb",
        {
            "DYNAMODB_ARN": "A role.",
            "DYNAMODB_REGION": "The region.",
        },
    ),
    *_options(
        "postgres",
        {
            "PG_HOST": "The server.",
            "PG_PORT": "Its port.",
            "PG_DATABASE": "The database.",
            "PG_USERNAME": "The user.",
            "PG_PASSWORD": "The password.",
        },
    ),
    *_COMMON,
)  # fmt: skip

PREFIXES: Final = {
    "connection": ("KAFKA_", "S3_", "GCS_", "DYNAMODB_", "PG_"),
}
"""Further words of these beginnings are options too: drivers differ."""
TABLES: Final[Mapping[Kind, Mapping[str, Known]]] = {
    "datasource": DATASOURCE,
    "pipe": PIPE,
    "connection": CONNECTION,
}


def suggestion(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return "Did you mean X?", however either is written, or "" when nothing is near."""
    if len(word) > _SUGGESTED_CHARS_MAX:
        return ""
    by_case = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_case, n=1, cutoff=cutoff)
    return f"Did you mean {by_case[near[0]]}?" if near else ""
