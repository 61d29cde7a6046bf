"""Tables: a data source becomes a real table, rows go in, and a query tells what came of them.

Keys of a case: `datasource` (the file's text) with `rows` (events), `ndjson` or `csv`;
then `query`/`expected` (rows, `t` is the data source, `t_quarantine` its quarantine), `refused`
([columns, sentence] of each refused row), `ddl` (texts of the statement), `error` (texts of the
refusal). `no_ttl`, `expired_at` (ms: rows gone by then are deleted), `merge`, `environ` as named.
Keys of a case about test files: `test_file`, `path`, `result`; `cases` (fields of each), and
`answer` with `status`; `differs` (text of the difference, "" = none).
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.errors import ProjectInvalid
from playhead.project.cases import read_cases
from playhead.project.comparison import difference, printed
from playhead.project.datasource import read_datasource
from playhead.project.fixtures import blocks, unpacked
from playhead.project.resources import Datasource
from playhead.project.rows import INSERT_SETTINGS, RowReader
from playhead.project.table import CREATE_SETTINGS, create_table, quarantine_table
from playhead.project.ttl import expired
from playhead.store.client import StoreClient
from support.running_store import running_store

DATABASE = "conformance"
_OPEN: dict[str, Any] = {}


def run(case: dict[str, Any]) -> None:
    if "test_file" in case:
        _tests(case)
    elif "table" in case:
        assert printed(*case["table"]) == case["printed"]
    elif "error" in case:
        _refusal(case)
    else:
        _table(case)


def close() -> None:
    stack = _OPEN.pop("stack", None)
    if stack is not None:
        _OPEN.clear()
        stack.close()


def _client() -> StoreClient:
    if "client" not in _OPEN:
        stack = ExitStack()
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        store = stack.enter_context(running_store(Path(folder)))
        store.client.command(f"CREATE DATABASE {DATABASE}")
        client = StoreClient(store.location, database=DATABASE)
        stack.callback(client.close)
        _OPEN.update(stack=stack, client=client)
    client = _OPEN["client"]
    assert isinstance(client, StoreClient)
    return client


def _source(case: dict[str, Any]) -> Datasource:
    return read_datasource(case["datasource"], name="t", path="datasources/t.datasource")


def _refusal(case: dict[str, Any]) -> None:
    with pytest.raises(ProjectInvalid) as raised:
        create_table(_source(case), database=DATABASE)
    for text in _list(case["error"]):
        assert text in raised.value.message, raised.value.message


def _table(case: dict[str, Any]) -> None:
    client, source = _client(), _source(case)
    ddl = create_table(source, database=DATABASE, with_ttl=not case.get("no_ttl"))
    for text in _list(case.get("ddl", [])):
        assert text in ddl, ddl
    for name in ("t", "t_quarantine"):
        client.command(f"DROP TABLE IF EXISTS {name} SYNC")
    client.command(ddl, settings=CREATE_SETTINGS)
    client.command(quarantine_table(source, database=DATABASE))
    refused = _load(client, source, case)
    if "refused" in case:
        assert refused == case["refused"]
    if "expired_at" in case:
        gone = expired(source.engine.ttl, case["expired_at"])
        client.command(f"DELETE FROM t WHERE {gone}")
    if case.get("merge"):
        client.command("OPTIMIZE TABLE t FINAL")
    if "query" in case:
        found = client.rows(case["query"]).rows
        assert found == case["expected"], found


def _load(client: StoreClient, source: Datasource, case: dict[str, Any]) -> list[list[Any]]:
    """Insert what the case holds; return what was refused."""
    text = case.get("csv") or case.get("ndjson") or ""
    if "rows" in case:
        text = "\n".join(msgspec.json.encode(row).decode() for row in case["rows"])
    types = {str(n): str(t) for n, t in client.rows("SELECT name, type FROM system.columns WHERE database = 'conformance' AND table = 't'").rows}  # fmt: skip
    reader = RowReader(source, types)
    refused: list[list[Any]] = []
    for block in blocks(reader, unpacked(text.encode()), "csv" if "csv" in case else "ndjson"):
        statement = reader.insert(DATABASE)
        _insert(client, statement, block.body)
        _insert(
            client,
            reader.refused_insert(DATABASE),
            reader.refused_body(block.refused, at_s=1_700_000_000, import_id="i1"),
        )
        refused += [[list(one.columns), list(one.reasons)] for one in block.refused]
    return refused


def _insert(client: StoreClient, statement: str, body: bytes) -> None:
    if body:
        client.command(f"{statement}\n{body.decode()}", settings=INSERT_SETTINGS)


def _tests(case: dict[str, Any]) -> None:
    found = read_cases(case["test_file"], path=case["path"], result=case.get("result"))
    if "cases" in case:
        some = [msgspec.to_builtins(one) for one in found]
        wanted = case["cases"]
        assert len(some) == len(wanted), some
        for one, fields in zip(some, wanted, strict=True):
            for name, value in fields.items():
                assert _within(one[name], value), (name, one[name])
    if "answer" in case:
        said = difference(found[0], case.get("status", 200), case["answer"])
        wanted_text = case["differs"]
        assert (wanted_text in said) if wanted_text else said == "", said


def _within(found: Any, wanted: Any) -> bool:
    """Return whether the wanted fields are there; of a mapping only those that are named."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(name in found and _within(found[name], value) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, (list, tuple)):
        return len(wanted) == len(found) and all(map(_within, found, wanted))
    return bool(found == wanted)


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
