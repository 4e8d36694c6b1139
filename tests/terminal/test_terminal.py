"""At a real terminal: what is asked, what is shown, and what an answer does."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from tests.support.account_inventory import inventory
from tests.support.user import ROOT, User

COLOR = re.compile(r"\x1b\[3\dm")
PATIENCE = 60.0


@dataclass
class Terminal:
    """Somebody at a terminal on which a command runs."""

    end: int
    process: subprocess.Popen[bytes]
    seen: str = ""
    code: int = field(default=-1)

    def until(self, words: str) -> str:
        """Read on until these words have been shown, or the command has ended."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if not self._read():
                break
        assert words in self.seen
        return self.seen

    def types(self, text: str) -> None:
        """Type a line."""
        os.write(self.end, f"{text}\n".encode())

    def ends(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        return self.process.wait(PATIENCE)

    def _read(self) -> bool:
        if not select.select([self.end], [], [], PATIENCE)[0]:
            return False
        try:
            chunk = os.read(self.end, 4096)
        except OSError:  # Linux tells the end of a terminal as EIO
            return False
        self.seen += chunk.decode(errors="replace")
        return bool(chunk)


@contextmanager
def terminal(user: User, *arguments: str, local: bool = True, **environment: str) -> Iterator[Terminal]:
    """A command with a pseudo-terminal for its three streams."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), *arguments, *(["--local"] if local else [])],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "MLAPI_HOME": str(user.home), "TERM": "xterm", "COLUMNS": "120", **environment},
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_an_apply_asks_and_goes_on_with_a_yes(user: User) -> None:
    with terminal(user, "apply", "--suffix", "a") as person:
        person.until("Type yes:")
        assert "us-east-1" in person.seen
        assert "123456789012" in person.seen
        assert user.acts() == []
        person.types("yes")
        assert person.ends() == 0

    assert COLOR.search(person.seen)
    assert "vpc_id" in person.seen
    assert user.plan("a") == "No changes.\n"


@pytest.mark.parametrize("answer", ["no", "", "y", "YES!"])
def test_any_other_answer_changes_nothing(user: User, answer: str) -> None:
    with terminal(user, "apply", "--suffix", "a") as person:
        person.until("Type yes:")
        person.types(answer)
        assert person.ends() == 8

    assert "Nothing was changed" in person.seen
    assert user.tries() == []
    assert not user.ledger("a").exists()


def test_ctrl_c_at_the_question_changes_nothing(user: User) -> None:
    with terminal(user, "apply", "--suffix", "a") as person:
        person.until("Type yes:")
        person.process.send_signal(2)
        assert person.ends() == 130

    assert "Traceback" not in person.seen
    assert "Stopped." in person.seen
    assert "Nothing was changed." in person.seen
    assert "is recorded" not in person.seen
    assert user.tries() == []


def test_a_teardown_wants_the_suffix_typed(user: User) -> None:
    user.apply("a")
    before, mark = inventory(user.box.endpoint), user.mark()

    for wrong in ("yes", "b"):
        with terminal(user, "teardown") as person:
            person.until("Type a:")
            person.types(wrong)
            assert person.ends() == 8
    assert user.tries(mark) == []
    assert inventory(user.box.endpoint) == before

    with terminal(user, "teardown") as person:
        person.until("Type a:")
        person.types("a")
        assert person.ends() == 0
    assert "The stack a is gone" in person.seen
    assert not user.ledger("a").exists()


@pytest.mark.slow
def test_what_goes_is_shown_before_it_is_asked(user: User) -> None:
    user.apply("a")

    with terminal(user, "teardown", "--suffix", "a") as person:
        shown = person.until("Type a:")

    for word in ("aurora", "sessions", "vpc", "data", "us-east-1"):
        assert word in shown


@pytest.mark.slow
def test_what_stays_is_not_shown_as_going(user: User) -> None:
    user.apply("a")

    with terminal(user, "teardown", "--suffix", "a") as person:
        shown = person.until("Type a:")

    assert "slr-" not in shown


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        pytest.param(["--no-color"], {}, id="--no-color"),
        pytest.param([], {"NO_COLOR": "1"}, id="NO_COLOR"),
        pytest.param([], {"TERM": "dumb"}, id="TERM=dumb"),
    ],
)
def test_a_terminal_without_colours_gets_none(user: User, arguments: list[str], environment: dict[str, str]) -> None:
    with terminal(user, "apply", "--yes", "--suffix", "a", *arguments, **cast("Any", environment)) as person:
        assert person.ends() == 0

    assert not COLOR.search(person.seen)
