from playhead.build.definition import Definition, StoredColumn, StoredIndex, change_of, quoted

ID = StoredColumn("id", "Int64")
AT = StoredColumn("at", "DateTime", "DEFAULT", "now()")
TABLE = Definition(name="plays", engine="MergeTree ORDER BY id", columns=(ID, AT))


def changed(**fields: object) -> Definition:
    return Definition(
        **{
            "name": "plays",
            "engine": TABLE.engine,
            "columns": TABLE.columns,
            **fields,
        }  # type: ignore[arg-type]
    )


def test_the_same_needs_nothing() -> None:
    found = change_of(TABLE, changed())
    assert (found.commands, found.obstacle) == ((), "")


def test_a_new_column_goes_to_its_place() -> None:
    device = StoredColumn("device", "String", "DEFAULT", "'tv'", "CODEC(ZSTD(1))")
    found = change_of(TABLE, changed(columns=(ID, device, AT)))
    wanted = "ADD COLUMN `device` String DEFAULT 'tv' CODEC(ZSTD(1)) AFTER `id`"
    assert (found.commands, found.obstacle) == ((wanted,), "")


def test_defaults_and_codecs_come_and_go() -> None:
    plain = StoredColumn("at", "DateTime")
    found = change_of(TABLE, changed(columns=(ID, plain)))
    assert found.commands == ("MODIFY COLUMN `at` REMOVE DEFAULT",)
    back = change_of(changed(columns=(ID, plain)), TABLE)
    assert back.commands == ("MODIFY COLUMN `at` DateTime DEFAULT now()",)


def test_ttl_settings_and_indexes_change_in_place() -> None:
    index = StoredIndex("by_at", "minmax", "at", 4)
    found = change_of(TABLE, changed(ttl="at + toIntervalDay(3)", indexes=(index,)))
    assert found.commands == (
        "ADD INDEX `by_at` at TYPE minmax GRANULARITY 4",
        "MODIFY TTL at + toIntervalDay(3)",
    )
    assert change_of(changed(ttl="at"), TABLE).commands == ("REMOVE TTL",)


def test_what_would_lose_rows_is_an_obstacle() -> None:
    text = StoredColumn("id", "String")
    assert "its engine or keys" in change_of(TABLE, changed(engine="Null")).obstacle
    assert "'at' is gone" in change_of(TABLE, changed(columns=(ID,))).obstacle
    assert "Int64 → String" in change_of(TABLE, changed(columns=(text, AT))).obstacle
    assert "order" in change_of(TABLE, changed(columns=(AT, ID))).obstacle


def test_names_are_quoted_whatever_they_hold() -> None:
    assert quoted("a b") == "`a b`"
    assert quoted("a`b\\") == "`a\\`b\\\\`"
