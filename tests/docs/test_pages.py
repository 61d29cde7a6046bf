"""What pages point to exists: links, anchors, settings, commands, and nothing of one machine."""

import re
from pathlib import Path

import click
import pytest

from playhead import config
from playhead.cli import main
from playhead.config import Config
from playhead.config.file import load
from playhead.model import view
from support.pages import DOCS, ROOT, anchors, blocks, links, named, pages, prose, text_of

ADDRESS = re.compile(r"\b[a-z][a-z0-9+]*:")
SECTIONS = tuple(Config.__struct_fields__)
KEY = re.compile(rf"\b({'|'.join(SECTIONS)})\.([a-z][a-z0-9_]+)\b")
VARIABLE = re.compile(r"\bPLAYHEAD_([A-Z]+)__([A-Z_]+)\b")
MACHINE = re.compile(r"/root/|/home/|/tmp/|localhost:\d")
"""What a reader does not have; `tests/rules` looks for registries and the rest in every file."""


@pytest.mark.parametrize("page", pages(), ids=named)
def test_every_link_and_anchor_resolves(page: Path) -> None:
    broken = []
    for link in links(page):
        path, _, fragment = link.partition("#")
        if ADDRESS.match(link):
            continue
        target = (page.parent / path) if path else page
        if not target.exists() or (fragment and fragment not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop().resolve()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        todo += [page.parent / link.partition("#")[0] for link in links(page)]
    assert [named(page) for page in DOCS.rglob("*.md") if page.resolve() not in seen] == []


@pytest.mark.parametrize("page", pages(), ids=named)
def test_settings_named_in_prose_exist(page: Path) -> None:
    found = [
        pair for pair in KEY.findall(text_of(page)) if pair[1] not in {"py", "md", "db", "http"}
    ]
    known = {f"{s}.{key}" for s in SECTIONS for key in getattr(Config(), s).__struct_fields__}
    assert [".".join(pair) for pair in found if ".".join(pair) not in known] == []
    variables = [f"{s}.{key}".lower() for s, key in VARIABLE.findall(text_of(page))]
    assert [name for name in variables if name not in known | {"section.key"}] == []


@pytest.mark.parametrize("page", pages(), ids=named)
def test_settings_files_shown_are_valid(page: Path, tmp_path: Path) -> None:
    for number, text in enumerate(blocks(page, "toml")):
        file = tmp_path / f"{number}.toml"
        file.write_text(text, "utf-8")
        assert isinstance(load(file, env={}).config, config.Config)


@pytest.mark.parametrize("page", pages(), ids=named)
def test_nothing_of_one_machine(page: Path) -> None:
    assert MACHINE.findall(text_of(page)) == []


def test_the_pictures_load_nothing_from_elsewhere() -> None:
    pictures = list((DOCS / "images").glob("*.svg"))
    assert pictures
    for picture in pictures:
        text = re.sub(r'xmlns(:\w+)?="[^"]*"', "", text_of(picture))
        assert not re.search(r"(href|src|url)\s*[=(]\s*['\"]?https?:", text), picture.name


def test_view_fields_named_in_the_tutorial_exist() -> None:
    fields = set(view.COLUMNS)
    found = set(
        re.findall(r"`([a-z]+(?:_[a-z]+)*_(?:ms|count|kbps))`", prose(DOCS / "tutorial.md"))
    )
    assert found <= fields


COMMAND = re.compile(
    r"\bplayhead (up|demo|doctor|send|replay|seed|report|config show|quarantine list|quarantine retry|cmcd decode|token create|token ls|token rm)\b(.*)"
)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


@pytest.mark.parametrize("page", pages(), ids=named)
def test_options_of_commands_shown_exist(page: Path) -> None:
    unknown = []
    for line in "\n".join(blocks(page, "sh")).splitlines():
        for name, rest in COMMAND.findall(line):
            command: click.Command | None = main
            for word in name.split():
                assert isinstance(command, click.Group)
                command = command.get_command(click.Context(command), word)
            assert command is not None
            known = {option for parameter in command.params for option in parameter.opts}
            unknown += [
                f"{name} {option}" for option in OPTION.findall(rest) if option not in known
            ]
    assert unknown == []


@pytest.mark.parametrize("page", pages(), ids=named)
def test_recipes_named_exist(page: Path) -> None:
    recipes = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text_of(page), re.MULTILINE)) <= recipes
