"""Pieces of imported files into their tables.

A piece of CSV is given to the engine as it came, as one block that is taken whole or not at all;
what the engine will not take is read row by row: good rows under the same token, the others into
the quarantine. So a piece that is repeated adds nothing, whichever way it went.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec

from playhead.errors import InvalidBody, NotFound, PlayheadError, ProjectInvalid, Unavailable
from playhead.log.base import Record
from playhead.log.offsets import JOB
from playhead.model.event import Into
from playhead.observe import counter, logger
from playhead.process.made_rows import Group, Made, Outcome
from playhead.process.patience import Patience
from playhead.process.project_rows import ProjectRows
from playhead.project.csv_insert import READ_SETTINGS, CsvInsert, csv_insert, is_plain
from playhead.project.csv_pieces import Dialect, record_count, records_of
from playhead.project.folder import read_texts
from playhead.project.homes import folder_of
from playhead.project.manifest import LIVE_FILE, UNREADABLE, read_manifest
from playhead.project.resources import Column, Datasource, Project
from playhead.project.routes import Route, Shape, stamp_of
from playhead.project.rows import LOGGED_SETTINGS, Refused, Row, RowReader
from playhead.project.variables import read_variables
from playhead.store.client import StoreClient
from playhead.store.external import External

_SETTINGS = {**LOGGED_SETTINGS, **READ_SETTINGS}
_HAS_SQL = (
    "SELECT 1 FROM system.tables WHERE database = {database:String} AND name = {table:String}"
)
_LOG = logger("imports")
_PIECES = counter("import_pieces", "Pieces of imports, by the way they went", ("way",))


class Reading(msgspec.Struct, frozen=True):
    """How pieces of one shape are read."""

    reader: RowReader
    fast: CsvInsert | None
    """None: row by row."""


class Imports:
    """Loads pieces; builds must be held off meanwhile, as for made rows."""

    def __init__(
        self, data_dir: Path, store: StoreClient, patience: Patience, rows: ProjectRows
    ) -> None:
        self._data_dir = data_dir
        self._store = store
        self._patience = patience
        self._rows = rows
        self._projects: dict[str, tuple[object, Project]] = {}
        self._readings: dict[tuple[str, str, str], tuple[object, Reading]] = {}

    def load(self, record: Record, into: Into) -> tuple[dict[str, int], Outcome]:
        """Load one piece; return what to count for its job, and rows without a table.

        Raises:
            Stopped: The worker is stopping.
        """
        name = f"{JOB}{into.job}:"
        counts = {f"{name}pieces": 1}
        routes = self._rows.routes(into.workspace)
        shape = routes.shape(into.datasource, into.shape) if routes else None
        if routes is None or shape is None or not shape.routes or not self._has_place(into):
            _LOG.error("piece_without_table", job=into.job, datasource=into.datasource)
            return counts | {f"{name}lost": 1}, Outcome()
        reading = self._reading(into, shape, routes.types.get(into.datasource, {}))
        count = self._by_engine(record, into, shape, reading)
        if count is not None:
            _PIECES.labels("engine").inc()
            return counts | {f"{name}rows": count}, Outcome()
        _PIECES.labels("reader").inc()
        outcome = self._by_reader(record, into, reading)
        found = {
            f"{name}rows": outcome.stored,
            f"{name}quarantined": outcome.quarantined,
            f"{name}missed": outcome.missed,
        }
        return counts | {key: value for key, value in found.items() if value}, outcome

    def _has_place(self, into: Into) -> bool:
        """Return whether the table beside is there; it is not after its job was cancelled."""
        if not into.place:
            return True
        bound = {"database": into.place, "table": into.datasource}
        found = self._patience.until_done(lambda: self._store.rows(_HAS_SQL, bound))
        return bool(found.rows)

    def _by_engine(self, record: Record, into: Into, shape: Shape, reading: Reading) -> int | None:
        """Let the engine read a piece; return its rows, None when it did not take it."""
        fast = reading.fast
        delimiter, escape = into.dialect
        if into.form != "csv" or fast is None or into.columns or escape:
            return None
        if not is_plain(record.body):
            return None
        routes = _routes(shape, into)
        settings = {**_SETTINGS, "format_csv_delimiter": delimiter}
        given = External(fast.structure, "CSV", record.body)
        for route in routes:
            sql = fast.insert(route.database, route.table)
            token = f"{route.database}.{route.table}:{span_of(record)}:{into.shape}"
            insert = partial(self._store.insert_given, sql, given, token=token, settings=settings)
            if not self._taken(insert):
                # Nothing of it is there, or all of it under the token that the rows will have.
                return None
        return record_count(record.body, Dialect(delimiter))

    def _taken(self, insert: "partial[None]") -> bool:
        def attempt() -> bool:
            try:
                insert()
            except Unavailable:
                raise
            except PlayheadError as error:
                # The engine's sentence quotes the data, which belongs in no log.
                _LOG.info("piece_read_by_rows", code=getattr(error, "engine_code", 0) or error.code)
                return False
            return True

        return self._patience.until_done(attempt)

    def _by_reader(self, record: Record, into: Into, reading: Reading) -> Outcome:
        """Make rows of a piece and store them; refused ones go to the quarantine."""
        reader = reading.reader
        if into.form == "csv":
            body, count, refused = _csv(reader, record.body, into)
        else:
            lines = [line for line in record.body.split(b"\n") if line.strip()]
            body, count, refused = reader.batch(lines)
        group = Group(into.workspace, into.datasource, into.shape)
        span, at_s = span_of(record), record.received_at // 1000
        outcome = Outcome()
        if count:
            made = Made(record.received_at, record.offset, body, count)
            outcome = self._rows.store(group, [made], span, at_s=at_s, place=into.place)
        if refused:
            text = reader.refused_body(refused, at_s=at_s, import_id=into.job)
            away = msgspec.structs.replace(group, quarantine=True)
            made = Made(record.received_at, record.offset, text, len(refused))
            found = self._rows.store(away, [made], f"{span}:refused", at_s=at_s)
            outcome.quarantined += len(refused)
            outcome.aside = outcome.aside + found.aside
        return outcome

    def _reading(self, into: Into, shape: Shape, types: dict[str, str]) -> Reading:
        """Return how pieces of a shape are read, as the project's files are now."""
        key = (into.workspace, into.datasource, into.shape)
        stamp, project = self._project(into.workspace)
        known = self._readings.get(key)
        if known is not None and known[0] == (stamp, shape):
            return known[1]
        reading = _made(project, into, shape, types)
        self._readings[key] = ((stamp, shape), reading)
        return reading

    def _project(self, workspace: str) -> tuple[object, Project]:
        try:
            path = folder_of(self._data_dir, workspace) / LIVE_FILE
        except NotFound:
            return None, Project()
        stamp = stamp_of(path)
        known = self._projects.get(workspace)
        if known is not None and known[0] == stamp:
            return known
        try:
            manifest = read_manifest(path)
            secrets = {**manifest.secrets, **read_variables(path.parent.parent).plain()}
            project = read_texts(manifest.files, secrets=secrets)
        except UNREADABLE as error:
            _LOG.error("project_not_read", reason=str(error))
            project = Project()
        self._projects[workspace] = (stamp, project)
        return stamp, project


