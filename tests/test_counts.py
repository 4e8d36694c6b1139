"""One number of resources of one stack, whichever command tells it."""

from __future__ import annotations

import re

from provisioner.commands.counts import ACCOUNTS_OWN
from provisioner.kinds import KINDS
from tests.standing import SUFFIX, Standing

ROLES = " and 4 of the account's own roles"


def told(text: str, pattern: str) -> str:
    """The one number that a text tells so."""
    (number,) = re.findall(pattern, text)
    return str(number)


def test_every_command_tells_the_same_number(standing: Standing) -> None:
    desk = standing.desk
    entries = desk.known(SUFFIX)["entries"].values()
    count = str(sum(one["kind"] != "ServiceLinkedRole" for one in entries))

    for command in ("plan", "drift", "apply"):
        more = ("--yes",) if command == "apply" else ()
        ran = desk.well(command, "--suffix", SUFFIX, *more)
        assert told(ran.err, rf"(\d+) resources{ROLES} checked with") == count, ran.err
    assert told(desk.well("status", "--suffix", SUFFIX).err, r"(\d+) resources checked with") == count
    assert told(desk.well("plan", "--all").err, r"(\d+) resources of 1 stacks") == count
    ending = desk.well("plan", "--destroy", "--suffix", SUFFIX)
    assert told(ending.out + ending.err, r"(\d+) (?:of \S+ in|to destroy)") == count
    (listed,) = desk.well("list", "--json").lines
    assert listed["stacks"][0]["resources"] == int(count)


def test_the_accounts_own_are_those_that_their_resource_types_say_are_shared() -> None:
    assert {name for name, kind in KINDS.items() if kind.shared} == ACCOUNTS_OWN
