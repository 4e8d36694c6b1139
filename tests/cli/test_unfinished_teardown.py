"""A teardown that did not end: no command gives addresses of what is gone, and each says how to go on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioner.engine.execution.executor import ResourceExecutor
from provisioner.engine.execution.managed_resource import ManagedResource
from state.errors import LockHeld
from tests.support.user import CommandResult, User

NAMED = ("--suffix", "a")
BEGAN = "teardown began at 20"
FINISHES, BACK = "cli.py teardown --suffix a --local", "cli.py apply --suffix a --local"


@pytest.fixture
def torn(user: User) -> User:
    """A stack of which all went that does not need the VPC's end, or its subnets'."""
    user.well("apply", "--yes", *NAMED)
    user.box.faults({"operation": "ec2:DeleteSubnet", "fault": "access_denied", "times": 99})
    assert user.run("teardown", "--yes", *NAMED).code == 4
    user.box.faults()
    return user


def addresses(user: User) -> dict[str, str]:
    """The outputs, as the state has them."""
    return dict(user.known("a")["outputs"])


def says(ran: CommandResult, code: int) -> bool:
    """Whether a command ends so, tells of the teardown and what finishes it, and of no address."""
    told = ran.out + ran.err
    assert ran.code == code, told
    assert "cloudfront.net" not in ran.out
    assert "elb.amazonaws.com" not in ran.out
    return all(words in told for words in (BEGAN, FINISHES, BACK))


def test_no_command_gives_an_address_of_what_is_gone(torn: User) -> None:
    assert says(torn.process("status", "--local", *NAMED), 1)
    cached = torn.run("status", *NAMED, "--cached")
    assert says(cached, 1)
    assert "output" not in cached.out  # no head of a table without rows
    for command in ("outputs", "open"):
        assert says(torn.process(command, "--local", *NAMED), 4)
    assert torn.run("outputs", *NAMED, "vpc_id").code == 4
    assert says(torn.run("drift", *NAMED), 0)
    assert BEGAN in torn.well("list").err
    assert torn.plan("a").startswith("A teardown did not end: ")


def test_a_program_is_told_too(torn: User) -> None:
    for more in ((), ("--cached",)):
        (line,) = torn.run("status", *NAMED, "--json", *more).lines
        assert BEGAN in line["unfinished"]
        assert line["outputs"] == {}
    (listed,) = torn.well("list", "--json").lines
    assert BEGAN in listed["stacks"][0]["unfinished"]


def test_an_apply_that_goes_on_brings_them_back(torn: User) -> None:
    part = torn.well("apply", "--yes", *NAMED, "--target", "dynamodb/sessions")
    assert (part.out + part.err).count("A teardown did not end: ") == 1
    assert says(torn.run("status", *NAMED), 1)  # a part is back, and not the stack

    torn.apply("a")

    assert "cloudfront.net" in torn.well("outputs", *NAMED).out
    ran = torn.well("status", *NAMED)
    assert BEGAN not in ran.out
    assert "cloudfront.net" in ran.out
    assert "teardown_began" not in torn.known("a")


def test_a_teardown_that_goes_on_ends_it(torn: User) -> None:
    torn.teardown("a")

    assert torn.run("status", *NAMED).code == 6


def test_they_go_from_the_file_before_the_first_deletion_and_no_sooner(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.well("apply", "--yes", *NAMED, "--set", "database.deletion_protection=true")
    had = addresses(user)
    assert user.run("teardown", "--yes", *NAMED).code == 5  # refused before anything was touched
    assert addresses(user) == had
    seen: list[dict[str, Any]] = []

    def delete(_self: ResourceExecutor, _target: ManagedResource, *_: Any, **_named: Any) -> str:
        seen.append(json.loads(user.ledger("a").read_text()))
        raise LockHeld("stop here")

    monkeypatch.setattr(ResourceExecutor, "delete", delete)
    assert user.run("teardown", "--yes", *NAMED, "--unprotect").code != 0
    monkeypatch.undo()

    assert seen[0]["outputs"] == {}
    assert seen[0]["teardown_began"] > 0
    # Nothing was deleted: the next apply has nothing to make, and all the same brings them back.
    user.apply("a")
    assert addresses(user) == had
    assert user.well("status", *NAMED).out.count("Everything is healthy.") == 1


def test_a_stack_of_which_nothing_is_left_but_its_file_says_so(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    user.well("apply", "--yes", *NAMED, "--target", "vpc/vpc")

    def look(*_: Any) -> None:
        raise LockHeld("stop here")

    monkeypatch.setattr("provisioner.commands.stack_teardown.verify_nothing_remains", look)
    assert user.run("teardown", "--yes", *NAMED).code == 7

    ran = user.run("status", *NAMED)
    assert ran.code == 6
    assert BEGAN in ran.err
    assert FINISHES in ran.err
