"""A store with one table to read, and beside it everything a hostile query could want."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from playhead.query.guard.examine import Examined, Purpose, TreeLimits, examine
from playhead.query.guard.functions import function_list
from playhead.query.guard.reference import TableRef
from playhead.query.guard.trees import Trees
from playhead.store.client import AsyncStoreClient, StoreClient

DATABASE = "default"
CANARY = "CANARY-IN-A-FILE"
HIDDEN = "SECRET-IN-A-ROW"
HIDDEN_NUMBER = 42424242
_TABLES = Path(__file__).parents[1] / "vectors/sql/tables.sql"


class Readable:
    """Names that only know the tables given."""

    def __init__(self, *tables: str) -> None:
        self._tables = frozenset(tables)

    def table(self, database: str, name: str) -> TableRef | None:
        """Return one of them."""
        if database in {"", DATABASE} and name in self._tables:
            return TableRef(DATABASE, name)
        return None


class Guarded:
    """The guard over one store; `close` must be awaited."""

    def __init__(self, store: AsyncStoreClient, *tables: str) -> None:
        self.store = store
        self.trees = Trees(store, entries_max=100)
        self.names = Readable(*tables)

    async def examined(
        self, sql: str, *, purpose: Purpose = "query", limits: TreeLimits | None = None
    ) -> Examined:
        """Return what the guard makes of a statement."""
        return examine(
            await self.trees.parse(sql),
            self.names,
            functions=await function_list(self.store),
            limits=limits,
            purpose=purpose,
        )

    async def passed(self, sql: str, *, purpose: Purpose = "query") -> str:
        """Return the text that would run."""
        return await self.trees.text((await self.examined(sql, purpose=purpose)).tree)

    async def close(self) -> None:
        """Close its connections."""
        await self.store.close()


def fill(client: StoreClient) -> None:
    """Make the tables, in the database of the client."""
    for sql in _TABLES.read_text().splitlines():
        client.command(sql)


class Bait:
    """A file that must not be read, a path that must stay free, a port that must stay quiet."""

    def __init__(self, folder: Path, server: socket.socket) -> None:
        self.canary = folder / "canary.txt"
        self.canary.write_text(CANARY)
        self.out = folder / "out"
        self.port = int(server.getsockname()[1])
        self.knocks = 0
        self._server = server

    def listen(self) -> None:
        """Count connections until the socket is closed."""
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.knocks += 1
            connection.close()

    def put_into(self, sql: str) -> str:
        """Return a statement of the list with the names of this bait."""
        marks = {"{canary}": self.canary, "{out}": self.out, "{port}": self.port}
        for mark, value in marks.items():
            sql = sql.replace(mark, str(value))
        return sql


@contextmanager
def bait(folder: Path) -> Generator[Bait, None, None]:
    """Yield a bait whose port is open."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        laid = Bait(folder, server)
        thread = threading.Thread(target=laid.listen, daemon=True)
        thread.start()
        yield laid
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)
