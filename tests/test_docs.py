"""What the documents show works: Python blocks run, commands and files exist."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import dropwhile, pairwise
from pathlib import Path

import click
import pytest
import yaml

from synthcity.cli.main import COMMANDS, cli

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str) -> list[tuple[str, str]]:
    pattern = re.compile(rf"```{language}\n(.*?)```", re.DOTALL)
    return [(path.name, code) for path in DOCUMENTS for code in pattern.findall(path.read_text(encoding="utf-8"))]


def commands() -> list[list[str]]:
    return [words[1:] for words in shell() if words[0] == "synthcity"]


def shell() -> list[list[str]]:
    """The words of every command that a block for a shell shows, without variables set for it alone."""
    code = [code for language in ("bash", "sh") for _, code in blocks(language)]
    lines = [line for text in code for line in text.replace("\\\n", " ").splitlines()]
    parts = [shlex.split(part, comments=True) for line in lines for part in re.split(r"&&|(?<!\|)\|(?!\|)", line)]
    bare = [list(dropwhile(re.compile(r"[A-Z_]+=").match, words)) for words in parts]
    return [words for words in bare if words]


def inline() -> list[tuple[str, list[str]]]:
    """Every command of ours within a sentence or a table, by its document; one with a gap is no whole command."""
    found = []
    for path in DOCUMENTS:
        prose = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for code in re.findall(r"`(synthcity [^`]+)`", prose):
            words = code.split()[1:]
            if not any(mark in code for mark in ("...", "|", "[", "'", '"')):
                found.append((path.name, words))
    return found


@pytest.mark.parametrize(("name", "code"), blocks("python"))
def test_python_blocks_run(name: str, code: str):
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_shown_commands_name_real_commands_options_and_files(words: list[str]):
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group) and not _is_over(words):
        found = command.get_command(context, words[0])
        assert found is not None, words
        command, words = found, words[1:]
    known = {option: parameter for parameter in command.params for option in parameter.opts + parameter.secondary_opts}
    assert {word for word in words if word.startswith("--")} <= {*known, "--help"}
    for option, value in pairwise(words):
        if option in known and isinstance(kind := known[option].type, click.Choice):
            assert value in kind.choices, f"{option} {value}"
    for word in words:
        if word.startswith(("configs/", "clusters/")):
            assert (ROOT / word).is_file(), word


@pytest.mark.parametrize(
    ("name", "words"), inline(), ids=lambda told: " ".join(told) if isinstance(told, list) else told
)
def test_commands_within_sentences_are_real(name: str, words: list[str]):
    test_shown_commands_name_real_commands_options_and_files(words)


@pytest.mark.parametrize("words", [w for w in shell() if w[:2] == ["python", "-m"]], ids=" ".join)
def test_shown_modules_are_there(words: list[str]):
    assert find_spec(words[2]) is not None


def test_blocks_of_data_can_be_read():
    for language, read in (("json", json.loads), ("toml", tomllib.loads), ("yaml", yaml.safe_load)):
        for _, code in blocks(language):
            assert read(code)


def _is_over(words: list[str]) -> bool:
    """Whether no further command follows."""
    return not words or words[0].startswith("-")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path):
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        file, _, heading = target.partition("#")
        where = path.parent / file if file else path
        assert where.exists(), target
        assert not heading or heading in headings(where), target


def headings(path: Path) -> set[str]:
    """What links within a page lead to: headings in small letters, their words joined by hyphens."""
    found = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in found}


def leaves(command: click.Command, path: tuple[str, ...] = ("synthcity",)) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with the words that call it."""
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    if command.invoke_without_command:
        yield " ".join(path), command
    for name in command.list_commands(click.Context(command)):
        found = command.get_command(click.Context(command), name)
        assert found is not None
        yield from leaves(found, (*path, name))


def test_every_help_page_says_what_the_command_does_and_shows_it_in_lines_that_fit():
    for path, command in leaves(cli):
        assert len(command.help or "") > 25, path
        assert any(f"{line.strip()} ".startswith(f"{path} ") for line in (command.help or "").splitlines()), (
            f"{path} --help has no example"
        )
        page = command.get_help(click.Context(command, info_name=path, terminal_width=80))
        assert [line for line in page.splitlines() if len(line) > 80] == [], path


@pytest.mark.parametrize("path", [path for path, _ in leaves(cli)])
def test_examples_of_help_pages_are_real(path: str):
    command = dict(leaves(cli))[path]
    for line in (command.help or "").replace("\\\n", " ").splitlines():
        if line.strip().startswith(f"{path} "):
            words = shlex.split(line.strip().partition(" | ")[0], comments=True)[1:]
            test_shown_commands_name_real_commands_options_and_files(words)


def test_the_readme_lists_every_command_with_its_line():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `synthcity ([a-z-]+)` \| (.+?) \|$", text, re.MULTILINE))
    assert rows == {name: about for name, (_, about) in COMMANDS.items()}


def test_the_index_leads_to_every_document():
    text = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", text))
    assert listed == {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
