"""A client's SELECT in the names of this server: databases, system tables, functions about the server.

What comes out is a text like any other from outside: the guard examines it, and the token's row
filters hold. So nothing here needs to be trusted; it only translates.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from playhead.errors import QueryRefused
from playhead.project.services import SERVICE_DATABASES
from playhead.query.guard.formats import format_named
from playhead.query.guard.nodes import Tree, parts_of
from playhead.query.guard.walk import nodes_of
from playhead.query.pipes.workspace import PLAYHEAD
from playhead.serve.clickhouse.catalogue import PROJECT, SHAPES
from playhead.serve.clickhouse.settings import honoured, known

SYSTEM: Final = "system"
FORMATS_MORE: Final = {
    name.lower(): name
    for name in (
        "Arrow", "ArrowStream", "RowBinary", "RowBinaryWithNames", "TabSeparatedRaw", "TSVRaw",
        "TabSeparatedRawWithNames", "TSVRawWithNames", "TSVWithNamesAndTypes", "Vertical",
        "CSVWithNamesAndTypes", "JSONColumns", "JSONColumnsWithMetadata", "JSONObjectEachRow",
        "JSONStringsEachRow", "Pretty", "PrettySpace", "Values", "Null", "NDJSON", "JSONLines",
    )
}  # fmt: skip
"""Formats that clients of ClickHouse ask for besides those of /v0/sql."""
_TEXT: Final = "String"
_NOWHERE: Final = "00000000-0000-0000-0000-000000000000"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the functions about the server answer."""

    user: str
    database: str


class Rewritten(msgspec.Struct, kw_only=True):
    """A SELECT after its translation."""

    tree: Tree
    format: str = ""
    settings: dict[str, str] = msgspec.field(default_factory=dict)
    """Settings of the query that are put in force."""
    system: dict[str, None] = msgspec.field(default_factory=dict)
    """System tables it names."""
    changed: bool = False


def known_format(name: str) -> str:
    """Return the engine's spelling of an output format; raises QueryRefused."""
    found = format_named(name) or FORMATS_MORE.get(name.lower())
    if found is None:
        raise QueryRefused(f"FORMAT {name[:80]} is not one of the output formats here.")
    return found


def rewritten(tree: Tree, facts: Facts, queries: Mapping[str, Tree]) -> Rewritten:
    """Return a query translated; the tree is changed.

    Args:
        tree: As the engine parsed it.
        facts: What is told of the server.
        queries: By name of a system table the query that gives its rows.

    Raises:
        QueryRefused: It names a database or a system table that is not here, or an unknown format.
    """
    done = Rewritten(tree=tree)
    form = tree.pop("format_ast", None)
    if form is not None:
        done.format, done.changed = known_format(str(form.get("name"))), True
    common = {node["name"] for node in nodes_of(tree) if node.get("type") == "WithElement"}
    every = list(nodes_of(tree))
    names: dict[tuple[str, str], str] = {}
    for node in every:
        if node.get("type") == "TableExpression" and "database_and_table_name" in node:
            _table(node, facts, queries, done, (common, names))
    for node in every:
        kind = node.get("type")
        if kind == "Identifier":
            _identifier(node, names, done)
        elif kind == "SelectQuery":
            _settings(node, done)
            for column in node.get("select", {}).get("children", ()):
                _function(column, facts, done, named=True)
        elif kind == "Function":
            _function(node, facts, done, named=False)
    return done


