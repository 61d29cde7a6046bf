"""The clock of a query stopped: now(), today() and their kin become one moment."""

from collections.abc import Callable
from typing import Any, Final

from playhead.query.guard.nodes import Tree
from playhead.query.guard.walk import nodes_of

_NOW: Final = frozenset({"now", "nowinblock", "current_timestamp", "localtimestamp"})
_NOW64: Final = frozenset({"now64", "nowinblock64"})
_TODAY: Final = frozenset({"today", "curdate", "current_date"})
_UTC: Final = frozenset({"utctimestamp", "utc_timestamp"})
_WITHOUT_BRACKETS: Final = frozenset({
    "now", "today", "curdate", "current_date", "current_timestamp", "localtimestamp",
})  # fmt: skip
"""Names the engine calls without brackets where there is no column of that name."""
_PRECISION: Final = 3


def frozen(tree: Tree, at_ms: int) -> Tree:
    """Return the tree with its clock stopped; types stay, the tree is changed in place.

    Args:
        tree: A query.
        at_ms: The moment, ms since 1970 UTC; days are those of the store's time zone.
    """
    named = {alias for node in nodes_of(tree) if (alias := node.get("alias"))}
    shown = _shown(tree)
    for node in list(nodes_of(tree)):
        stopped = _stopped(node, at_ms, named)
        if stopped is None:
            continue
        alias = node.get("alias") or (_title(node) if id(node) in shown else "")
        node.clear()
        node.update(stopped)
        if alias:
            node["alias"] = alias
    return tree


def _stopped(node: Tree, at_ms: int, named: set[str]) -> Tree | None:
    """Return what stands for a node that reads the clock, None for any other."""
    arguments: list[Tree] = []
    if node["type"] == "Function":
        name = node["name"].lower()
        arguments = node.get("arguments", {}).get("children", [])
    elif node["type"] == "Identifier" and "name_parts" not in node:
        name = node["name"].lower()
        if name not in _WITHOUT_BRACKETS or node["name"] in named:
            return None
    else:
        return None
    make = _MAKERS.get(name)
    return make(at_ms, arguments) if make else None


def _shown(tree: Tree) -> set[int]:
    """Return the nodes whose text is part of a column's name: those in a SELECT list."""
    found: set[int] = set()
    for select in nodes_of(tree):
        if select["type"] != "SelectQuery":
            continue
        stack = list(select["select"].get("children", []))
        while stack:
            node = stack.pop()
            if node["type"] == "Subquery" or "alias" in node:
                continue
            found.add(id(node))
            stack += node.get("arguments", {}).get("children", [])
    return found


def _title(node: Tree) -> str:
    """Return the engine's name for the column of a call with plain arguments, "" for others."""
    if node["type"] == "Identifier":
        return str(node["name"])
    texts = []
    for argument in node.get("arguments", {}).get("children", []):
        value = argument.get("value", {}).get("value")
        if argument["type"] != "Literal" or not isinstance(value, int | str):
            return ""
        texts.append(f"'{value}'" if isinstance(value, str) else str(value))
    return f"{node['name']}({', '.join(texts)})"


def _now(at_ms: int, arguments: list[Tree]) -> Tree:
    return _call("toDateTime", _value("UInt64", at_ms // 1000), *arguments)


def _utc(at_ms: int, _arguments: list[Tree]) -> Tree:
    return _call("toDateTime", _value("UInt64", at_ms // 1000), _value("String", "UTC"))


def _now64(at_ms: int, arguments: list[Tree]) -> Tree:
    moment = _call("fromUnixTimestamp64Milli", _call("toInt64", _value("UInt64", at_ms)))
    precision = arguments[:1] or [_value("UInt64", _PRECISION)]
    return _call("toDateTime64", moment, *precision, *arguments[1:])


def _today(at_ms: int, arguments: list[Tree]) -> Tree:
    return _call("toDate", _now(at_ms, []), *arguments)


def _yesterday(at_ms: int, arguments: list[Tree]) -> Tree:
    return _call("minus", _today(at_ms, arguments), _value("UInt64", 1))


def _localtime(at_ms: int, arguments: list[Tree]) -> Tree:
    return _call("toTime", _now(at_ms, arguments))


def _call(name: str, *arguments: Tree) -> Tree:
    return {
        "type": "Function",
        "name": name,
        "arguments": {"type": "ExpressionList", "children": list(arguments)},
    }


def _value(kind: str, value: Any) -> Tree:
    return {"type": "Literal", "value": {"field_type": kind, "value": value}}


_MAKERS: Final[dict[str, Callable[[int, list[Tree]], Tree]]] = (
    dict.fromkeys(_NOW, _now)
    | dict.fromkeys(_NOW64, _now64)
    | dict.fromkeys(_TODAY, _today)
    | dict.fromkeys(_UTC, _utc)
    | {"yesterday": _yesterday, "localtime": _localtime}
)
