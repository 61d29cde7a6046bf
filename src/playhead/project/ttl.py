"""When rows of a data source end."""

from typing import Final

import msgspec

from playhead.project.expression import fault, parts, word_at

_WORDS: Final = ("DELETE", "WHERE", "TO", "RECOMPRESS", "GROUP", "SET")


class Element(msgspec.Struct, frozen=True):
    """Rows end at `expression`, a time; with `where` only those for which it holds."""

    expression: str
    where: str = ""

    @property
    def sql(self) -> str:
        """Return it as it stands after TTL."""
        return f"({self.expression})" + (f" DELETE WHERE ({self.where})" if self.where else "")


def elements(text: str) -> tuple[Element, ...]:
    """Take ENGINE_TTL apart.

    Raises:
        ValueError: It says something else than when rows are deleted.
    """
    why = fault(text)
    if why:
        raise ValueError(f"ENGINE_TTL {why}: {text.strip()}")
    return tuple(_element(part) for part in parts(text))


def expired(text: str, at_ms: int) -> str:
    """Return the condition under which a row has ended at a time; "" when the text is empty.

    Args:
        text: ENGINE_TTL.
        at_ms: The time, UTC milliseconds.

    Raises:
        ValueError: As `elements`.
    """
    if not text.strip():
        return ""
    now = f"fromUnixTimestamp64Milli({at_ms}, 'UTC')"
    found = []
    for element in elements(text):
        over = f"toDateTime64({element.expression}, 3) <= {now}"
        found.append(f"({over} AND ({element.where}))" if element.where else f"({over})")
    return " OR ".join(found)


def _element(part: str) -> Element:
    at, word = word_at(part, _WORDS)
    expression = part if at < 0 else part[:at].strip()
    if not expression:
        raise ValueError(f"ENGINE_TTL names no time: {part}")
    if at < 0:
        return Element(expression)
    rest = part[at:]
    if word == "DELETE":
        rest = rest[len("DELETE") :].strip()
        if not rest:
            return Element(expression)
        at, word = word_at(rest, _WORDS)
        rest = rest[at:] if at == 0 else ""
    if word != "WHERE" or not rest:
        raise ValueError(f"ENGINE_TTL can only delete rows: {part}")
    where = rest[len("WHERE") :].strip()
    if not where or word_at(where, _WORDS)[0] >= 0:
        raise ValueError(f"ENGINE_TTL has no condition after WHERE, or more than one: {part}")
    return Element(expression, where)
