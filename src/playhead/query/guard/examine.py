"""The guard: an allow-list over the engine's own tree of a query. What is not listed is refused.

One pass with a stack of its own: a deep query is a sentence, never a crash.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec

from playhead.errors import QueryRefused
from playhead.query.guard.call import check_call, check_type_text
from playhead.query.guard.formats import FORMATS, format_named
from playhead.query.guard.functions import FunctionList
from playhead.query.guard.nodes import NODES, Key, Tree, parts_of
from playhead.query.guard.reference import SYSTEM_TABLES, Names, Place, Reference
from playhead.query.guard.scope import Scope
from playhead.query.guard.source import as_query, check_source

Purpose = Literal["query", "node", "copy"]
VIRTUAL_COLUMNS: Final = frozenset({
    "_block_number", "_block_offset", "_database", "_disk_name", "_distance", "_part",
    "_part_data_version", "_part_granule_offset", "_part_index", "_part_offset",
    "_part_starting_offset", "_part_uuid", "_partition_id", "_partition_value", "_row_exists",
    "_sample_factor", "_shard_num", "_table",
})  # fmt: skip
"""Columns the engine adds to tables: places of rows tell how many hidden rows lie before them."""
BARE_FUNCTIONS: Final = frozenset({
    "current_database", "current_user", "currentdatabase", "currenthandler", "currentrequesturl",
    "currentuser", "session_user",
})  # fmt: skip
"""Names the engine calls as functions without brackets, and that say something of the server."""
WITH_MAX: Final = 200
"""Names one WITH may give."""
_NOTHING: Final = Scope()
_EMPTY: Final[Tree] = {"type": "ExpressionList"}
_STATEMENTS: Final = {
    "InsertQuery": "an INSERT", "ExplainQuery": "an EXPLAIN", "DropQuery": "a DROP",
    "CreateQuery": "a CREATE", "AlterQuery": "an ALTER", "SetQuery": "a SET",
    "SystemQuery": "a SYSTEM statement", "UseQuery": "a USE", "KillQueryQuery": "a KILL",
    "DescribeQuery": "a DESCRIBE",
}  # fmt: skip


class TreeLimits(msgspec.Struct, frozen=True):
    """How large a query may be."""

    depth_max: int = 200
    """Functions and sub-queries inside each other."""
    nodes_max: int = 20_000
    """Names, functions, literals, elements of lists."""


class Examined(msgspec.Struct):
    """A query that may run once its references are put in place."""

    tree: Tree
    """The query without FORMAT."""
    format: str | None
    references: tuple[Reference, ...]


def examine(
    tree: Tree,
    names: Names,
    *,
    functions: FunctionList,
    limits: TreeLimits | None = None,
    purpose: Purpose = "query",
) -> Examined:
    """Return what a query reads and how it wants its answer, if it asks for nothing forbidden.

    Args:
        tree: As `Trees.parse` returns it; FORMAT is taken out of it and zeros() written as a
            query, nothing else is changed.
        names: Who decides about tables.
        functions: Who decides about functions.
        limits: Sizes.
        purpose: "query" = text from outside, the strictest; "node" = a pipe of the project;
            "copy" = a copy pipe, which may read the places the reference lists.

    Raises:
        QueryRefused: The sentence says what is not allowed.
    """
    if tree.get("type") != "SelectWithUnionQuery":
        found = _STATEMENTS.get(str(tree.get("type")), "another statement")
        raise QueryRefused(f"Only SELECT can be run here; this is {found}.")
    wanted = _format_of(tree)
    work = _Examination(names, functions, limits or TreeLimits(), purpose)
    work.run(tree)
    return Examined(tree, wanted, tuple(work.references))


def _format_of(tree: Tree) -> str | None:
    node = tree.pop("format_ast", None)
    if node is None:
        return None
    wanted = format_named(str(node.get("name"))) if set(node) == {"type", "name"} else None
    if wanted is None:
        raise QueryRefused(
            f"FORMAT {node.get('name')} is not one of the output formats here.",
            hint=f"Use one of {', '.join(FORMATS)}.",
        )
    return wanted


class _Examination:
    """One pass over a tree. Entries of the stack are (node, scope, depth)."""

    def __init__(
        self, names: Names, functions: FunctionList, limits: TreeLimits, purpose: Purpose
    ) -> None:
        self.references: list[Reference] = []
        self._names = names
        self._functions = functions
        self._limits = limits
        self._purpose = purpose
        self._stack: list[tuple[Tree, Scope, int]] = []
        self._seen = 0
        self._leaves: Mapping[str, Callable[[Tree], None]] = {
            "Identifier": _check_identifier,
            "Literal": self._literal,
            "QueryParameter": self._parameter,
            "TableIdentifier": _refuse_stray,
        }
        self._steps: Mapping[str, Callable[[Tree, Scope, int], None]] = {
            "SelectWithUnionQuery": self._union,
            "SelectQuery": self._select,
            "Subquery": self._subquery,
            "TableExpression": self._table_expression,
            "Function": self._function,
            "ColumnsApplyTransformer": self._apply,
        }

    def run(self, tree: Tree) -> None:
        """Look at every node once."""
        stack, leaves, steps = self._stack, self._leaves, self._steps
        stack.append((tree, _NOTHING, 0))
        depth_max = self._limits.depth_max
        while stack:
            node, scope, depth = stack.pop()
            kind = node["type"]
            self._count(1)
            leaf = leaves.get(kind)
            if leaf is not None:
                leaf(node)
                continue
            step = steps.get(kind)
            if step is None:
                self._push(node, kind, scope, depth)
            elif depth > depth_max:
                raise QueryRefused(f"The query is nested more than {depth_max} levels deep.")
            else:
                step(node, scope, depth)

    def _count(self, parts: int) -> None:
        self._seen += parts
        if self._seen > self._limits.nodes_max:
            raise QueryRefused(
                f"The query has more than {self._limits.nodes_max} parts: names, functions, values."
            )

    def _push(self, node: Tree, kind: str, scope: Scope, depth: int) -> None:
        """Put what a node holds on the stack; refuse keys it may not have."""
        stack = self._stack
        keys = NODES.get(kind)
        if keys is None:
            raise QueryRefused(f"{_words(kind)} is not allowed in a query here.")
        for name, value in node.items():
            key = keys.get(name)
            if key == Key.VALUE:
                continue
            if key == Key.NODE:
                stack.append((value, scope, depth))
            elif key == Key.NODES:
                stack.extend([(child, scope, depth) for child in value])
            elif key is None or value:
                raise QueryRefused(_refused_key(kind, name))

    def _union(self, node: Tree, scope: Scope, depth: int) -> None:
        """The WITH of a union's first SELECT is in force in the others too."""
        self._push({**node, "list_of_selects": _EMPTY}, "SelectWithUnionQuery", scope, depth)
        _check_list(node["list_of_selects"])
        selects = node["list_of_selects"].get("children", ())
        given = scope
        for place, select in enumerate(selects):
            if select["type"] not in {"SelectQuery", "SelectWithUnionQuery"}:
                raise QueryRefused(f"{_words(select['type'])} is not allowed in a query here.")
            if place == 0 and select["type"] == "SelectQuery" and "with" in select:
                self._stack.append((select, scope, depth))
                given = self._given(select["with"], scope)
            else:
                self._stack.append((select, given, depth))

    def _select(self, node: Tree, scope: Scope, depth: int) -> None:
        scope = msgspec.structs.replace(scope, columns=frozenset()) if scope.columns else scope
        if "with" in node:
            scope = self._enter_with(node["with"], scope, depth)
            rest = {name: value for name, value in node.items() if name != "with"}
        else:
            rest = node
        self._push(rest, "SelectQuery", scope.selecting(node["select"]), depth)

    def _enter_with(self, given: Tree, scope: Scope, depth: int) -> Scope:
        """Check each element with what stands before it in force; return the scope after it."""
        own: set[str] = set()
        _check_list(given)
        elements = given.get("children", ())
        if len(elements) > WITH_MAX:
            raise QueryRefused(f"WITH holds more than {WITH_MAX} names.")
        for element in elements:
            if element["type"] != "WithElement":
                self._check_lambda(element)
                self._stack.append((element, scope, depth))
                scope = scope.with_expression(element)
                continue
            name = element["name"]
            if name in own:
                raise QueryRefused(f"WITH names {name} twice.")
            if self._purpose == "query" and self._names.table("", name) is not None:
                raise QueryRefused(
                    f"WITH names a query {name}, but {name} is a table already.",
                    hint="Give the query in WITH another name.",
                )
            own.add(name)
            self._stack.append((element, scope, depth))
            scope = scope.with_query(name)
        return scope

    def _given(self, given: Tree, scope: Scope) -> Scope:
        for element in given.get("children", ()):
            if element["type"] == "WithElement":
                scope = scope.with_query(element["name"])
            else:
                scope = scope.with_expression(element)
        return scope

    def _check_lambda(self, element: Tree) -> None:
        name = element.get("alias", "")
        if element.get("is_lambda_function") and self._functions.knows(name):
            raise QueryRefused(
                f"WITH names a function {name}, but there is one of that name already."
            )

    def _subquery(self, node: Tree, scope: Scope, depth: int) -> None:
        (child,) = node["children"]
        if child["type"] != "SelectWithUnionQuery":
            raise QueryRefused(f"{_words(child['type'])} is not allowed as a sub-query.")
        self._push(node, "Subquery", scope, depth + 1)

    def _table_expression(self, node: Tree, scope: Scope, depth: int) -> None:
        rest = node
        table = node.get("database_and_table_name")
        function = node.get("table_function")
        if function is not None and as_query(node):
            function = None
        if table is not None:
            rest = {key: value for key, value in node.items() if key != "database_and_table_name"}
            if not table.keys() <= NODES["TableIdentifier"].keys():
                raise QueryRefused("A table must be named by its name, not by a parameter.")
            if self._name(table, scope, "table", node) and (
                "final" in node or "sample_size" in node
            ):
                asked = "FINAL" if node.get("final") else "SAMPLE"
                raise QueryRefused(
                    f"{asked} can only be asked of a table, and {table['name']} is a query in WITH."
                )
        elif function is not None:
            rest = {key: value for key, value in node.items() if key != "table_function"}
            check_source(function, copying=self._purpose == "copy")
            self._push(function, "Function", scope, depth + 1)
        self._push(rest, "TableExpression", scope, depth)

    def _name(self, node: Tree, scope: Scope, place: Place, holder: Tree) -> bool:
        """Take up a name of a table; return whether it is a query in WITH."""
        parts = parts_of(node)
        if len(parts) == 1 and parts[0] in scope.queries:
            return True
        database = parts[0] if len(parts) == 2 else ""
        if database == "system" and parts[1] in SYSTEM_TABLES:
            return False
        found = self._names.table(database, parts[-1]) if len(parts) <= 2 else None
        if found is None:
            raise QueryRefused(
                f"There is no table {'.'.join(parts)} here, or it may not be read with this token."
            )
        self.references.append(Reference(place, holder, parts, found))
        return False

    def _function(self, node: Tree, scope: Scope, depth: int) -> None:
        name = node["name"]
        if name not in scope.lambdas:
            self._allow(name)
            form = check_call(node, self._functions, strict=self._purpose == "query")
            if form == "operand":
                self._operand(node["arguments"], scope)
            elif form == "join":
                literal = node["arguments"]["children"][0]
                named = {"name": "", "name_parts": literal["value"]["value"].split(".")}
                self._name(named, Scope(), "text", literal)
        self._push(node, "Function", scope, depth + 1)

    def _allow(self, name: str) -> None:
        if not self._functions.allows(name):
            if self._functions.knows(name):
                raise QueryRefused(f"Function {name} is not allowed here.")
            raise QueryRefused(f"There is no function {name} here.")

    def _operand(self, arguments: Tree, scope: Scope) -> None:
        """After IN the engine takes a name for an expression's, else for a table's."""
        operand = arguments["children"][1]
        if operand["type"] != "Identifier":
            return
        if not operand.keys() <= NODES["Identifier"].keys():
            raise QueryRefused("A table must be named by its name, not by a parameter.")
        parts = parts_of(operand)
        if len(parts) == 1 and parts[0] not in scope.queries and scope.holds_value(parts[0]):
            return
        self._name(operand, scope, "operand", arguments)

    def _literal(self, node: Tree) -> None:
        if not node.keys() <= NODES["Literal"].keys():
            raise QueryRefused("That form of a value is not allowed here.")
        value = node["value"].get("value")
        if type(value) is str:
            if "AggregateFunction" in value:
                check_type_text(value, self._functions, strict=self._purpose == "query")
        elif type(value) is list:
            self._count(_elements(value))

    def _parameter(self, node: Tree) -> None:
        if not node.keys() <= NODES["QueryParameter"].keys():
            raise QueryRefused("That form of a parameter is not allowed here.")
        if node["param_type"] == "Identifier":
            raise QueryRefused("A name must stand in the query itself, not in a parameter.")
        check_type_text(node["param_type"], self._functions, strict=self._purpose == "query")

    def _apply(self, node: Tree, scope: Scope, depth: int) -> None:
        name = node.get("func_name")
        if name is not None and name not in scope.lambdas:
            self._allow(name)
            check_call({"name": name}, self._functions, strict=True)
        self._push(node, "ColumnsApplyTransformer", scope, depth)


