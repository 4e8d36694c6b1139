"""What `--help` says of each command, and where what is said can go."""

from __future__ import annotations

import errno
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from provisioner.commands import list as list_command
from provisioner.commands.command_table import HELP, SECTIONS, first_clause
from provisioner.commands.help_page import first_sentence
from provisioner.commands.main import cli
from provisioner.names import PROGRAM as TYPED
from provisioner.names import program
from tests.cli.test_completion import ledger
from tests.support.commands import leaves
from tests.support.user import ROOT, User

WIDE, LONG = 80, 140
PROGRAM = Path(sys.executable).with_name("ml-api")


def test_each_command_stands_under_one_heading_and_is_told_in_whole_sentences() -> None:
    out = CliRunner().invoke(cli, ["--help"]).output

    assert sum(map(len, SECTIONS.values())) == len(HELP)
    assert "..." not in out.split("\n\n", 1)[1]
    assert all(len(line) <= WIDE for line in out.splitlines())
    for title, names in SECTIONS.items():
        assert f"\n{title}:\n" in out
        assert all(f"\n  {name} " in out for name in names)


@pytest.mark.parametrize("name", HELP)
def test_the_table_holds_the_first_sentence_of_each_command(name: str) -> None:
    told = " ".join(str(cli.commands[name].help).split())

    assert cli.commands[name].name == name
    assert re.split(r"(?<=\.)\s", told)[0] == HELP[name]


def help_texts(command: click.Command) -> Iterator[str]:
    """The help of a command, of its options, and of the commands below it."""
    yield command.help or ""
    yield from (str(option.help) for option in command.params if isinstance(option, click.Option))
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        yield from help_texts(below)


@pytest.mark.parametrize("name", HELP)
def test_no_help_speaks_of_what_has_another_name_now(name: str) -> None:
    words = set(re.findall(r"[a-z]+", " ".join(help_texts(cli.commands[name])).lower()))

    assert not words & {"ledger", "piece", "pieces", "embedded", "rehearsal", "shelf", "veiled"}


@pytest.mark.parametrize("name", HELP)
def test_each_command_says_what_it_does_and_each_option_what_it_is(name: str) -> None:
    command, told = cli.commands[name], first_clause(HELP[name])

    assert told[0].isupper()
    assert 10 < len(told) <= LONG
    for one in command.params:
        if isinstance(one, click.Option):
            assert one.help, one.name
            assert one.help.endswith((".", ")", "]")), one.help


def page(name: str, width: int) -> str:
    """The help page of a command on a terminal of a width."""
    told = CliRunner(env={"COLUMNS": str(width)}).invoke(cli, [*name.split(), "--help"], terminal_width=width)
    return told.output


@pytest.mark.parametrize("name", ["", *(name for name in HELP if isinstance(cli.commands[name], click.Group))])
def test_a_list_of_commands_is_as_wide_as_the_terminal_and_not_cut(name: str) -> None:
    group = cli.commands[name] if name else cli
    assert isinstance(group, click.Group)

    narrow, wide = page(name, WIDE), page(name, 200)

    assert all(len(line) <= WIDE for line in narrow.splitlines())
    for below, command in group.commands.items():
        sentence = first_clause(HELP[below]) if not name else first_sentence(command)
        assert re.search(rf"^  {below} +{re.escape(sentence)}$", wide, re.MULTILINE)
        assert sentence in " ".join(narrow.split())


@pytest.mark.parametrize("name", leaves(cli))
def test_each_option_is_under_one_heading_of_the_page_and_nothing_is_cut(name: str) -> None:
    command, wide = leaves(cli)[name], page(name, 200)

    for param in command.params:
        record = param.get_help_record(click.Context(command)) if isinstance(param, click.Option) else None
        if record:
            assert len(re.findall(rf"^  {re.escape(record[0])}(?:  |$)", wide, re.MULTILINE)) == 1
            assert " ".join(record[1].split()) in " ".join(wide.split())
    assert all(len(line) <= WIDE or f"  {TYPED}" in line for line in page(name, WIDE).splitlines())
    headings = re.findall(r"^(\w[\w ]*):$", wide, re.MULTILINE)
    assert len(set(headings)) == len(headings)
    assert headings[-1] == "Examples"
    assert set(headings) <= {"Options", "Plan", "Stack", "Settings", "Connection", "Output", "Global", "Examples"}


