from pathlib import Path

import pytest

from playhead.config import Config
from playhead.config.file import flatten, load
from playhead.errors import ConfigInvalid


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "playhead.toml"
    path.write_text('[server]\nhost = "file"\nport = 1\n[log]\nkind = "sqlite"\n')
    return path


def test_later_sources_win_and_are_named(file: Path) -> None:
    env = {"PLAYHEAD_SERVER__PORT": "2", "PLAYHEAD_SERVER__BASE_PATH": "/env", "PATH": "x"}
    loaded = load(file, env=env, overrides={"server.base_path": "/line", "server.port": None})
    server = loaded.config.server
    assert (server.host, server.port, server.base_path) == ("file", 2, "/line")
    assert loaded.origins["server.host"] == f"file {file}"
    assert loaded.origins["server.port"] == "environment PLAYHEAD_SERVER__PORT"
    assert loaded.origins["server.base_path"] == "command line"


def test_every_setting_is_listed_with_its_origin(file: Path) -> None:
    rows = {name: (value, origin) for name, value, origin in flatten(load(file, env={}))}
    assert rows["server.host"] == ("file", f"file {file}")
    assert rows["query.timeout_ms"] == (Config().query.timeout_ms, "default")


def test_lists_come_from_the_environment_as_json() -> None:
    env = {"PLAYHEAD_COLLECT__ALLOWED_ORIGINS": '["https://a.example", "https://b.example"]'}
    found = load(env=env).config.collect.allowed_origins
    assert found == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(("env", "part"), [
    ({"PLAYHEAD_SERVER__PROT": "1"}, "prot"),
    ({"PLAYHEAD_SERVR__PORT": "1"}, "servr"),
    ({"PLAYHEAD_SERVER__PORT": "many"}, "server.port"),
    ({"PLAYHEAD_COLLECT__REQUIRE_KEY": "perhaps"}, "collect.require_key"),
    ({"PLAYHEAD_COLLECT__INTERNAL_NETWORKS": '["10.0.0.0/99"]'}, "collect.internal_networks .*/99"),
    ({"PLAYHEAD_PROCESS__EVENT_RETENTION_DAYS": "6"}, "lower collect.max_event_age_ms to 518400000"),
    ({"PLAYHEAD_COLLECT__ALLOWED_ORIGINS": "[broken"}, "PLAYHEAD_COLLECT__ALLOWED_ORIGINS"),
])  # fmt: skip
def test_a_mistake_is_named(env: dict[str, str], part: str) -> None:
    with pytest.raises(ConfigInvalid, match=part):
        load(env=env)


@pytest.mark.parametrize("days", ["0", "7"])
def test_events_are_kept_as_long_as_late_ones_are_taken(days: str) -> None:
    loaded = load(env={"PLAYHEAD_PROCESS__EVENT_RETENTION_DAYS": days})
    assert loaded.config.process.event_retention_days == int(days)


@pytest.mark.parametrize("text", ["port = 1\n", "[server\n", "[server]\nport = 'x'\n"])
def test_a_file_that_is_wrong_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(ConfigInvalid):
        load(path, env={})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"absent\.toml"):
        load(tmp_path / "absent.toml", env={})


def test_the_data_folder_is_absolute() -> None:
    assert load(env={}, overrides={"data.dir": "here"}).config.data_dir == Path.cwd() / "here"
