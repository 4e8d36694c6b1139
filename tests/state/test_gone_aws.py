"""A stack whose AWS is gone: the emulator was killed or reset, or all of it was deleted elsewhere."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.emulator.control_client import STATE
from provisioner.emulator.server import LocalAws
from tests.support.user import User

NO_SUCH_STACK = 6
NAMED = ("--suffix", "a")
# Every command that speaks of a stack which stands.
OF_A_STACK = (
    ("status",),
    ("status", "--cached"),
    ("status", "--json"),
    ("outputs",),
    ("outputs", "cloudfront_distribution_url"),
    ("open", "--print"),
    ("doctor",),
    ("drift",),
    ("drift", "--detailed-exitcode"),
    ("logs",),
    ("releases",),
    ("report", "--html", "page.html"),
    ("deploy", "--image", "nginx:1", "--yes"),
    ("rollback", "--yes"),
    ("restart", "--yes"),
    ("scale", "--min", "1", "--yes"),
    ("rotate-origin-secret", "--yes"),
    ("exec",),
    ("db", "tunnel"),
    ("run", "--yes"),
)


def typed(verb: tuple[str, ...]) -> tuple[str, ...]:
    return (*verb, *NAMED, "--local", *(("--", "true") if verb[0] == "run" else ()))


@pytest.fixture(scope="module")
def ended(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> User:
    """A stack, and the emulator that held it gone: no process, no file of it."""
    user = User.before(served, tmp_path_factory.mktemp("ended") / "home")
    applied = user.run("apply", "--yes", "-q", *NAMED)
    assert applied.code == 0, applied.err
    (user.home / "embedded" / "server" / STATE).unlink()
    return user


@pytest.mark.parametrize("verb", OF_A_STACK, ids=" ".join)
def test_a_stack_whose_emulator_ended_is_told_so_and_no_other_is_started(ended: User, verb: tuple[str, ...]) -> None:
    ran = ended.run(*typed(verb), local=False)

    assert ran.code == NO_SUCH_STACK, ran.out + ran.err
    assert "The local AWS that held the stack a has ended" in ran.out + ran.err
    assert "apply --suffix a --local" in ran.out + ran.err
    assert "healthy" not in ran.out
    assert "http" not in ran.out
    assert not (ended.home / "embedded" / "server" / STATE).exists()


def test_the_list_names_it_and_counts_nothing_of_it(ended: User) -> None:
    ran = ended.run("list")

    assert ran.code == NO_SUCH_STACK
    assert ran.out.split("\n")[1].split() == ["a", "embedded", "us-east-1", "0"]
    assert "The local AWS that held a has ended" in ran.err
    assert "`apply --local`" in ran.err
    assert ended.run("list", "--json").lines[0]["stacks"][0]["over"] is True


@pytest.fixture
def alone(served: LocalAws, tmp_path: Path) -> Iterator[User]:
    """A user with an emulator in a process of its own, which ends with the test."""
    user = User(served, tmp_path / "home")
    yield user
    user.process("local", "stop")


def test_killed_it_is_told_and_an_apply_brings_the_stack_up_in_a_new_one(alone: User) -> None:
    assert alone.process("apply", "--local", "--yes", "-q", *NAMED).code == 0
    pid = int(alone.process("local", "status", "--json").lines[0]["pid"])
    os.kill(pid, signal.SIGKILL)

    killed = alone.process("status", "--local", *NAMED)
    assert killed.code == NO_SUCH_STACK
    assert killed.out == ""
    assert "has ended, and the stack with it" in killed.err

    assert alone.process("local", "start").code == 0  # empty, and another instance
    assert alone.process("status", "--local", *NAMED).code == NO_SUCH_STACK
    every = alone.process("status", "--local", "--all")
    assert (every.code, every.out) == (NO_SUCH_STACK, "")

    planned = alone.process("plan", "--local", *NAMED)
    assert "The local AWS that held a has ended, and the stack with it: all of it is new." in planned.out
    assert re.search(r"Plan: \d\d to add, 0 to change", planned.out)
    assert alone.process("apply", "--local", "--yes", "-q", *NAMED).code == 0
    assert alone.process("outputs", "--local", *NAMED).code == 0
    assert alone.process("plan", "--local", *NAMED).out == "No changes.\n"


def test_a_stack_whose_emulator_ended_hides_no_other(user: User) -> None:
    assert user.run("apply", "--yes", "-q", *NAMED).code == 0
    over = user.ledger("a").read_text().replace(f"embedded:{user.box.emulator.instance}", "embedded:another")
    (user.home / "embedded" / "b.json").write_text(over.replace('"suffix": "a"', '"suffix": "b"'))

    every = user.run("status", "--all", "--json")

    assert [(line["suffix"], line["well"]) for line in every.lines] == [("a", True)]
    assert every.code == NO_SUCH_STACK
    assert "The local AWS that held the stack b has ended" in every.err
    listed = user.run("list", "--json")
    assert [(one["suffix"], one["over"]) for one in listed.lines[0]["stacks"]] == [("a", False), ("b", True)]
    assert listed.code == NO_SUCH_STACK
    ending = user.well("plan", "--destroy", "--suffix", "b").out
    assert "has ended, and the stack with it: only its state file is left to remove." in ending
    assert user.run("teardown", "--yes", "--suffix", "b").code == NO_SUCH_STACK
    assert user.run("list").code == 0
    assert not user.ledger("b").exists()


@pytest.fixture(scope="module")
def emptied(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> User:
    """A stack in an AWS that was emptied behind its back: the same account, the same endpoint."""
    user = User.before(served, tmp_path_factory.mktemp("emptied") / "home")
    applied = user.run("apply", "--yes", "-q", *NAMED)
    assert applied.code == 0, applied.err
    served.reset()
    return user


@pytest.mark.parametrize(
    "verb",
    [("status",), ("status", "--json"), ("doctor",), ("drift",), ("report", "--html", "p")],
    ids=" ".join,
)
def test_a_stack_of_which_nothing_stands_is_told_so(emptied: User, verb: tuple[str, ...]) -> None:
    ran = emptied.run(*typed(verb), local=False)

    assert ran.code == NO_SUCH_STACK, ran.out + ran.err
    assert "Nothing of the stack a stands in account" in ran.out + ran.err
    assert "apply --suffix a --local" in ran.out + ran.err
    assert "Everything is healthy" not in ran.out
