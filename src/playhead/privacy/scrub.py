"""Records of the log without what a deleted viewer left in them; see `log/rewriting.py`.

An event that goes leaves `null` in its place and a named drop in the record's meta, so that every
other one keeps its index, and whoever reads the log anew counts as many as came in.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec

from playhead.log.base import Record
from playhead.model.event import Context, Meta, Refusal
from playhead.privacy.viewer import Viewer
from playhead.process.forgotten import DROP_FORGOTTEN
from playhead.process.holding import COMMANDS
from playhead.process.identity import view_key_of

_SAID: Final = "Deleted with its viewer."
_NULL: Final = msgspec.Raw(b"null")
_EMPTY: Final = b'""'
_Id = str | int | float | None


class _Named(msgspec.Struct):
    """Whose an event says it is; texts once `_read` has made them."""

    viewer_id: _Id = msgspec.field(name="viewerId", default=None)
    session_id: _Id = msgspec.field(name="sessionId", default=None)
    view_id: _Id = msgspec.field(name="viewId", default=None)


class _Whose(msgspec.Struct, frozen=True):
    """The same as texts."""

    viewer_id: str | None
    session_id: str | None
    view_id: str | None


_NOBODY: Final = _Whose(None, None, None)
_META = msgspec.json.Decoder(Meta)
_ALL = msgspec.json.Decoder(list[_Named])
_ONE = msgspec.json.Decoder(_Named)
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_ROW = msgspec.json.Decoder(list[Any])
_encode = msgspec.json.Encoder().encode
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Scrubber:
    """Finds what is theirs in a first pass (`learn`), takes it out in a second (`scrubbed`)."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._datasources = {column.datasource for column in viewer.columns}
        self._sessions: set[tuple[str, str]] = set()
        self._keys: set[str] = set()
        self._of_others: set[str] = set()
        """Views in which another viewer is named."""
        self._routes: set[str] = {viewer.id}
        """What a record of theirs may be routed by."""

    def know(self, sessions: Iterable[Sequence[str]], keys: Iterable[str]) -> None:
        """Take over what the store knew: (property, session) and view keys."""
        for property_, session in sessions:
            self._sessions.add((property_, session))
            self._routes.add(session)
        self._keys.update(keys)

    def learn(self, records: Iterable[Record]) -> None:
        """Look for sessions and views of theirs, and for views of others."""
        for record in records:
            meta = _meta_of(record)
            if meta is None or meta.rows is not None or meta.into is not None:
                continue
            for whose in _read(record.body):
                if not whose.viewer_id:
                    continue
                key, _ = view_key_of(whose, meta.context)
                if not self._is_them(whose, meta.context):
                    self._of_others.add(key)
                    continue
                self._keys.add(key)
                self._routes.update(filter(None, (whose.session_id, whose.view_id)))
                if whose.session_id:
                    self._sessions.add((meta.context.property, whose.session_id))

    def scrubbed(self, record: Record) -> Record | None:
        """Return a record without what is theirs, None where nothing is."""
        meta = _meta_of(record)
        if meta is None:
            return None
        if meta.into is not None:
            gone, body = self._project_rows(record, meta)
        elif meta.rows is not None:
            gone, body = self._rows(record, meta)
        else:
            gone, body = self._events(record, meta)
        if not gone:
            return None
        kept = [one for one in meta.refused if one.index not in gone]
        dropped = [Refusal(index, DROP_FORGOTTEN, _SAID, dropped=True) for index in gone]
        refused = tuple(sorted((*kept, *dropped), key=lambda one: one.index))
        return msgspec.structs.replace(
            record,
            key="" if record.key in self._routes else record.key,
            meta=_encode(msgspec.structs.replace(meta, refused=refused)),
            body=body,
        )

    def _events(self, record: Record, meta: Meta) -> tuple[set[int], bytes]:
        whose = _read(record.body)
        gone = {index for index, one in enumerate(whose) if self._is_theirs(one, meta.context)}
        refused = [one.index for one in meta.refused if one.index not in gone]
        if not gone and not refused:
            return gone, record.body
        try:
            raws = _RAWS.decode(record.body)
        except _UNREADABLE:
            return set(), record.body
        for index in refused:
            if index < len(raws) and self._is_named(bytes(raws[index]), meta.context):
                gone.add(index)
        return gone, _encode([_NULL if at in gone else raw for at, raw in enumerate(raws)])

    def _rows(self, record: Record, meta: Meta) -> tuple[set[int], bytes]:
        assert meta.rows is not None  # noqa: S101 (asked by the caller)
        places: dict[str, int] = {
            name: meta.rows.columns.index(name)
            for name in ("session_id", "view_id")
            if name in meta.rows.columns
        }
        gone: set[int] = set()
        refused = {one.index for one in meta.refused}
        lines = record.body.split(b"\n")
        for index, line in enumerate(lines):
            if line and (
                (
                    (index in refused or self._viewer.is_telling)
                    and self._is_named(line, meta.context)
                )
                or self._is_of_session(line, places, meta.context)
            ):
                gone.add(index)
                lines[index] = _EMPTY
        return gone, b"\n".join(lines)

    def _is_of_session(self, line: bytes, places: dict[str, int], context: Context) -> bool:
        if not places:
            return False
        with suppress(*_UNREADABLE):
            row = _ROW.decode(line)
            said = {name: row[at] for name, at in places.items() if at < len(row)}
            # A player may give one id to both: CMCD knows but one.
            named = [one for one in said.values() if one]
            if any((context.property, one) in self._sessions for one in named):
                return True
            return f"{context.property}/{said.get('view_id', '')}" in self._keys
        return False

    def _project_rows(self, record: Record, meta: Meta) -> tuple[set[int], bytes]:
        assert meta.into is not None  # noqa: S101 (asked by the caller)
        if meta.into.form or meta.into.datasource not in self._datasources:
            return set(), record.body
        lines = record.body.split(b"\n")
        gone = {at for at, line in enumerate(lines) if line and self._viewer.is_in(line)}
        return gone, b"\n".join(b"" if at in gone else line for at, line in enumerate(lines))

    def _is_them(self, whose: _Whose, context: Context) -> bool:
        return whose.viewer_id == self._viewer.id and self._is_here(context)

    def _is_named(self, text: bytes, context: Context) -> bool:
        return self._is_here(context) and self._viewer.is_in(text)

    def _is_here(self, context: Context) -> bool:
        return not self._viewer.property or self._viewer.property == context.property

    def _is_theirs(self, whose: _Whose, context: Context) -> bool:
        if whose.viewer_id:
            return self._is_them(whose, context)
        key, _ = view_key_of(whose, context)
        if key in self._keys:
            return True
        session = (context.property, whose.session_id or "")
        return session in self._sessions and key not in self._of_others


def _meta_of(record: Record) -> Meta | None:
    if record.door == COMMANDS or not record.events:
        return None
    try:
        return _META.decode(record.meta) if record.meta else Meta()
    except _UNREADABLE:
        return None


def _read(body: bytes) -> list[_Whose]:
    """Return whose each event is; what cannot be read is nobody's."""
    with suppress(*_UNREADABLE):
        return [_texts(one) for one in _ALL.decode(body)]
    try:
        raws = _RAWS.decode(body)
    except _UNREADABLE:
        return []
    found = []
    for raw in raws:
        whose = _NOBODY
        with suppress(*_UNREADABLE):
            whose = _texts(_ONE.decode(raw))
        found.append(whose)
    return found


def _texts(one: _Named) -> _Whose:
    return _Whose(_text(one.viewer_id), _text(one.session_id), _text(one.view_id))


def _text(value: _Id) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)
