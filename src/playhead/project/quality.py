"""Classic "data quality" tests: SQL that must find no row."""

from pathlib import PurePosixPath
from typing import Any, Final

from playhead.project.case import CASES_MAX, Case, Request

ROWS_SHOWN: Final = 20
"""How many of the rows that should not be there are asked for."""


def is_quality(content: Any) -> bool:
    """Return whether a YAML file is a list (or mapping) of `name: {sql: …}`."""
    some = content if isinstance(content, list) else [content]
    return bool(some) and all(
        isinstance(one, dict)
        and bool(one)
        and all(isinstance(test, dict) and "sql" in test for test in one.values())
        for one in some
    )


def read_quality(content: Any, *, path: str) -> tuple[Case, ...]:
    """Return the cases of such a file; `max_time` and `max_bytes_read` let a case pass anyway."""
    some = content if isinstance(content, list) else [content]
    pairs = [pair for one in some for pair in one.items()]
    return tuple(_case(str(name), test, path) for name, test in pairs[:CASES_MAX])


def _case(name: str, test: dict[str, Any], path: str) -> Case:
    sql = str(test["sql"]).strip().rstrip(";").strip()
    about = test.get("pipe") or {}
    case = Case(path=path, name=name or PurePosixPath(path).stem, kind="quality")
    if not sql or not isinstance(about, dict):
        return _with_problem(case, "A data quality test has 'sql' and, if any, 'pipe: {name}'.")
    pipe = str(about.get("name") or "")
    params = about.get("params") or {}
    if isinstance(params, list):
        params = {
            key: value for one in params if isinstance(one, dict) for key, value in one.items()
        }
    if not isinstance(params, dict):
        return _with_problem(case, "The 'params' of a pipe are a mapping of names to values.")
    request = Request(
        pipe=pipe,
        parameters={str(key): str(value) for key, value in params.items()},
        sql=f"SELECT * FROM ({sql}) LIMIT {ROWS_SHOWN}",  # noqa: S608 (the test is SQL)
        names_itself=bool(pipe),
    )
    return Case(path=path, name=case.name, kind="quality", requests=(request,))


def _with_problem(case: Case, problem: str) -> Case:
    return Case(path=case.path, name=case.name, kind=case.kind, problem=problem)
