"""`{{ tb_secret("NAME", "default") }}` in data files: the only template words allowed there."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

_CALL: Final = re.compile(
    r"""(?:tb_secret|tb_var)\(\s*(?:"([^"]*)"|'([^']*)')"""
    r"""\s*(?:,\s*(?:"([^"]*)"|'([^']*)'|([+-]?[\w.]+))\s*)?\)""",
    re.ASCII,
)
_VARIABLE: Final = re.compile(r"\$\$|\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", re.ASCII)


class Unfilled(msgspec.Struct, frozen=True):
    """Why a text could not be filled in, and where in it (from 0)."""

    at: int
    message: str
    hint: str = ""


def filled(text: str, secrets: Mapping[str, str] | None) -> tuple[str, tuple[Unfilled, ...]]:
    """Return the text with its secrets put in, and what could not be.

    Args:
        text: One line, or the value of an instruction.
        secrets: None leaves the calls as they stand (a formatter knows no secrets).
    """
    parts: list[str] = []
    faults: list[Unfilled] = []
    at = 0
    while (start := text.find("{{", at)) >= 0:
        end = text.find("}}", start)
        if end < 0:
            break
        found = _answer(text[start + 2 : end].strip(), start, secrets)
        if isinstance(found, Unfilled):
            faults.append(found)
            found = ""
        parts += [text[at:start], text[start : end + 2] if secrets is None else found]
        at = end + 2
    statement = text.find("{%", at)
    if statement >= 0 and text.find("%}", statement) >= 0:
        faults.append(Unfilled(statement, "{% %} has no place in this kind of file.", _HINT))
    parts.append(text[at:])
    return "".join(parts), tuple(faults)


_HINT: Final = 'Only {{ tb_secret("NAME", "default") }} may stand here.'


def _answer(inside: str, at: int, secrets: Mapping[str, str] | None) -> str | Unfilled:
    call = _CALL.fullmatch(inside)
    if call is None:
        return Unfilled(at, f"'{{{{ {inside[:80]} }}}}' has no place in this kind of file.", _HINT)
    if secrets is None:
        return ""
    name = call[1] if call[1] is not None else call[2]
    default = next((given for given in call.groups()[2:] if given is not None), None)
    value = secrets.get(name, default)
    if value is None:
        return Unfilled(
            at,
            f"The secret '{name}' is not set and has no default.",
            f"Write {name}=… into .env.local, or give a default.",
        )
    return value


def substituted(text: str, values: Mapping[str, str]) -> str:
    """Put values in for `$NAME` and `${NAME}`; names without a value stay as they are."""
    if "$" not in text or not values:
        return text

    def value(match: re.Match[str]) -> str:
        return values.get(match[1] or match[2] or "", match[0])

    return _VARIABLE.sub(value, text)
