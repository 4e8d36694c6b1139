"""One number of resources of one stack, whichever command tells it."""

from __future__ import annotations

import re

import pytest

from provisioner.engine.execution.outcome import Outcome
from provisioner.errors import amount
from provisioner.resources import RESOURCE_TYPES
from state.stack_state import ACCOUNT_WIDE_TYPES
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import User

ROLES = " and 4 of the account's own roles"


def told(text: str, pattern: str) -> str:
    """The one number that a text tells so."""
    (number,) = re.findall(pattern, text)
    return str(number)


def test_every_command_tells_the_same_number(live_stack: LiveStack) -> None:
    user = live_stack.desk
    entries = user.known(SUFFIX)["entries"].values()
    count = str(sum(one["kind"] != "ServiceLinkedRole" for one in entries))

    for command in ("plan", "drift"):
        ran = user.well(command, "--suffix", SUFFIX)
        assert told(ran.err, rf"(\d+) resources{ROLES} checked with") == count, ran.err
    assert told(user.well("status", "--suffix", SUFFIX).err, r"(\d+) resources checked with") == count
    assert told(user.well("plan", "--all").err, r"(\d+) resources of 1 stack checked with") == count
    assert told(user.well("status", "--cached", "--suffix", SUFFIX).out, r"All (\d+) resources were ready") == count
    assert told(user.well("timeline", "--suffix", SUFFIX).out, rf"(\d+) resources{ROLES}, \d+ calls") == count
    assert told(user.well("plan", "--offline", "--suffix", SUFFIX).out, rf"(\d+) resources{ROLES} declared in") == count
    ending = user.well("plan", "--destroy", "--suffix", SUFFIX)
    assert told(ending.err, r"(\d+) resources checked, and \d+ looked for that other settings declare, with") == count
    assert told(ending.out + ending.err, r"(\d+) (?:of \S+ in|to destroy)") == count
    (listed,) = user.well("list", "--json").lines
    assert listed["stacks"][0]["resources"] == int(count)


def test_what_is_left_is_counted_apart_from_what_aws_made(live_stack: LiveStack) -> None:
    ran = live_stack.desk.run("verify-gone", "--suffix", SUFFIX)

    assert ran.code == 11
    ours, of_aws = re.findall(r"Still there of the stack prod: (\d+) resources and (\d+) that AWS made", ran.err)[0]
    remaining = [line for line in ran.err.splitlines() if line.startswith("  ")]
    assert int(ours) + int(of_aws) == len(remaining)
    assert int(of_aws) == sum(line.split()[0] not in RESOURCE_TYPES for line in remaining)


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 resources"), (1, "1 resource"), (2, "2 resources"), (11, "11 resources")]
)
def test_one_is_told_in_the_singular(count: int, told: str) -> None:
    assert amount(count, "resource") == told


def test_a_history_of_which_one_run_is_not_shown_says_so_in_the_singular(live_stack: LiveStack) -> None:
    user = live_stack.desk
    user.well("apply", "--yes", "--suffix", SUFFIX)
    recorded = len(user.well("history", "--limit", "0").out.splitlines()) - 1

    ran = user.well("history", "--limit", str(recorded - 1))

    assert "1 earlier run is recorded; `--limit 0` lists all." in ran.err


def test_a_first_plan_and_its_run_count_as_every_command_after_them(user: User) -> None:
    (planned,) = user.well("plan", "--suffix", "a", "--json").lines
    shown = user.well("plan", "--suffix", "a").out
    user.apply("a")

    (run,) = user.well("history", "--suffix", "a", "--json").lines[0]["runs"]
    (listed,) = user.well("list", "--json").lines
    count = listed["stacks"][0]["resources"]
    assert run["plan"] == {"add": count, "roles": 4}
    assert {word: number for word, number in planned["summary"].items() if number} == run["plan"]
    assert f"Plan: {count} to add, 0 to change, 0 to destroy, and 4 of the account's own roles.\n" in shown
    assert f"  {count} to add, 4 of the account's own roles  " in user.well("history", "--suffix", "a").out
    # Whose roles are there already, the next stack is told nothing of them.
    assert f"Plan: {count} to add, 0 to change, 0 to destroy.\n" in user.well("plan", "--suffix", "b").out


def test_what_was_done_is_counted_without_the_accounts_own_roles() -> None:
    outcome = Outcome("apply", ["vpc", "role-ecs", "tg"], undone=["role-rds", "alb"])

    outcome.exclude({"tg"}, {"role-ecs", "role-rds"})

    assert (outcome.done, outcome.undone) == (["vpc"], ["role-rds", "alb"])


def test_the_accounts_own_are_those_that_their_resource_types_say_are_shared() -> None:
    assert {name for name, resource_type in RESOURCE_TYPES.items() if resource_type.account_wide} == ACCOUNT_WIDE_TYPES