def ran(arguments: list[str], home: Path, sink: str) -> tuple[int, str]:
    """The exit code and stderr of a process whose answer goes somewhere."""
    environment = {**os.environ, "MLAPI_HOME": str(home)}
    line = f"{sys.executable} {ROOT / 'cli.py'} {' '.join(arguments)} {sink}"
    shell = ["bash", "-c", f"set -o pipefail; {line}"]
    done = subprocess.run(shell, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("sink", "code", "told"),
    [
        ("| true", 0, ""),
        (">&-", 0, ""),
        pytest.param(
            ">/dev/full",
            1,
            "Error: stdout cannot be written: No space left on device.\n"
            "The output is incomplete; the command itself was carried out.\n",
            marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full"),
        ),
    ],
)
def test_an_answer_that_nobody_takes_breaks_nothing(tmp_path: Path, sink: str, code: int, told: str) -> None:
    assert ran(["graph", "--suffix", "prod", "--format", "svg-graph"], tmp_path, sink) == (code, told)


@pytest.mark.skipif(not PROGRAM.exists(), reason="ml-api is not installed")
def test_bash_on_a_terminal_completes_command_option_suffix_and_resource(tmp_path: Path) -> None:
    ledger(tmp_path / "embedded", "prod", ("vpc", "nat-1", "NatGateway"), ("vpc", "vpc", "Vpc"))
    known = {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "TERM": "xterm", "PS1": "> ", "HOME": "/"}
    known |= {"MLAPI_HOME": str(tmp_path), "MLAPI_LOCAL": "1"}
    terminal, theirs = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "--norc", "-i"],
        env=known,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)

    def typed(keys: str, shown: str) -> None:
        os.write(terminal, keys.encode())
        seen, deadline = "", time.monotonic() + 30
        while shown not in seen:
            assert time.monotonic() < deadline, seen
            if select.select([terminal], [], [], 0.1)[0]:
                seen += os.read(terminal, 4096).decode(errors="replace")

    try:
        typed('eval "$(ml-api completion bash)"; echo rea""dy\n', "ready")
        typed("ml-api rep\t", "ml-api report ")
        typed("--suf\t", "--suffix ")
        typed("pr\t", "prod ")
        typed("\x15ml-api plan --suffix prod --target vpc/na\t", "vpc/nat-1 ")
    finally:
        shell.kill()
        shell.wait()
        os.close(terminal)


def test_a_terminal_that_lacks_a_sign_shows_another(tmp_path: Path) -> None:
    environment = {**os.environ, "MLAPI_HOME": str(tmp_path), "PYTHONIOENCODING": "ascii"}
    line = [sys.executable, str(ROOT / "cli.py"), "graph", "--suffix", "prod", "--format", "svg"]
    done = subprocess.run(line, env=environment, capture_output=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"</svg>" in done.stdout


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("cli.py", "python cli.py"),
        ("../my tools/cli.py", "python '../my tools/cli.py'"),
        ("/opt/venv/bin/ml-api", "ml-api"),
        ("/opt/venv/bin/pytest", "python cli.py"),
    ],
)
def test_a_hint_is_typed_as_the_command_was(typed: str, told: str) -> None:
    assert program(typed) == told


def test_who_leaves_local_out_is_told_what_was_rehearsed(user: User) -> None:
    ledger(user.home / "embedded", "demo", ("vpc", "vpc", "Vpc"))

    for arguments in (["status"], ["status", "--suffix", "demo"], ["outputs"], ["history"]):
        ran = user.run(*arguments, local=False)
        assert ran.code == 6
        assert "Known with --local: demo." in ran.err, arguments
    assert "Known with --local" not in user.run("status", "--suffix", "other").err


def test_what_this_machine_refuses_is_told_in_words(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/var/x")

    monkeypatch.setattr(list_command, "list_stacks", full)
    ran = user.run("list", local=False)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("Error: /var/x: No space left on device.\nMend that, ")
