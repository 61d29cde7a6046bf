"""Parquet read back by the engine, in a process of its own: the store holds the engine in theirs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_READ = """
import sys, chdb
for sql in (f"DESCRIBE file('{sys.argv[1]}', Parquet)", f"SELECT * FROM file('{sys.argv[1]}', Parquet)"):
    print(chdb.query(sql, "JSONCompact").bytes().decode().replace("\\n", ""))
"""


def read(body: bytes, folder: Path) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Return the columns of a Parquet file with the engine's types, and its rows."""
    path = folder / "answer.parquet"
    path.write_bytes(body)
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(path)], capture_output=True, text=True, check=True
    )
    described, rows = (json.loads(line)["data"] for line in done.stdout.splitlines())
    types = {row[0]: row[1] for row in described}
    return types, [dict(zip(types, row, strict=True)) for row in rows]