def span_of(record: Record) -> str:
    """Return what names the blocks of a piece."""
    return f"{record.offset}-{record.offset + 1}:import"


def _routes(shape: Shape, into: Into) -> tuple[Route, ...]:
    if into.place:
        return (Route(database=into.place, table=into.datasource),)
    return shape.routes


def _made(project: Project, into: Into, shape: Shape, types: dict[str, str]) -> Reading:
    """Return how to read; where the files say other columns by now, as the shape says them."""
    source = project.datasources.get(into.datasource)
    if source is not None:
        try:
            reader = RowReader(source, types)
        except ProjectInvalid:
            source = None
        else:
            if reader.shape_id == into.shape:
                return Reading(reader, csv_insert(source, types))
    columns = tuple(
        Column(name=name, type=kind) for name, kind in zip(shape.columns, shape.types, strict=True)
    )
    return Reading(RowReader(Datasource(name=into.datasource, path="", columns=columns)), None)


def _csv(reader: RowReader, body: bytes, into: Into) -> tuple[bytes, int, list[Refused]]:
    good: list[Row] = []
    refused: list[Refused] = []
    for made in _csv_rows(reader, body, into):
        if isinstance(made, Refused):
            refused.append(made)
        else:
            good.append(made)
    return reader.body(good), len(good), refused


def _csv_rows(reader: RowReader, body: bytes, into: Into) -> Iterator[Row | Refused]:
    """Yield the rows of a piece of CSV; cells in the order of its own columns where it names them."""
    order = _order(reader, into.columns)
    try:
        for cells in records_of(body, Dialect(*into.dialect)):
            if order is None or len(cells) > len(order):
                yield reader.csv(cells)
                continue
            named = [r"\N"] * (max(order, default=0) + 1)
            for place, cell in zip(order, cells, strict=False):
                if place >= 0:
                    named[place] = cell
            yield reader.csv(named)
    except InvalidBody as error:
        yield reader.unreadable(body[:1_000], error.message)


def _order(reader: RowReader, columns: tuple[str, ...]) -> list[int] | None:
    """Return where each column of the file stands in the data source; -1 = nowhere."""
    if not columns:
        return None
    own = [column.name for column in reader.datasource.columns]
    return [own.index(name) if name in own else -1 for name in columns]
