"""A data file in its canonical form; what it means stays as it is, comments too.

Names of instructions in capitals at the left edge, blocks four spaces in, one column a line, one
empty line around blocks and before a NODE. The lines of a template keep their indentation, because
it is part of the template's text.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from playhead.project.datafile import kind_of
from playhead.project.findings import Findings
from playhead.project.instructions import TABLES, Known
from playhead.project.lines import (
    Instruction,
    Item,
    Line,
    dedented,
    items,
    lines_of,
    unquoted,
    value_of,
)
from playhead.project.node import KINDS
from playhead.project.problem import Problem, Unreadable
from playhead.project.reading import listed
from playhead.project.resources import Column
from playhead.project.schema import read_schema

_INDENT: Final = "    "
_APART: Final = frozenset({"NODE", "SCHEMA", "INDEXES", "FORWARD_QUERY"})
"""Instructions with an empty line above them."""
_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def formatted(text: str, *, path: str) -> str:
    """Return the canonical form of a data file.

    Args:
        text: A file that can be read; of one that cannot the result means nothing.
        path: Its name says which kind it is.

    Raises:
        Unreadable: It is no data file.
    """
    kind = kind_of(path)
    if kind is None:
        raise Unreadable([Problem(path, "This is no data file.")])
    known = TABLES[kind]
    out: list[str] = []
    after_block = False
    for apart, comments, item in _chunks(items(lines_of(text, path), known)):
        what = known.get(item.key) if item else None
        if out and (apart or after_block or (what and what.name in _APART)):
            out.append("")
        out += comments
        if item is not None:
            out += _written(item, what)
        after_block = item is not None and item.block is not None
    return "\n".join(out) + "\n" if out else ""


def _chunks(found: Iterator[Item]) -> Iterator[tuple[bool, list[str], Instruction | None]]:
    """Yield each instruction with the comments right above it, and whether a gap was before."""
    apart = False
    comments: list[str] = []
    for item in _outside(found):
        if isinstance(item, Instruction):
            yield apart, comments, item
            apart, comments = False, []
        elif item.blank:
            if comments:
                yield apart, comments, None
            apart, comments = True, []
        else:
            comments.append(item.text.strip())
    if comments:
        yield apart, comments, None


def _outside(found: Iterator[Item]) -> Iterator[Item]:
    """Yield the items; comments at the left edge that end a block come after it instead."""
    for item in found:
        yield item
        if isinstance(item, Instruction) and item.block:
            yield from item.block[_end(item.block) :]


def _end(block: Sequence[Line]) -> int:
    """Return where the empty lines and left-edge comments begin that end a block."""
    end = len(block)
    while end and (block[end - 1].blank or block[end - 1].text.startswith("#")):
        end -= 1
    return end


def _written(item: Instruction, known: Known | None) -> list[str]:
    name = (known.same_as or known.name) if known else item.key
    if item.block is not None:
        return [f"{name} >", *_block(name, item)]
    line = " ".join([name, *_value(name, item)])
    return [f"{line}  {item.comment}" if item.comment else line]


def _value(name: str, item: Instruction) -> list[str]:
    """Return the words after an instruction's name, quoted as the reference quotes them."""
    raw = " ".join(word.text for word in item.words)
    value = value_of(item.words)
    if "{{" in raw:
        return [raw]
    if name.startswith("ENGINE"):
        return [raw if '"' in value else f'"{value}"']
    if name == "TAGS":
        tags = ", ".join(listed(value))
        return [raw if '"' in tags or "'" in tags else f'"{tags}"']
    if name == "TYPE" and value.lower() in KINDS:
        return [value.lower()]
    if name == "TOKEN":
        words = [unquoted(word.text) for word in item.words]
        quoted = f'"{words[0]}"' if words and '"' not in words[0] else raw
        return [quoted, *(word.upper() for word in words[1:])] if quoted != raw else [raw]
    return [raw] if raw else []


def _block(name: str, item: Instruction) -> list[str]:
    block = (item.block or ())[: _end(item.block or ())]
    start = next((i for i, line in enumerate(block) if not line.blank), len(block))
    block = block[start:]
    if name == "SCHEMA":
        columns = _columns(block)
        if columns:
            return columns
    content = [line.text for line in item.content]
    if name == "SQL" and "\n".join(content).strip().startswith("%"):
        shown = content
    elif name in ("INDEXES", "SCHEMA"):
        shown = [_INDENT + text.strip() for text in content]
    else:
        shown = [_INDENT + text for text in dedented(content)]
    if shown:
        shown[0] = _INDENT + shown[0].lstrip()
        shown[-1] = shown[-1].rstrip()
    return list(_with_comments(block, iter(shown)))


def _with_comments(block: Sequence[Line], shown: Iterator[str]) -> Iterator[str]:
    """Yield the lines of a block as they are shown, comments and single empty lines between."""
    gap = False
    for line in block:
        if line.blank:
            gap = True
            continue
        if gap:
            yield ""
        gap = False
        yield _INDENT + line.text.strip() if line.comment else next(shown)


def _columns(block: Sequence[Line]) -> list[str]:
    """Return a schema with one column a line; [] when it holds what that would lose."""
    if any(line.comment or "--" in line.text or "{{" in line.text for line in block):
        return []
    findings = Findings("")
    try:
        columns = read_schema([line for line in block if not line.blank], findings)
        findings.checked()
    except Unreadable:
        return []
    lines = [_INDENT + _column(column) for column in columns]
    return [line + "," for line in lines[:-1]] + lines[-1:]


def _column(column: Column) -> str:
    parts = [column.name if _BARE.fullmatch(column.name) else f"`{column.name}`"]
    if column.type:
        parts.append(column.type)
    if column.json_path is not None:
        parts.append(f"`json:{column.json_path}`")
    if column.default is not None:
        parts.append(f"DEFAULT {column.default}")
    if column.codec is not None:
        parts.append(f"CODEC({column.codec})")
    return " ".join(parts)
