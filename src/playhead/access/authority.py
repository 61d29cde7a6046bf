"""Who may make and change which tokens: nobody gives away more than it has."""

from collections.abc import Sequence
from typing import Final

from playhead.access.grant import READING, Grant
from playhead.access.scopes import PIPES_READ, READ, TOKENS, Scope
from playhead.errors import Forbidden

_HINT: Final = "Use a token that may do this itself, such as the admin token."


def check_manages(caller: Grant) -> None:
    """Refuse a caller that may not manage tokens at all.

    Raises:
        Forbidden: It has neither TOKENS nor ADMIN, or is bound to a property.
    """
    if not caller.may(TOKENS):
        raise Forbidden(
            "This token may not manage tokens; it needs the scope TOKENS or ADMIN.", hint=_HINT
        )


def check_gives(
    caller: Grant, scopes: Sequence[Scope], rps: int | None, *, limited: bool = True
) -> None:
    """Refuse scopes that allow more than the caller's own.

    Every filter on the caller must stand, in the same words, among the filters of what reads; what
    limits the caller's requests must limit the new token.

    Raises:
        Forbidden: They allow more; the sentence names what.
    """
    check_manages(caller)
    if caller.is_whole():
        return
    for scope in scopes:
        if not caller.may(scope.type, scope.resource):
            raise Forbidden(f"This token has no {scope.text} to give.", hint=_HINT)
    if limited and caller.rps is not None and (rps is None or rps > caller.rps):
        raise Forbidden(
            f"This token has {caller.rps} requests a second; it cannot give more.", hint=_HINT
        )
    if any(scope.type in READING for scope in scopes):
        given = Grant("", "", "scoped", None, 0, tuple(scopes))
        for type_ in (READ, PIPES_READ):
            _check_filters(caller, given, type_)


def is_within(caller: Grant, other: Grant) -> bool:
    """Return whether a token allows no more than the caller's: then the caller may see and change it."""
    if caller.is_whole():
        return True
    if other.kind != "scoped" and not other.all_scopes():
        return False
    try:
        check_gives(caller, other.all_scopes(), other.rps)
    except Forbidden:
        return False
    return True


def _check_filters(caller: Grant, given: Grant, type_: str) -> None:
    theirs = given.conditions(type_)
    for name, conditions in caller.conditions(type_).items():
        # Filters on data sources also hold inside pipes, so a pipe without them would show more.
        if type_ == PIPES_READ and not given.may(PIPES_READ, name):
            continue
        if not set(conditions) <= set(theirs.get(name, ())):
            raise Forbidden(
                f"Rows of '{name}' are hidden from this token; what it gives must have the same filter.",
                hint=_HINT,
            )