def _table(
    node: Tree,
    facts: Facts,
    queries: Mapping[str, Tree],
    done: Rewritten,
    seen: tuple[set[str], dict[tuple[str, str], str]],
) -> None:
    """Translate a place that names a table; `seen` takes how its columns are to be called."""
    common, names = seen
    table = node["database_and_table_name"]
    parts = parts_of(table)
    if len(parts) > 2 or (len(parts) == 1 and parts[0] in common):
        return
    database, name = (facts.database, parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    if database.lower() == SYSTEM:
        if name in SHAPES:
            _put_query(node, table, name, queries[name])
            done.system[name] = None
            names[SYSTEM, name] = table.get("alias") or name
            done.changed = True
        return
    if database not in {PROJECT, PLAYHEAD, *SERVICE_DATABASES}:
        raise QueryRefused(f"There is no database {database[:80]} here.")
    if database != PLAYHEAD:
        names[database, name] = table.get("alias") or name
    wanted = [name] if database == PROJECT else [database, name]
    if wanted != parts:
        table["name"], done.changed = ".".join(wanted), True
        table.pop("name_parts", None)
        if len(wanted) > 1 or "." in name:
            table["name_parts"] = wanted
        if len(parts) == 1 and "alias" not in table:
            table["alias"] = name


def _put_query(node: Tree, table: Tree, name: str, query: Tree) -> None:
    del node["database_and_table_name"]
    node.pop("final", None)
    node["subquery"] = {
        "type": "Subquery",
        "children": [query],
        "alias": table.get("alias") or name,
    }


def _identifier(node: Tree, names: Mapping[tuple[str, str], str], done: Rewritten) -> None:
    """Call a column by its table alone where it was called by database and table."""
    parts = node.get("name_parts")
    if not parts or len(parts) < 2:
        return
    table = names.get((parts[0], parts[1]))
    if table is not None:
        short = [table, *parts[2:]]
        node["name"], done.changed = ".".join(short), True
        if len(short) > 1:
            node["name_parts"] = short
        else:
            del node["name_parts"]


def _settings(node: Tree, done: Rewritten) -> None:
    """Take SETTINGS out of a query; those that concern the answer are put in force for the whole."""
    given = node.pop("settings", None)
    if given is None:
        return
    done.changed = True
    pairs = (
        (str(one["name"]), str(one["value"].get("value", ""))) for one in given.get("changes", ())
    )
    done.settings |= honoured(pairs)


def _function(node: Tree, facts: Facts, done: Rewritten, *, named: bool) -> None:
    """Put the answer in a call's place; in the list of columns it keeps the call's name."""
    if node.get("type") != "Function":
        return
    make = _ABOUT.get(str(node["name"]).lower())
    if make is None:
        return
    arguments = node.get("arguments", {}).get("children", [])
    value = make(facts, arguments)
    if value is None:
        return
    shown = ", ".join(repr(one["value"]["value"]) for one in arguments)
    alias = node.get("alias") or (f"{node['name']}({shown})" if named else "")
    node.clear()
    node.update(value)
    if alias:
        node["alias"] = alias
    done.changed = True


def _text(text: str) -> Tree:
    return {"type": "Literal", "value": {"field_type": _TEXT, "value": text}}


def _whole(value: int, kind: str) -> Tree:
    given = {"type": "Literal", "value": {"field_type": "UInt64", "value": value}}
    return {
        "type": "Function",
        "name": f"to{kind}",
        "arguments": {"type": "ExpressionList", "children": [given]},
    }


def _setting(_: Facts, arguments: list[Tree]) -> Tree | None:
    if len(arguments) != 1 or arguments[0].get("type") != "Literal":
        return None
    value = known().get(str(arguments[0]["value"].get("value")))
    if value is None:
        return None
    return _whole(int(value), "UInt64") if value.isdigit() else _text(value)


def _always(value: Callable[[Facts], Tree]) -> Callable[[Facts, list[Tree]], Tree | None]:
    return lambda facts, arguments: None if arguments else value(facts)


_ABOUT: Final[Mapping[str, Callable[[Facts, list[Tree]], Tree | None]]] = {
    "currentuser": _always(lambda facts: _text(facts.user)),
    "current_user": _always(lambda facts: _text(facts.user)),
    "user": _always(lambda facts: _text(facts.user)),
    "currentdatabase": _always(lambda facts: _text(facts.database)),
    "current_database": _always(lambda facts: _text(facts.database)),
    "database": _always(lambda facts: _text(facts.database)),
    "schema": _always(lambda facts: _text(facts.database)),
    "timezone": _always(lambda _: _text("UTC")),
    "servertimezone": _always(lambda _: _text("UTC")),
    "displayname": _always(lambda _: _text("playhead")),
    "hostname": _always(lambda _: _text("playhead")),
    "fqdn": _always(lambda _: _text("playhead")),
    "serveruuid": _always(lambda _: _text(_NOWHERE)),
    "buildid": _always(lambda _: _text("")),
    "queryid": _always(lambda _: _text("")),
    "connectionid": _always(lambda _: _whole(0, "UInt64")),
    "uptime": _always(lambda _: _whole(0, "UInt32")),
    "revision": _always(lambda _: _whole(0, "UInt32")),
    "getsetting": _setting,
}
"""Functions that tell of the server, in small letters. Revision 0: results are written for that."""
