"""What a replay was asked for, and how it stands to what earlier runs did."""

import hashlib
from pathlib import Path

import msgspec

from playhead.connect.files import lines
from playhead.connect.files.kind import Kind, kind_of, target_of
from playhead.connect.files.lines import Lines
from playhead.connect.files.mapping import Mapping
from playhead.connect.files.progress import FileState, State, default_path, load
from playhead.connect.files.replay import Part
from playhead.errors import InvalidRequest


class Job(msgspec.Struct, kw_only=True):
    """What was asked for."""

    asked: list[str]
    url: str
    mapping: Mapping | None = None
    kind: str = ""
    format: str = ""
    name: str = ""
    start: str = ""
    speed: float | None = None
    state_path: Path | None = None
    again: bool = False

    @property
    def digest(self) -> str:
        """Return a hash of what makes it another replay: the server, and what files become."""
        mapped = self.mapping.text if self.mapping else ""
        words = (self.url, mapped, self.kind, self.format, self.name)
        return hashlib.blake2b("\0".join(words).encode(), digest_size=8).hexdigest()

    @property
    def path(self) -> Path:
        """Return where the state is kept."""
        return self.state_path or default_path(self.asked, self.digest)

    def state(self) -> State:
        """Return the state to go on from: an earlier run's, or a new one.

        Raises:
            InvalidRequest: The state is of another replay, or of another --start.
        """
        found = None if self.again else load(self.path)
        if found is None:
            return State(job=self.digest, start=self.start)
        if found.job != self.digest:
            raise InvalidRequest(
                f"The state file {self.path} is of a replay to another server or with another "
                "mapping, kind or name.",
                hint="Name another with --state, or begin anew with --again.",
            )
        if self.start != found.start:
            begun = f"with --start {found.start}" if found.start else "without --start"
            raise InvalidRequest(
                f"This replay was begun {begun} ({self.path}).",
                hint="Run it with the same --start, or begin anew with --again.",
            )
        return found

    def parts(self, state: State) -> list[Part]:
        """Return the files, each with its door and what of it is done; puts new ones into `state`.

        Raises:
            InvalidRequest: A file is not there, empty, or of a kind that cannot be told or sent.
        """
        parts = []
        for source in lines.find(self.asked):
            head = lines.first_line(source)
            kind = (
                Kind(self.kind)
                if self.kind
                else kind_of(source, head, mapped=self.mapping is not None)
            )
            if kind is Kind.CSV and self.mapping is not None and b"\0" in head:
                raise InvalidRequest(f"The file {source.path} is no text.", hint="")
            target = target_of(kind, self.mapping, format_name=self.format, name=self.name)
            if kind in {Kind.CDN, Kind.EVENTS} and (self.start or self.speed):
                raise InvalidRequest(
                    f"{source.path} holds {kind} lines, whose times are read by the server only.",
                    hint="--start and --speed are for telemetry, CMCD and tables with a mapping.",
                )
            key = str(source.path.absolute())
            known = state.files.get(key)
            if known is None or known.identity != source.identity:
                known = state.files[key] = FileState(source.identity)
                state.finished = False
            parts.append(Part(source, kind, target, known, Lines(source)))
        return parts
