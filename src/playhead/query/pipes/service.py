"""The service tables as a workspace sees them: its own rows of `tinybird.*`, everybody's of `organization.*`."""

from typing import Any, Final

from playhead.project.services import SERVICE_DATABASES, SERVICE_TABLES, WORKSPACE
from playhead.query.guard.nodes import Tree

OWN: Final = "tinybird"
_MERGED: Final = frozenset({"jobs_log", "datasources_storage"})
"""Tables of which the newest row of each thing stands for it."""


def is_service(database: str) -> bool:
    """Return whether tables of this database are service tables."""
    return database in SERVICE_DATABASES


def kept_as(database: str, name: str) -> tuple[str, str]:
    """Return the database and name of the table that holds the rows of a service table."""
    return (OWN if f"{OWN}.{name}" in SERVICE_TABLES else database, name)


def service_query(database: str, name: str, workspace: str) -> Tree:
    """Return the query that stands for a service table: `SELECT … WHERE workspace_id = …`."""
    holder = kept_as(database, name)
    shown = f"{WORKSPACE} String" in SERVICE_TABLES[f"{database}.{name}"]
    kept = holder[0] == OWN
    columns: list[Tree] = [{"type": "Asterisk"}]
    if kept and not _has_own(name):
        but = {"type": "ColumnsExceptTransformer", "children": [_name(WORKSPACE)]}
        columns[0]["transformers"] = {"type": "ColumnsTransformerList", "children": [but]}
        if shown:
            columns.insert(0, _name(WORKSPACE))
    select: Tree = {
        "type": "SelectQuery",
        "select": {"type": "ExpressionList", "children": columns},
        "tables": _from(*holder, final=name in _MERGED and kept),
    }
    if kept and database == OWN:
        select["where"] = _equals(WORKSPACE, workspace)
    return {
        "type": "SelectWithUnionQuery",
        "union_mode": "UNION_DEFAULT",
        "list_of_selects": {"type": "ExpressionList", "children": [select]},
        "is_outfile_append": False,
        "is_outfile_truncate": False,
        "is_into_outfile_with_stdout": False,
    }


def _has_own(name: str) -> bool:
    """Return whether the reference gives the table of this workspace that column already."""
    return f"{WORKSPACE} String" in SERVICE_TABLES[f"{OWN}.{name}"]


def _from(database: str, name: str, *, final: bool) -> Tree:
    table: dict[str, Any] = {
        "type": "TableExpression",
        "database_and_table_name": {
            "type": "TableIdentifier",
            "name": f"{database}.{name}",
            "name_parts": [database, name],
        },
    }
    if final:
        table["final"] = True
    element = {"type": "TablesInSelectQueryElement", "table_expression": table}
    return {"type": "TablesInSelectQuery", "children": [element]}


def _name(name: str) -> Tree:
    return {"type": "Identifier", "name": name}


def _equals(column: str, text: str) -> Tree:
    value = {"type": "Literal", "value": {"field_type": "String", "value": text}}
    arguments = {"type": "ExpressionList", "children": [_name(column), value]}
    return {"type": "Function", "name": "equals", "arguments": arguments, "is_operator": True}
