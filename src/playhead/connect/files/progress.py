"""How far a replay got, in a file that is never ahead of what the server acknowledged."""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from playhead.errors import InvalidRequest

VERSION: Final = 1


class FileState(msgspec.Struct):
    """One file: its content's identity and what of it is acknowledged."""

    identity: str
    done: int = 0
    """Records from the beginning that the server took or refused for good."""
    after: int = 0
    """The same in bytes of the unpacked file; 0 where only `done` counts."""
    shift_ms: int = 0
    """What was added to its times."""
    complete: bool = False


class State(msgspec.Struct, kw_only=True):
    """One replay: the same paths with the same options to the same server."""

    version: int = VERSION
    job: str = ""
    """Hash of what was asked for besides the files: server, kind, mapping, data source."""
    start: str = ""
    """The --start of the run that began it."""
    finished: bool = False
    accepted: int = 0
    refused: dict[str, int] = {}
    """Code to how many."""
    files: dict[str, FileState] = {}
    """By absolute path."""


def default_path(asked: list[str], job: str) -> Path:
    """Return where the state is kept if nobody says: in the current folder."""
    mixed = hashlib.blake2b(digest_size=6)
    for path in sorted(os.path.abspath(one) for one in asked):  # noqa: PTH100 (globs are no paths)
        mixed.update(path.encode("utf-8", "surrogateescape") + b"\0")
    mixed.update(job.encode())
    return Path(f"playhead-replay-{mixed.hexdigest()}.json")


def load(path: Path) -> State | None:
    """Return the state of an earlier run, None if there was none.

    Raises:
        InvalidRequest: The file is there and is no state of this version.
    """
    try:
        state = msgspec.json.decode(path.read_bytes(), type=State)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f"The state file {path} cannot be read: {error}.",
            hint="Remove it (sending again changes nothing) or name another with --state.",
        ) from error
    if state.version != VERSION:
        raise InvalidRequest(
            f"The state file {path} is of version {state.version}, this Playhead's is {VERSION}.",
            hint="Remove it or name another with --state.",
        )
    return state


def save(path: Path, state: State) -> None:
    """Write the state so that after a crash either the old or the new one is there.

    Raises:
        InvalidRequest: It cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(state))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise InvalidRequest(
            f"The state file {path} cannot be written: {error.strerror}.",
            hint="Name a place where it can with --state.",
        ) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
