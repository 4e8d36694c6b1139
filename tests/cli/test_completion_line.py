"""Every command that changes something ends with one line that says what it did, in what time, with how many calls."""

from __future__ import annotations

import re

import pytest

from provisioner.terminal.estimate import format_elapsed
from tests.support.account_inventory import inventory
from tests.support.user import User


def last_line(text: str) -> str:
    """The last line, with its time and calls left out."""
    line = text.splitlines()[-1]
    assert re.search(r" in (\d+ m )?[\d.]+ s \(\d+ calls?\)\.$", line), line
    return re.sub(r" in [^(]*\(\d+ calls?\)\.$", "", line)


def test_apply_and_teardown_end_with_what_they_did(user: User) -> None:
    made = user.well("apply", "--yes", "--suffix", "prod")
    added = len(user.known("prod")["entries"]) - 4  # the account's own roles
    assert last_line(made.err) == f"Apply complete: {added} added, 0 changed, 0 destroyed"

    changed = user.well("apply", "--yes", "--suffix", "prod", "--set", "service.maximum=9")
    assert last_line(changed.err) == "Apply complete: 0 added, 1 changed, 0 destroyed"

    idle = user.well("apply", "--yes", "--suffix", "prod", "--set", "service.maximum=9")
    assert last_line(idle.err) == "Apply complete: 0 added, 0 changed, 0 destroyed"
    # The outputs are the last of what a program reads.
    assert idle.out.splitlines()[-1].startswith("vpc_id ")

    gone = user.well("teardown", "--yes", "--suffix", "prod")
    assert last_line(gone.err) == f"Teardown complete: {added} destroyed"
    assert inventory(user.box.endpoint)["balancer"] == {}


def test_what_is_done_to_a_service_ends_with_what_it_runs(user: User) -> None:
    user.well("apply", "--yes", "--suffix", "prod", "--set", "edge.guard=require")
    of_prod = ("--yes", "--suffix", "prod")

    shipped = user.well("deploy", *of_prod, "--image", "public.ecr.aws/acme/model:2")
    assert last_line(shipped.err) == "Deploy complete: api runs revision 2"
    again = user.well("deploy", *of_prod, "--image", "public.ecr.aws/acme/model:2")
    assert last_line(again.err) == "Deploy complete: api runs revision 2 already"
    back = user.well("rollback", *of_prod)
    assert last_line(back.err) == "Rollback complete: api runs revision 1"
    assert "rollback --to 2 --suffix prod --local` brings back revision 2" in back.err
    assert last_line(user.well("restart", *of_prod).err) == "Restart complete: api runs revision 1 with new tasks"
    assert last_line(user.well("scale", *of_prod, "--max", "7").err) == "Scale complete: api between 2 and 7 tasks"
    ran = user.run("run", "--local", *of_prod, "--", "true", local=False)
    assert re.fullmatch(r"Run complete: task [0-9a-f]{32} ended with exit code 0", last_line(ran.err))
    rotated = user.well("rotate-origin-secret", *of_prod, "--set", "edge.guard=require")
    assert last_line(rotated.err) == "Rotation complete: 1 key changed"


def test_a_command_that_fails_says_no_such_thing(user: User) -> None:
    user.well("apply", "--yes", "--suffix", "prod")
    user.box.faults({"operation": "application-autoscaling:RegisterScalableTarget", "fault": "access_denied"})

    ran = user.run("apply", "--yes", "--suffix", "prod", "--set", "service.maximum=9")

    assert ran.code != 0
    assert "Apply complete:" not in ran.err


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (59.9, "59.9 s"),
        (60, "1 m 00 s"),
        (432, "7 m 12 s"),
        (3599.6, "1 h 00 m 00 s"),
        (7325, "2 h 02 m 05 s"),
    ],
)
def test_a_time_is_said_in_hours_minutes_and_seconds(seconds: float, text: str) -> None:
    assert format_elapsed(seconds) == text
