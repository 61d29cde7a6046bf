"""Scopes: what a token may do, one permission each, as text `TYPE[:resource[:filter]]` or as JSON."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NoReturn

import msgspec

from playhead.access.condition import FILTER_CHARS_MAX, condition
from playhead.errors import InvalidRequest

ADMIN: Final = "ADMIN"
TOKENS: Final = "TOKENS"
CREATE: Final = "DATASOURCES:CREATE"
APPEND: Final = "DATASOURCES:APPEND"
READ: Final = "DATASOURCES:READ"
PIPES_READ: Final = "PIPES:READ"
READ_ALL: Final = "WORKSPACE:READ_ALL"
TYPES: Final[dict[str, str]] = {
    ADMIN: "never",
    TOKENS: "never",
    CREATE: "never",
    APPEND: "always",
    READ: "filtered",
    "DATASOURCES:DROP": "always",
    "PIPES:CREATE": "never",
    PIPES_READ: "filtered",
    "PIPES:DROP": "maybe",
    READ_ALL: "never",
    "ORG_DATASOURCES:READ": "never",
}
"""Whether a type names a resource: never, maybe, always, or always and perhaps with a filter."""
JWT_TYPES: Final = (PIPES_READ, READ, APPEND)
SCOPES_MAX: Final = 100
"""Most scopes of one token."""
FILTERS_CHARS_MAX: Final = 16_384
"""Most characters of all filters of one token: they travel with every query."""
FIXED_PARAMS_MAX: Final = 50
FIXED_PARAM_CHARS_MAX: Final = 4_096
_RESOURCE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?")
_RESOURCE_CHARS_MAX: Final = 200
_SHOWN_MAX: Final = 80


class Scope(msgspec.Struct, frozen=True, omit_defaults=True):
    """One permission; `filter` is a condition of the engine's SQL, "" = every row."""

    type: str
    resource: str = ""
    filter: str = ""
    fixed_params: dict[str, str] = {}

    @property
    def text(self) -> str:
        """Return it as one line: `DATASOURCES:READ:plays:country = 'DE'`."""
        return ":".join(part for part in (self.type, self.resource, self.filter) if part)


def scope_of(text: str) -> Scope:
    """Return the scope that a line says.

    Raises:
        InvalidRequest: It says none; the sentence names what is wrong.
    """
    text = text.strip()
    for type_ in sorted(TYPES, key=len, reverse=True):
        if text == type_:
            return checked(Scope(type_))
        if text.startswith(type_ + ":"):
            resource, _, filter_ = text[len(type_) + 1 :].partition(":")
            return checked(Scope(type_, resource.strip(), filter_.strip()))
    return checked(Scope(text))


def checked(scope: Scope) -> Scope:
    """Return a scope as it is kept; its filter is one condition and nothing besides.

    Raises:
        InvalidRequest: An unknown type, a resource or filter that cannot be.
    """
    needs = TYPES.get(scope.type)
    if needs is None:
        _refuse_type(scope.type)
    if needs == "never" and scope.resource:
        raise InvalidRequest(f"The scope {scope.type} names no resource; it is for all of them.")
    if needs in {"always", "filtered"} and not scope.resource:
        raise InvalidRequest(
            f"The scope {scope.type} needs a name after it.", hint=f"{scope.type}:some_name"
        )
    if scope.resource:
        _check_resource(scope)
    if scope.filter and needs != "filtered":
        raise InvalidRequest(f"The scope {scope.type} takes no filter.")
    if scope.fixed_params and scope.type != PIPES_READ:
        raise InvalidRequest(f"Only {PIPES_READ} takes fixed_params.")
    if scope.filter:
        return msgspec.structs.replace(scope, filter=condition(scope.filter))
    return scope


def checked_all(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """Return the scopes of one token, each once.

    Raises:
        InvalidRequest: None, too many, or some that do not go together.
    """
    found: list[Scope] = []
    for scope in scopes:
        good = checked(scope)
        if good not in found:
            found.append(good)
    if not found:
        raise InvalidRequest(
            "A token needs at least one scope.", hint=f"There are {', '.join(TYPES)}."
        )
    if len(found) > SCOPES_MAX:
        raise InvalidRequest(f"A token has at most {SCOPES_MAX} scopes.")
    if sum(len(scope.filter) for scope in found) > FILTERS_CHARS_MAX:
        raise InvalidRequest(f"The filters of a token have at most {FILTERS_CHARS_MAX} characters.")
    if any(scope.type == ADMIN for scope in found):
        if any(scope.filter for scope in found):
            raise InvalidRequest("ADMIN sees every row: it does not go with a filter.")
        return (Scope(ADMIN),)
    _check_fixed(found)
    return tuple(found)


def fixed_text(value: Any) -> str:
    """Return a fixed parameter as a request would send it; a list as `a,b`.

    Raises:
        InvalidRequest: An object or null.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and not any(isinstance(one, list | dict) for one in value):
        return ",".join(fixed_text(one) for one in value)
    raise InvalidRequest("A fixed parameter is a text, a number, true, false or a list of these.")


def fixed_of(given: dict[str, Any]) -> dict[str, str]:
    """Return fixed parameters as texts.

    Raises:
        InvalidRequest: Too many or too long, or a value that is none.
    """
    if len(given) > FIXED_PARAMS_MAX:
        raise InvalidRequest(f"A scope has at most {FIXED_PARAMS_MAX} fixed_params.")
    fixed = {name: fixed_text(value) for name, value in given.items()}
    if any(len(name) + len(value) > FIXED_PARAM_CHARS_MAX for name, value in fixed.items()):
        raise InvalidRequest(f"A fixed parameter has at most {FIXED_PARAM_CHARS_MAX} characters.")
    return fixed


def fixed_params(scopes: Sequence[Scope], pipe: str) -> dict[str, str]:
    """Return what scopes fix for a pipe."""
    fixed: dict[str, str] = {}
    for scope in scopes:
        if scope.type == PIPES_READ and scope.resource == pipe:
            fixed |= scope.fixed_params
    return fixed


def _check_fixed(scopes: Sequence[Scope]) -> None:
    """Refuse a pipe that two scopes fix differently: either would be a guess."""
    seen: dict[tuple[str, str], str] = {}
    for scope in scopes:
        for name, value in scope.fixed_params.items():
            if seen.setdefault((scope.resource, name), value) != value:
                raise InvalidRequest(
                    f"Two scopes fix '{name[:_SHOWN_MAX]}' of pipe '{scope.resource}' differently."
                )


def _check_resource(scope: Scope) -> None:
    if len(scope.resource) > _RESOURCE_CHARS_MAX or not _RESOURCE.fullmatch(scope.resource):
        raise InvalidRequest(
            f"'{scope.resource[:_SHOWN_MAX]}' is no name of a data source or pipe.",
            hint="A scope names one resource; there are no wildcards.",
        )


def _refuse_type(text: str) -> NoReturn:
    shown = text[:_SHOWN_MAX]
    raise InvalidRequest(f"'{shown}' is no scope.", hint=f"There are {', '.join(TYPES)}.")


__all__ = [
    "ADMIN", "APPEND", "CREATE", "FILTER_CHARS_MAX", "JWT_TYPES", "PIPES_READ", "READ", "READ_ALL",
    "SCOPES_MAX", "TOKENS", "TYPES", "Scope", "checked", "checked_all", "fixed_of", "fixed_params",
    "scope_of",
]  # fmt: skip
