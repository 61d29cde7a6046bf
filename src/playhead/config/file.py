"""Reading settings: one TOML file, environment override `PLAYHEAD_SECTION__KEY`, command-line on top."""

import difflib
import ipaddress
import math
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from playhead.config import Config
from playhead.errors import ConfigInvalid

DAY_MS = 86_400_000

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Loaded(msgspec.Struct, frozen=True):
    """A configuration and, for each `section.key` not left at its default, where it came from."""

    config: Config
    origins: Mapping[str, str]


def load(
    path: Path | None = None,
    *,
    env: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Loaded:
    """Read settings from file, environment and command line, later ones winning.

    Args:
        path: A TOML file, or None for none.
        env: The environment; `os.environ` when None.
        overrides: `section.key` to value, from the command line; None values are left out.

    Raises:
        ConfigInvalid: A file that cannot be read, an unknown key or a wrong value.
    """
    tree: dict[str, dict[str, Any]] = {}
    origins: dict[str, str] = {}
    for section, key, value in _from_file(path):
        _put(tree, origins, (section, key, value), f"file {path}")
    for section, key, value in _from_env(os.environ if env is None else env):
        _put(tree, origins, (section, key, value), f"environment {_env_name(section, key)}")
    for name, value in (overrides or {}).items():
        if value is not None:
            section, _, key = name.partition(".")
            _put(tree, origins, (section, key, value), "command line")
    for name, origin in origins.items():
        _require_known(name, origin)
    try:
        config = msgspec.convert(tree, Config, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigInvalid(f"A setting is not valid: {error}.") from error
    for name in ("trusted_proxies", "internal_networks"):
        networks_of(getattr(config.collect, name), f"collect.{name}")
    _require_events_for_late_ones(config)
    return Loaded(config, origins)


def _require_events_for_late_ones(config: Config) -> None:
    """A late event joins the stored ones of its view; alone it would become a second view."""
    kept_days = config.process.event_retention_days
    late_days = math.ceil(config.collect.max_event_age_ms / DAY_MS)
    if 0 < kept_days < late_days:
        raise ConfigInvalid(
            f"process.event_retention_days is {kept_days}, but events of the last {late_days} days are"
            " taken: one that comes late would find the rest of its view removed, and count as a second"
            f" view. Keep events for {late_days} days or longer, or lower collect.max_event_age_ms to"
            f" {kept_days * DAY_MS}."
        )


def networks_of(texts: Sequence[str], setting: str) -> list[Network]:
    """Read the addresses and networks (`10.0.0.0/8`) of a setting; `ConfigInvalid` names it."""
    try:
        return [ipaddress.ip_network(text, strict=False) for text in texts]
    except ValueError as error:
        raise ConfigInvalid(f"{setting} lists what is no network: {error}.") from error


def flatten(loaded: Loaded) -> list[tuple[str, object, str]]:
    """Return every setting as (`section.key`, value, origin), in the order of the file."""
    rows: list[tuple[str, object, str]] = []
    for section, values in msgspec.to_builtins(loaded.config).items():
        for key, value in values.items():
            name = f"{section}.{key}"
            rows.append((name, value, loaded.origins.get(name, "default")))
    return rows


def _env_name(section: str, key: str) -> str:
    return f"PLAYHEAD_{section}__{key}".upper()


def _from_file(path: Path | None) -> list[tuple[str, str, Any]]:
    if path is None:
        return []
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigInvalid(f"The settings file {path} cannot be read: {error}.") from error
    rows: list[tuple[str, str, Any]] = []
    for section, values in tree.items():
        if not isinstance(values, dict):
            raise ConfigInvalid(f"'{section}' in {path} stands outside a [section].")
        rows.extend((section, key, value) for key, value in values.items())
    return rows


def _from_env(env: Mapping[str, str]) -> list[tuple[str, str, Any]]:
    rows: list[tuple[str, str, Any]] = []
    for name, text in env.items():
        if not name.startswith("PLAYHEAD_") or "__" not in name:
            continue
        section, _, key = name.removeprefix("PLAYHEAD_").lower().partition("__")
        value: Any = text
        if text.startswith("["):
            try:
                value = msgspec.json.decode(text)
            except msgspec.DecodeError as error:
                raise ConfigInvalid(f"{name} is no JSON list: {error}.") from error
        rows.append((section, key, value))
    return rows


def _require_known(name: str, origin: str) -> None:
    """Refuse a setting that does not exist, and name the ones it may have been meant to be."""
    defaults = Config()
    known = [
        f"{section}.{key}"
        for section in Config.__struct_fields__
        for key in getattr(defaults, section).__struct_fields__
    ]
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    raise ConfigInvalid(
        f"There is no setting '{name}' (it comes from: {origin}).",
        hint=f"Did you mean '{near[0]}'?" if near else None,
    )


def _put(
    tree: dict[str, dict[str, Any]],
    origins: dict[str, str],
    entry: tuple[str, str, Any],
    origin: str,
) -> None:
    section, key, value = entry
    tree.setdefault(section, {})[key] = value
    origins[f"{section}.{key}"] = origin
