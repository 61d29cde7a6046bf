"""Classic `.test` files: command lines whose output must be that of `.test.result`.

The commands are read, never run: `tb pipe data NAME --param value` and `tb sql "…"` become
requests. Any other command makes the case fail with a sentence that shows it.
"""

import shlex
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Final

from playhead.project.case import TABLE, Case, Request
from playhead.template.rendering import Given

COMMANDS_MAX: Final = 200
"""Most commands of one file."""
_OPERATORS: Final = frozenset("|&;<>()")
_GLOBAL: Final = frozenset({"--token", "--host", "--user-token"})
_GLOBAL_FLAGS: Final = frozenset({
    "--local", "--cloud", "--debug", "--no-version-warning", "--version-warning", "--show-tokens",
    "--hide-tokens",
})  # fmt: skip
_PIPE_FLAGS: Final = frozenset({"--no-stats", "--stats"})
_IGNORED: Final = frozenset({"--rows_limit", "--rows-limit"})
_SHOWN: Final = 200


class _Refused(ValueError):
    """The command is none that can be asked; the message is a sentence."""


def read_commands(text: str, result: str | None, *, path: str) -> Case:
    """Return the case of a `.test` file.

    Args:
        text: Its commands.
        result: What stands in `<path>.result`; None = there is no such file.
        path: Its name.
    """
    name = PurePosixPath(path).stem
    if result is None:
        problem = f"{path}.result is not there; it says what the command must print."
        return Case(path=path, name=name, kind="classic", problem=problem)
    try:
        requests = tuple(_request(words) for words in _commands(text))
    except _Refused as error:
        return Case(path=path, name=name, kind="classic", problem=str(error))
    if not requests:
        return Case(path=path, name=name, kind="classic", problem="The file holds no command.")
    return Case(path=path, name=name, kind="classic", requests=requests, expected=result)


def _commands(text: str) -> list[list[str]]:
    """Return the words of each command: one a line, unless a quote or a backslash goes on."""
    found: list[list[str]] = []
    pending = ""
    for line in text.splitlines():
        if not pending and (not line.strip() or line.lstrip().startswith("#")):
            continue
        pending += line + "\n"
        if line.endswith("\\"):
            pending = pending[:-2] + " "
            continue
        try:
            words = _words(pending)
        except ValueError:
            continue
        pending = ""
        found.append(words)
        if len(found) > COMMANDS_MAX:
            raise _Refused(f"The file has more than {COMMANDS_MAX} commands.")
    if pending.strip():
        raise _Refused(f"A quote is not closed: {pending.strip()[:_SHOWN]}")
    return [words for words in found if words]


def _words(command: str) -> list[str]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    return list(lexer)


def _request(words: list[str]) -> Request:
    shown = " ".join(words)[:_SHOWN]
    for word in words:
        if word and set(word) <= _OPERATORS:
            raise _Refused(f"Only one plain command a line is run, without '{word}': {shown}")
    if words[0] != "tb":
        raise _Refused(f"Only 'tb pipe data' and 'tb sql' are run: {shown}")
    rest = _after_global(words[1:])
    for verbs, make in _VERBS.items():
        if tuple(rest[: len(verbs)]) == verbs:
            return make(rest[len(verbs) :], shown)
    raise _Refused(f"Only 'tb pipe data' and 'tb sql' are run: {shown}")


def _after_global(words: list[str]) -> list[str]:
    while words and words[0].startswith("--"):
        flag = words[0] in _GLOBAL_FLAGS or "=" in words[0]
        if not flag and words[0] not in _GLOBAL:
            break
        words = words[1 if flag else 2 :]
    return words


def _options(words: list[str], flags: frozenset[str]) -> tuple[list[str], dict[str, Given]]:
    """Return what stands alone, and the options by name without dashes; repeated ones a list."""
    alone: list[str] = []
    options: dict[str, Given] = {}
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if not word.startswith("--") or word in flags:
            if word not in flags:
                alone.append(word)
            continue
        name, equals, value = word[2:].partition("=")
        if not equals:
            if at >= len(words):
                raise _Refused(f"'{word}' has no value.")
            value = words[at]
            at += 1
        before = options.get(name)
        if before is None:
            options[name] = value
        else:
            options[name] = [*([before] if isinstance(before, str) else before), value]
    return alone, options


def _pipe(words: list[str], shown: str) -> Request:
    alone, options = _options(words, _PIPE_FLAGS)
    if len(alone) != 1:
        raise _Refused(f"'tb pipe data' takes the name of one pipe: {shown}")
    sql = _one(options.pop("query", ""))
    return Request(
        pipe=alone[0],
        format=_one(options.pop("format", "json")).lower(),
        sql=sql,
        parameters=options,
    )


def _sql(words: list[str], shown: str) -> Request:
    alone, options = _options(words, _PIPE_FLAGS)
    if len(alone) != 1:
        raise _Refused(f"'tb sql' takes one query in quotes: {shown}")
    pipeline = _one(options.pop("pipeline", "") or options.pop("pipe", ""))
    given = _one(options.pop("format", TABLE)).lower()
    unknown = [f"--{name}" for name in options if f"--{name}" not in _IGNORED]
    if unknown:
        raise _Refused(f"'tb sql' is not run with {', '.join(unknown)}: {shown}")
    sql = alone[0].strip().rstrip(";")
    return Request(sql=sql, pipeline=pipeline, format=TABLE if given == "human" else given)


def _one(value: Given) -> str:
    return value if isinstance(value, str) else value[-1]


_VERBS: Final[dict[tuple[str, ...], Callable[[list[str], str], Request]]] = {
    ("pipe", "data"): _pipe,
    ("endpoint", "data"): _pipe,
    ("sql",): _sql,
}
