"""What BI tools send to a ClickHouse server before anybody asks them anything, and while they look around.

Written down from their documentation and from what they are seen to send; `{db}` is the database they
were given.
"""

CLICKHOUSE_CONNECT = (
    "SELECT version(), timezone()",
    "SELECT name, value, readonly FROM system.settings LIMIT 10000",
    "SELECT 1 AS check",
    "DESCRIBE TABLE `{db}`.`plays`",
    "SHOW DATABASES",
    "SHOW TABLES FROM `{db}`",
    "SELECT engine, engine_full, comment FROM system.tables WHERE database = '{db}' AND name = 'plays'",
    "SELECT name FROM system.tables WHERE database = '{db}' AND engine = 'MaterializedView' ORDER BY name",
)
GRAFANA = (
    "SELECT displayName(), version(), revision(), timezone()",
    "SELECT timeZone()",
    "SELECT 1",
    "SELECT version()",
    "SHOW DATABASES",
    'SHOW TABLES FROM "{db}"',
    "SHOW TABLES",
    'DESC TABLE "{db}"."plays"',
    "SELECT name, type, table FROM system.columns",
    "SELECT name, type, table FROM system.columns WHERE database IN ('{db}') AND table = 'plays'",
    (
        "SELECT name, is_aggregate, case_insensitive, alias_to, origin, description, syntax, arguments,"
        " returned_value, examples, categories FROM system.functions LIMIT 10000"
    ),
    'SELECT "title" as "title", sum("seconds") FROM "{db}"."plays" GROUP BY "title" LIMIT 1000',
    'SELECT title FROM "{db}"."plays" SETTINGS max_execution_time=10',
)
JDBC = (
    (
        "select currentUser(), timezone(), version(), getSetting('readonly') readonly"
        " FORMAT RowBinaryWithNamesAndTypes"
    ),
    "SELECT 'local' AS TABLE_CAT  WHERE 1 = 0",
    "SELECT name AS TABLE_SCHEM, '' AS TABLE_CATALOG FROM system.databases ORDER BY name",
    (
        "SELECT '' AS TABLE_CAT, t.database AS TABLE_SCHEM, t.name AS TABLE_NAME,"
        " if(t.is_temporary = 1, concat('Temporary', t.engine), t.engine) AS TABLE_TYPE,"
        " t.comment AS REMARKS, CAST(null as Nullable(String)) AS TYPE_CAT, d.engine AS TYPE_SCHEM"
        " FROM system.tables t JOIN system.databases d"
        " ON system.tables.database = system.databases.name"
        " WHERE t.database LIKE '{db}' AND t.name LIKE '%'"
        " AND ( (t.engine IN ('MergeTree','View')) OR (t.is_temporary = 1) ) AND (t.is_temporary = 0)"
    ),
    (
        "SELECT '' AS TABLE_CAT, database AS TABLE_SCHEM, table AS TABLE_NAME, name AS COLUMN_NAME,"
        " toInt32(1111) AS DATA_TYPE, type AS TYPE_NAME, toInt32(multiIf(character_octet_length IS NOT"
        " NULL, character_octet_length, system.columns.type == 'Int8', 1, numeric_precision IS NOT NULL,"
        " numeric_precision, 0)) AS COLUMN_SIZE, toInt32(IF (numeric_scale == 0, NULL, numeric_scale))"
        " as DECIMAL_DIGITS, toInt32(numeric_precision_radix) AS NUM_PREC_RADIX,"
        " toInt32(position(type, 'Nullable(') >= 1 ? 1 : 0) as NULLABLE,"
        " system.columns.comment AS REMARKS, system.columns.default_expression AS COLUMN_DEF,"
        " character_octet_length::Nullable(Int32) AS CHAR_OCTET_LENGTH,"
        " toInt32(system.columns.position) AS ORDINAL_POSITION"
        " FROM system.columns WHERE database LIKE '{db}' AND table LIKE 'plays' AND name LIKE '%'"
        " ORDER BY TABLE_SCHEM, TABLE_NAME, ORDINAL_POSITION"
    ),
    (
        "SELECT NULL::Nullable(String) AS TABLE_CAT, system.tables.database AS TABLE_SCHEM,"
        " system.tables.name AS TABLE_NAME, trim(c.1) AS COLUMN_NAME, CAST(c.2 AS Int16) AS KEY_SEQ,"
        " 'PRIMARY' AS PK_NAME FROM system.tables ARRAY JOIN arrayZip(splitByChar(',', primary_key),"
        " arrayEnumerate(splitByChar(',', primary_key))) as c WHERE system.tables.primary_key <> ''"
        " AND system.tables.database ILIKE '{db}' AND system.tables.name ILIKE 'plays'"
        " ORDER BY COLUMN_NAME"
    ),
    "SELECT CAST(NULL as Nullable(String)) AS PKTABLE_CAT LIMIT 0",
    "SELECT name, case_insensitive, alias_to FROM system.data_type_families",
    "SELECT name, value, type FROM system.settings WHERE name = 'max_threads'",
    "SELECT timezone() FORMAT TabSeparated",
)
METABASE = (
    (
        "SELECT `{db}`.`plays`.`title` AS `title`, `{db}`.`plays`.`seconds` AS `seconds`"
        " FROM `{db}`.`plays` LIMIT 2000"
    ),
    "SELECT COUNT(*) AS `count` FROM `{db}`.`plays`",
    (
        "SELECT `{db}`.`plays`.`title` AS `title`, COUNT(*) AS `count` FROM `{db}`.`plays`"
        " WHERE `{db}`.`plays`.`seconds` > 1 GROUP BY `{db}`.`plays`.`title`"
        " ORDER BY `count` DESC, `{db}`.`plays`.`title` ASC"
    ),
    (
        "SELECT `source`.`title` AS `title` FROM (SELECT `{db}`.`plays`.`title` AS `title`"
        " FROM `{db}`.`plays`) AS `source` LIMIT 10"
    ),
    "SELECT 1",
    "SELECT timezone() AS `tz`",
)
DBEAVER = (
    "SELECT VERSION()",
    "SHOW DATABASES",
    "SELECT name FROM system.table_engines",
    (
        "SELECT name as TABLE_NAME, engine as TABLE_TYPE, database as TABLE_SCHEM,comment as REMARKS, *"
        " FROM system.tables\nWHERE database = '{db}'"
    ),
    "SHOW CREATE TABLE {db}.plays",
    "SELECT currentDatabase()",
    "SET readonly=1",
    "USE {db}",
    "SELECT * FROM {db}.plays LIMIT 0, 200",
    "SELECT * FROM {db}.plays\nLIMIT 0,200;",
)
EVERY = {
    "clickhouse-connect": CLICKHOUSE_CONNECT,
    "grafana": GRAFANA,
    "jdbc": JDBC,
    "metabase": METABASE,
    "dbeaver": DBEAVER,
}