def _check_identifier(node: Tree) -> None:
    if not node.keys() <= NODES["Identifier"].keys():
        raise QueryRefused("A name must stand in the query itself, not in a parameter.")
    last = parts_of(node)[-1]
    if last[:1] == "_" and last in VIRTUAL_COLUMNS:
        raise QueryRefused(f"{last} belongs to the store and cannot be read here.")
    if "name_parts" not in node and last.lower() in BARE_FUNCTIONS:
        raise QueryRefused(f"{last} tells of the server and cannot be read here.")


def _check_list(node: Tree) -> None:
    if not node.keys() <= NODES["ExpressionList"].keys():
        raise QueryRefused("That form of a list is not allowed here.")


def _refuse_stray(node: Tree) -> None:
    raise QueryRefused(f"Table {node.get('name')} is named at a place where no table can stand.")


def _elements(value: list[object]) -> int:
    """Return how many values a list holds, lists inside it counted too."""
    count, lists = 0, [value]
    while lists:
        items = lists.pop()
        count += len(items)
        inner = (item.get("value") for item in items if isinstance(item, dict))
        lists.extend(item for item in inner if isinstance(item, list))
    return count


def _words(kind: str) -> str:
    """Return a node's type as words: SelectQuery → Select query."""
    words = "".join(f" {sign.lower()}" if sign.isupper() else sign for sign in kind).strip()
    return words[:1].upper() + words[1:]


_KEY_SENTENCES: Final = {
    "settings": "SETTINGS cannot be given in a query here.",
    "settings_ast": "SETTINGS cannot be given in a query here.",
    "stream_settings": "STREAM cannot be asked of a table here.",
    "out_file": "INTO OUTFILE is not allowed: the answer comes back to you, not into a file.",
    "recursive_with": "WITH RECURSIVE is not allowed here.",
    "is_compound_name": "A function's name has no dot.",
    "format_ast": "FORMAT can only stand at the end of the whole query.",
}


def _refused_key(kind: str, name: str) -> str:
    sentence = _KEY_SENTENCES.get(name)
    return sentence or f"{_words(kind)} with {name.replace('_', ' ')} is not allowed here."
